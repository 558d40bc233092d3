"""Poisson's equation on the unit cube of any dimension, five by default.

    sum_i u_{x_i x_i} = -pi^2 sum_i cos(pi x_i),   0 <= x_i <= 1,   i = 1 ... dim,   u given on the boundary

Exact solution u = sum_i cos(pi x_i), which also gives the boundary values (J. Mueller & M. Zeinhofer 2023, arXiv 2302.13163, section 4).
"""

import torch

import pinnsine as ps


def problem(dim: int = 5) -> ps.Problem:
    domain = ps.Box(dim=dim)

    def exact(s):
        return sum(torch.cos(torch.pi * getattr(s, name)) for name in domain.names)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("poisson", lambda s: ps.laplacian(s.u) + torch.pi**2 * exact(s)),
            ps.Dirichlet("walls", u=exact, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
