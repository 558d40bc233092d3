"""Helmholtz' equation for complex waves: a plane wave that leaves a square through absorbing sides, h = u + i v.

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

    def phase(s):
        return a * s.x + b * s.y

    def leaving(s):
        """h_n - i k h, less its value for the plane wave: that is i (a n_x + b n_y - k) h."""
        rate = a * s.n_x + b * s.n_y - k
        return {
            "re": s.u_n + k * s.v + rate * torch.sin(phase(s)),
            "im": s.v_n - k * s.u - rate * torch.cos(phase(s)),
        }

    return ps.Problem(
        domain,
        fields=("u", "v"),
        constraints=[
            ps.Residual("helmholtz", lambda s: {"re": ps.laplacian(s.u) + k**2 * s.u, "im": ps.laplacian(s.v) + k**2 * s.v}),
            ps.Residual("leaving", leaving, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=lambda s: torch.cos(phase(s)), v=lambda s: torch.sin(phase(s))),
    )
