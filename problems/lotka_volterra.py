"""Predators and prey: the equations of Lotka and Volterra, over a few turns of their cycle.

    u_t = a u - b u v,   v_t = c u v - d v,   0 <= t <= until,   u(0) = v(0) = 1,   a = 1.5, b = 1, c = 1, d = 3, until = 6

(V. Volterra 1926, Nature 118). Reference by scipy's Runge-Kutta method of order eight.
"""

import pinnsine as ps


def problem(a: float = 1.5, b: float = 1.0, c: float = 1.0, d: float = 3.0, until: float = 6.0) -> ps.Problem:
    domain = ps.Time(0, until)
    return ps.Problem(
        domain,
        fields=("u", "v"),
        constraints=[
            ps.Residual("balance", lambda s: {"prey": s.u_t - a * s.u + b * s.u * s.v, "predators": s.v_t - c * s.u * s.v + d * s.v}),
            ps.Initial("start", u=1.0, v=1.0),
        ],
        reference=ps.reference.ode(domain, lambda t, u, v: (a * u - b * u * v, c * u * v - d * v), {"u": 1.0, "v": 1.0}),
    )
