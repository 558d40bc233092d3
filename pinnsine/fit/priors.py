"""What images are like: priors as constraints, for values that are not given."""

from __future__ import annotations

import math
from collections.abc import Callable

from pinnsine.constraint import Constraint, Residual
from pinnsine.errors import ProblemError
from pinnsine.local import Local
from pinnsine.points import Points

SECOND = {"xx": 1.0, "xy": math.sqrt(2), "yy": 1.0}  # factors of the derivatives whose squares add up to the Hessian's Frobenius norm
EDGE = 0.02  # a slope, in values a pixel, below which total variation is quadratic
BEND = 0.02  # a second derivative, in values a square pixel, below which the mean bending is quadratic
WEIGHT = 1e-3  # of a prior's mean against the mean squared error


def prior_of(kind: str, weight: float | None, fields: tuple[str, ...], on: Points) -> Constraint:
    """A prior by its name, "tv", "hessian" or "bending", with its weight against the mean squared error, by default ``WEIGHT``.

    Raises ProblemError for an unknown one, and a weight that is not above zero.
    """
    if kind not in PRIORS:
        raise ProblemError(f"prior= takes {' or '.join(map(repr, PRIORS))}, got {kind!r}.")
    weight = WEIGHT if weight is None else weight
    if not 0 < weight < math.inf:
        raise ProblemError(f"weight= is that of a prior, above zero, got {weight!r}.")
    return Residual(kind, PRIORS[kind](fields), on=on, weight=weight / len(fields))


def curvature(names: tuple[str, ...]) -> Callable[[Local], dict]:
    """The second derivatives of all fields, the mixed ones by the root of two."""

    def hessian(s):
        return {f"{n}_{pair}": factor * getattr(s, f"{n}_{pair}") for n in names for pair, factor in SECOND.items()}

    return hessian


def variation(names: tuple[str, ...]) -> Callable[[Local], dict]:
    """The slopes of all fields over (|grad u|^2 + EDGE^2)^(1/4): their squares add up to |grad u| where that is large."""

    def slopes(s):
        found = {}
        for n in names:
            along = {c: getattr(s, f"{n}_{c}") for c in "xy"}
            root = (along["x"] ** 2 + along["y"] ** 2 + EDGE**2) ** 0.25
            found |= {f"{n}_{c}": slope / root for c, slope in along.items()}
        return found

    return slopes


def bending(names: tuple[str, ...]) -> Callable[[Local], dict]:
    """The second derivatives of all fields over (|Hessian|^2 + BEND^2)^(1/4): their squares add up to |Hessian| where that is large."""
    second = curvature(names)

    def rows(s):
        found = second(s)
        for n in names:
            own = [f"{n}_{pair}" for pair in SECOND]
            root = (sum(found[c] ** 2 for c in own) + BEND**2) ** 0.25
            found |= {c: found[c] / root for c in own}
        return found

    return rows


PRIORS = {"tv": variation, "hessian": curvature, "bending": bending}
