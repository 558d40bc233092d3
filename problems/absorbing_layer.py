"""Helmholtz' equation in a duct that ends in an absorbing layer: sound from a piston leaves as if the duct had no end.

    (h_x / g)_x + g (h_yy + k^2 h) = 0,   0 <= x <= 3/2,  0 <= y <= 1,   g = 1 + i s(x) / k,   k = 8
    h = modes at x = 0,   h = 0 at x = 3/2,   h_y = 0 at y = 0 and y = 1

The layer x > 1 with s = strength (2 x - 2)^3 is matched to the air before it: x is replaced by X = x + i / k int s dx, in which the waves
decay, and nothing comes back but what the end wall sends through it once more. Exact solution: modes cos(m pi y) sin(q (X_end - X)) / sin(q
X_end), q^2 = k^2 - (m pi)^2, with amplitudes 1, i / 2 and 1 / 4 for m = 0, 1 and 2 (J.-P. Berenger 1994, J. Comput. Phys. 114; F. Collino &
P. Monk 1998, SIAM J. Sci. Comput. 19).
"""

import cmath
import math

import torch

import pinnsine as ps

AMPLITUDES = (1.0, 0.5j, 0.25)


def problem(k: float = 8.0, strength: float = 40.0) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1.5), y=(0, 1))
    end = 1.5 + 1j * strength / (8 * k)

    def depth(s):
        return torch.where(s.x > 1, 2 * s.x - 2, 0 * s.x)

    def stretch(s):
        return 1 + 1j * strength / k * depth(s) ** 3

    def modes(s):
        left = end - s.x - 1j * strength / (8 * k) * depth(s) ** 4
        total = 0.0
        for m, amplitude in enumerate(AMPLITUDES):
            q = cmath.sqrt(k**2 - (m * math.pi) ** 2)
            total = total + amplitude / cmath.sin(q * end) * torch.cos(m * math.pi * s.y) * torch.sin(q * left)
        return total

    def helmholtz(s):
        g = stretch(s)
        return ps.D(s.h_x / g, "x") + g * (s.h_yy + k**2 * s.h)

    return ps.Problem(
        domain,
        fields=ps.Field("h", complex=True),
        constraints=[
            ps.Residual("helmholtz", helmholtz),
            ps.Dirichlet("piston", h=modes, on=domain.side(x=0)),
            ps.Dirichlet("end", h=0.0, on=domain.side(x=1.5)),
            ps.Neumann("walls", h=0.0, on=domain.boundary("y")),
        ],
        reference=ps.Reference.exact(h=modes),
    )
