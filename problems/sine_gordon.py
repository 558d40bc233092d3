"""The sine-Gordon equation: a breather, a bound pair of solitons that swings in place.

    u_tt - u_xx + sin(u) = 0,   -10 <= x <= 10,  0 <= t <= 10
    u(x, 0) = 4 arctan(k / (omega cosh(k x))),   u_t(x, 0) = 0,   k = sqrt(1 - omega^2),   omega = 1/2

Exact solution u = 4 arctan(k cos(omega t) / (omega cosh(k x))), which also gives the values at x = -10 and 10 (M. J. Ablowitz, D. J. Kaup,
A. C. Newell & H. Segur 1973, Phys. Rev. Lett. 30).
"""

import math

import torch

import pinnsine as ps


def problem(omega: float = 0.5) -> ps.Problem:
    domain = ps.Interval("x", -10, 10) * ps.Time(0, 10)
    k = math.sqrt(1 - omega**2)

    def exact(s):
        return 4 * torch.atan(k / omega * torch.cos(omega * s.t) / torch.cosh(k * s.x))

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("sine-gordon", lambda s: s.u_tt - s.u_xx + torch.sin(s.u)),
            ps.Initial("start", u=exact, u_t=0.0),
            ps.Dirichlet("walls", u=exact, on=domain.boundary("x")),
        ],
        reference=ps.Reference.exact(u=exact),
    )
