"""Poisson's equation on the unit cube of ten dimensions, or any other number of them, with a solution that is no sum over coordinates.

    sum_i u_{x_i x_i} = u_exact / dim,   0 <= x_i <= 1,   i = 1 ... dim,   u given on the boundary,   dim = 10

Exact solution u = exp((x_1 + ... + x_dim) / dim), in which every coordinate acts with every other: the twin of problems whose
solutions are polynomials of the second degree (harmonic, W. E & B. Yu 2018; poisson_squares, arXiv 2505.12149).
"""

import torch

import pinnsine as ps


def problem(dim: int = 10) -> ps.Problem:
    domain = ps.Box(dim=dim)

    def exact(s):
        return torch.exp(sum(getattr(s, name) for name in domain.names) / dim)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("poisson", lambda s: ps.laplacian(s.u) - exact(s) / dim),
            ps.Dirichlet("walls", u=exact, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
