"""A step along a descent direction that meets the strong Wolfe conditions, by scipy (Nocedal & Wright 2006, algorithms 3.5 and 3.6)."""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor


def line_search(objective, theta: Tensor, direction: Tensor, loss: float, gradient: Tensor) -> tuple[tuple[Tensor, float, Tensor] | None, int]:
    """A step along ``direction`` that meets the strong Wolfe conditions (c1 = 1e-4, c2 = 0.9), or None; and the evaluations."""
    from scipy.optimize import line_search as wolfe

    seen: dict[float, tuple[Tensor, float, Tensor]] = {}

    def at(alpha: float) -> tuple[Tensor, float, Tensor]:
        if alpha not in seen:
            point = theta + alpha * direction
            seen[alpha] = (point, *objective.loss_and_gradient(point))
        return seen[alpha]

    # scipy searches on vectors: along the line the vector is the step length itself
    slope = float(gradient @ direction)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alpha = wolfe(
            lambda a: at(float(a[0]))[1],
            lambda a: (at(float(a[0]))[2] @ direction).reshape(1).numpy(force=True),
            torch.zeros(1).numpy(),
            torch.ones(1).numpy(),
            gfk=torch.tensor([slope]).numpy(),
            old_fval=loss,
            c1=1e-4,
            c2=0.9,
            maxiter=20,
        )[0]
    if alpha is None or not math.isfinite(at(float(alpha))[1]) or at(float(alpha))[1] >= loss:
        return None, len(seen)
    return at(float(alpha)), len(seen)
