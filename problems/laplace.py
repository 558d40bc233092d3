"""Laplace's equation on a rectangle: a wave on one side that fades away from it.

    u_xx + u_yy = 0,   0 <= x <= 1,  0 <= y <= 1,   u = sin(k pi x) on y = 0,   u = 0 on the other sides,   k = 3

Exact solution u = sin(k pi x) sinh(k pi (1 - y)) / sinh(k pi) (separation of variables: R. Courant & D. Hilbert 1953, Methods of Mathematical
Physics I, chapter V).
"""

import math

import torch

import pinnsine as ps


def problem(k: int = 3) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))

    def exact(s):
        return torch.sin(k * torch.pi * s.x) * torch.sinh(k * torch.pi * (1 - s.y)) / math.sinh(k * math.pi)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("laplace", lambda s: ps.laplacian(s.u)),
            ps.Dirichlet("bottom", u=lambda s: torch.sin(k * torch.pi * s.x), on=domain.side(y=0)),
            ps.Dirichlet("top", u=0.0, on=domain.side(y=1)),
            ps.Dirichlet("sides", u=0.0, on=domain.boundary("x")),
        ],
        reference=ps.Reference.exact(u=exact),
    )
