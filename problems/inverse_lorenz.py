"""The three numbers of Lorenz' equations found from samples of a solution.

    x_t = sigma (y - x),   y_t = x (rho - z) - y,   z_t = x y - beta z,   0 <= t <= 3,   x(0) = -8, y(0) = 7, z(0) = 27

Known are x, y and z, without noise, at 25 times. They belong to sigma = 10, rho = 15, beta = 8/3; the search starts from 1 for each (L. Lu,
X. Meng, Z. Mao & G. E. Karniadakis 2021, SIAM Review 63, section 4.4). Reference by scipy's Runge-Kutta method of order eight.
"""

import torch

import pinnsine as ps


def problem(sigma: float = 10.0, rho: float = 15.0, beta: float = 8 / 3, samples: int = 25) -> ps.Problem:
    domain = ps.Time(0, 3)
    start = {"x": -8.0, "y": 7.0, "z": 27.0}

    def rates(t, x, y, z):
        return sigma * (y - x), x * (rho - z) - y, x * y - beta * z

    def lorenz(s):
        return {"x": s.x_t - s.sigma * (s.y - s.x), "y": s.y_t - s.x * (s.rho - s.z) + s.y, "z": s.z_t - s.x * s.y + s.beta * s.z}

    reference = ps.reference.ode(domain, rates, start)
    times = torch.linspace(0, 3, samples, dtype=torch.float64)
    measured = ps.Points({"t": times, **{f"measured_{n}": c for n, c in reference.evaluate({"t": times}).items()}})
    return ps.Problem(
        domain,
        fields=("x", "y", "z"),
        unknowns=[ps.Unknown("sigma", 1.0), ps.Unknown("rho", 1.0), ps.Unknown("beta", 1.0)],
        constraints=[
            ps.Residual("lorenz", lorenz),
            ps.Data("samples", measured, x="measured_x", y="measured_y", z="measured_z"),
        ],
        reference=reference,
    )
