"""The Gray-Scott equations in the plane: a reaction that feeds on what diffuses towards it.

    u_t = 0.2 lap u + 40 (1 - u) - 1000 u v^2,   v_t = 0.1 lap v - 100 v + 1000 u v^2,   -1 <= x, y <= 1 periodic,  0 <= t <= until
    u(x, y, 0) = 1 - exp(-10 ((x + 0.05)^2 + (y + 0.02)^2)),   v(x, y, 0) = exp(-10 ((x - 0.05)^2 + (y - 0.02)^2)),   until = 0.5

(P. Gray & S. K. Scott 1984, Chem. Eng. Sci. 39; this case S. Wang et al. 2024, arXiv 2402.00326). The bumps are summed over their periodic
images: cut off at the boundary they would jump there by 1e-4. Reference by spectral collocation.
"""

import torch

import pinnsine as ps


def problem(until: float = 0.5) -> ps.Problem:
    domain = ps.Rectangle(x=(-1, 1), y=(-1, 1)) * ps.Time(0, until)

    def bump(s, x, y):
        along = [sum(torch.exp(-10 * (c - place - 2 * k) ** 2) for k in (-2, -1, 0, 1, 2)) for c, place in ((s.x, x), (s.y, y))]
        return along[0] * along[1]

    def equation(s):
        reaction = 1000 * s.u * s.v**2
        return {
            "u": s.u_t - 0.2 * ps.laplacian(s.u) - 40 * (1 - s.u) + reaction,
            "v": s.v_t - 0.1 * ps.laplacian(s.v) + 100 * s.v - reaction,
        }

    start = {"u": lambda s: 1 - bump(s, -0.05, -0.02), "v": lambda s: bump(s, 0.05, 0.02)}
    return ps.Problem(
        domain,
        fields=("u", "v"),
        constraints=[
            ps.Residual("gray_scott", equation),
            ps.Initial("start", **start),
            ps.Periodic("around x", "x", hard=True),
            ps.Periodic("around y", "y", hard=True),
        ],
        reference=ps.reference.spectral_2d(
            domain,
            start,
            {"u": lambda lap: 0.2 * lap - 40, "v": lambda lap: 0.1 * lap - 100},
            lambda u, v: (40 - 1000 * u * v**2, 1000 * u * v**2),
            modes=128,
            step=2.5e-4,
            panel=0.05,
            nodes=13,
            halvings=5,
        ),
    )
