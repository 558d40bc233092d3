"""The first-order model of the rows, r + J p, and its damped least-squares problem, solved in one of three forms.

The step p that minimises |v + J p|^2 + lambda p^T D p, with D = I or the squared norms of the columns of J (Marquardt 1963), is

    cholesky   p = -(J^T J + lambda D)^-1 J^T v                    a P x P matrix
    dual       p = -D^-1 J^T (J D^-1 J^T + lambda I)^-1 v          an R x R matrix; equal by the push-through identity
    qr         p = -D^-1/2 q, q the least-squares solution of [J D^-1/2; sqrt(lambda) I] q = [v; 0] by Householder QR of J D^-1/2

How small may lambda be? The entries of the product J^T J carry rounding errors of eps s^2, s the largest singular value: they drown any
lambda below eps s^2, and all singular values below sqrt(eps) s with it. Householder QR is backward stable: it gives the factors of a J
that is off by eps s. Damping is the further rows sqrt(lambda) D^1/2 below J, and only where sqrt(lambda) is below eps s is it lost. The
smallest sensible lambda is hence about eps s^2 in the first two forms and eps^2 s^2 in the third (Bjorck 1996, sections 2.2 and 2.7).
The dual form is meant for R < P: with more rows, what of v lies outside the range of J is first enlarged by 1 / lambda, then cancelled.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from pinnsine.damped_qr import DampedQR
from pinnsine.errors import EvaluationError, ProblemError

FORMS = ("cholesky", "qr", "dual")
ROUNDING = 4.0  # times machine epsilon: the rounding of a product or a factorisation against its largest entry


@dataclass(frozen=True)
class Factor:
    """The damped problem at one damping, made ready: ``solve`` maps projected rows to the step (P,) up to its sign."""

    solve: Callable[[Tensor], Tensor]


class Linearised(ABC):
    """Rows r (R,), products with J, and the damped problem: ``factor(damping).solve(project(v))`` is -p for v (R,).

    ``size`` is about the square of the largest singular value of J D^-1/2, and ``floor`` the smallest sensible damping; ``whole`` says
    whether the whole Jacobian fits the memory, as the QR form needs it.
    """

    rows: Tensor
    apply: Callable[[Tensor], Tensor]
    adjoint: Callable[[Tensor], Tensor]
    metric: Tensor | None
    size: float
    whole: bool

    @staticmethod
    def dense(rows: Tensor, jacobian: Tensor, form: str = "cholesky", scaled: bool = False) -> Linearised:
        """From the Jacobian (R, P) itself."""
        require_finite(rows)
        form, products = form_for(form, *jacobian.shape), (jacobian.__matmul__, jacobian.T.__matmul__)
        if form == "cholesky":
            gram = gram_matrix(jacobian)
            return Primal(rows, *products, jacobian.T @ rows, gram, _metric(gram.diagonal().clone()) if scaled else None)
        if form == "dual":
            return Dual(rows, *products, *_kernel(jacobian, scaled))
        return Orthogonal.of(rows, jacobian, scaled)

    @staticmethod
    def streamed(rows: Tensor, chunks: Iterable[tuple[Tensor, Tensor]], apply, adjoint, scaled: bool = False) -> Primal:
        """From (rows, Jacobian rows) chunk by chunk, where the whole Jacobian does not fit; products with J are computed anew."""
        require_finite(rows)
        gradient, gram = 0.0, 0.0
        for part, jacobian in chunks:
            gradient, gram = gradient + jacobian.T @ part, gram + gram_matrix(jacobian)
        return Primal(rows, apply, adjoint, gradient, gram, _metric(gram.diagonal().clone()) if scaled else None, whole=False)

    @staticmethod
    def streamed_by_columns(rows: Tensor, blocks: Iterable[Tensor], apply, adjoint, scaled: bool = False) -> Dual:
        """The dual form from blocks (R, p) of the Jacobian's columns, in their order."""
        require_finite(rows)
        kernel, metrics = 0.0, []
        for jacobian in blocks:
            part, metric = _kernel(jacobian, scaled)
            kernel = kernel + part
            metrics.append(metric)
        return Dual(rows, apply, adjoint, kernel, torch.cat(metrics) if scaled else None, whole=False)

    @property
    def floor(self) -> float:
        return ROUNDING * torch.finfo(self.rows.dtype).eps * self.size

    def norm(self, p: Tensor) -> float:
        """sqrt(p^T D p), for p (P,)."""
        return float((p if self.metric is None else self.metric.sqrt() * p).norm())

    @property
    @abstractmethod
    def projected(self) -> Tensor:
        """``project(rows)``."""

    @abstractmethod
    def project(self, v: Tensor) -> Tensor:
        """What the solution needs of v (R,), whatever the damping."""

    @abstractmethod
    def factor(self, damping: float) -> Factor | None:
        """The factor at a damping, or None where the damped matrix is not positive definite in floating point."""


