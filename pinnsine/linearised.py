"""The first-order model of the rows, r + J p, and its damped normal equations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.errors import EvaluationError


@dataclass(frozen=True)
class Factor:
    """The Cholesky factor of J^T J + damping D."""

    cholesky: Tensor

    def solve(self, right: Tensor) -> Tensor:
        """(J^T J + damping D)^-1 right, for right (P,)."""
        return torch.cholesky_solve(right[:, None], self.cholesky)[:, 0]


@dataclass(frozen=True)
class Linearised:
    """Rows r (R,), gradient J^T r (P,), Gram matrix J^T J (P, P), and products with J."""

    rows: Tensor
    gradient: Tensor
    gram: Tensor
    apply: Callable[[Tensor], Tensor]
    adjoint: Callable[[Tensor], Tensor]

    @staticmethod
    def dense(rows: Tensor, jacobian: Tensor) -> Linearised:
        """From the Jacobian (R, P) itself."""
        _require_finite(rows)
        return Linearised(rows, jacobian.T @ rows, gram_matrix(jacobian), jacobian.__matmul__, jacobian.T.__matmul__)

    @staticmethod
    def streamed(chunks: Iterable[tuple[Tensor, Tensor]], apply, adjoint) -> Linearised:
        """From (rows, Jacobian rows) chunk by chunk, where the whole Jacobian does not fit; products with J are computed anew."""
        rows, gradient, gram = [], 0.0, 0.0
        for r, J in chunks:
            _require_finite(r)
            rows.append(r)
            gradient, gram = gradient + J.T @ r, gram + gram_matrix(J)
        return Linearised(torch.cat(rows), gradient, gram, apply, adjoint)

    def factor(self, damping: float) -> Factor | None:
        """The factor of J^T J + damping I, or None where it is not positive definite in floating point."""
        damped = self.gram.clone()
        damped.diagonal().add_(damping)
        cholesky, failed = torch.linalg.cholesky_ex(damped)
        return None if int(failed) or not bool(torch.isfinite(cholesky.diagonal()).all()) else Factor(cholesky)


def gram_matrix(jacobian: Tensor) -> Tensor:
    """J^T J (P, P). On the CPU through numpy, which calls the symmetric rank-k update for a product with the own transpose."""
    if jacobian.device.type != "cpu":
        return jacobian.T @ jacobian
    array = jacobian.numpy()
    return torch.from_numpy(array.T @ array)


def _require_finite(rows: Tensor) -> None:
    if not bool(torch.isfinite(rows).all()):
        raise EvaluationError("The residual rows are not finite: the run cannot go on from here.")
