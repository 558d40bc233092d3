"""The advection equation: a wave that is carried round and round.

    u_t + c u_x = 0,   0 <= x <= 2 pi periodic,  0 <= t <= 1,   u(x, 0) = sin(x),   c = 1

Exact solution u = sin(x - c t). With c = 30 the wave comes by five times, at which gradient methods fail (A. S. Krishnapriyan et al. 2021, Adv.
Neural Inf. Process. Syst. 34).
"""

import math

import torch

import pinnsine as ps


def problem(c: float = 1.0) -> ps.Problem:
    domain = ps.Interval("x", 0, 2 * math.pi) * ps.Time(0, 1)
    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("advection", lambda s: s.u_t + c * s.u_x),
            ps.Initial("start", u=lambda s: torch.sin(s.x)),
            ps.Periodic("ends", "x", hard=True),
        ],
        reference=ps.Reference.exact(u=lambda s: torch.sin(s.x - c * s.t)),
    )
