"""Burgers' equation for a whole range of viscosities at once: nu is a coordinate of the solution.

    u_t + u u_x = nu u_xx,   -1 <= x <= 1,  0 <= t <= 1,  0.01 <= nu <= 0.1
    u(x, 0) = -sin(pi x),    u(-1, t) = u(1, t) = 0

Exact solution by Cole and Hopf for every nu (C. Basdevant et al. 1986, Computers & Fluids 14).
"""

import torch

import pinnsine as ps


def problem(low: float = 0.01, high: float = 0.1) -> ps.Problem:
    domain = ps.Interval("x", -1, 1) * ps.Time(0, 1) * ps.Parameter("nu", low, high)
    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("burgers", lambda s: s.u_t + s.u * s.u_x - s.nu * s.u_xx),
            ps.Initial("start", u=lambda s: -torch.sin(torch.pi * s.x)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary("x")),
        ],
        reference=ps.reference.burgers((low, high)),
    )
