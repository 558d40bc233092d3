"""Viscous Burgers' equation: a sine wave that steepens into a front.

    u_t + u u_x = nu u_xx,   -1 <= x <= 1,  0 <= t <= 1
    u(x, 0) = -sin(pi x),    u(-1, t) = u(1, t) = 0

The classical test of physics-informed networks with nu = 0.01 / pi (C. Basdevant et al. 1986, Computers & Fluids 14; M. Raissi,
P. Perdikaris & G. E. Karniadakis 2019, J. Comput. Phys. 378, section 3.1.1). Exact solution by Cole and Hopf.
"""

import torch

import pinnsine as ps


def problem(nu: float = 0.01 / torch.pi) -> ps.Problem:
    domain = ps.Interval("x", -1, 1) * ps.Time(0, 1)
    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("burgers", lambda s: s.u_t + s.u * s.u_x - nu * s.u_xx),
            ps.Initial("start", u=lambda s: -torch.sin(torch.pi * s.x)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary("x")),
        ],
        reference=ps.reference.burgers(nu),
    )
