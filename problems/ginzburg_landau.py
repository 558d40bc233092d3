"""The Ginzburg-Landau equation in the plane: two fields that roll up into a spiral, A = u + i v.

    A_t = nu lap A + 10 (A - (1 + 1.5 i) |A|^2 A),   -1 <= x, y <= 1 periodic,  0 <= t <= until,   nu = 0.004, until = 1
    u(x, y, 0) = 10 y exp(-25 r^2),   v(x, y, 0) = 10 x exp(-25 r^2),   r^2 = x^2 + y^2

(I. S. Aranson & L. Kramer 2002, Rev. Mod. Phys. 74; this case E. Kiyani et al. 2025, arXiv 2501.16371). Reference by spectral collocation.
"""

import torch

import pinnsine as ps


def problem(nu: float = 0.004, until: float = 1.0) -> ps.Problem:
    domain = ps.Rectangle(x=(-1, 1), y=(-1, 1)) * ps.Time(0, until)

    def bump(s):
        return 10 * torch.exp(-25 * (s.x**2 + s.y**2))

    def reaction(u, v):
        square = u**2 + v**2
        return -10 * square * (u - 1.5 * v), -10 * square * (v + 1.5 * u)

    def equation(s):
        f, g = reaction(s.u, s.v)
        return {"u": s.u_t - nu * ps.laplacian(s.u) - 10 * s.u - f, "v": s.v_t - nu * ps.laplacian(s.v) - 10 * s.v - g}

    start = {"u": lambda s: s.y * bump(s), "v": lambda s: s.x * bump(s)}
    return ps.Problem(
        domain,
        fields=("u", "v"),
        constraints=[
            ps.Residual("ginzburg_landau", equation),
            ps.Initial("start", **start),
            ps.Periodic("around x", "x", hard=True),
            ps.Periodic("around y", "y", hard=True),
        ],
        reference=ps.reference.spectral_2d(domain, start, lambda lap: nu * lap + 10, reaction, modes=192, step=2e-3, nodes=13),
    )