@dataclass(frozen=True)
class Primal(Linearised):
    """With the gradient J^T r (P,) and the Gram matrix J^T J (P, P)."""

    rows: Tensor
    apply: Callable[[Tensor], Tensor]
    adjoint: Callable[[Tensor], Tensor]
    gradient: Tensor
    gram: Tensor
    metric: Tensor | None
    whole: bool = True

    @cached_property
    def size(self) -> float:
        return float(self.gram.diagonal().max()) if self.metric is None else 1.0

    @property
    def projected(self) -> Tensor:
        return self.gradient

    def project(self, v: Tensor) -> Tensor:
        """J^T v (P,)."""
        return self.adjoint(v)

    def factor(self, damping: float) -> Factor | None:
        """By the Cholesky factor of J^T J + damping D."""
        solve = _cholesky(self.gram, damping if self.metric is None else damping * self.metric)
        return None if solve is None else Factor(solve)


@dataclass(frozen=True)
class Dual(Linearised):
    """With the kernel J D^-1 J^T (R, R): the smaller matrix where there are fewer rows than parameters."""

    rows: Tensor
    apply: Callable[[Tensor], Tensor]
    adjoint: Callable[[Tensor], Tensor]
    kernel: Tensor
    metric: Tensor | None
    whole: bool = True

    @cached_property
    def size(self) -> float:
        return float(self.kernel.diagonal().max())

    @property
    def projected(self) -> Tensor:
        return self.rows

    def project(self, v: Tensor) -> Tensor:
        """v itself."""
        return v

    def factor(self, damping: float) -> Factor | None:
        """By the Cholesky factor of J D^-1 J^T + damping I."""
        solve = _cholesky(self.kernel, damping)
        metric = 1.0 if self.metric is None else self.metric
        return None if solve is None else Factor(lambda right: self.adjoint(solve(right)) / metric)


