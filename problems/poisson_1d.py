"""Poisson's equation on an interval, with a wave and a ripple of fifty half-waves.

    u_xx = f,   0 <= x <= 1,   u(0) = u(1) = 0,   f = -(2 pi)^2 sin(2 pi x) - 0.1 (high pi)^2 sin(high pi x),   high = 50

Exact solution u = sin(2 pi x) + 0.1 sin(high pi x) (S. Wang, H. Wang & P. Perdikaris 2021, Comput. Methods Appl. Mech. Eng. 384, section 4.1).
"""

import torch

import pinnsine as ps


def problem(high: int = 50) -> ps.Problem:
    domain = ps.Interval("x", 0, 1)

    def exact(s):
        return torch.sin(2 * torch.pi * s.x) + 0.1 * torch.sin(high * torch.pi * s.x)

    def source(s):
        return -((2 * torch.pi) ** 2) * torch.sin(2 * torch.pi * s.x) - 0.1 * (high * torch.pi) ** 2 * torch.sin(high * torch.pi * s.x)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("poisson", lambda s: s.u_xx - source(s)),
            ps.Dirichlet("ends", u=0.0, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
