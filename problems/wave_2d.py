"""The wave equation on a square membrane with a fixed rim: two standing waves.

    u_tt = c^2 (u_xx + u_yy),   0 <= x, y <= 1,  0 <= t <= 1,   c = 1
    u(x, y, 0) = sin(pi x) sin(pi y) + sin(2 pi x) sin(3 pi y) / 2,   u_t(x, y, 0) = 0,   u = 0 on the rim

Exact solution: each mode sin(m pi x) sin(n pi y) swings as cos(c pi sqrt(m^2 + n^2) t) (R. Courant & D. Hilbert 1953, Methods of Mathematical
Physics I, chapter V).
"""

import math

import torch

import pinnsine as ps


def problem(c: float = 1.0) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1)) * ps.Time(0, 1)

    def mode(s, m, n):
        swing = torch.cos(c * torch.pi * math.hypot(m, n) * s.t)
        return torch.sin(m * torch.pi * s.x) * torch.sin(n * torch.pi * s.y) * swing

    def exact(s):
        return mode(s, 1, 1) + mode(s, 2, 3) / 2

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("wave", lambda s: s.u_tt - c**2 * ps.laplacian(s.u)),
            ps.Initial("start", u=exact, u_t=0.0),
            ps.Dirichlet("rim", u=0.0, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
