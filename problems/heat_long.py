"""The heat equation over a long time: a rod with cold ends that is heated and cooled twenty times.

    u_t = kappa u_xx + f,   0 <= x <= 1,  0 <= t <= until,   kappa = 0.05, until = 20
    u(x, 0) = sin(2 pi x),   u(0, t) = u(1, t) = 0

The source f = (pi^2 kappa sin(2 pi t) + 2 pi cos(2 pi t)) sin(pi x) keeps up the first mode, while the second, of the start, dies out. Exact
solution u = sin(2 pi t) sin(pi x) + exp(-4 pi^2 kappa t) sin(2 pi x) (manufactured: P. J. Roache 2002, J. Fluids Eng. 124).
"""

import torch

import pinnsine as ps


def problem(kappa: float = 0.05, until: float = 20.0) -> ps.Problem:
    domain = ps.Interval("x", 0, 1) * ps.Time(0, until)
    pi = torch.pi

    def exact(s):
        fading = torch.exp(-4 * pi**2 * kappa * s.t) * torch.sin(2 * pi * s.x)
        return torch.sin(2 * pi * s.t) * torch.sin(pi * s.x) + fading

    def source(s):
        return (pi**2 * kappa * torch.sin(2 * pi * s.t) + 2 * pi * torch.cos(2 * pi * s.t)) * torch.sin(pi * s.x)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("heat", lambda s: s.u_t - kappa * s.u_xx - source(s)),
            ps.Initial("start", u=lambda s: torch.sin(2 * pi * s.x)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary("x")),
        ],
        reference=ps.Reference.exact(u=exact),
    )
