"""Laplace's equation on an annulus.

    u_xx + u_yy = 0,   1/2 <= |(x, y)| <= 1,   u = -log 2 on the inner circle and 0 on the outer one

Exact solution u = log |(x, y)| (L. C. Evans 2010, Partial Differential Equations, section 2.2.1).
"""

import math

import torch

import pinnsine as ps


def problem(inner: float = 0.5) -> ps.Problem:
    domain = ps.domain.Ring((0, 0), inner, 1)
    hole = ps.Disk((0, 0), inner)
    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("laplace", lambda s: ps.laplacian(s.u)),
            ps.Dirichlet("inner", u=math.log(inner), on=domain.on(hole)),
            ps.Dirichlet("outer", u=0.0, on=domain.on(ps.Disk((0, 0), 1))),
        ],
        reference=ps.Reference.exact(u=lambda s: torch.log(torch.hypot(s.x, s.y))),
    )
