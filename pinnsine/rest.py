"""A first guess for Newton's method: another solution, or that every field stays as its conditions have it.

Newton's method on frozen sines converges from zero where the equation is weakly nonlinear. Where it is not, a short evolution is close to
rest, u_t = 0 with the given conditions, and what does not evolve, or was measured at several times, to the surface through its conditions and
data that bends least: either is one linear least-squares problem on the same sines. An equation such as |grad u| = 1 is singular at zero, but
not there, and an inverse problem is linear, or nearly so, once its fields are close to the data. An eigenvalue problem starts from the
eigenpair nearest to the start of its unknown (``pinnsine.modes``), and where unknown numbers alone make the rows nonlinear the fields are
those that belong to the numbers' starts.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from pinnsine.ansatz import Ansatz, TrialFunction
from pinnsine.constraint import Prescribed, Residual
from pinnsine.continuation import value_of
from pinnsine.domain import Domain
from pinnsine.index import Index, make_index
from pinnsine.jet import Shifted
from pinnsine.least_squares import Factors, least_squares
from pinnsine.modes import affine_in_fields, nearest_mode
from pinnsine.nets import FrozenSines
from pinnsine.objective import Objective
from pinnsine.optim.gauss_newton import GaussNewton
from pinnsine.points import Points
from pinnsine.problem import Field, Problem
from pinnsine.separable import is_separable
from pinnsine.term import Term

STEADY = 1e-10  # the damping of a fit by sines that do not vary in time
CONTINUES = 1e-3  # the loss of a window's fields on the next one, below which these are a better start there than rest
BENDING = 1e-3  # the weight of second derivatives, so small that conditions and data hold


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
    if not is_separable(objective) and (steady := _steady(objective)) is not None:
        return _of_few(objective, theta, steady)
    need = {f.name: _at_rest(problem, f) for f in problem.fields}
    constraint = Residual("rest", lambda s: {f"{n}_{'_'.join(i)}": Shifted(getattr(s, n), i) for n, those in need.items() for i in those})
    scales = {f"{n}_{'_'.join(i)}": _weight(problem.domain, i) / objective.ansatz.scales[n].scale for n, those in need.items() for i in those}
    rest = Term(constraint, need, scales, "one backward")
    conditions = tuple(t for t in objective.terms if not isinstance(t.constraint, Residual))
    points = {**objective.points, "rest": objective.points[equation.constraint.name]}
    return _step(Objective(objective.ansatz, (rest, *conditions), points, objective.memory), theta)


def _step(objective: Objective, theta: Tensor) -> Tensor:
    """The parameters (P,) after a Gauss-Newton step; where no row sees two fields, of each field on its own, as its cost is the cube of them.

    Four fields of 1,000 sines in four coordinates took 41 s together, 6 s one by one (Beltrami's flow, a loaded thread).
    """
    own = _parameters_of_fields(objective)
    if own and theta.dtype == torch.float64:
        rows, jacobian = objective.jacobian(theta)
        seen = [jacobian[:, block].any(dim=1) for block in own]
        others = torch.ones_like(theta, dtype=torch.bool).index_fill(0, torch.cat(own), False)
        if int(torch.stack(seen).sum(dim=0).max()) == 1 and not jacobian[:, others].any():
            found = theta.clone()
            for block, part in zip(own, seen, strict=True):
                found[block] += Factors.of(jacobian[part][:, block], GaussNewton().damping).solve(-rows[part], -theta[block])
            if objective.loss(found) < float(rows.square().sum()):
                return found
    return GaussNewton().step(objective, theta, {}).theta


def _parameters_of_fields(objective: Objective) -> list[Tensor]:
    """The indices of the parameters of each field on frozen sines; none on lattices, which have ways of their own."""
    ansatz, found = objective.ansatz, []
    if not isinstance(ansatz.net, FrozenSines) or ansatz.net.lattice is not None:
        return []
    index = torch.arange(ansatz.size, device=next(ansatz.parameters()).device)
    for number, piece in enumerate(ansatz.pieces):
        for k in range(len(piece.fields)):
            names = [n for n in objective.blocks if n.startswith(f"networks.{number}.")]
            found.append(torch.cat([index[objective.blocks[n]].reshape(len(piece.fields), -1)[k] for n in names]))
    return found


def _steady(objective: Objective) -> Tensor | None:
    """Which parameters (P,) belong to sines of a lattice that do not vary in time; None where there is another network, or no time."""
    ansatz, time = objective.ansatz, objective.ansatz.problem.domain.time
    if objective.fixed or getattr(ansatz.net, "lattice", None) is None or any(time not in p.inputs for p in ansatz.pieces):
        return None
    found = torch.zeros(ansatz.size, dtype=torch.bool)
    for number, piece in enumerate(ansatz.pieces):
        constant = piece.module[1].weight[:, piece.inputs.index(time)] == 0
        found[objective.blocks[f"networks.{number}.1.output.weight"]] = constant.repeat(len(piece.fields)).cpu()
        found[objective.blocks[f"networks.{number}.1.output.bias"]] = True
    return found


def _of_few(objective: Objective, theta: Tensor, free: Tensor) -> Tensor:
    """The parameters (P,) with which the conditions hold best, of those that are ``free`` (P,): the others vanish."""
    conditions = tuple(t for t in objective.terms if not isinstance(t.constraint, Residual))
    start = torch.zeros_like(theta)
    rows, jacobian = Objective(objective.ansatz, conditions, objective.points, objective.memory).jacobian(start)
    start[free] = least_squares(jacobian[:, free], -rows, STEADY)
    return start


def from_solution(objective: Objective, theta: Tensor, before: TrialFunction) -> Tensor:
    """The parameters (P,) with which frozen sines come closest to another trial function of the same fields, found from theta (P,)."""
    equation = next((t for t in objective.terms if isinstance(t.constraint, Residual) and t.constraint.on is None), None)
    if equation is None:
        return theta
    names = objective.ansatz.problem.names.fields
    constraint = Residual("start", lambda s: {n: getattr(s, n) - value_of(before, n, (), s) for n in names})
    scales = {n: 1 / objective.ansatz.scales[n].scale for n in names}
    term = Term(constraint, {n: {()} for n in names}, scales, "one backward")
    points = {"start": objective.points[equation.constraint.name]}
    found = _step(Objective(objective.ansatz, (term,), points, objective.memory), theta)
    if isinstance(before, Ansatz) and before.problem.unknowns == objective.ansatz.problem.unknowns:
        found[objective.blocks["unknowns"]] = before.unknowns.detach().to(found)
    return found


def from_window_before(objective: Objective, theta: Tensor, before: Ansatz) -> Tensor:
    """The parameters (P,) on a window of time from the fields of the window before, continued in time; from rest, where that leaves much."""
    further = Ansatz(objective.ansatz.problem, before.pieces, before.scales, before.net)
    if objective.with_ansatz(further).loss(further.flat()) < CONTINUES:
        return from_solution(objective, theta, before)
    return from_rest(objective, theta)


def _at_starts(objective: Objective, theta: Tensor) -> Tensor:
    """The parameters (P,) of the fields that belong to the starts of the unknown numbers, found from theta (P,)."""
    numbers = objective.blocks["unknowns"]
    fields = torch.cat([theta[: numbers.start], theta[numbers.stop :]])
    free = objective.restrict([n for n in objective.blocks if n != "unknowns"], theta)
    found = GaussNewton().step(free, fields, {}).theta
    return torch.cat([found[: numbers.start], theta[numbers], found[numbers.start :]])


def _at_rest(problem: Problem, field: Field) -> set[Index]:
    """The derivatives that vanish at rest: the one by time, or where there is none, or the field was measured, all second ones."""
    if problem.domain.time in field.of and not _measured(problem, field.name):
        return {(problem.domain.time,)}
    return {make_index(pair) for pair in itertools.combinations_with_replacement(field.of, 2)}


def _measured(problem: Problem, name: str) -> bool:
    """Whether data give the field at more than two times."""
    given = [c.on for c in problem.soft if isinstance(c, Prescribed) and isinstance(c.on, Points) and name in c.targets]
    return any(len(points[problem.domain.time].unique()) > 2 for points in given)


def _weight(domain: Domain, index: Index) -> float:
    """The product of half-lengths that makes a derivative one of scaled coordinates; second ones yield to conditions and data."""
    return math.prod(domain.axis(n).length / 2 for n in index) * (BENDING if len(index) > 1 else 1.0)
