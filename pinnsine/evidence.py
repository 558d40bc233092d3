"""What a diagnosis looks at: rows at fresh points in natural units, spectra, the Jacobian, the comparison; each found when asked for.

In natural units weights of the user's are set aside, and a row of size one violates its condition as much as a trial function without any
training would.
"""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor

from pinnsine.constraint import Residual, row_points
from pinnsine.jacobian import route_of
from pinnsine.objective import Objective
from pinnsine.points import Points
from pinnsine.probe import trace
from pinnsine.scaling import EQUATION_SHARE, row_scales
from pinnsine.solution import Comparison, Solution
from pinnsine.term import Term

POINTS = {True: 2000, False: 500}  # fresh points of an equation, of a condition
LINES, NODES = 16, 256  # lines along a coordinate, and their nodes, for spectra
MEMORY = 2e9


class Evidence:
    """The evidence on a solution in float64, whatever it was trained in."""

    def __init__(self, solution: Solution):
        self.solution, self.problem, self.ansatz = solution, solution.problem, copy.deepcopy(solution.ansatz).double()
        self.theta = self.ansatz.flat()
        self.constraints = {c.name: replace(c, weight=None, loss=None) for c in self.problem.soft}
        generator = torch.Generator().manual_seed(11)
        self.points = {
            n: row_points(c, self.problem.domain, POINTS[isinstance(c, Residual)], "sobol", generator) for n, c in self.constraints.items()
        }
        share = {n: EQUATION_SHARE if isinstance(c, Residual) else 1.0 for n, c in self.constraints.items()}
        scales = {n: row_scales(self.problem, c, self.ansatz.scales) for n, c in self.constraints.items()}
        self.given = {c.name: row_scales(self.problem, c, self.ansatz.scales) for c in self.problem.soft}
        self.natural = {n: {name: s / share[n] for name, s in scales[n].items()} for n in scales}

    def term(self, name: str) -> Term:
        constraint = self.constraints[name]
        need = trace(self.problem, constraint, self.points[name].select(slice(0, 16)), self.ansatz.scales).need
        return Term(constraint, need, self.natural[name], "one backward")

    @cached_property
    def objective(self) -> Objective:
        return Objective(self.ansatz, tuple(self.term(n) for n in self.constraints), self.points, MEMORY)

    def rows_at(self, name: str, points: Points) -> Tensor:
        """The rows (C, N) of a constraint at points, in natural units."""
        [term] = [t for t in self.objective.terms if t.constraint.name == name]
        rows = Objective(self.ansatz, (term,), {name: points}, MEMORY).rows(self.theta)
        return rows.view(len(term.scales), len(points)) * math.sqrt(len(points))

    def values(self, field: str, points: Points) -> Tensor:
        """A field (N,) at points."""
        need = {f.name: {()} if f.name == field else set() for f in self.problem.fields}
        with torch.no_grad():
            return getattr(self.ansatz.local(self.ansatz.views(self.theta), points, need), field).values

    def lines(self, name: str) -> Points:
        """Lines along a coordinate through points of the domain, node after node."""
        domain = self.problem.domain
        through, axis = domain.sample(LINES, "sobol", torch.Generator().manual_seed(5)), domain.axis(name)
        nodes = axis.lower + axis.length * (torch.arange(NODES, dtype=torch.float64) + 0.5) / NODES
        columns = {n: c.repeat_interleave(NODES) for n, c in through.columns.items()}
        return Points({**columns, name: nodes.repeat(len(through))})

    @cached_property
    def rows(self) -> dict[str, Tensor]:
        return {n: self.rows_at(n, self.points[n]) for n in self.constraints}

    @cached_property
    def violations(self) -> dict[str, float]:
        return {n: float(r.square().mean().sqrt()) for n, r in self.rows.items()}

    @cached_property
    def worst(self) -> str:
        return max(self.violations, key=self.violations.get)

    @cached_property
    def equation(self) -> str | None:
        """The equation that is violated most."""
        names = [n for n, c in self.constraints.items() if isinstance(c, Residual) and c.on is None]
        return max(names, key=self.violations.get, default=None)

    @cached_property
    def overfit(self) -> float:
        """The loss at fresh points over that at the training points in the end."""
        factors = {n: [given / self.natural[n][part] for part, given in parts.items()] for n, parts in self.given.items()}
        parts = {n: zip(factors[n], rows, strict=True) for n, rows in self.rows.items()}
        fresh = sum(float((factor * row).square().mean()) for pairs in parts.values() for factor, row in pairs)
        training = float(self.solution.settings["loss"])
        return fresh / training if training > 0 else math.nan

    @cached_property
    def comparison(self) -> Comparison | None:
        reference = self.problem.reference
        known = reference is not None and any(f.name in reference.fields for f in self.problem.fields)
        return self.solution.compare() if known else None

    @cached_property
    def jacobian(self) -> Tensor:
        """The Jacobian (R, P) of the rows in natural units at fresh points."""
        routed = tuple(replace(t, route=route_of(self.objective, t, self.theta)) for t in self.objective.terms)
        return Objective(self.ansatz, routed, self.points, MEMORY).jacobian(self.theta)[1]


def wave_number(batch: Tensor) -> float:
    """The waves on a line below which nine tenths of the power lie, at least one; batch (..., lines times nodes)."""
    lines = batch.reshape(-1, NODES)
    lines = (lines - lines.mean(dim=1, keepdim=True)) * torch.hann_window(NODES, dtype=lines.dtype)
    power = torch.fft.rfft(lines).abs().square().sum(dim=0).cumsum(0)
    return max(1.0, float((power < 0.9 * power[-1]).sum()))
