"""Maxwell's equations in the plane: a standing wave in a box with conducting walls, E = (0, 0, e), H = (h, g, 0).

    e_t = g_x - h_y,   h_t = -e_y,   g_t = e_x,   0 <= x, y <= 1,  0 <= t <= 1
    all fields given at t = 0,   e = 0 on the walls

Exact solution, the mode (m, n) = (2, 1) with omega = pi sqrt(m^2 + n^2):

    e = sin(m pi x) sin(n pi y) cos(omega t),   h = -(n pi / omega) sin(m pi x) cos(n pi y) sin(omega t),
    g = (m pi / omega) cos(m pi x) sin(n pi y) sin(omega t)

(J. D. Jackson 1999, Classical Electrodynamics, section 8.7, for resonant cavities).
"""

import math

import torch

import pinnsine as ps


def problem(m: int = 2, n: int = 1) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1)) * ps.Time(0, 1)
    a, b = m * math.pi, n * math.pi
    omega = math.hypot(a, b)
    exact = {
        "e": lambda s: torch.sin(a * s.x) * torch.sin(b * s.y) * torch.cos(omega * s.t),
        "h": lambda s: -(b / omega) * torch.sin(a * s.x) * torch.cos(b * s.y) * torch.sin(omega * s.t),
        "g": lambda s: (a / omega) * torch.cos(a * s.x) * torch.sin(b * s.y) * torch.sin(omega * s.t),
    }
    return ps.Problem(
        domain,
        fields=("e", "h", "g"),
        constraints=[
            ps.Residual("maxwell", lambda s: {"e": s.e_t - s.g_x + s.h_y, "h": s.h_t + s.e_y, "g": s.g_t - s.e_x}),
            ps.Initial("start", e=exact["e"], h=0.0, g=0.0),
            ps.Dirichlet("walls", e=0.0, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(**exact),
    )
