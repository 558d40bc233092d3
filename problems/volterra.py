"""An oscillation with memory: an integro-differential equation of Volterra's kind.

    u_t + int_0^t exp(s - t) u(s) ds = 0,   0 <= t <= until,   u(0) = 1,   until = 10

(H. Brunner 2004, Collocation Methods for Volterra Integral and Related Functional Equations, chapter 3.) Differentiated once it is
u_tt + u_t + u = 0 with u_t(0) = 0: the exact solution is exp(-t/2) (cos(w t) + sin(w t) / (2 w)), w = sqrt(3) / 2.
"""

import math

import torch

import pinnsine as ps


def problem(until: float = 10.0) -> ps.Problem:
    w = math.sqrt(3) / 2
    return ps.Problem(
        ps.Time(0, until),
        fields="u",
        constraints=[
            ps.Residual("memory", lambda s: s.u_t + ps.integral(s, lambda s, y: torch.exp(y.t - s.t) * y.u, t=(0, s.t))),
            ps.Initial("start", u=1.0),
        ],
        reference=ps.Reference.exact(u=lambda s: torch.exp(-s.t / 2) * (torch.cos(w * s.t) + torch.sin(w * s.t) / (2 * w))),
    )
