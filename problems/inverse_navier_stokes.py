"""The coefficients of the Navier-Stokes equations found from velocities in a sheared wave; the pressure is not measured.

    V_t + convection (V . grad) V + grad p = nu lap V,   div V = 0,   V = (u, v),   -1 <= x, y <= 1,  0 <= t <= 1

Known are u and v, without noise, at 500 points, and p = 0 at one place. The samples belong to convection = 1 and nu = 1/40; the search starts
from 0 and 0.1. Exact solution, a wave that a stream (y, 0) tilts while it decays (Kelvin's): with k = (2, 3 - 2 t), F = k_x x + k_y y,
K = |k|^2 and a = 13 exp(-nu (4 t + (27 - k_y^3) / 6)) / K,

    u = y + a k_y sin F,   v = -a k_x sin F,   p = 2 a k_x^2 (1 - cos F) / K

The tilt gives the convection and the decay nu. In a flow whose vorticity is a function of its stream function, such as Kovasznay's, the
pressure takes up any convection (the search: M. Raissi, P. Perdikaris & G. E. Karniadakis 2019, J. Comput. Phys. 378).
"""

import torch

import pinnsine as ps


def problem(nu: float = 1 / 40, samples: int = 500) -> ps.Problem:
    domain = ps.Rectangle(x=(-1, 1), y=(-1, 1)) * ps.Time(0, 1)

    def wave(s):
        tilt = 3 - 2 * s.t
        square = 4 + tilt**2
        return tilt, square, 2 * s.x + tilt * s.y, 13 / square * torch.exp(-nu * (4 * s.t + (27 - tilt**3) / 6))

    def exact_u(s):
        tilt, _, phase, size = wave(s)
        return s.y + size * tilt * torch.sin(phase)

    def exact_v(s):
        _, _, phase, size = wave(s)
        return -2 * size * torch.sin(phase)

    def exact_p(s):
        _, square, phase, size = wave(s)
        return 8 * size / square * (1 - torch.cos(phase))

    def navier_stokes(s):
        V = s.vector("u", "v")
        return {"momentum": ps.D(V, "t") + s.convection * ps.advect(V, V) + ps.grad(s.p) - s.nu * ps.laplacian(V), "mass": ps.div(V)}

    times = torch.linspace(0, 1, 51, dtype=torch.float64)
    place = ps.Points({"x": torch.zeros_like(times), "y": torch.zeros_like(times), "t": times})
    measured = domain.sample(samples, "uniform", torch.Generator().manual_seed(0))
    constraints = [
        ps.Residual("flow", navier_stokes),
        ps.Data("samples", measured, u=exact_u, v=exact_v),
        ps.Data("pressure", place, p=0.0),
    ]
    unknowns = [ps.Unknown("convection", 0.0), ps.Unknown("nu", 0.1, positive=True)]
    return ps.Problem(domain, ("u", "v", "p"), constraints, unknowns=unknowns, reference=ps.Reference.exact(u=exact_u, v=exact_v, p=exact_p))
