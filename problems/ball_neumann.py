"""Laplace's equation on a ball with given normal derivatives.

    u_xx + u_yy + u_zz = 0,   |(x, y, z)| <= 1,   n . grad u = n . grad w on the sphere,   u(0, 0, 0) = 0
    w = exp(sqrt(2) x) sin(y) cos(z)

Exact solution u = w, unique up to the constant that the point value fixes (L. C. Evans 2010, Partial
Differential Equations, section 2.2).
"""

import math

import torch

import pinnsine as ps


def exact(s):
    return torch.exp(math.sqrt(2) * s.x) * torch.sin(s.y) * torch.cos(s.z)


def problem() -> ps.Problem:
    domain = ps.Ball((0, 0, 0), 1)

    def outflow(s):
        slope = ps.grad(exact(s))
        return s.n_x * slope[0] + s.n_y * slope[1] + s.n_z * slope[2]

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("laplace", lambda s: ps.laplacian(s.u)),
            ps.Neumann("sphere", u=outflow, on=domain.boundary()),
            ps.Data("centre", ps.Points({"x": [0.0], "y": [0.0], "z": [0.0]}), u=0.0),
        ],
        reference=ps.Reference.exact(u=exact),
    )
