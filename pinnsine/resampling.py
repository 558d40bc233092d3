"""Residual-adaptive resampling: new points where the equation is violated most.

RAD (Wu, Zhu, Tan, Kartha & Lu 2023): from candidates drawn uniformly, points are chosen with probability p ~ |r|^k / mean |r|^k + c,
with k = c = 1 here. The rows' weights are not corrected for it: the density shifts the loss towards the front, which is the purpose.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pinnsine.constraint import Residual
from pinnsine.objective import Objective

CANDIDATES = 4  # times the number of points


def resample(objective: Objective, theta: Tensor, generator: torch.Generator) -> Objective:
    """The objective with new points, chosen by RAD, for every residual on a region."""
    chosen = {}
    for term in objective.terms:
        constraint = term.constraint
        if not isinstance(constraint, Residual) or constraint.loss is not None:
            continue
        old = objective.points[constraint.name]
        region = constraint.region(objective.ansatz.problem.domain)
        candidates = region.sample(CANDIDATES * len(old), "uniform", generator).to(theta.dtype, theta.device)
        size = objective.magnitudes(theta, constraint.name, candidates)
        if len(candidates) <= len(old) or not bool(torch.isfinite(size).all()) or not bool(size.any()):
            continue
        density = (size / size.mean() + 1).cpu()
        chosen[constraint.name] = candidates.select(torch.multinomial(density, len(old), generator=generator).to(theta.device))
    return objective.with_points(chosen)
