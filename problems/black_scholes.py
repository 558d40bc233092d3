"""The equation of Black and Scholes: the price u of a call option on a stock at price x, a time t before it is due.

    u_t = sigma^2 x^2 u_xx / 2 + r x u_x - r u,   0 <= x <= 3,  0 <= t <= 1,   sigma = 0.3, r = 0.05
    u(x, 0) = max(x - 1, 0),   u(0, t) = 0,   u(3, t) given

The payoff has a kink at the strike x = 1. Exact solution, with N the normal distribution's function,

    u = x N(d) - exp(-r t) N(d - sigma sqrt(t)),   d = (log x + (r + sigma^2 / 2) t) / (sigma sqrt(t))

(F. Black & M. Scholes 1973, J. Polit. Econ. 81).
"""

import math

import torch

import pinnsine as ps


def problem(sigma: float = 0.3, r: float = 0.05) -> ps.Problem:
    domain = ps.Interval("x", 0, 3) * ps.Time(0, 1)

    def normal(d):
        return (1 + torch.erf(d / math.sqrt(2))) / 2

    def price(s):
        spread = sigma * torch.sqrt(s.t + 1e-30)  # at t = 0 the price is the payoff
        d = (torch.log(s.x) + (r + sigma**2 / 2) * s.t) / spread
        return s.x * normal(d) - torch.exp(-r * s.t) * normal(d - spread)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("black_scholes", lambda s: s.u_t - sigma**2 / 2 * s.x**2 * s.u_xx - r * s.x * s.u_x + r * s.u),
            ps.Initial("start", u=lambda s: torch.where(s.x > 1, s.x - 1, 0.0)),
            ps.Dirichlet("worthless", u=0.0, on=domain.side(x=0)),
            ps.Dirichlet("far", u=price, on=domain.side(x=3)),
        ],
        reference=ps.Reference.exact(u=price),
    )
