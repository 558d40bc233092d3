"""Steady flow past a circular cylinder, in a round tunnel whose wall moves with the free stream.

    (V . grad) V + grad p = lap V / Re,   div V = 0,   V = (u, v),   1/2 <= r <= 5/2,   Re = 20 by the cylinder's diameter
    V = 0 at r = 1/2,   V = (1, 0) at r = 5/2,   p = 0 at (-5/2, 0)

The reference is the upper half, mirrored, by collocation in q = log r and the angle a, where the ring is a rectangle (the coordinates of
B. Fornberg 1980, J. Fluid Mech. 98).
"""

import math
from functools import partial

import torch

import pinnsine as ps


def upper_half(Re: float, degree: int) -> ps.Reference:
    half = ps.Rectangle(q=(-math.log(2), math.log(2.5)), a=(0, math.pi))

    def slopes(s, f):
        f_q, f_a = ps.D(f, "q") * torch.exp(-s.q), ps.D(f, "a") * torch.exp(-s.q)
        return torch.cos(s.a) * f_q - torch.sin(s.a) * f_a, torch.sin(s.a) * f_q + torch.cos(s.a) * f_a

    def flow(s):
        (u_x, u_y), (v_x, v_y), (p_x, p_y) = (slopes(s, f) for f in (s.u, s.v, s.p))
        lap_u, lap_v = ((f_qq + f_aa) * torch.exp(-2 * s.q) for f_qq, f_aa in ((s.u_qq, s.u_aa), (s.v_qq, s.v_aa)))
        return s.u * u_x + s.v * u_y + p_x - lap_u / Re, s.u * v_x + s.v * v_y + p_y - lap_v / Re, u_x + v_y

    conditions = [
        ps.Residual("flow", flow),
        ps.Dirichlet("cylinder", u=0.0, v=0.0, on=half.side(q=-math.log(2))),
        ps.Dirichlet("tunnel", u=1.0, v=0.0, on=half.side(q=math.log(2.5))),
        ps.Dirichlet("symmetry", v=0.0, u_a=0.0, p_a=0.0, on=half.boundary("a")),
        ps.Data("pressure", ps.Points({"q": [math.log(2.5)], "a": [math.pi]}), p=0.0),
    ]
    return ps.reference.chebyshev(half, ("u", "v", "p"), conditions, degree=degree)


def problem(Re: float = 20.0, degree: int = 32) -> ps.Problem:
    cylinder, tunnel = ps.Disk((0, 0), 0.5), ps.Disk((0, 0), 2.5)
    domain, polar = tunnel - cylinder, upper_half(Re, degree)

    def mirrored(name, s):
        found = polar.evaluate({"q": torch.log(torch.hypot(s.x, s.y)), "a": torch.atan2(s.y, s.x).abs()})[name]
        return found * torch.sign(s.y) if name == "v" else found

    def navier_stokes(s):
        V = s.vector("u", "v")
        return {"momentum": ps.advect(V, V) + ps.grad(s.p) - ps.laplacian(V) / Re, "mass": ps.div(V)}

    conditions = [
        ps.Residual("flow", navier_stokes),
        ps.Dirichlet("cylinder", u=0.0, v=0.0, on=domain.on(cylinder)),
        ps.Dirichlet("tunnel", u=1.0, v=0.0, on=domain.on(tunnel)),
        ps.Data("pressure", ps.Points({"x": [-2.5], "y": [0.0]}), p=0.0),
    ]
    reference = ps.Reference({n: partial(mirrored, n) for n in ("u", "v", "p")}, polar.floor, polar.description)
    return ps.Problem(domain, fields=("u", "v", "p"), constraints=conditions, reference=reference)
