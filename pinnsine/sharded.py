"""An objective whose points are shared out among the processes of a run: to optimizers it is an objective like any other.

Each logical block is an ordinary ``Objective`` at its part of the points. Rows follow each other block by block. Gradients and J^T J are summed
in the order of the blocks; where a form of the linear algebra takes the whole Jacobian, it is gathered. The first process alone factorises.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from pinnsine import distributed, sparse
from pinnsine.ansatz import Ansatz
from pinnsine.distributed import BLOCKS, handed, shared
from pinnsine.least_squares import GaussNewtonStep
from pinnsine.linearised import Factor, Linearised, Primal, form_for, gram_matrix, require_finite
from pinnsine.objective import Objective
from pinnsine.points import Points


def sharded(objective: Objective) -> Objective | Sharded:
    """The objective itself, or in a run of several processes its sharded form."""
    return Sharded(objective) if distributed.active() else objective


class Sharded:
    """See the module's docstring; ``whole`` is the objective at all points."""

    def __init__(self, whole: Objective):
        self.whole, self.parts = whole, _parts(whole)
        self.ansatz, self.terms, self.points, self.memory = whole.ansatz, whole.terms, whole.points, whole.memory
        self.count, self.blocks, self.fixed, self.least = whole.count, whole.blocks, whole.fixed, whole.least

    def with_points(self, points: Mapping[str, Points]) -> Sharded:
        return Sharded(self.whole.with_points(points))

    def with_ansatz(self, ansatz: Ansatz) -> Sharded:
        return Sharded(self.whole.with_ansatz(ansatz))

    def to(self, dtype: torch.dtype) -> Sharded:
        return Sharded(self.whole.to(dtype))

    def weighted(self, weights: Mapping[str, float | Tensor]) -> Sharded:
        return Sharded(self.whole.weighted(weights))

    def only(self, name: str) -> Sharded:
        return Sharded(self.whole.only(name))

    def thinned(self, share: float) -> Sharded:
        return Sharded(self.whole.thinned(share))

    def restrict(self, names: Sequence[str], theta: Tensor) -> Sharded:
        return Sharded(self.whole.restrict(names, theta))

    def batch(self, count: int | None, seed: int) -> Sharded:
        batch = self.whole.batch(count, seed)
        return self if batch is self.whole else Sharded(batch)

    def batches(self, count: int, seed: int) -> list[Sharded]:
        return [Sharded(batch) for batch in self.whole.batches(count, seed)]

    def views(self, theta: Tensor) -> dict[str, Tensor]:
        return self.whole.views(theta)

    def require_squares(self, who: str) -> None:
        self.whole.require_squares(who)

    def rows(self, theta: Tensor) -> Tensor:
        """All rows (R,), block by block."""
        self.require_squares("residual rows")
        return torch.cat(list(shared(lambda b: self.parts[b].rows(theta), [(p.count,) for p in self.parts], theta)))

    def loss(self, theta: Tensor) -> float:
        """|rows|^2, plus the losses that constraints define themselves."""
        return sum(self.losses(theta).values())

    def losses(self, theta: Tensor) -> dict[str, float]:
        """The loss of each constraint by name."""
        names = [t.constraint.name for t in self.terms]

        def own(block: int) -> Tensor:
            found = self.parts[block].losses(theta)
            return torch.tensor([found.get(n, 0.0) for n in names], dtype=torch.float64)

        sums = _sum(shared(own, [(len(names),)] * len(self.parts), torch.empty(0, dtype=torch.float64)))
        return dict(zip(names, sums.tolist(), strict=True))

    def loss_and_gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """The loss and its gradient (P,)."""

        def own(block: int) -> Tensor:
            loss, gradient = self.parts[block].loss_and_gradient(theta)
            return torch.cat([gradient.double(), gradient.new_tensor([loss], dtype=torch.float64)])

        total = _sum(shared(own, [(len(theta) + 1,)] * len(self.parts), theta.double()))
        return float(total[-1]), total[:-1].to(theta.dtype)

    def jvp(self, theta: Tensor, direction: Tensor) -> Tensor:
        """J direction (R,)."""
        return torch.cat(list(shared(lambda b: self.parts[b].jvp(theta, direction), [(p.count,) for p in self.parts], theta)))

    def vjp(self, theta: Tensor, weights: Tensor) -> Tensor:
        """J^T weights (P,)."""
        split = weights.split([p.count for p in self.parts])
        return _sum(shared(lambda b: self.parts[b].vjp(theta, split[b]), [(len(theta),)] * len(self.parts), theta))

    def jacobian(self, theta: Tensor, into: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Rows (R,) and Jacobian (R, P)."""

        def own(block: int) -> Tensor:
            rows, jacobian = self.parts[block].jacobian(theta)
            return torch.cat([rows[:, None], jacobian], dim=1)

        joined = torch.cat(list(shared(own, [(p.count, len(theta) + 1) for p in self.parts], theta)))
        return joined[:, 0].contiguous(), joined[:, 1:].contiguous()

    def linearise(self, theta: Tensor, form: str = "cholesky", scaled: bool = False) -> Linearised:
        """The rows and their first-order model at theta. Raises EvaluationError if a row is not finite."""
        self.require_squares("Gauss-Newton methods")
        form, size = form_for(form, self.count, len(theta)), len(theta)
        if form != "cholesky":
            return Led.of(Linearised.dense(*self.jacobian(theta), form, scaled), size)

        def own(block: int) -> Tensor:  # (P, P + 1): J^T J beside J^T r
            rows, jacobian = self.parts[block].jacobian(theta)
            return torch.cat([gram_matrix(jacobian), (jacobian.T @ rows)[:, None]], dim=1)

        rows = self.rows(theta)
        require_finite(rows)
        total = _sum(shared(own, [(size, size + 1)] * len(self.parts), theta))
        gram, gradient = total[:, :-1].contiguous(), total[:, -1].contiguous()
        squares = gram.diagonal().clone()
        metric = torch.where(squares > 0, squares, 1.0) if scaled else None
        products = (lambda p: self.jvp(theta, p)), (lambda v: self.vjp(theta, v))
        return Led.of(Primal(rows, *products, gradient, gram, metric, whole=True), size)

    def gauss_newton(self, theta: Tensor, damping: float) -> GaussNewtonStep:
        """The Gauss-Newton step at theta. Raises EvaluationError if a row is not finite."""
        self.require_squares("Gauss-Newton methods")
        if sparse.is_local(self.whole):
            found = sparse.gauss_newton_step(self.whole, theta, damping)
            return replace(found, step=handed(found.step, theta.shape, theta))
        rows, jacobian = self.jacobian(theta)
        require_finite(rows)
        found = GaussNewtonStep.of(rows, jacobian, theta, damping) if distributed.leads() else None
        step = handed(found and found.step, theta.shape, theta)
        rounding = distributed.agreed(found.rounding if found else 0.0)
        return GaussNewtonStep(rows, step, rows + jacobian @ step, rounding)

    def magnitudes(self, theta: Tensor, name: str, points: Points) -> Tensor:
        """The size of a constraint's rows at other points (N,)."""
        return handed(self.whole.magnitudes(theta, name, points), (len(points),), theta)


@dataclass(frozen=True)
class Led(Linearised):
    """A first-order model that all processes hold and the first alone factorises."""

    inner: Linearised
    rows: Tensor
    apply: Callable[[Tensor], Tensor]
    adjoint: Callable[[Tensor], Tensor]
    metric: Tensor | None
    whole: bool
    parameters: int

    @staticmethod
    def of(inner: Linearised, parameters: int) -> Led:
        return Led(inner, inner.rows, inner.apply, inner.adjoint, inner.metric, inner.whole, parameters)

    @cached_property
    def size(self) -> float:
        return self.inner.size

    @property
    def floor(self) -> float:
        return self.inner.floor

    @property
    def projected(self) -> Tensor:
        return self.inner.projected

    def project(self, v: Tensor) -> Tensor:
        return self.inner.project(v)

    def factor(self, damping: float) -> Factor | None:
        """The factor of the first process; it hands out every solution."""
        like = self.rows.new_empty(self.parameters)
        made = self.inner.factor(damping) if distributed.leads() else None
        if not distributed.agreed(made is not None):
            return None
        return Factor(lambda right: handed(made and made.solve(right), like.shape, like))


def _parts(whole: Objective) -> list[Objective]:
    """The objective at the points of each block; rows that hang together stand in the first."""
    parts = []
    for block in range(BLOCKS):
        terms, points = [], {}
        for term in whole.terms:
            name, total = term.constraint.name, len(whole.points[term.constraint.name])
            split = term.route == "one backward" and term.constraint.loss is None
            own = slice(block * total // BLOCKS, (block + 1) * total // BLOCKS) if split else slice(0, total if block == 0 else 0)
            if own.start < own.stop:
                share = math.sqrt((own.stop - own.start) / total)  # a row weighs as it does among all
                terms.append(replace(term, scales={n: s * share for n, s in term.scales.items()}))
                points[name] = whole.points[name].select(own)
        if terms:
            parts.append(Objective(whole.ansatz, tuple(terms), points, whole.budget, whole.fixed))
    return parts


def _sum(parts) -> Tensor:
    """The sum of the parts in their order."""
    total = None
    for part in parts:
        total = part.clone() if total is None else total.add_(part)
    return total
