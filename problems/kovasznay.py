"""Kovasznay's flow: the laminar wake behind a grid, a steady solution of the Navier-Stokes equations in the plane.

    (V . grad) V + grad p = lap V / Re,   div V = 0,   V = (u, v),   -1/2 <= x <= 1,  -1/2 <= y <= 3/2,   Re = 40

V is given on the boundary; p(0, 0) = 0 fixes the constant that the pressure lacks. Exact solution, with lam = Re/2 - sqrt(Re^2/4 + 4 pi^2):

    u = 1 - exp(lam x) cos(2 pi y),   v = lam / (2 pi) exp(lam x) sin(2 pi y),   p = (1 - exp(2 lam x)) / 2

(L. I. G. Kovasznay 1948, Proc. Camb. Phil. Soc. 44; on this domain X. Jin, S. Cai, H. Li & G. E. Karniadakis 2021, J. Comput. Phys. 426).
"""

import math

import torch

import pinnsine as ps


def problem(Re: float = 40.0) -> ps.Problem:
    domain = ps.Rectangle(x=(-0.5, 1), y=(-0.5, 1.5))
    lam = Re / 2 - math.sqrt(Re**2 / 4 + 4 * math.pi**2)

    def exact_u(s):
        return 1 - torch.exp(lam * s.x) * torch.cos(2 * torch.pi * s.y)

    def exact_v(s):
        return lam / (2 * torch.pi) * torch.exp(lam * s.x) * torch.sin(2 * torch.pi * s.y)

    def exact_p(s):
        return (1 - torch.exp(2 * lam * s.x)) / 2

    def navier_stokes(s):
        V = s.vector("u", "v")
        return {"momentum": ps.advect(V, V) + ps.grad(s.p) - ps.laplacian(V) / Re, "mass": ps.div(V)}

    return ps.Problem(
        domain,
        fields=("u", "v", "p"),
        constraints=[
            ps.Residual("flow", navier_stokes),
            ps.Dirichlet("boundary", u=exact_u, v=exact_v, on=domain.boundary()),
            ps.Data("pressure", ps.Points({"x": [0.0], "y": [0.0]}), p=0.0),
        ],
        reference=ps.Reference.exact(u=exact_u, v=exact_v, p=exact_p),
    )
