"""The coefficients of the Navier-Stokes equations found from velocities in a wake; the pressure is not measured.

    V_t + convection (V . grad) V + grad p = nu lap V,   div V = 0,   V = (u, v),   -1/2 <= x <= 1,  -1/2 <= y <= 3/2,  0 <= t <= 1/2

Known are u and v, without noise, at 500 points, and p = 0 at one place. The samples are of Kovasznay's wake, seen by whom the stream carries
along, for whom it moves; they belong to convection = 1 and nu = 1 / Re, Re = 40; the search starts from 0 and 0.1. Exact solution, with
lam = Re/2 - sqrt(Re^2/4 + 4 pi^2) and F = exp(lam (x + t)):

    u = -F cos(2 pi y),   v = lam / (2 pi) F sin(2 pi y),   p = (exp(2 lam t) - F^2) / 2

(L. I. G. Kovasznay 1948, Proc. Camb. Phil. Soc. 44; the search M. Raissi, P. Perdikaris & G. E. Karniadakis 2019, J. Comput. Phys. 378).
"""

import math

import torch

import pinnsine as ps


def problem(Re: float = 40.0, samples: int = 500) -> ps.Problem:
    domain = ps.Rectangle(x=(-0.5, 1), y=(-0.5, 1.5)) * ps.Time(0, 0.5)
    lam = Re / 2 - math.sqrt(Re**2 / 4 + 4 * math.pi**2)

    def fading(s):
        return torch.exp(lam * (s.x + s.t))

    exact = {
        "u": lambda s: -fading(s) * torch.cos(2 * torch.pi * s.y),
        "v": lambda s: lam / (2 * torch.pi) * fading(s) * torch.sin(2 * torch.pi * s.y),
        "p": lambda s: (torch.exp(2 * lam * s.t) - fading(s) ** 2) / 2,
    }

    def navier_stokes(s):
        V = s.vector("u", "v")
        return {"momentum": ps.D(V, "t") + s.convection * ps.advect(V, V) + ps.grad(s.p) - s.nu * ps.laplacian(V), "mass": ps.div(V)}

    times = torch.linspace(0, 0.5, 51, dtype=torch.float64)
    place = ps.Points({"x": torch.zeros_like(times), "y": torch.zeros_like(times), "t": times})
    measured = domain.sample(samples, "uniform", torch.Generator().manual_seed(0))
    constraints = [
        ps.Residual("flow", navier_stokes),
        ps.Data("samples", measured, u=exact["u"], v=exact["v"]),
        ps.Data("pressure", place, p=0.0),
    ]
    unknowns = [ps.Unknown("convection", 0.0), ps.Unknown("nu", 0.1, positive=True)]
    return ps.Problem(domain, ("u", "v", "p"), constraints, unknowns=unknowns, reference=ps.Reference.exact(**exact))
