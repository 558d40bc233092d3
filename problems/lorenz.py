"""Lorenz' equations, on their way to the strange attractor.

    x_t = sigma (y - x),   y_t = x (rho - z) - y,   z_t = x y - beta z,   0 <= t <= until
    x(0) = -8, y(0) = 7, z(0) = 27,   sigma = 10, rho = 28, beta = 8/3, until = 3

Errors grow tenfold in two and a half units of time (E. N. Lorenz 1963, J. Atmos. Sci. 20). Reference by scipy's Runge-Kutta method of order
eight.
"""

import pinnsine as ps


def problem(sigma: float = 10.0, rho: float = 28.0, beta: float = 8 / 3, until: float = 3.0) -> ps.Problem:
    domain = ps.Time(0, until)

    def rates(t, x, y, z):
        return sigma * (y - x), x * (rho - z) - y, x * y - beta * z

    def lorenz(s):
        rate = rates(s.t, s.x, s.y, s.z)
        return {"x": s.x_t - rate[0], "y": s.y_t - rate[1], "z": s.z_t - rate[2]}

    start = {"x": -8.0, "y": 7.0, "z": 27.0}
    return ps.Problem(
        domain,
        fields=("x", "y", "z"),
        constraints=[ps.Residual("lorenz", lorenz), ps.Initial("start", **start)],
        reference=ps.reference.ode(domain, rates, start),
    )
