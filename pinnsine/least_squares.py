"""Linear least squares by orthogonal factorisation of the matrix itself, whose condition number is never squared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.damped_qr import DampedQR

CACHE_ROWS = 64  # of a matrix, whose squares are summed at a time


@dataclass(frozen=True)
class GaussNewtonStep:
    """Rows r (R,), the step p (P,) that minimises |r + J p|, r + J p (R,), and the rounding error of |r|, eps |J theta| row by row.

    ``again(rows, theta)`` is the step from other rows and parameters with the same Jacobian, and costs no factorisation. ``settled``: an
    iteration has found the step, and ended because r + J p is as small as it can be, not because it is small enough.
    """

    rows: Tensor
    step: Tensor
    left: Tensor
    rounding: float
    again: Callable[[Tensor, Tensor], Tensor] | None = None
    settled: bool = False

    @staticmethod
    def of(rows: Tensor, jacobian: Tensor, theta: Tensor, damping: float) -> GaussNewtonStep:
        """From the Jacobian (R, P) at theta (P,), damped as in ``least_squares`` towards theta = 0."""
        factors = Factors.of(jacobian, damping)

        def again(rows: Tensor, theta: Tensor) -> Tensor:
            return factors.solve(-rows, -theta)

        step = again(rows, theta)
        rounding = torch.finfo(theta.dtype).eps * float((factors.scale * theta).norm())
        return GaussNewtonStep(rows, step, rows + jacobian @ step, rounding, again)


@dataclass(frozen=True)
class Factors:
    """A matrix (R, P) factorised for ``least_squares``: the norms of its columns, its packed Householder factors, and those with damping."""

    scale: Tensor
    packed: Tensor
    tau: Tensor
    damped: DampedQR

    @staticmethod
    def of(matrix: Tensor, damping: float) -> Factors:
        scale = _column_norms(matrix)
        scale = torch.where(scale > 0, scale, torch.ones_like(scale))
        packed, tau = torch.geqrf(matrix / scale)
        return Factors(scale, packed, tau, DampedQR.of(_square(packed), damping**2))

    def solve(self, right: Tensor, origin: Tensor | None = None) -> Tensor:
        """The minimiser (P,) for ``right`` (R,) and ``origin`` (P,)."""
        count = len(self.scale)
        shift = torch.zeros_like(self.scale) if origin is None else self.scale * origin
        beside = torch.ormqr(self.packed, self.tau, right[:, None], transpose=True)[:count, 0]
        beside = torch.nn.functional.pad(beside, (0, count - len(beside)))
        return (shift - self.damped.solve(_square(self.packed) @ shift - beside)) / self.scale


def _column_norms(matrix: Tensor) -> Tensor:
    """The norms of the columns (P,), a block of rows at a time that stays in the cache: torch's own took a sixth of the QR factors' time."""
    squares = torch.zeros_like(matrix[0])
    for block in matrix.split(CACHE_ROWS):
        squares += block.square().sum(dim=0)
    return squares.sqrt()


def _square(packed: Tensor) -> Tensor:
    """The triangle of Householder factors (R, P), with rows of zeros where there are fewer than columns: (P, P)."""
    count = packed.shape[1]
    return torch.nn.functional.pad(packed[:count].triu(), (0, 0, 0, max(count - len(packed), 0)))


def least_squares(matrix: Tensor, right: Tensor, damping: float, origin: Tensor | None = None) -> Tensor:
    """The minimiser x (P,) of |A x - b|^2 + damping^2 |S (x - origin)|^2, S the norms of the columns of A.

    ``matrix`` A (R, P), ``right`` b (R,), ``origin`` (P,) zero by default. Two QR factorisations, of A and of its triangle over ``damping``
    times the identity (``pinnsine.damped_qr``). On nearly dependent columns a damping near machine precision serves better than leaving
    columns out: frozen sines reach 5e-14 on Helmholtz' equation with it, where LAPACK's pivoting (gelsy) stops at 3e-10 with
    the cutoff 1e-14, and at 2e-13 with 1e-16.
    """
    return Factors.of(matrix, damping).solve(right, origin)
