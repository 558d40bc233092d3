"""The heat equation on a rod with cold ends.

    u_t = kappa u_xx,   0 <= x <= 1,  0 <= t <= 1,   kappa = 1/4
    u(x, 0) = sin(pi x),   u(0, t) = u(1, t) = 0

Exact solution u = exp(-kappa pi^2 t) sin(pi x) (J. Mueller & M. Zeinhofer 2023, arXiv 2302.13163, section 4).
"""

import torch

import pinnsine as ps


def problem(kappa: float = 0.25) -> ps.Problem:
    domain = ps.Interval("x", 0, 1) * ps.Time(0, 1)

    def exact(s):
        return torch.exp(-kappa * torch.pi**2 * s.t) * torch.sin(torch.pi * s.x)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("heat", lambda s: s.u_t - kappa * s.u_xx),
            ps.Initial("start", u=lambda s: torch.sin(torch.pi * s.x)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary("x")),
        ],
        reference=ps.Reference.exact(u=exact),
    )
