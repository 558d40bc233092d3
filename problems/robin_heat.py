"""The heat equation on a rod that loses heat through both ends to a cold surrounding.

    u_t = u_xx,   0 <= x <= 1,  0 <= t <= 1,   u(x, 0) = cos(mu (x - 1/2)),   mu = 2
    u_n + h u = 0 at both ends,   h = mu tan(mu / 2)

Exact solution u = exp(-mu^2 t) cos(mu (x - 1/2)) (H. S. Carslaw & J. C. Jaeger 1959, Conduction of Heat in Solids, chapter III).
"""

import math

import torch

import pinnsine as ps


def problem(mu: float = 2.0) -> ps.Problem:
    domain = ps.Interval("x", 0, 1) * ps.Time(0, 1)
    h = mu * math.tan(mu / 2)

    def exact(s):
        return torch.exp(-(mu**2) * s.t) * torch.cos(mu * (s.x - 0.5))

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("heat", lambda s: s.u_t - s.u_xx),
            ps.Initial("start", u=lambda s: torch.cos(mu * (s.x - 0.5))),
            ps.Robin("ends", lambda s: s.u_n + h * s.u, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
