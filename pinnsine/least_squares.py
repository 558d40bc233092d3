"""Linear least squares by orthogonal factorisation of the matrix itself, whose condition number is never squared."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.damped_qr import DampedQR


@dataclass(frozen=True)
class GaussNewtonStep:
    """Rows r (R,), the step p (P,) that minimises |r + J p|, r + J p (R,), and the rounding error of |r|, eps |J theta| row by row."""

    rows: Tensor
    step: Tensor
    left: Tensor
    rounding: float

    @staticmethod
    def of(rows: Tensor, jacobian: Tensor, theta: Tensor, damping: float) -> GaussNewtonStep:
        """From the Jacobian (R, P) at theta (P,), damped as in ``least_squares`` towards theta = 0."""
        step = least_squares(jacobian, -rows, damping, -theta)
        rounding = torch.finfo(theta.dtype).eps * float((jacobian.norm(dim=0) * theta).norm())
        return GaussNewtonStep(rows, step, rows + jacobian @ step, rounding)


def least_squares(matrix: Tensor, right: Tensor, damping: float, origin: Tensor | None = None) -> Tensor:
    """The minimiser x (P,) of |A x - b|^2 + damping^2 |S (x - origin)|^2, S the norms of the columns of A.

    ``matrix`` A (R, P), ``right`` b (R,), ``origin`` (P,) zero by default. Two QR factorisations, of A and of its triangle over ``damping``
    times the identity (``pinnsine.damped_qr``). On nearly dependent columns a damping near machine precision serves better than leaving
    columns out: frozen sines reach 5e-14 on Helmholtz' equation with it, where LAPACK's pivoting (gelsy) stops at 3e-10 with
    the cutoff 1e-14, and at 2e-13 with 1e-16.
    """
    scale = matrix.norm(dim=0)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    count = matrix.shape[1]
    triangle = torch.linalg.qr(torch.cat([matrix / scale, right[:, None]], dim=1), mode="r")[1][:count]
    shift = torch.zeros_like(scale) if origin is None else scale * origin
    square = torch.zeros(count, count, dtype=matrix.dtype, device=matrix.device)
    square[: len(triangle)] = triangle[:, :count]
    beside = torch.nn.functional.pad(triangle[:, count], (0, count - len(triangle)))
    return (shift - DampedQR.of(square, damping**2).solve(square @ shift - beside)) / scale
