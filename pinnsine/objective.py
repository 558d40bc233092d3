"""The one place where residuals are scaled, stacked and differentiated by the parameters.

Row i of constraint c is sqrt(w_c m_i w(x_i)) r_i / sigma_i with m_i = 1/N_c, so that the loss is |rows|^2, without a factor 1/2. All
methods are pure functions of the flat parameter vector theta (P,).

The one-backward Jacobian: a row depends on the evaluations at its own nodes alone, so one backward pass of the *sum* of the rows gives
G = d rows / d(outputs of a layer) at every node, and with the layer's inputs A the rows of the Jacobian are sums of outer products,
d r_i / dW = sum over k, q of G[k, i, q] (x) A[k, i, q] (k derivatives, q nodes). Each constraint is probed once against an ordinary
vector-Jacobian product with random weights; where rows are coupled, or a parameter acts otherwise than through a layer, the generic
route (batched vjp) is taken.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from pinnsine.ansatz import Ansatz
from pinnsine.constraint import Constraint, Prescribed, rows_of
from pinnsine.errors import ProblemError
from pinnsine.index import Index, closure
from pinnsine.jet import Context, values
from pinnsine.layer_input import by_row
from pinnsine.least_squares import GaussNewtonStep
from pinnsine.linearised import Dual, Linearised, form_for, require_finite
from pinnsine.local import Local
from pinnsine.points import Points
from pinnsine.probe import coordinates_at, data_of, trace
from pinnsine.scaling import row_scales
from pinnsine.tangent import Columns, Outer, RowBlock, is_cheaper, tangent_kernel

TRACED = 16  # points at which a constraint is evaluated to see which derivatives it asks for
PROBE_ROWS = 256  # spread over all rows, because rows may be coupled in a part of the region only
CACHE_ROWS = 512  # rows of a layer's outer products made at a time, so that they stay in the cache
PROBE_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Term:
    """A constraint bound to a trial function: the derivatives it needs, its rows' names and factors, its Jacobian route."""

    constraint: Constraint
    need: Mapping[str, set[Index]]
    scales: Mapping[str, float]
    route: str  # "one backward" or "batched vjp"


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
        memory: float,
        fixed: Mapping[str, Tensor] | None = None,
    ):
        self.ansatz, self.terms, self.points, self.memory = ansatz, terms, dict(points), memory
        self.fixed = dict(fixed or {})  # parameters held at their values, by name
        self._storage: Tensor | None = None

    def with_points(self, points: Mapping[str, Points]) -> Objective:
        """The same objective at other points; constraints that are not named keep theirs."""
        other = Objective(self.ansatz, self.terms, {**self.points, **points}, self.memory, self.fixed)
        other._storage = self._storage
        return other

    def with_ansatz(self, ansatz: Ansatz) -> Objective:
        """The same objective of another trial function of the same kind: needs, scales and routes are kept."""
        return Objective(ansatz, self.terms, self.points, self.memory)

    def thinned(self, share: float) -> Objective:
        """The same objective at a ``share`` of each constraint's points, spread evenly over all of them."""
        return self.with_points({n: p.select(spread(len(p), math.ceil(share * len(p)))) for n, p in self.points.items()})

    def restrict(self, names: Sequence[str], theta: Tensor) -> Objective:
        """The objective as a function of the named parameters alone, all others held at theta (P,)."""
        fixed = {n: v.detach() for n, v in self.views(theta).items() if n not in names}
        return Objective(self.ansatz, self.terms, self.points, self.memory, {**self.fixed, **fixed})

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
            parts = [torch.cat([self._rows(t, views, points) for points in self._chunks(t)], dim=1) for t in self.terms]
            return torch.cat([part.reshape(-1) for part in parts])

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
            for points in self._chunks(term):
                rows = self._rows(term, self.views(theta), points)
                loss = rows.square().sum()
                if loss.requires_grad:
                    gradient += torch.autograd.grad(loss, theta)[0]
                total += float(loss.detach())
        return total, gradient

    def vjp(self, theta: Tensor, weights: Tensor) -> Tensor:
        """J^T weights (P,), for weights (R,)."""
        theta, start = theta.detach().requires_grad_(), 0
        gradient = torch.zeros_like(theta)
        for rows in self._graph_rows(theta):
            if rows.requires_grad:
                gradient += torch.autograd.grad(rows, theta, weights[start : start + len(rows)])[0]
            start += len(rows)
        return gradient

    def jvp(self, theta: Tensor, direction: Tensor) -> Tensor:
        """J direction (R,), by two backward passes (any evaluator)."""
        theta, parts = theta.detach().requires_grad_(), []
        for rows in self._graph_rows(theta):
            if not rows.requires_grad:
                parts.append(torch.zeros_like(rows))
                continue
            weights = torch.zeros_like(rows, requires_grad=True)
            [adjoint] = torch.autograd.grad(rows, theta, weights, create_graph=True)
            parts.append(torch.autograd.grad(adjoint, weights, direction)[0])
        return torch.cat(parts)

    def jacobian(self, theta: Tensor, into: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Rows (R,) and Jacobian (R, P), the latter written ``into`` a given tensor if there is one."""
        jacobian = theta.new_empty(self.count, len(theta)) if into is None else into
        rows, start = theta.new_empty(self.count), 0
        for term in self.terms:
            names, done = len(term.scales), 0
            block = slice(start, start + names * len(self.points[term.constraint.name]))
            target, values = jacobian[block].view(names, -1, len(theta)), rows[block].view(names, -1)
            for points in self._chunks(term):
                part = slice(done, done + len(points))
                values[:, part] = self._term_jacobian(term, theta, points, target[:, part])
                done = part.stop
            start = block.stop
        return rows, jacobian

    def linearise(self, theta: Tensor, form: str = "cholesky", scaled: bool = False) -> Linearised:
        """The rows and their first-order model at theta, in a form of ``pinnsine.linearised``; the Jacobian is kept if it fits the budget.

        The dual form needs no Jacobian where its kernel costs less made layer by layer (``pinnsine.tangent``).
        The Jacobian lives in a workspace that the next call overwrites: fresh pages would cost more than filling it.
        Raises EvaluationError if a row is not finite, ProblemError if the QR form does not fit the memory budget.
        """
        self.require_squares("Gauss-Newton methods")
        size = self.count * len(theta) * theta.element_size()
        form, products = form_for(form, self.count, len(theta)), (lambda p: self.jvp(theta, p), lambda v: self.vjp(theta, v))
        if form == "dual" and not scaled and (layered := self._layered_dual(theta, products, size <= self.memory)) is not None:
            return layered
        if size <= self.memory:
            return Linearised.dense(*self.jacobian(theta, self._workspace(theta)), form, scaled)
        if form == "qr":
            raise ProblemError(
                f"factorisation='qr' keeps the whole Jacobian, {self.count} rows by {len(theta)} parameters or {size:.1e} bytes, and memory= "
                f"allows {self.memory:.1e}: raise memory=, take fewer points=, or choose another factorisation."
            )
        if form == "dual":
            return Linearised.streamed_by_columns(self.rows(theta), self._columns_of_jacobian(theta), *products, scaled)
        return Linearised.streamed(self.rows(theta), self._chunks_of_jacobian(theta), *products, scaled)

    def _layered_dual(self, theta: Tensor, products, whole: bool) -> Dual | None:
        """The dual form with the kernel made layer by layer; None where a term has no such form, or explicit rows cost less."""
        if any(t.route != "one backward" for t in self.terms):
            return None
        rows, blocks = [], []
        for term in self.terms:
            found = [self._row_blocks(term, theta, points) for points in self._chunks(term)]
            if any(parts is None for _, parts in found):
                return None
            rows.append(torch.cat([r for r, _ in found], dim=1).reshape(-1))
            blocks += [RowBlock.join(parts) for parts in zip(*(parts for _, parts in found), strict=True)]
        if not is_cheaper(blocks):
            return None
        rows = torch.cat(rows)
        require_finite(rows)
        return Dual(rows, *products, tangent_kernel(blocks, theta), None, whole)

    def batch(self, count: int | None, seed: int) -> Objective:
        """The objective at about ``count`` of its rows, drawn anew for every seed; each constraint keeps its share, and coupled rows stay.

        None, or a count that is not below the number of rows, gives the objective itself.
        """
        if count is None or count >= self.count:
            return self
        generator, chosen = torch.Generator().manual_seed(seed), {}
        for name in (t.constraint.name for t in self.terms if t.route == "one backward"):
            points = self.points[name]
            index = torch.randperm(len(points), generator=generator)[: max(1, round(len(points) * count / self.count))]
            chosen[name] = points.select(index)
        return self.with_points(chosen)

    def batches(self, count: int, seed: int) -> list[Objective]:
        """The objective in mini-batches of about ``count`` rows that together pass over all points once, in a random order for every seed.

        A constraint with fewer points than there are batches, and rows that are coupled, stand in each of them.
        """
        parts, generator = math.ceil(self.count / count), torch.Generator().manual_seed(seed)
        chosen: list[dict[str, Points]] = [{} for _ in range(parts)]
        for name in (t.constraint.name for t in self.terms if t.route == "one backward"):
            points = self.points[name]
            if len(points) < parts:
                continue
            shuffled = points.select(torch.randperm(len(points), generator=generator))
            for k, part in enumerate(chosen):
                part[name] = shuffled.select(slice(k * len(points) // parts, (k + 1) * len(points) // parts))
        return [self.with_points(part) for part in chosen]

    def gauss_newton(self, theta: Tensor, damping: float) -> GaussNewtonStep:
        """The Gauss-Newton step at theta. Raises EvaluationError if a row is not finite."""
        self.require_squares("Gauss-Newton methods")
        rows, jacobian = self.jacobian(theta, self._workspace(theta))
        require_finite(rows)
        return GaussNewtonStep.of(rows, jacobian, theta, damping)

    def _workspace(self, theta: Tensor) -> Tensor:
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
            return self._rows(term, self.views(theta), points).square().sum(dim=0).sqrt() * math.sqrt(len(self.points[name]))

    def _chunks(self, term: Term) -> Iterator[Points]:
        """The row points of a term in pieces that fit the memory budget; coupled rows must stay together."""
        points = self.points[term.constraint.name]
        if term.route != "one backward":
            yield points
            return
        size = max(64, int(self.memory / (self._bytes_per_row(term) + 1)))
        for start in range(0, len(points), size):
            yield points.select(slice(start, start + size))

    def _bytes_per_row(self, term: Term) -> int:
        """What the graph of one row holds: about eight tensors per layer and derivative."""
        components = len(closure(set().union(*term.need.values())))
        widths = sum(p.shape[0] for _, p in self.ansatz.named_parameters() if p.ndim == 2)
        return 8 * 8 * components * widths * term.constraint.nodes

    def _graph_rows(self, theta: Tensor) -> Iterator[Tensor]:
        """The rows of one term after another, in the order of ``rows``, with their graph."""
        for term in self.terms:
            yield self._rows(term, self.views(theta), self.points[term.constraint.name]).reshape(-1)

    def _loss(self, term: Term, views) -> Tensor:
        if term.constraint.loss is None:
            return sum(self._rows(term, views, points).square().sum() for points in self._chunks(term))
        points = self.points[term.constraint.name]
        raw = self._rows(term, views, points) * math.sqrt(len(points))
        return sum(term.constraint.loss(r) for r in raw)

    def _rows(self, term: Term, views, points: Points, tape=None, unknowns=None) -> Tensor:
        """The scaled rows (C, N) of a term at row points."""
        constraint, problem = term.constraint, self.ansatz.problem
        local = self.ansatz.local(views, constraint.expand(points, problem.domain), term.need, tape, unknowns)
        rows = rows_of(constraint, local, len(points))
        size = 1 / math.sqrt(len(self.points[constraint.name]))
        stacked = torch.stack([rows[name] * (size * scale) for name, scale in term.scales.items()])
        factors = position_factors(constraint, problem, points)
        return stacked if factors is None else stacked * factors.to(stacked)

    def _chunks_of_jacobian(self, theta: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """(rows, Jacobian rows) chunk by chunk, in no particular order."""
        for term in self.terms:
            for points in self._chunks(term):
                out = theta.new_empty(len(term.scales), len(points), len(theta))
                rows = self._term_jacobian(term, theta, points, out)
                yield rows.reshape(-1), out.view(-1, len(theta))

    def _columns_of_jacobian(self, theta: Tensor) -> Iterator[Tensor]:
        """The Jacobian's columns in their order, for as many blocks of parameters at a time as fit the memory budget, and at least one."""
        fitting, group = self.memory / (self.count * theta.element_size()), []
        for name, block in self.blocks.items():
            if block.stop == block.start:
                continue
            if group and block.stop - self.blocks[group[0]].start > fitting:
                yield self._columns(theta, group)
                group = []
            group.append(name)
        yield self._columns(theta, group)

    def _columns(self, theta: Tensor, names: Sequence[str]) -> Tensor:
        free = theta[self.blocks[names[0]].start : self.blocks[names[-1]].stop]
        return self.restrict(names, theta).jacobian(free)[1]

    def _term_jacobian(self, term: Term, theta: Tensor, points: Points, out: Tensor) -> Tensor:
        """The rows (C, N) of a term at row points; their Jacobian is written into ``out`` (C, N, P)."""
        route = self._one_backward if term.route == "one backward" else self._batched_vjp
        return route(term, theta, points, out)

    def _one_backward(self, term: Term, theta: Tensor, points: Points, out: Tensor) -> Tensor:
        rows, taped, slopes = self._taped(term, theta, points)
        for c, part in enumerate(slopes):
            self._fill(out[c], taped, part, term.constraint.nodes)
        return rows

    def _row_blocks(self, term: Term, theta: Tensor, points: Points) -> tuple[Tensor, list[RowBlock] | None]:
        """The rows (C, N) of a term at row points and the factors of their Jacobian; None where a weight acts more than once."""
        rows, taped, slopes = self._taped(term, theta, points)
        names = [name for weight, bias, *_ in taped for name in (weight, bias) if name]
        if len(names) != len(set(names)):
            return rows, None
        nodes, blocks = term.constraint.nodes, []
        for part in slopes:
            factors: dict[str, Columns | Outer] = {}
            for (weight, bias, inputs, _), slope in zip(taped, part, strict=False):
                if slope is not None and weight:
                    factors[weight] = Outer(by_row(slope, nodes), inputs.by_row(nodes))
                if slope is not None and bias:
                    factors[bias] = Columns(slope[0].view(len(points), nodes, -1).sum(dim=1))
            numbers = _number_columns(part[len(taped) :], len(points), nodes)
            if numbers is not None:
                factors["unknowns"] = Columns(numbers)
            blocks.append(RowBlock(len(points), factors))
        return rows, blocks

    def _taped(self, term: Term, theta: Tensor, points: Points):
        """The rows (C, N), the layers that made them, and for each of the C the slopes of the layers' outputs and of the unknowns."""
        problem, nodes = self.ansatz.problem, term.constraint.nodes
        views = {n: v.detach().requires_grad_(n in self.blocks) for n, v in self.views(theta).items()}
        raw = views["unknowns"].detach()
        free = "unknowns" in self.blocks
        leaves = {u.name: raw[k].repeat(len(points) * nodes).requires_grad_(free) for k, u in enumerate(problem.unknowns)}
        tape: list = []
        rows = self._rows(term, views, points, tape, leaves)
        names = {id(views[n]): n for n in self.blocks}
        taped = [(names.get(id(w)), names.get(id(b)), inputs, outputs) for w, b, inputs, outputs in tape]
        taped = [entry for entry in taped if entry[0] or entry[1]]
        wanted = [outputs for *_, outputs in taped] + (list(leaves.values()) if free else [])
        slopes = [
            torch.autograd.grad(row.sum(), wanted, retain_graph=c + 1 < len(rows), allow_unused=True)
            if row.requires_grad and wanted
            else (None,) * len(wanted)
            for c, row in enumerate(rows)
        ]
        return rows.detach(), taped, slopes

    def _fill(self, out: Tensor, taped, slopes, nodes: int) -> None:
        """Write the outer products of layer inputs and slopes into the Jacobian rows (N, P)."""
        written: set[str] = set()

        def put(name: str, part: Tensor, start: int) -> None:
            target = out[start : start + len(part), self.blocks[name]]
            target.add_(part) if name in written else target.copy_(part)

        for (weight, bias, inputs, _), slope in zip(taped, slopes, strict=False):
            if slope is None:
                continue
            if weight is not None:
                for start in range(0, len(out), CACHE_ROWS):
                    put(weight, inputs.outer(slope, nodes, slice(start, min(start + CACHE_ROWS, len(out)))).flatten(1), start)
                written.add(weight)
            if bias is not None:
                put(bias, slope[0].view(len(out), nodes, -1).sum(dim=1), 0)
                written.add(bias)
        numbers = _number_columns(slopes[len(taped) :], len(out), nodes)
        if numbers is not None:
            put("unknowns", numbers, 0)
            written.add("unknowns")
        for name in self.blocks.keys() - written:
            out[:, self.blocks[name]] = 0

    def _batched_vjp(self, term: Term, theta: Tensor, points: Points, out: Tensor) -> Tensor:
        theta = theta.detach().requires_grad_()
        rows = self._rows(term, self.views(theta), points)
        if not rows.requires_grad:
            out.zero_()
            return rows
        flat, target = (
            rows.reshape(-1),
            out.view(-1, len(theta)) if out.is_contiguous() else out.new_empty(rows.numel(), len(theta)),
        )
        size = max(1, int(self.memory / (64 * self._bytes_per_row(term) * len(points))) or 1)
        for start in range(0, len(flat), size):
            seeds = torch.zeros(min(size, len(flat) - start), len(flat), dtype=theta.dtype, device=theta.device)
            seeds.diagonal(start).fill_(1)
            target[start : start + size] = torch.autograd.grad(flat, theta, seeds, retain_graph=True, is_grads_batched=True)[0]
        if not out.is_contiguous():
            out.copy_(target.view_as(out))
        return rows.detach()

    def route_of(self, term: Term, theta: Tensor) -> str:
        """Probe a term: does the one-backward Jacobian agree with an ordinary vjp under random weights of the rows?"""
        points = self.points[term.constraint.name]
        points = points.select(spread(len(points), PROBE_ROWS))
        points, theta = points.to(torch.float64, theta.device), theta.detach().double()  # coupling shows above rounding
        generator = torch.Generator().manual_seed(0)
        graph = theta.clone().requires_grad_()
        rows = self._rows(term, self.views(graph), points)
        weights = torch.rand(rows.shape, generator=generator, dtype=rows.dtype).to(rows) + 0.5
        truth = torch.autograd.grad(rows, graph, weights, allow_unused=True)[0] if rows.requires_grad else None
        if truth is None:
            raise ProblemError(
                f"The loss of constraint {term.constraint.name!r} does not depend on the parameters: write it in terms of the fields of s, "
                "and without detach()."
            )
        jacobian = theta.new_empty(*rows.shape, len(theta))
        try:
            self._one_backward(term, theta, points, jacobian)
        except (RuntimeError, ValueError):  # a layer that acts on another axis than the batch
            return "batched vjp"
        found = torch.einsum("cnp,cn->p", jacobian, weights)
        scale = truth.abs().max()
        return "one backward" if bool((found - truth).abs().max() <= PROBE_TOLERANCE * scale) else "batched vjp"


def spread(total: int, count: int) -> Tensor:
    """``count`` of the indices 0 ... total - 1, evenly spaced; all of them if there are fewer."""
    return torch.linspace(0, total - 1, min(count, total)).round().long()


def _number_columns(slopes: Sequence[Tensor | None], rows: int, nodes: int) -> Tensor | None:
    """The Jacobian's columns (N, U) of the unknown numbers, from their slopes at the nodes; None where no number acts."""
    known = next((s for s in slopes if s is not None), None)
    if known is None:
        return None
    return torch.stack([known.new_zeros(rows) if s is None else s.view(rows, nodes).sum(dim=1) for s in slopes], dim=1)


def position_factors(constraint: Constraint, problem, points: Points) -> Tensor | None:
    """The factors sqrt(w(x_i)) / sigma_i of the rows (N,), or None where all are one."""
    factors = None
    if callable(constraint.weight):
        context = Context(problem.domain.names, problem.domain.space, points.normal)
        local = Local(problem.names, context, coordinates_at(problem, points, context), {}, data=data_of(problem, points))
        factors = torch.as_tensor(values(constraint.weight(local)), dtype=torch.float64).sqrt()
    if isinstance(constraint, Prescribed) and constraint.sigma is not None:
        sigma = points[constraint.sigma] if isinstance(constraint.sigma, str) else torch.tensor(float(constraint.sigma))
        factors = 1 / sigma if factors is None else factors / sigma
    return factors


def bind(ansatz: Ansatz, points: Mapping[str, Points], memory: float = 2e9) -> Objective:
    """The objective of an ansatz at row points, with every constraint's Jacobian route probed at the ansatz's own parameters."""
    theta = ansatz.flat()
    terms = tuple(_term(ansatz, c, points[c.name]) for c in ansatz.problem.soft if len(points[c.name]))
    objective = Objective(ansatz, terms, points, memory)
    routed = tuple(replace(t, route=objective.route_of(t, theta)) for t in terms)
    return Objective(ansatz, routed, points, memory)


def _term(ansatz: Ansatz, constraint: Constraint, points: Points) -> Term:
    """A constraint with the derivatives that it asks for on a probe, and its rows' factors."""
    problem, few = ansatz.problem, points.to(torch.float64, torch.device("cpu")).select(slice(0, TRACED))
    need = trace(problem, constraint, few, ansatz.scales).need
    return Term(constraint, need, row_scales(problem, constraint, ansatz.scales), "one backward")
