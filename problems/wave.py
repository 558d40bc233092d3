"""The wave equation on a string with fixed ends: two standing waves, one four times as short as the other.

    u_tt = c^2 u_xx,   0 <= x <= 1,  0 <= t <= 1,   c = 2
    u(x, 0) = sin(pi x) + sin(4 pi x) / 2,   u_t(x, 0) = 0,   u(0, t) = u(1, t) = 0

Exact solution u = sin(pi x) cos(c pi t) + sin(4 pi x) cos(4 c pi t) / 2 (S. Wang, X. Yu & P. Perdikaris 2022, J. Comput. Phys. 449; the wave
of arXiv 2607.02194, table 1).
"""

import torch

import pinnsine as ps


def problem(c: float = 2.0) -> ps.Problem:
    domain = ps.Interval("x", 0, 1) * ps.Time(0, 1)

    def mode(s, k):
        return torch.sin(k * torch.pi * s.x) * torch.cos(k * c * torch.pi * s.t)

    def exact(s):
        return mode(s, 1) + mode(s, 4) / 2

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("wave", lambda s: s.u_tt - c**2 * s.u_xx),
            ps.Initial("start", u=exact, u_t=0.0),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary("x")),
        ],
        reference=ps.Reference.exact(u=exact),
    )
