"""The nonlinear Schroedinger equation: a pulse that focuses and spreads again.

    i h_t + h_xx / 2 + |h|^2 h = 0,   -half <= x <= half periodic,  0 <= t <= until,   half = 5, until = pi / 2
    h(x, 0) = 2 sech(x)

What is solved is the periodic problem, whose initial condition is 2 sech(x) continued with period 2 half. It has a kink at x = +-half,
where the slope jumps by 0.054; the equation does not smooth it, but sends it through the domain as ripples, of 1e-4 beyond the 40th mode.
The two solitons of the whole line (half = 20 comes close to them) differ from it by up to 0.03 (M. Raissi, P. Perdikaris &
G. E. Karniadakis 2019, J. Comput. Phys. 378, section 3.1.1).

Reference by Fourier modes of which the finest move freely; its linear part takes in twice the mean of |h|^2, so that they turn at the right
rate.
"""

import math

import torch

import pinnsine as ps


def problem(half: float = 5.0, until: float = torch.pi / 2) -> ps.Problem:
    domain = ps.Interval("x", -half, half) * ps.Time(0, until)
    rate = 2 * 4 * math.tanh(half) / half  # twice the mean of |h|^2, which does not change

    def start(x):
        return 2 / torch.cosh(x)

    return ps.Problem(
        domain,
        fields=ps.Field("h", complex=True),
        constraints=[
            ps.Residual("schroedinger", lambda s: 1j * s.h_t + s.h_xx / 2 + abs(s.h) ** 2 * s.h),
            ps.Initial("start", h=lambda s: start(s.x)),
            ps.Periodic("ends", "x", hard=True),
        ],
        reference=ps.reference.dispersive(
            domain,
            start,
            linear=lambda d: 0.5j * d**2 + 1j * rate,
            source=lambda h: 1j * (h.real**2 + h.imag**2 - rate) * h,
            fields=("h_re", "h_im"),
        ),
    )
