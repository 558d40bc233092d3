"""The Kuramoto-Sivashinsky equation: waves that grow, meet and become chaotic.

    u_t + alpha u u_x + beta u_xx + gamma u_xxxx = 0,   0 <= x <= 2 pi periodic,  0 <= t <= until
    u(x, 0) = cos(x) (1 + sin(x)),   alpha = 100 / 16, beta = 100 / 16^2, gamma = 100 / 16^4, until = 0.5

Errors grow about tenfold in 0.3 units of time, so that rounding limits every solution: the reference is known to 1e-10 until t = 0.5 and
to 1e-8 until t = 1 (S. Wang, S. Sankaran & P. Perdikaris 2024, Comput. Methods Appl. Mech. Eng. 421). Reference by spectral collocation.
"""

import torch

import pinnsine as ps


def problem(alpha: float = 100 / 16, beta: float = 100 / 16**2, gamma: float = 100 / 16**4, until: float = 0.5) -> ps.Problem:
    domain = ps.Interval("x", 0, 2 * torch.pi) * ps.Time(0, until)

    def start(x):
        return torch.cos(x) * (1 + torch.sin(x))

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("kuramoto_sivashinsky", lambda s: s.u_t + alpha * s.u * s.u_x + beta * s.u_xx + gamma * s.u_xxxx),
            ps.Initial("start", u=lambda s: start(s.x)),
            ps.Periodic("ends", "x", hard=True),
        ],
        reference=ps.reference.spectral(
            domain,
            start,
            linear=lambda d: -beta * d**2 - gamma * d**4,
            flux=lambda u: -alpha / 2 * u**2,
            modes=512,
            step=2.5e-5,
            panel=0.01,
        ),
    )
