"""One constraint of an objective: what it asks for, how its rows are scaled, and by which route its Jacobian is made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.ansatz import Ansatz
from pinnsine.compiled import Compiler
from pinnsine.constraint import Constraint, Prescribed
from pinnsine.index import Index
from pinnsine.named_rows import rows_of
from pinnsine.points import Points
from pinnsine.probe import require_weights, trace, weights_at
from pinnsine.scaling import row_scales

ROW_WEIGHT = "row_weight"  # the column of points whose rows are weighted one by one
TRACED = 16  # points at which a constraint is evaluated to see which derivatives it asks for


@dataclass(frozen=True)
class Term:
    """A constraint bound to a trial function: the derivatives it needs, its rows' names and factors, its Jacobian route.

    ``weight``: a factor of its loss beside the problem's own, as ``pinnsine.weighting`` sets it. ``early``: the exponent E of weights
    exp(E (1/2 - t / T)) over the length T of time (see ``pinnsine.growth``). ``compiler``: makes its gradient.
    """

    constraint: Constraint
    need: Mapping[str, set[Index]]
    scales: Mapping[str, float]
    route: str  # "one backward" or "batched vjp"
    weight: float = 1.0
    early: float = 0.0
    compiler: Compiler | None = None
    evaluations: int = 1  # points at which the fields are evaluated for one row


def term_of(ansatz: Ansatz, constraint: Constraint, points: Points) -> Term:
    """A constraint with the derivatives that it asks for on a probe, and its rows' factors."""
    if callable(constraint.weight):
        require_weights(ansatz.problem, constraint, points)
    problem, few = ansatz.problem, points.to(torch.float64, torch.device("cpu")).select(slice(0, TRACED))
    seen = trace(problem, constraint, few, ansatz.scales)
    return Term(constraint, seen.need, row_scales(problem, constraint, ansatz.scales), "one backward", evaluations=seen.evaluations)


def scaled_rows(term: Term, ansatz: Ansatz, views: Mapping[str, Tensor], points: Points, count: int, tape=None, unknowns=None) -> Tensor:
    """The rows (C, N) of a term at some of its ``count`` row points, in the units of the loss, for all parameters by name."""
    constraint, problem = term.constraint, ansatz.problem
    rows = rows_of(constraint, ansatz.local(views, constraint.expand(points, problem.domain), term.need, tape, unknowns), len(points))
    size = math.sqrt(term.weight / count)
    stacked = torch.stack([rows[name] * (size * scale) for name, scale in term.scales.items()])
    factors = position_factors(term, problem, points)
    return stacked if factors is None else stacked * factors.to(stacked)


def position_factors(term: Term, problem, points: Points) -> Tensor | None:
    """The factors sqrt(w(x_i)) / sigma_i of the rows (N,), and those of weights at single points; None where all are one."""
    constraint, factors = term.constraint, None
    if callable(constraint.weight):
        factors = weights_at(problem, constraint, points).sqrt()
    if isinstance(constraint, Prescribed) and constraint.sigma is not None:
        sigma = points[constraint.sigma] if isinstance(constraint.sigma, str) else torch.tensor(float(constraint.sigma))
        factors = 1 / sigma if factors is None else factors / sigma
    roots = [points[ROW_WEIGHT].sqrt()] if ROW_WEIGHT in points.names else []
    roots += [early_weights(term.early, problem, points).sqrt()] if term.early else []
    for root in roots:
        factors = root if factors is None else factors * root
    return factors


def early_weights(exponent: float, problem, points: Points) -> Tensor:
    """exp(E (1/2 - t / T)) at points (N,), t from the start of time: of geometric mean 1."""
    axis = problem.domain.axis(problem.domain.time)
    return torch.exp(exponent * ((axis.lower + axis.upper) / 2 - points[axis.name]) / axis.length)
