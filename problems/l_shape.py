"""Laplace's equation on an L-shaped domain, whose solution is singular at the re-entrant corner.

    u_xx + u_yy = 0   on (-1, 1)^2 without [0, 1] x [-1, 0],   u given on the boundary

Exact solution u = r^(2/3) sin(2 theta / 3), theta from the edge y = 0 counter-clockwise: its gradient is unbounded at the origin (P. Grisvard
1985, Elliptic Problems in Nonsmooth Domains). Smooth functions approximate it slowly.
"""

import torch

import pinnsine as ps


def exact(s):
    across = torch.atan2(-s.x - s.y, s.y - s.x)  # theta - 3 pi / 4, whose jump lies in the quadrant that is missing
    return (s.x**2 + s.y**2) ** (1 / 3) * torch.sin(2 / 3 * (across + 3 * torch.pi / 4))


def problem() -> ps.Problem:
    domain = ps.Rectangle(x=(-1, 1), y=(-1, 1)) - ps.Rectangle(x=(0, 1), y=(-1, 0))
    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("laplace", lambda s: ps.laplacian(s.u)),
            ps.Dirichlet("walls", u=exact, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
