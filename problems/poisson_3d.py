"""Poisson's equation on a cube.

    u_xx + u_yy + u_zz = -pi^2 (1 + b^2 + 1/4) u,   0 <= x, y, z <= 1,   u given on the boundary,   b = 2

The right-hand side is that of the exact solution u = sin(pi x) sin(b pi y) cos(pi z / 2) (a manufactured solution: P. J. Roache 2002, J. Fluids
Eng. 124).
"""

import torch

import pinnsine as ps


def problem(b: int = 2) -> ps.Problem:
    domain = ps.Box(x=(0, 1), y=(0, 1), z=(0, 1))

    def exact(s):
        return torch.sin(torch.pi * s.x) * torch.sin(b * torch.pi * s.y) * torch.cos(torch.pi * s.z / 2)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("poisson", lambda s: ps.laplacian(s.u) + torch.pi**2 * (1.25 + b**2) * exact(s)),
            ps.Dirichlet("walls", u=exact, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
