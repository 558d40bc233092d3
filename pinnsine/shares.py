"""How many points each constraint gets."""

from __future__ import annotations

import math

from pinnsine.constraint import Constraint, Residual
from pinnsine.domain import Domain, Face, Faces, Part
from pinnsine.problem import Problem

POINTS = 2500  # row points of equations together: between two and three for each parameter of the networks below
CONDITION_POINTS = 500  # row points of all other constraints together
MOST_ON_CONDITIONS = 1.5  # times as many points of conditions as of equations, at most
ROWS_PER_SINE = 4  # rows of equations for each sine of each field


def share_points(problem: Problem, points, default: int = POINTS, sines: int = 0) -> dict[str, int]:
    """Row points by constraint: ``points`` as given (a total for equations, or by name), the rest by the default total.

    ``sines``: of each field where they are frozen. Conditions then have points to tell apart what becomes of them there.
    """
    equations = equations_of(problem)
    others = [c for c in problem.soft if c not in equations]
    total = points if isinstance(points, int) else default
    shares = {c.name: max(1, total // max(1, len(equations))) for c in equations}
    resolved = {c.name: ROWS_PER_SINE * traces(problem, c, sines) for c in others}
    part = min(1.0, MOST_ON_CONDITIONS * total / max(1.0, sum(resolved.values())))
    least = max(1, CONDITION_POINTS * total // POINTS // max(1, len(others)))
    shares.update({n: max(least, int(part * count)) for n, count in resolved.items()})
    return {**shares, **(points if isinstance(points, dict) else {})}


def traces(problem: Problem, constraint: Constraint, sines: int) -> float:
    """How many functions are left of n sines where a condition stands: of d coordinates n^((d - 1) / d) on every face of a box.

    A curved boundary counts as so many faces as fit on it.
    """
    region, domain = constraint.region(problem.domain), problem.domain
    if isinstance(region, Faces | Face):
        faces = len(region.faces) if isinstance(region, Faces) else 1
    elif isinstance(region, Part) and not region.is_inside:
        size = math.prod(a.length for a in region.shape.axes) ** (1 / region.shape.dimension)
        faces = sum(p.measure for p in region.pieces) / size ** (region.shape.dimension - 1)
    else:
        return 0.0
    return faces * sines ** (1 - 1 / len(domain.axes))


def equations_of(problem: Problem) -> list[Residual]:
    """The equations on the whole domain."""
    return [c for c in problem.soft if isinstance(c, Residual) and isinstance(c.region(problem.domain), Domain)]
