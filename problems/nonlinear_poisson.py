"""Poisson's equation with a cubic reaction on the unit square.

    -(u_xx + u_yy) + u^3 = f,   0 <= x, y <= 1,   u = 0 on the boundary

The source f is made for the solution u = sin(pi x) sin(pi y): f = 2 pi^2 u + u^3 (A. Sulc 2026, arXiv 2602.10541, table 2).
"""

import torch

import pinnsine as ps


def problem(hard: bool = True) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))

    def exact(s):
        return torch.sin(torch.pi * s.x) * torch.sin(torch.pi * s.y)

    def source(s):
        return 2 * torch.pi**2 * exact(s) + exact(s) ** 3

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("poisson", lambda s: -ps.laplacian(s.u) + s.u**3 - source(s)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary(), hard=hard),
        ],
        reference=ps.Reference.exact(u=exact),
    )
