"""Windows of time: an evolution problem cut into problems of their own, each of which starts from the end of the one before."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from pinnsine.ansatz import TrialFunction
from pinnsine.constraint import Constraint, InitialCondition, row_points
from pinnsine.domain import Box, Domain, Face, Faces, Part, Product, Region
from pinnsine.errors import ProblemError
from pinnsine.index import Index
from pinnsine.jet import Shifted, values
from pinnsine.local import Local
from pinnsine.points import Points
from pinnsine.probe import FieldScale, trace
from pinnsine.problem import Problem


@dataclass(frozen=True)
class Continuation(Constraint):
    """The fields, and their time derivatives below ``orders``, are those of the trial function ``before`` at the same points."""

    before: TrialFunction = field(kw_only=True)
    orders: Mapping[str, int] = field(kw_only=True)

    def residual(self, s):
        return {"_".join((f, *i)): Shifted(getattr(s, f), i) - end(s) for f, i, end in self.prescribed()}

    def prescribed(self, names=None):
        time = self.before.problem.domain.time
        indices = [(name, (time,) * k) for name, order in self.orders.items() for k in range(order)]
        return [(name, index, functools.partial(value_of, self.before, name, index)) for name, index in indices]


def value_of(before: TrialFunction, name: str, index: Index, s: Local) -> Tensor:
    """A derivative of a field of ``before`` at the points of ``s`` (N,)."""
    points = Points({n: values(getattr(s, n)) for n in before.problem.domain.names})
    with torch.no_grad():
        local = before.local(before.views(before.flat()), points, {f.name: {index} if f.name == name else set() for f in before.problem.fields})
        return Shifted(getattr(local, name), index).values


def time_orders(problem: Problem) -> dict[str, int]:
    """The highest time derivative of every field in the equations; a field without one carries nothing from window to window."""
    scales = {f.name: FieldScale() for f in problem.fields}
    orders: dict[str, int] = {}
    for constraint in problem.constraints:
        points = row_points(constraint, problem.domain, 8, "sobol", torch.Generator().manual_seed(0))
        for name, indices in trace(problem, constraint, points, scales).need.items():
            highest = max((i.count(problem.domain.time) for i in indices if isinstance(i, tuple)), default=0)
            orders[name] = max(orders.get(name, 0), highest)
    found = {n: order for n, order in orders.items() if order}
    if not found:
        raise ProblemError("No equation has a time derivative, so there is nothing to carry from one window to the next: call solve().")
    return found


def window_problem(problem: Problem, edges: Sequence[float], k: int) -> Problem:
    """The problem on window k, with the conditions of its own time alone."""
    time = problem.domain.time
    box = _cut(problem.domain, time, edges[k], edges[k + 1])
    constraints = (_restricted(c, problem.domain, box, first=k == 0) for c in problem.constraints)
    return Problem(box, problem.fields, [c for c in constraints if c is not None], reference=problem.reference, name=problem.name)


def continued(problem: Problem, before: TrialFunction, orders: Mapping[str, int]) -> Problem:
    """The problem on a window that starts from the end of the one before."""
    domain = problem.domain
    start = domain.side(**{domain.time: domain.axis(domain.time).lower})
    continuation = Continuation("continuation", on=start, before=before, orders=orders)
    return Problem(domain, problem.fields, [*problem.constraints, continuation], reference=problem.reference, name=problem.name)


def _cut(domain: Domain, time: str, lower: float, upper: float) -> Domain:
    """The domain between two times."""
    if isinstance(domain, Product):
        return Product(domain.shape, _cut(domain.rest, time, lower, upper))
    return Box(*(replace(a, lower=lower, upper=upper) if a.name == time else a for a in domain.axes))


def _restricted(constraint: Constraint, domain: Domain, box: Domain, first: bool) -> Constraint | None:
    """A constraint on the part of its region that lies in a window; None where nothing of it does."""
    if isinstance(constraint, InitialCondition) and constraint.on is None:
        return constraint if first else None
    if constraint.on is None:
        return constraint
    region = _part(constraint.on, domain, box)
    return None if region is None else replace(constraint, on=region)


def _part(region: Region | Points, domain: Domain, box: Domain) -> Region | Points | None:
    time = domain.time
    low, high = box.axis(time).lower, box.axis(time).upper
    if isinstance(region, Points):
        t = region[time]
        inside = (t <= high) & ((t > low) | (low == domain.axis(time).lower))
        return region.select(inside.nonzero()[:, 0]) if bool(inside.any()) else None
    if isinstance(region, Faces):
        faces = [f for f in (_part(face, domain, box) for face in region.faces) if f is not None]
        return Faces(tuple(faces)) if faces else None
    if isinstance(region, Face):
        if region.name == time:
            return Face(box, time, region.value, region.sign) if region.value == (low if region.sign < 0 else high) else None
        own = _part(region.box, domain, box)
        return None if own is None else Face(own, region.name, region.value, region.sign)
    if isinstance(region, Box):
        axis = region.axis(time)
        lower, upper = max(axis.lower, low), min(axis.upper, high)
        return _cut(region, time, lower, upper) if lower < upper else None
    if isinstance(region, Part | Product) and region.rest is not None:
        rest = _part(region.rest, domain, box.rest if isinstance(box, Product) else box)
        if rest is None:
            return None
        return Product(region.shape, rest) if isinstance(region, Product) else replace(region, rest=rest)
    raise ProblemError(f"A march cannot cut a region of type {type(region).__name__} into windows.")
