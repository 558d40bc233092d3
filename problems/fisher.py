"""Fisher's equation between walls: a population that spreads from one end.

    u_t = D u_xx + r u (1 - u),   0 <= x <= 1,  0 <= t <= 1,   D = 0.01, r = 8
    u(x, 0) = exp(-50 x^2),   u_x(0, t) = u_x(1, t) = 0

(R. A. Fisher 1937, Ann. Eugenics 7). Reference by the method of lines.
"""

import torch

import pinnsine as ps


def problem(D: float = 0.01, r: float = 8.0) -> ps.Problem:
    domain = ps.Interval("x", 0, 1) * ps.Time(0, 1)
    closed = (0.0, 1.0, 0.0)  # 0 u + 1 u_x = 0
    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("fisher", lambda s: s.u_t - D * s.u_xx - r * s.u * (1 - s.u)),
            ps.Initial("start", u=lambda s: torch.exp(-50 * s.x**2)),
            ps.Dirichlet("walls", u_x=0.0, on=domain.boundary("x")),
        ],
        reference=ps.reference.lines(
            domain,
            lambda s: D * s.u_xx + r * s.u * (1 - s.u),
            {"u": lambda x: torch.exp(-50 * x**2)},
            {"u": (closed, closed)},
            degree=80,
            tolerance=3e-14,
            panels=16,
            nodes=20,
        ),
    )
