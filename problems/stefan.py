"""Melting ice: Stefan's problem in one phase, whose domain ends at the unknown front h(t).

    u_t = u_xx,   0 <= x <= h(t),   u(0, t) = 1,   u(h, t) = 0,   h_t = -St u_x(h, t),   begin <= t <= 1,   St = 1, begin = 0.1

Exact similarity solution: h = 2 k sqrt(t), u = 1 - erf(x / (2 sqrt(t))) / erf(k), with sqrt(pi) k exp(k^2) erf(k) = St (J. Crank 1984, Free
and Moving Boundary Problems, section 1.3.1); it is given at the start. The coordinate xi = x / h keeps the domain as it is.
"""

import math

import torch

import pinnsine as ps


def growth(St: float) -> float:
    """The number k, by bisection."""
    low, high = 0.0, 5.0
    for _ in range(60):
        k = (low + high) / 2
        low, high = (low, k) if math.sqrt(math.pi) * k * math.exp(k * k) * math.erf(k) > St else (k, high)
    return k


def problem(St: float = 1.0, begin: float = 0.1) -> ps.Problem:
    domain = ps.Interval("xi", 0, 1) * ps.Time(begin, 1)
    k = growth(St)

    def front(s):
        return 2 * k * torch.sqrt(s.t)

    def temperature(s):
        return 1 - torch.erf(k * s.xi) / math.erf(k)

    def moving(s):
        return ps.domain.Chart("xi", x=s.h * s.xi)

    return ps.Problem(
        domain,
        fields=["u", ps.Field("h", of="t")],
        constraints=[
            ps.Residual("heat", lambda s: s.h**2 * (moving(s).D(s.u, "t") - moving(s).D(s.u, "x", "x"))),
            ps.Robin("front", lambda s: s.h * (s.h_t + St * moving(s).D(s.u, "x")), on=domain.side(xi=1)),
            ps.Dirichlet("warm", u=1.0, on=domain.side(xi=0)),
            ps.Dirichlet("melting", u=0.0, on=domain.side(xi=1)),
            ps.Initial("start", u=temperature, h=2 * k * math.sqrt(begin)),
        ],
        reference=ps.Reference.exact(u=temperature, h=front),
    )
