"""Linear elasticity in plane strain: a square block under a body force.

    div sigma + f = 0,   sigma = lam (div U) I + mu (grad U + grad U^T),   U = (u, v),   0 <= x, y <= 1,   lam = 1, mu = 1/2

u and v are given on the boundary; f is made for the exact solution

    u = cos(2 pi x) sin(pi y),   v = Q sin(pi x) y^4 / 4,   Q = 4

(E. Haghighat et al. 2021, Comput. Methods Appl. Mech. Eng. 379, section 4).
"""

import torch

import pinnsine as ps


def problem(lam: float = 1.0, mu: float = 0.5, Q: float = 4.0) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))
    pi = torch.pi

    def force(s):
        wave, slope = torch.cos(2 * pi * s.x) * torch.sin(pi * s.y), pi * Q * torch.cos(pi * s.x) * s.y**3
        across = lam * (4 * pi**2 * wave - slope) + mu * (9 * pi**2 * wave - slope)
        bend, shear = Q * torch.sin(pi * s.x) * s.y**2, 2 * pi**2 * torch.sin(2 * pi * s.x) * torch.cos(pi * s.y)
        up = lam * (shear - 3 * bend) + mu * (shear - 6 * bend + pi**2 * bend * s.y**2 / 4)
        return across, up

    def equilibrium(s):
        dilation, shear = lam * ps.div(s.vector("u", "v")), mu * (s.u_y + s.v_x)
        across, up = force(s)
        return {
            "x": ps.D(dilation + 2 * mu * s.u_x, "x") + ps.D(shear, "y") + across,
            "y": ps.D(shear, "x") + ps.D(dilation + 2 * mu * s.v_y, "y") + up,
        }

    exact = {"u": lambda s: torch.cos(2 * pi * s.x) * torch.sin(pi * s.y), "v": lambda s: Q * torch.sin(pi * s.x) * s.y**4 / 4}
    return ps.Problem(
        domain,
        fields=("u", "v"),
        constraints=[ps.Residual("equilibrium", equilibrium), ps.Dirichlet("walls", **exact, on=domain.boundary())],
        reference=ps.Reference.exact(**exact),
    )
