"""A first guess for Newton's method: every field stays as its conditions have it.

Newton's method on frozen sines converges from zero where the equation is weakly nonlinear. Where it is not, a short evolution is close to
rest, u_t = 0 with the given conditions, and what does not evolve to the surface through its conditions that bends least: either is one linear
least-squares problem on the same sines. An equation such as |grad u| = 1 is singular at zero, but not there. An eigenvalue problem starts
from the eigenpair nearest to the start of its unknown (``pinnsine.modes``), and where unknown numbers alone make the rows nonlinear the
fields are those that belong to the numbers' starts.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from pinnsine.constraint import Residual
from pinnsine.domain import Domain
from pinnsine.index import Index, make_index
from pinnsine.jet import Shifted
from pinnsine.modes import affine_in_fields, nearest_mode
from pinnsine.objective import Objective, Term
from pinnsine.optim.gauss_newton import GaussNewton


def from_rest(objective: Objective, theta: Tensor) -> Tensor:
    """The parameters (P,) of the fields at rest, found from theta (P,); theta itself where there is no equation on the whole domain."""
    problem = objective.ansatz.problem
    if (mode := nearest_mode(objective, theta)) is not None:
        return mode
    if problem.unknowns and affine_in_fields(objective, theta):
        return _at_starts(objective, theta)
    equation = next((t for t in objective.terms if isinstance(t.constraint, Residual) and t.constraint.on is None), None)
    if equation is None:
        return theta
    need = {f.name: _at_rest(problem.domain, f.of) for f in problem.fields}
    constraint = Residual("rest", lambda s: {f"{n}_{'_'.join(i)}": Shifted(getattr(s, n), i) for n, those in need.items() for i in those})
    scales = {f"{n}_{'_'.join(i)}": _size(problem.domain, i) / objective.ansatz.scales[n].scale for n, those in need.items() for i in those}
    rest = Term(constraint, need, scales, "one backward")
    conditions = tuple(t for t in objective.terms if not isinstance(t.constraint, Residual))
    points = {**objective.points, "rest": objective.points[equation.constraint.name]}
    return GaussNewton().step(Objective(objective.ansatz, (rest, *conditions), points, objective.memory), theta, {}).theta


def _at_starts(objective: Objective, theta: Tensor) -> Tensor:
    """The parameters (P,) of the fields that belong to the starts of the unknown numbers, found from theta (P,)."""
    numbers = objective.blocks["unknowns"]
    fields = torch.cat([theta[: numbers.start], theta[numbers.stop :]])
    free = objective.restrict([n for n in objective.blocks if n != "unknowns"], theta)
    found = GaussNewton().step(free, fields, {}).theta
    return torch.cat([found[: numbers.start], theta[numbers], found[numbers.start :]])


def _at_rest(domain: Domain, coordinates: tuple[str, ...]) -> set[Index]:
    """The derivatives that vanish at rest: the one by time, or where there is none all second ones."""
    if domain.time in coordinates:
        return {(domain.time,)}
    return {make_index(pair) for pair in itertools.combinations_with_replacement(coordinates, 2)}


def _size(domain: Domain, index: Index) -> float:
    """The product of half-lengths that makes a derivative one of scaled coordinates."""
    return math.prod(domain.axis(n).length / 2 for n in index)
