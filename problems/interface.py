"""Diffusion through two materials, one of which conducts a thousand times better, in a disk inside a square.

    div(k grad u) = 16 r^2   on (-1, 1)^2,   k = 1000 for r < 1/2, else 1,   u given on the boundary
    u and k u_n are continuous across the circle r = 1/2

Exact solution u = r^4 / k inside, r^4 + (1 / 1000 - 1) / 16 outside, whose gradient jumps by a factor of a thousand (one of the kind that R. J.
LeVeque & Z. Li 1994, SIAM J. Numer. Anal. 31, take).
"""

import torch

import pinnsine as ps


def problem(k: float = 1000.0, radius: float = 0.5) -> ps.Problem:
    disk = ps.Disk((0, 0), radius)
    square = ps.Rectangle(x=(-1, 1), y=(-1, 1))

    def square_of_r(s):
        return s.x**2 + s.y**2

    def conductivity(s):
        inside = (square_of_r(s) < radius**2).double()  # torch.where of two numbers would be of single precision
        return k * inside + (1 - inside)

    def exact(s):
        outside = square_of_r(s) ** 2 + (1 / k - 1) * radius**4
        return torch.where(square_of_r(s) < radius**2, square_of_r(s) ** 2 / k, outside)

    def joint(s):
        return {"value": s.minus.u - s.plus.u, "flux": k * s.minus.u_n - s.plus.u_n}

    return ps.Problem(
        square,
        fields=ps.Field("u", parts=(disk, square)),
        constraints=[
            ps.Residual("diffusion", lambda s: conductivity(s) * ps.laplacian(s.u) - 16 * square_of_r(s)),
            ps.Interface("circle", joint, on=disk.boundary()),
            ps.Dirichlet("walls", u=exact, on=square.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
