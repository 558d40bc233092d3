"""The equation of Korteweg and de Vries: a wave that steepens and breaks up into solitons.

    u_t + u u_x + delta^2 u_xxx = 0,   -1 <= x <= 1 periodic,  0 <= t <= until,   delta = 0.022, until = 1
    u(x, 0) = cos(pi x)

The experiment in which solitons were discovered (N. J. Zabusky & M. D. Kruskal 1965, Phys. Rev. Lett. 15). Reference by spectral
collocation.
"""

import torch

import pinnsine as ps


def problem(delta: float = 0.022, until: float = 1.0) -> ps.Problem:
    domain = ps.Interval("x", -1, 1) * ps.Time(0, until)

    def start(x):
        return torch.cos(torch.pi * x)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("kdv", lambda s: s.u_t + s.u * s.u_x + delta**2 * s.u_xxx),
            ps.Initial("start", u=lambda s: start(s.x)),
            ps.Periodic("ends", "x", hard=True),
        ],
        reference=ps.reference.spectral(
            domain,
            start,
            linear=lambda d: -(delta**2) * d**3,
            flux=lambda u: -(u**2) / 2,
            modes=1024,
            step=2.5e-5,
            panel=0.025,
        ),
    )
