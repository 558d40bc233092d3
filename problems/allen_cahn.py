"""The Allen-Cahn equation: a smooth profile that hardens into plateaus at 1 and -1 with thin fronts between them.

    u_t = nu u_xx + rate (u - u^3),   -1 <= x <= 1 periodic,  0 <= t <= until,   nu = 1e-4, rate = 5, until = 1
    u(x, 0) = x^2 cos(pi x)

The initial condition, continued periodically, has a kink at x = +-1, where its slope jumps by 4: a solution with 512 modes is wrong by
1e-5 there (M. Raissi, P. Perdikaris & G. E. Karniadakis 2019, J. Comput. Phys. 378, section 3.2.1). Reference by spectral collocation.
"""

import torch

import pinnsine as ps


def problem(nu: float = 1e-4, rate: float = 5.0, until: float = 1.0) -> ps.Problem:
    domain = ps.Interval("x", -1, 1) * ps.Time(0, until)

    def start(x):
        return x**2 * torch.cos(torch.pi * x)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("allen_cahn", lambda s: s.u_t - nu * s.u_xx - rate * (s.u - s.u**3)),
            ps.Initial("start", u=lambda s: start(s.x)),
            ps.Periodic("ends", "x", hard=True),
        ],
        reference=ps.reference.spectral(
            domain,
            start,
            linear=lambda d: nu * d**2,
            source=lambda u: rate * u * (1 - u**2),
            modes=32_768,
            step=2e-4,
            halvings=14,
        ),
    )
