"""Love's integral equation: the charge on a circular plate condenser, an equation of Fredholm's second kind.

    u(x) - (1 / pi) int_{-1}^{1} d / (d^2 + (x - y)^2) u(y) dy = 1,   -1 <= x <= 1,   d = 1

(E. R. Love 1949, Quart. J. Mech. Appl. Math. 2, for plates of equal charge at the distance d of their radii.) Reference by Nystroem's method
with 100 Gauss nodes: the kernel is analytic within d of the interval, so that for d = 1 they leave rounding errors.
"""

import numpy as np
import torch

import pinnsine as ps


def problem(d: float = 1.0) -> ps.Problem:
    def kernel(distance):
        return d / (d**2 + distance**2) / torch.pi

    nodes, weights = map(torch.from_numpy, np.polynomial.legendre.leggauss(100))
    matrix = torch.eye(100, dtype=torch.float64) - weights * kernel(nodes[:, None] - nodes)
    charges = weights * torch.linalg.solve(matrix, torch.ones_like(nodes))
    return ps.Problem(
        ps.Interval("x", -1, 1),
        fields="u",
        constraints=[ps.Residual("love", lambda s: s.u - ps.integral(s, lambda s, y: kernel(s.x - y.x) * y.u, x=(-1, 1)) - 1)],
        reference=ps.Reference.exact("Nystroem's method", u=lambda s: 1 + kernel(s.x[:, None] - nodes) @ charges),
    )
