"""Poisson's equation on the unit square.

    u_xx + u_yy = -2 pi^2 sin(pi x) sin(pi y),   0 <= x, y <= 1,   u = 0 on the boundary

Exact solution u = sin(pi x) sin(pi y): the first row of most comparisons (J. Mueller & M. Zeinhofer 2023, arXiv 2302.13163, section 4).
"""

import torch

import pinnsine as ps


def problem(hard: bool = True) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))

    def exact(s):
        return torch.sin(torch.pi * s.x) * torch.sin(torch.pi * s.y)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("poisson", lambda s: ps.laplacian(s.u) + 2 * torch.pi**2 * exact(s)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary(), hard=hard),
        ],
        reference=ps.Reference.exact(u=exact),
    )
