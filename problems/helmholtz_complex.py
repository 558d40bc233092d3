"""Helmholtz' equation for complex waves: a plane wave that leaves a square through absorbing sides.

    h_xx + h_yy + k^2 h = 0,   0 <= x, y <= 1,   h_n - i k h = g on the boundary,   k = 12

Exact solution h = exp(i k (x cos(angle) + y sin(angle))), angle = pi / 5; g is made for it. A wave that meets a side straight on passes
with g = 0 (P. Monk & D.-Q. Wang 1999, Comput. Methods Appl. Mech. Eng. 175, for this impedance problem).
"""

import math

import torch

import pinnsine as ps


def problem(k: float = 12.0, angle: float = math.pi / 5) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))
    a, b = k * math.cos(angle), k * math.sin(angle)

    def wave(s):
        return torch.exp(1j * (a * s.x + b * s.y))

    def given(s):
        """h_n - i k h of the wave."""
        return 1j * (a * s.n_x + b * s.n_y - k) * wave(s)

    return ps.Problem(
        domain,
        fields=ps.Field("h", complex=True),
        constraints=[
            ps.Residual("helmholtz", lambda s: ps.laplacian(s.h) + k**2 * s.h),
            ps.Robin("leaving", lambda s: s.h_n - 1j * k * s.h - given(s), on=domain.boundary()),
        ],
        reference=ps.Reference.exact(h=wave),
    )
