"""Helmholtz' equation around a hole: the standing wave of a source inside it.

    u_xx + u_yy + k^2 u = 0   on (-1, 1)^2 without the disk of radius 1/4 at the origin,   u given on all boundaries,   k = 10

Exact solution u = Y_0(k |x|), the part of the radiating point source that is singular at its place (D. Colton & R. Kress 2013, Inverse
Acoustic and Electromagnetic Scattering Theory, section 3.5).
"""

import torch

import pinnsine as ps


def problem(k: float = 10.0, radius: float = 0.25) -> ps.Problem:
    hole = ps.Disk((0, 0), radius)
    domain = ps.Rectangle(x=(-1, 1), y=(-1, 1)) - hole

    def exact(s):
        return torch.special.bessel_y0(k * torch.sqrt(s.x**2 + s.y**2))

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("helmholtz", lambda s: ps.laplacian(s.u) + k**2 * s.u),
            ps.Dirichlet("walls", u=exact, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
