"""Helmholtz' equation around a hole: the standing wave of a source inside it.

    u_xx + u_yy + k^2 u = 0   on (-1, 1)^2 without the disk of radius 1/4 at the origin,   u given on all boundaries,   k = 10

Exact solution u = Y_0(k |x|), the part of a point source that is singular at its place (D. Colton & R. Kress 2013, Inverse Acoustic and
Electromagnetic Scattering Theory, section 3.5). Y_0 by its integrals (DLMF, 10.9.7), because torch does not differentiate its own.
"""

import math

import numpy as np
import torch

import pinnsine as ps

REACH = 4.5  # of the second integral; exp(-z sinh 4.5) is below 1e-15 from z = 0.8 on


def bessel_y0(z):
    """1/pi int_0^pi sin(z sin t) dt - 2/pi int_0^inf exp(-z sinh t) dt, by Gauss quadrature with 80 nodes each."""
    nodes, weights = np.polynomial.legendre.leggauss(80)
    parts = []
    for t, w in zip((nodes + 1) / 2, weights / 2, strict=True):
        parts.append(torch.sin(z * math.sin(math.pi * t)) * w)
        parts.append(torch.exp(z * -math.sinh(REACH * t)) * (-2 * w * REACH / math.pi))
    return sum(parts[1:], start=parts[0])


def problem(k: float = 10.0, radius: float = 0.25) -> ps.Problem:
    domain = ps.Rectangle(x=(-1, 1), y=(-1, 1)) - ps.Disk((0, 0), radius)

    def exact(s):
        return bessel_y0(k * torch.sqrt(s.x**2 + s.y**2))

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("helmholtz", lambda s: ps.laplacian(s.u) + k**2 * s.u),
            ps.Dirichlet("walls", u=exact, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
