"""The one place where residuals are scaled, stacked and differentiated by the parameters.

Row i of constraint c is sqrt(w_c m_i w(x_i)) r_i / sigma_i with m_i = 1/N_c, so that the loss is |rows|^2, without a factor 1/2. All
methods are pure functions of the flat parameter vector theta (P,).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor

from pinnsine import separable, sparse
from pinnsine.ansatz import Ansatz
from pinnsine.compiled import Compiler
from pinnsine.constraint import Residual
from pinnsine.errors import ProblemError
from pinnsine.jacobian import batched_vjp, one_backward, route_of
from pinnsine.least_squares import GaussNewtonStep
from pinnsine.linearised import Linearised, require_finite
from pinnsine.memory import Budget, bytes_per_point
from pinnsine.minibatch import dealt, drawn
from pinnsine.points import Points
from pinnsine.products import descent, pulled_back, pushed
from pinnsine.row_model import row_model
from pinnsine.term import ROW_WEIGHT, Term, scaled_rows, term_of

T = TypeVar("T")


class Objective:
    """The weighted residual rows of a problem at given points, with loss, gradient, products with the Jacobian, and the Jacobian.

    ``points`` maps a constraint's name to its row points; ``memory`` is the budget in bytes for the Jacobian and for what its
    evaluation holds at a time. Build one with ``bind``.
    """

    def __init__(
        self,
        ansatz: Ansatz,
        terms: tuple[Term, ...],
        points: Mapping[str, Points],
        memory: float | Budget,
        fixed: Mapping[str, Tensor] | None = None,
    ):
        self.ansatz, self.terms, self.points = ansatz, terms, dict(points)
        self.budget = memory if isinstance(memory, Budget) else Budget(memory)
        self.fixed = dict(fixed or {})  # parameters held at their values, by name
        self._storage: Tensor | None = None
        self.preconditioner = None  # of the last Gauss-Newton step on a lattice (``separable``)
        self.least: Tensor | None = None  # parameters (P,) of which Newton's method is known to gain nothing more

    @property
    def memory(self) -> float:
        """The budget in bytes."""
        return self.budget.bytes

    @property
    def whole(self) -> Objective:
        """The objective at all points, here itself; where points are shared out among processes it is one at a part of them."""
        return self

    def with_points(self, points: Mapping[str, Points]) -> Objective:
        """The same objective at other points; constraints that are not named keep theirs."""
        other = Objective(self.ansatz, self.terms, {**self.points, **points}, self.budget, self.fixed)
        other._storage = self._storage
        return other

    def with_ansatz(self, ansatz: Ansatz) -> Objective:
        """The same objective of another trial function of its kind: needs, scales and routes are kept."""
        return Objective(ansatz, self.terms, self.points, self.budget)

    def to(self, dtype: torch.dtype) -> Objective:
        """The same objective for parameters of another number type."""
        return self.with_points({n: p.to(dtype, p[p.names[0]].device) for n, p in self.points.items()})

    def weighted(self, weights: Mapping[str, float | Tensor]) -> Objective:
        """The same objective with the loss of each constraint times a number, or that of each of its points times an entry (N,)."""
        terms = tuple(replace(t, weight=w) if isinstance(w := weights[t.constraint.name], float) else t for t in self.terms)
        columns = {n: {ROW_WEIGHT: w.to(p[p.names[0]])} for n, p in self.points.items() if isinstance(w := weights.get(n), Tensor)}
        points = {n: Points({**self.points[n].columns, **column}, self.points[n].normal) for n, column in columns.items()}
        return Objective(self.ansatz, terms, {**self.points, **points}, self.budget, self.fixed)

    def only(self, name: str) -> Objective:
        """The objective of one constraint alone."""
        return Objective(self.ansatz, tuple(t for t in self.terms if t.constraint.name == name), self.points, self.budget, self.fixed)

    def thinned(self, share: float) -> Objective:
        """The same objective at a ``share`` of each constraint's points, spread evenly over all of them."""
        return self.with_points({n: p.spread(math.ceil(share * len(p))) for n, p in self.points.items()})

    def restrict(self, names: Sequence[str], theta: Tensor) -> Objective:
        """The objective as a function of the named parameters alone, all others held at theta (P,)."""
        fixed = {n: v.detach() for n, v in self.views(theta).items() if n not in names}
        return Objective(self.ansatz, self.terms, self.points, self.budget, {**self.fixed, **fixed})

    @cached_property
    def blocks(self) -> dict[str, slice]:
        """Where each free parameter lies in theta."""
        sizes = {n: p.numel() for n, p in self.ansatz.named_parameters() if n not in self.fixed}
        ends = dict(zip(sizes, itertools.accumulate(sizes.values()), strict=True))
        return {n: slice(ends[n] - size, ends[n]) for n, size in sizes.items()}

    def views(self, theta: Tensor) -> dict[str, Tensor]:
        """All parameters by name: the free ones as views of theta, the others as they are held."""
        shapes = {n: p.shape for n, p in self.ansatz.named_parameters()}
        return {**{n: theta[block].view(shapes[n]) for n, block in self.blocks.items()}, **self.fixed}

    @cached_property
    def count(self) -> int:
        """The number of rows."""
        return sum(len(self.points[t.constraint.name]) * len(t.scales) for t in self.terms)

    def rows(self, theta: Tensor) -> Tensor:
        """All rows (R,), without a graph. Raises ProblemError for a constraint with a loss of its own."""
        self.require_squares("residual rows")
        with torch.no_grad():
            views = self.views(theta)
            return torch.cat([torch.cat(list(self.pieces(t, self._rows_of(t, views))), dim=1).reshape(-1) for t in self.terms])

    def loss(self, theta: Tensor) -> float:
        """|rows|^2, plus the losses that constraints define themselves."""
        return sum(self.losses(theta).values())

    def losses(self, theta: Tensor) -> dict[str, float]:
        """The loss of each constraint by name."""
        with torch.no_grad():
            views = self.views(theta)
            return {t.constraint.name: float(self._loss(t, views)) for t in self.terms}

    def loss_and_gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """The loss and its gradient (P,)."""
        theta = theta.detach().requires_grad_()
        gradient, total = torch.zeros_like(theta), 0.0
        for term in self.terms:
            if term.constraint.loss is not None:
                loss = self._loss(term, self.views(theta))
                gradient += torch.autograd.grad(loss, theta)[0]
                total += float(loss.detach())
                continue
            for loss, slope in self.pieces(term, lambda points, _, term=term: descent(self, term, theta, points)):
                total += loss
                if slope is not None:
                    gradient += slope
        return total, gradient

    def vjp(self, theta: Tensor, weights: Tensor) -> Tensor:
        """J^T weights (P,), for weights (R,)."""
        theta, start = theta.detach().requires_grad_(), 0
        gradient = torch.zeros_like(theta)
        for term in self.terms:
            names, count = len(term.scales), len(self.points[term.constraint.name])
            seeds = weights[start : start + names * count].view(names, count)
            start += names * count

            def work(points: Points, part: slice, term=term, seeds=seeds) -> Tensor:
                return pulled_back(self, term, theta, points, seeds[:, part])

            gradient += sum(self.pieces(term, work))
        return gradient

    def jvp(self, theta: Tensor, direction: Tensor) -> Tensor:
        """J direction (R,), by two backward passes (any evaluator)."""
        theta = theta.detach().requires_grad_()
        parts = []
        for term in self.terms:
            found = self.pieces(term, lambda points, _, term=term: pushed(self, term, theta, points, direction), graphs=2)
            parts.append(torch.cat(list(found), dim=1).reshape(-1))
        return torch.cat(parts)

    def jacobian(self, theta: Tensor, into: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Rows (R,) and Jacobian (R, P), the latter written ``into`` a given tensor if there is one."""
        jacobian = theta.new_empty(self.count, len(theta)) if into is None else into
        rows, start = theta.new_empty(self.count), 0
        for term in self.terms:
            names = len(term.scales)
            block = slice(start, start + names * len(self.points[term.constraint.name]))
            target, values = jacobian[block].view(names, -1, len(theta)), rows[block].view(names, -1)

            def fill(points: Points, part: slice, term=term, target=target, values=values) -> None:
                values[:, part] = self.term_jacobian(term, theta, points, target[:, part])

            for _ in self.pieces(term, fill):
                pass
            start = block.stop
        return rows, jacobian

    def linearise(self, theta: Tensor, form: str = "cholesky", scaled: bool = False) -> Linearised:
        """The rows and their first-order model at theta, in a form of ``pinnsine.linearised``; the Jacobian is kept if it fits the budget.

        The dual form needs no Jacobian where its kernel costs less made layer by layer (``pinnsine.tangent``).
        The Jacobian lives in a workspace that the next call overwrites: fresh pages would cost more than filling it.
        Raises EvaluationError if a row is not finite, ProblemError if the QR form does not fit the memory budget.
        """
        self.require_squares("Gauss-Newton methods")
        return row_model(self, theta, form, scaled)

    def batch(self, count: int | None, seed: int) -> Objective:
        """The objective at about ``count`` of its rows, drawn anew for every seed; each constraint keeps its share, and coupled rows stay.

        None, or a count that is not below the number of rows, gives the objective itself.
        """
        return self if count is None or count >= self.count else self.with_points(drawn(self, count, seed))

    def batches(self, count: int, seed: int) -> list[Objective]:
        """The objective in mini-batches of about ``count`` rows that together pass over all points once, in a random order for every seed.

        A constraint with fewer points than there are batches, and rows that are coupled, stand in each of them.
        """
        return [self.with_points(part) for part in dealt(self, count, seed)]

    def gauss_newton(self, theta: Tensor, damping: float) -> GaussNewtonStep:
        """The Gauss-Newton step at theta. Raises EvaluationError if a row is not finite."""
        self.require_squares("Gauss-Newton methods")
        if sparse.is_local(self):
            return sparse.gauss_newton_step(self, theta, damping)
        if separable.is_separable(self):
            return separable.gauss_newton_step(self, theta, damping)
        rows, jacobian = self.jacobian(theta, self.workspace(theta))
        require_finite(rows)
        return GaussNewtonStep.of(rows, jacobian, theta, damping)

    def workspace(self, theta: Tensor) -> Tensor:
        """A tensor (R, P) that is kept for the Jacobian."""
        shape = (self.count, len(theta))
        if self._storage is None or self._storage.shape != shape:
            self._storage = theta.new_empty(shape)
        return self._storage

    def require_squares(self, who: str) -> None:
        """Raise ProblemError if a constraint has a loss of its own, which only gradient methods can use."""
        for term in self.terms:
            if term.constraint.loss is not None:
                raise ProblemError(
                    f"Constraint {term.constraint.name!r} has a loss of its own, so {who} cannot be used: choose Adam or LBFGS, or drop loss=."
                )

    def magnitudes(self, theta: Tensor, name: str, points: Points) -> Tensor:
        """The size of a constraint's rows at other points (N,): the root of the sum of squares over its named rows."""
        [term] = [t for t in self.terms if t.constraint.name == name]
        with torch.no_grad():
            rows = torch.cat(list(self.pieces(term, self._rows_of(term, self.views(theta)), points)), dim=1)
            return rows.square().sum(dim=0).sqrt() * math.sqrt(len(self.points[name]))

    def pieces(self, term: Term, work: Callable[[Points, slice], T], points: Points | None = None, graphs=1, more=0) -> Iterator[T]:
        """``work`` done on the row points of a term in pieces that fit the memory budget; coupled rows must stay together.

        ``graphs`` and ``more``: how many graphs of a row are held at a time, and bytes beside them.
        """
        points = self.points[term.constraint.name] if points is None else points
        if term.route == "one backward":
            yield from self.budget.pieces(points, graphs * self.bytes_per_row(term) + more, work)
        else:
            yield work(points, slice(0, len(points)))

    def _rows_of(self, term: Term, views) -> Callable[[Points, slice], Tensor]:
        return lambda points, _: self.term_rows(term, views, points)

    def bytes_per_row(self, term: Term) -> int:
        """What the graph of one row holds, of the images about mirrors as well."""
        images = max((2 ** len(p.symmetry) for p in self.ansatz.pieces), default=1)
        return bytes_per_point(self.ansatz, set().union(*term.need.values())) * term.evaluations * images

    def _loss(self, term: Term, views) -> Tensor:
        if term.constraint.loss is None:
            return sum(self.pieces(term, lambda points, _: self.term_rows(term, views, points).square().sum()))
        points = self.points[term.constraint.name]
        raw = self.term_rows(replace(term, weight=1.0), views, points) * math.sqrt(len(points))
        return term.weight * sum(term.constraint.loss(r) for r in raw)

    def term_rows(self, term: Term, views, points: Points, tape=None, unknowns=None) -> Tensor:
        """The scaled rows (C, N) of a term at row points."""
        return scaled_rows(term, self.ansatz, views, points, len(self.points[term.constraint.name]), tape, unknowns)

    def term_jacobian(self, term: Term, theta: Tensor, points: Points, out: Tensor) -> Tensor:
        """The rows (C, N) of a term at row points; their Jacobian is written into ``out`` (C, N, P)."""
        route = one_backward if term.route == "one backward" else batched_vjp
        return route(self, term, theta, points, out)


def bind(ansatz: Ansatz, points: Mapping[str, Points], memory: float = 2e9, compiler: Compiler | None = None, early: float = 0.0) -> Objective:
    """The objective of an ansatz at row points, with every constraint's Jacobian route probed at the ansatz's own parameters.

    ``early``: the exponent by which equations without a weight of their own count more at the start of time than at its end (see ``Term``).
    """
    theta = ansatz.flat()
    terms = tuple(term_of(ansatz, c, points[c.name]) for c in ansatz.problem.soft if len(points[c.name]))
    if early:
        evolving = {c.name for c in ansatz.problem.soft if isinstance(c, Residual) and c.on is None and c.weight is None}
        terms = tuple(replace(t, early=early) if t.constraint.name in evolving else t for t in terms)
    objective = Objective(ansatz, terms, points, memory)
    routed = tuple(replace(t, route=route_of(objective, t, theta), compiler=compiler) for t in terms)
    return Objective(ansatz, routed, points, memory)
