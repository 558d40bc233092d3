"""Burgers' equation at rest: advection and diffusion in balance with a source.

    u u_x - nu u_xx = f,   0 <= x <= 1,   u(0) = u(1) = 0,   nu = 0.1

The source f is made for the solution u = sin(2 pi x): f = pi sin(4 pi x) + 4 pi^2 nu sin(2 pi x) (A. Sulc 2026, arXiv 2602.10541, table 2).
"""

import torch

import pinnsine as ps


def problem(nu: float = 0.1, hard: bool = True) -> ps.Problem:
    domain = ps.Interval("x", 0, 1)

    def exact(s):
        return torch.sin(2 * torch.pi * s.x)

    def source(s):
        return torch.pi * torch.sin(4 * torch.pi * s.x) + 4 * torch.pi**2 * nu * exact(s)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("burgers", lambda s: s.u * s.u_x - nu * s.u_xx - source(s)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary(), hard=hard),
        ],
        reference=ps.Reference.exact(u=exact),
    )
