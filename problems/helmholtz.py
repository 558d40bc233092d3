"""Helmholtz' equation on a square, with one wave across and four waves up.

    u_xx + u_yy + k^2 u = q,   -1 <= x, y <= 1,   u = 0 on the boundary,   k = 1
    q = (k^2 - (pi a)^2 - (pi b)^2) sin(pi a x) sin(pi b y),   a = 1, b = 4

Exact solution u = sin(pi a x) sin(pi b y) (S. Wang, Y. Teng & P. Perdikaris 2021, SIAM J. Sci. Comput. 43, section 2.4).
"""

import torch

import pinnsine as ps


def problem(a: int = 1, b: int = 4, k: float = 1.0, hard: bool = True) -> ps.Problem:
    domain = ps.Rectangle(x=(-1, 1), y=(-1, 1))

    def exact(s):
        return torch.sin(torch.pi * a * s.x) * torch.sin(torch.pi * b * s.y)

    source = k**2 - torch.pi**2 * (a**2 + b**2)
    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("helmholtz", lambda s: ps.laplacian(s.u) + k**2 * s.u - source * exact(s)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary(), hard=hard),
        ],
        reference=ps.Reference.exact(u=exact),
    )
