"""The Klein-Gordon equation with a cubic term.

    u_tt - u_xx + u^3 = f,   0 <= x <= 1,  0 <= t <= 1
    u(x, 0) = x,   u_t(x, 0) = 0,   u(0, t) = 0,   u(1, t) = cos(5 pi t) + t^3

The source f is made for the solution u = x cos(5 pi t) + (x t)^3: f = -25 pi^2 x cos(5 pi t) + 6 x^3 t - 6 x t^3 + u^3 (S. Wang, Y. Teng &
P. Perdikaris 2021, SIAM J. Sci. Comput. 43).
"""

import torch

import pinnsine as ps


def problem() -> ps.Problem:
    domain = ps.Interval("x", 0, 1) * ps.Time(0, 1)

    def oscillation(s):
        return s.x * torch.cos(5 * torch.pi * s.t)

    def exact(s):
        return oscillation(s) + (s.x * s.t) ** 3

    def source(s):
        return -25 * torch.pi**2 * oscillation(s) + 6 * s.x**3 * s.t - 6 * s.x * s.t**3 + exact(s) ** 3

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("klein-gordon", lambda s: s.u_tt - s.u_xx + s.u**3 - source(s)),
            ps.Initial("start", u=lambda s: s.x, u_t=0.0),
            ps.Dirichlet("walls", u=exact, on=domain.boundary("x")),
        ],
        reference=ps.Reference.exact(u=exact),
    )
