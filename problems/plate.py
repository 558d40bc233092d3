"""The bending of a simply supported square plate under a wavy load.

    lap^2 u = f,   0 <= x, y <= 1,   u = 0 and u_nn = 0 on the boundary,   f = pi^4 (a^2 + b^2)^2 sin(a pi x) sin(b pi y),   a = 1, b = 2

Exact solution u = sin(a pi x) sin(b pi y), one term of Navier's series (S. Timoshenko & S. Woinowsky-Krieger 1959, Theory of Plates and Shells,
chapter 5).
"""

import torch

import pinnsine as ps


def problem(a: int = 1, b: int = 2) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))

    def exact(s):
        return torch.sin(a * torch.pi * s.x) * torch.sin(b * torch.pi * s.y)

    load = torch.pi**4 * (a**2 + b**2) ** 2
    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("plate", lambda s: s.u_xxxx + 2 * s.u_xxyy + s.u_yyyy - load * exact(s)),
            ps.Dirichlet("sides", u=0.0, u_xx=0.0, on=domain.boundary("x")),
            ps.Dirichlet("ends", u=0.0, u_yy=0.0, on=domain.boundary("y")),
        ],
        reference=ps.Reference.exact(u=exact),
    )
