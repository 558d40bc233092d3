"""The vortices of Taylor and Green in the plane, which decay and keep their shape.

    V_t + (V . grad) V + grad p = nu lap V,   div V = 0,   V = (u, v),   0 <= x, y <= 2 pi,  0 <= t <= 1,   nu = 1

All fields are periodic in x and y; V is given at t = 0, and p(pi/4, pi/4, t) = 0 fixes the function of time that the pressure lacks. Exact
solution, with F = exp(-2 nu t):

    u = -cos(x) sin(y) F,   v = sin(x) cos(y) F,   p = -(cos(2 x) + cos(2 y)) F^2 / 4

(G. I. Taylor & A. E. Green 1937, Proc. R. Soc. A 158; in this form J. Kim & P. Moin 1985, J. Comput. Phys. 59).
"""

import math

import torch

import pinnsine as ps


def problem(nu: float = 1.0, hard: bool = True) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 2 * math.pi), y=(0, 2 * math.pi)) * ps.Time(0, 1)

    def exact_u(s):
        return -torch.cos(s.x) * torch.sin(s.y) * torch.exp(-2 * nu * s.t)

    def exact_v(s):
        return torch.sin(s.x) * torch.cos(s.y) * torch.exp(-2 * nu * s.t)

    def exact_p(s):
        return -(torch.cos(2 * s.x) + torch.cos(2 * s.y)) * torch.exp(-4 * nu * s.t) / 4

    def navier_stokes(s):
        V = s.vector("u", "v")
        return {"momentum": ps.D(V, "t") + ps.advect(V, V) + ps.grad(s.p) - nu * ps.laplacian(V), "mass": ps.div(V)}

    times = torch.linspace(0, 1, 101, dtype=torch.float64)
    place = torch.full_like(times, math.pi / 4)
    return ps.Problem(
        domain,
        fields=("u", "v", "p"),
        constraints=[
            ps.Residual("flow", navier_stokes),
            ps.Initial("start", u=exact_u, v=exact_v),
            ps.Periodic("around x", "x", hard=hard),
            ps.Periodic("around y", "y", hard=hard),
            ps.Data("pressure", ps.Points({"x": place, "y": place, "t": times}), p=0.0),
        ],
        reference=ps.Reference.exact(u=exact_u, v=exact_v, p=exact_p),
    )
