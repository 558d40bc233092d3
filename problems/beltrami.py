"""Ethier and Steinman's flow: an unsteady exact solution of the Navier-Stokes equations in all three dimensions.

    V_t + (V . grad) V + grad p = nu lap V,   div V = 0,   V = (u, v, w),   -1 <= x, y, z <= 1,  0 <= t <= 1,   nu = 1 / Re = 1

V is given at t = 0 and on the boundary, p at the origin. Exact solution, with a = d = 1 and F = exp(-nu d^2 t); v, w and the other two
terms of p follow by x -> y -> z -> x:

    u = -a (exp(a x) sin(a y + d z) + exp(a z) cos(a x + d y)) F
    p = -a^2 (exp(2 a x) / 2 + sin(a x + d y) cos(a z + d x) exp(a (y + z)) + ...) F^2

(C. R. Ethier & D. A. Steinman 1994, Int. J. Numer. Methods Fluids 19; with networks X. Jin et al. 2021, J. Comput. Phys. 426).
"""

import torch

import pinnsine as ps


def problem(a: float = 1.0, d: float = 1.0, nu: float = 1.0) -> ps.Problem:
    domain = ps.Box(x=(-1, 1), y=(-1, 1), z=(-1, 1)) * ps.Time(0, 1)

    def velocity(x, y, z, t):
        waves = torch.exp(a * x) * torch.sin(a * y + d * z) + torch.exp(a * z) * torch.cos(a * x + d * y)
        return -a * waves * torch.exp(-nu * d**2 * t)

    def pressure(x, y, z, t):
        waves = torch.exp(2 * a * x) / 2 + torch.sin(a * x + d * y) * torch.cos(a * z + d * x) * torch.exp(a * (y + z))
        return -(a**2) * waves * torch.exp(-2 * nu * d**2 * t)

    def navier_stokes(s):
        V = s.vector("u", "v", "w")
        return {"momentum": ps.D(V, "t") + ps.advect(V, V) + ps.grad(s.p) - nu * ps.laplacian(V), "mass": ps.div(V)}

    exact = {
        "u": lambda s: velocity(s.x, s.y, s.z, s.t),
        "v": lambda s: velocity(s.y, s.z, s.x, s.t),
        "w": lambda s: velocity(s.z, s.x, s.y, s.t),
    }

    def exact_p(s):
        return pressure(s.x, s.y, s.z, s.t) + pressure(s.y, s.z, s.x, s.t) + pressure(s.z, s.x, s.y, s.t)

    times = torch.linspace(0, 1, 101, dtype=torch.float64)
    origin = ps.Points({**dict.fromkeys("xyz", torch.zeros_like(times)), "t": times})
    constraints = [
        ps.Residual("flow", navier_stokes),
        ps.Initial("start", **exact),
        ps.Dirichlet("boundary", **exact, on=domain.boundary()),
        ps.Data("pressure", origin, p=exact_p),
    ]
    return ps.Problem(domain, ("u", "v", "w", "p"), constraints, reference=ps.Reference.exact(**exact, p=exact_p))
