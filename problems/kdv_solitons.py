"""The equation of Korteweg and de Vries: a tall soliton overtakes a small one.

    u_t + 6 u u_x + u_xxx = 0,   0 <= x <= 20,  0 <= t <= 5

u is given at t = 0 and at both ends, u_x at x = 20. Exact solution u = 2 (log F)_xx with speeds c = (6, 2), places at t = 0 of (-2, 2), and

    F = 1 + e_1 + e_2 + ((k_1 - k_2) / (k_1 + k_2))^2 e_1 e_2,   e_i = exp(k_i (x - x_i - c_i t)),   k_i = sqrt(c_i)

(R. Hirota 1971, Phys. Rev. Lett. 27).
"""

import math

import torch

import pinnsine as ps


def problem(c: tuple[float, float] = (6.0, 2.0), places: tuple[float, float] = (-2.0, 2.0)) -> ps.Problem:
    domain = ps.Interval("x", 0, 20) * ps.Time(0, 5)
    k, m = (math.sqrt(speed) for speed in c)
    meeting = ((k - m) / (k + m)) ** 2

    def logarithm(s):
        """The second and third derivative of log F by x."""
        a, b = torch.exp(k * (s.x - places[0] - c[0] * s.t)), torch.exp(m * (s.x - places[1] - c[1] * s.t))
        terms = ((k, a), (m, b), (k + m, meeting * a * b))
        total = 1 + a + b + meeting * a * b
        slope, bend, twist = (sum(rate**p * term for rate, term in terms) / total for p in (1, 2, 3))
        return bend - slope**2, twist - 3 * slope * bend + 2 * slope**3

    def exact(s):
        return 2 * logarithm(s)[0]

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("kdv", lambda s: s.u_t + 6 * s.u * s.u_x + s.u_xxx),
            ps.Initial("start", u=exact),
            ps.Dirichlet("ends", u=exact, on=domain.boundary("x")),
            ps.Dirichlet("outflow", u_x=lambda s: 2 * logarithm(s)[1], on=domain.side(x=20)),
        ],
        reference=ps.Reference.exact(u=exact),
    )
