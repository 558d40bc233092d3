"""Helmholtz' equation with a cubic term on the unit square.

    u_xx + u_yy + k^2 u + alpha u^3 = f,   0 <= x, y <= 1,   u given on the boundary,   k = 3, alpha = 1/2

The source f is made for the solution u = sin(k x) sin(k y), which also gives the boundary values: f = -k^2 u + alpha u^3 (A. Sulc 2026,
arXiv 2602.10541, table 2).
"""

import torch

import pinnsine as ps


def problem(k: float = 3.0, alpha: float = 0.5, hard: bool = True) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))

    def exact(s):
        return torch.sin(k * s.x) * torch.sin(k * s.y)

    def source(s):
        return -(k**2) * exact(s) + alpha * exact(s) ** 3

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("helmholtz", lambda s: ps.laplacian(s.u) + k**2 * s.u + alpha * s.u**3 - source(s)),
            ps.Dirichlet("walls", u=exact, on=domain.boundary(), hard=hard),
        ],
        reference=ps.Reference.exact(u=exact),
    )
