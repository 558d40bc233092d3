"""The heat equation on a plate whose conductivity varies from place to place.

    u_t = div(a grad u) + f,   a = 1 + sin(2 pi x) sin(2 pi y) / 2,   0 <= x, y <= 1,  0 <= t <= 1
    u(x, y, 0) = sin(pi x) sin(pi y),   u = 0 on the boundary

The source f is made for the solution u = exp(-t) sin(pi x) sin(pi y) (manufactured: P. J. Roache 2002, J. Fluids Eng. 124; variable
conductivity as in Z. Hao et al. 2023, arXiv 2306.08827, where it has no closed solution).
"""

import torch

import pinnsine as ps


def problem(contrast: float = 0.5) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1)) * ps.Time(0, 1)
    pi = torch.pi

    def conductivity(s):
        return 1 + contrast * torch.sin(2 * pi * s.x) * torch.sin(2 * pi * s.y)

    def exact(s):
        return torch.exp(-s.t) * torch.sin(pi * s.x) * torch.sin(pi * s.y)

    def source(s):
        across = torch.cos(2 * pi * s.x) * torch.sin(2 * pi * s.y) * torch.cos(pi * s.x) * torch.sin(pi * s.y)
        up = torch.sin(2 * pi * s.x) * torch.cos(2 * pi * s.y) * torch.sin(pi * s.x) * torch.cos(pi * s.y)
        return (2 * pi**2 * conductivity(s) - 1) * exact(s) - 2 * pi**2 * contrast * torch.exp(-s.t) * (across + up)

    def heat(s):
        a = conductivity(s)
        return s.u_t - ps.D(a * s.u_x, "x") - ps.D(a * s.u_y, "y") - source(s)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("heat", heat),
            ps.Initial("start", u=lambda s: torch.sin(pi * s.x) * torch.sin(pi * s.y)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
