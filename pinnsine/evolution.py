"""Which problems are evolutions: what happens at a time is said by what was before, so that they may be solved window by window."""

from __future__ import annotations

from pinnsine.constraint import Constraint, InitialCondition, Periodic
from pinnsine.continuation import time_orders
from pinnsine.domain import Box, Face, Faces, Part, Product, Region
from pinnsine.errors import ProblemError
from pinnsine.integral import Integral
from pinnsine.points import Points
from pinnsine.problem import Problem


def is_evolution(problem: Problem) -> bool:
    """Whether the start determines everything after it.

    Every field depends on all coordinates and has its values, and its time derivatives below the highest, given at the start; no condition
    looks at a later end of time or averages over time; there are no unknown numbers, and no measured data.
    """
    domain = problem.domain
    if domain.time is None or problem.unknowns or any(f.of != domain.names or f.parts for f in problem.fields):
        return False
    try:
        orders = time_orders(problem)
    except ProblemError:
        return False
    given = {(f, index) for c in problem.constraints if holds_at_start(c, problem) for f, index, _ in c.prescribed(problem.names)}
    started = all((f, (domain.time,) * k) in given for f, order in orders.items() for k in range(order))
    return started and not any(_looks_ahead(c, problem) for c in problem.constraints)


def holds_at_start(constraint: Constraint, problem: Problem) -> bool:
    """Whether a condition holds on the whole start of time."""
    if isinstance(constraint, InitialCondition) and constraint.on is None:
        return True
    region, time = constraint.region(problem.domain), problem.domain.time
    return isinstance(region, Face) and region.name == time and region.sign < 0 and region.box == problem.domain


def _looks_ahead(constraint: Constraint, problem: Problem) -> bool:
    """Whether a condition ties what is now to what comes later, or is fitted to measurements."""
    time = problem.domain.time
    if constraint.sigma is not None or constraint.loss is not None:
        return True
    if isinstance(constraint, Integral):
        return time in constraint.over
    if isinstance(constraint, Periodic):
        return constraint.coordinate == time
    return _has_end(constraint.region(problem.domain), time)


def _has_end(region: Region | Points, time: str) -> bool:
    """Whether a region is, in part, the end of time; or none that can be cut into windows."""
    if isinstance(region, Faces):
        return any(_has_end(face, time) for face in region.faces)
    if isinstance(region, Face):
        return region.name == time and region.sign > 0
    if isinstance(region, Part | Product):
        return region.rest is not None and _has_end(region.rest, time)
    return not isinstance(region, Box | Points)