@dataclass(frozen=True)
class Orthogonal(Linearised):
    """With the QR factors of J D^-1/2 where R >= P, else of its transpose, D^-1/2 J^T.

    ``triangle`` is R (P, P), and R^T (R, R) with rows and columns reversed, so as to be upper triangular too; ``packed`` and ``tau`` are Q.
    """

    rows: Tensor
    apply: Callable[[Tensor], Tensor]
    adjoint: Callable[[Tensor], Tensor]
    triangle: Tensor
    packed: Tensor
    tau: Tensor
    metric: Tensor | None
    whole: bool = True

    @staticmethod
    def of(rows: Tensor, jacobian: Tensor, scaled: bool) -> Orthogonal:
        """From the Jacobian (R, P) itself."""
        metric = _metric(jacobian.square().sum(dim=0)) if scaled else None
        columns = jacobian if metric is None else jacobian / metric.sqrt()
        tall = columns.shape[0] >= columns.shape[1]
        packed, tau = torch.geqrf(columns if tall else columns.T)
        triangle = packed[: min(columns.shape)].triu()
        require_finite(triangle, "Jacobian is")
        return Orthogonal(rows, jacobian.__matmul__, jacobian.T.__matmul__, triangle if tall else triangle.T.flip(0, 1), packed, tau, metric)

    @property
    def wide(self) -> bool:
        return len(self.packed) > len(self.rows)

    @cached_property
    def size(self) -> float:
        return float(self.triangle.square().sum(dim=0).max())

    @property
    def floor(self) -> float:
        return (ROUNDING * torch.finfo(self.rows.dtype).eps) ** 2 * self.size

    @cached_property
    def projected(self) -> Tensor:
        return self.project(self.rows)

    def project(self, v: Tensor) -> Tensor:
        """The first P entries of Q^T v; where J is wide v in reversed order."""
        return v.flip(0) if self.wide else torch.ormqr(self.packed, self.tau, v[:, None], transpose=True)[: len(self.triangle), 0]

    def factor(self, damping: float) -> Factor:
        """By QR of the triangle over sqrt(damping) I."""
        factor = DampedQR.of(self.triangle, damping)
        root = 1.0 if self.metric is None else self.metric.sqrt()
        return Factor(lambda right: self._lifted(factor.solve(right)) / root)

    def _lifted(self, q: Tensor) -> Tensor:
        """D^1/2 p (P,)."""
        if not self.wide:
            return q
        padded = torch.cat([q.flip(0), q.new_zeros(len(self.packed) - len(q))])
        return torch.ormqr(self.packed, self.tau, padded[:, None])[:, 0]


def form_for(form: str, rows: int, parameters: int) -> str:
    """A name of ``FORMS``; "auto" is the dual form where there are fewer rows than parameters, else Cholesky."""
    if form == "auto":
        return "dual" if rows < parameters else "cholesky"
    if form not in FORMS:
        raise ProblemError(f"Unknown factorisation {form!r}: choose one of {', '.join(map(repr, [*FORMS, 'auto']))}.")
    return form


def gram_matrix(jacobian: Tensor, blocks: int = 4) -> Tensor:
    """J^T J (P, P) from its upper blocks: five eighths of the work of a full product.

    A symmetric rank-k update would save a little more, but torch has none, and numpy's runs in a second pool of threads that gets in the way
    of torch's: with it an iteration on Burgers' equation took 0.33 s on two idle cores, against 0.22 s.
    """
    size = jacobian.shape[1]
    gram = jacobian.new_empty(size, size)
    edges = [size * b // blocks for b in range(blocks + 1)]
    for low, high in itertools.pairwise(edges):
        torch.mm(jacobian[:, low:high].T, jacobian[:, low:], out=gram[low:high, low:])
        gram[high:, low:high] = gram[low:high, high:].T
    return gram


def _cholesky(matrix: Tensor, shift: Tensor | float) -> Callable[[Tensor], Tensor] | None:
    """The solver of (matrix + diag(shift)) x = right (n,), or None where the matrix is not positive definite in floating point."""
    damped = matrix.clone()
    damped.diagonal().add_(shift)
    factor, failed = torch.linalg.cholesky_ex(damped)
    if int(failed) or not bool(torch.isfinite(factor.diagonal()).all()):
        return None
    return lambda right: torch.cholesky_solve(right[:, None], factor)[:, 0]


def _metric(squares: Tensor) -> Tensor:
    """D from the squared norms of the columns (P,); a column of zeros counts as one of norm one."""
    return torch.where(squares > 0, squares, 1.0)


def _kernel(jacobian: Tensor, scaled: bool) -> tuple[Tensor, Tensor | None]:
    """J D^-1 J^T (R, R) and D; without scaling J J^T and None."""
    if not scaled:
        return gram_matrix(jacobian.T), None
    metric = _metric(jacobian.square().sum(dim=0))
    return gram_matrix((jacobian / metric.sqrt()).T), metric


def require_finite(numbers: Tensor, what: str = "residual rows are") -> None:
    """Raise EvaluationError if a number is not finite."""
    if not bool(torch.isfinite(numbers).all()):
        raise EvaluationError(f"The {what} not finite: the run cannot go on from here.")
