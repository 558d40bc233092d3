"""The slowness of layered ground from its echo: full waveform inversion on a line, with all frequencies at once.

    h_xx + omega^2 m(x) h = 0,   h = u + i v,   0 <= x <= 1,   1 <= omega <= 12,   m = 1 at x = 0 and at x = 1
    h_x + i omega h = 2 i omega at x = 0,   h_x - i omega h = 0 at x = 1,   h measured at x = 0 for 60 frequencies

A wave exp(i omega x) comes from above; h - exp(i omega x) is what the ground sends back. The measured echo belongs to the squared slowness m =
1 + contrast (4 x (1 - x))^4. The wave field is by collocation (C. Song & T. Alkhalifah 2022, IEEE Trans. Geosci. Remote Sens. 60, by networks;
on the method J. Virieux & S. Operto 2009, Geophysics 74).
"""

import torch

import pinnsine as ps


def conditions(domain, slowness) -> list:
    """The wave equation and what passes through both ends, in real and imaginary parts; ``slowness`` is a function of s."""

    def equation(s):
        factor = s.omega**2 * slowness(s)
        return s.u_xx + factor * s.u, s.v_xx + factor * s.v

    return [
        ps.Residual("helmholtz", equation),
        ps.Residual("above", lambda s: (s.u_x - s.omega * s.v, s.v_x + s.omega * (s.u - 2)), on=domain.side(x=0)),
        ps.Residual("below", lambda s: (s.u_x + s.omega * s.v, s.v_x - s.omega * s.u), on=domain.side(x=1)),
    ]


def problem(contrast: float = 0.5, samples: int = 60, x_degree: int = 48, omega_degree: int = 40) -> ps.Problem:
    domain = ps.Interval("x", 0, 1) * ps.Parameter("omega", 1, 12)

    def slowness(s):
        return 1 + contrast * (4 * s.x * (1 - s.x)) ** 4

    waves = ps.reference.chebyshev(domain, ("u", "v"), conditions(domain, slowness), degree={"x": x_degree, "omega": omega_degree})
    omega = torch.linspace(1, 12, samples, dtype=torch.float64)
    places = {"x": torch.zeros(samples, dtype=torch.float64), "omega": omega}
    echo = ps.Points({**places, **{f"{name}_measured": column for name, column in waves.evaluate(places).items()}})
    return ps.Problem(
        domain,
        fields=("u", "v", ps.Field("m", of="x")),
        constraints=[
            *conditions(domain, lambda s: s.m),
            ps.Dirichlet("ends", m=1.0, on=domain.boundary("x")),
            ps.Data("echo", echo, u="u_measured", v="v_measured"),
        ],
        reference=ps.Reference({**waves.fields, "m": slowness}, {**waves.floor, "m": 2.2e-16}, f"{waves.description}; m exact"),
    )
