"""What the natural gradient methods share: gradient descent in the space of functions by the damped pseudo-inverse of J."""

from __future__ import annotations

import math

from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.linearised import Linearised

RAISED = 10.0  # times the damping where the kernel cannot be factorised


def require_settings(method) -> None:
    """Refuse settings that neither of the two methods can use."""
    if not (method.damping > 0 and (method.batch is None or method.batch >= 1)):
        raise ProblemError(f"{type(method).__name__} needs damping > 0 and a batch of at least one row or None, got {method}.")


def pulled_back(model: Linearised, v: Tensor, damping: float) -> Tensor | None:
    """J^T (J J^T + damping I)^-1 v (P,) for v (R,), at a damping that is not below the rounding of J J^T.

    Where there are more rows than parameters it is computed as the equal (J^T J + damping I)^-1 J^T v. None where no damping up to the size
    of the matrix lets it be factorised.
    """
    damping = max(damping, model.floor)
    while (factor := model.factor(damping)) is None:
        damping *= RAISED
        if not damping <= model.size < math.inf:
            return None
    return factor.solve(model.project(v))
