"""An unknown diffusivity found from a temperature: a steady state is measured inside, the diffusivity on the boundary.

    div(a grad u) + f = 0,   0 <= x, y <= 1,   u = 0 on the boundary

Known are f, u at 50 x 50 points, and a on the boundary. Exact answer a = 1 / (1 + x^2 + y^2 + (x - 1)^2 + (y - 1)^2), u = sin(pi x) sin(pi y),
for which f is made (Z. Hao et al. 2023, arXiv 2306.08827, appendix: Poisson inverse).
"""

import torch

import pinnsine as ps


def problem(side: int = 50) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))
    pi = torch.pi

    def diffusivity(s):
        return 1 / (1 + s.x**2 + s.y**2 + (s.x - 1) ** 2 + (s.y - 1) ** 2)

    def temperature(s):
        return torch.sin(pi * s.x) * torch.sin(pi * s.y)

    def source(s):
        a = diffusivity(s)
        across = (4 * s.x - 2) * torch.cos(pi * s.x) * torch.sin(pi * s.y)
        up = (4 * s.y - 2) * torch.sin(pi * s.x) * torch.cos(pi * s.y)
        return 2 * pi**2 * a * temperature(s) + a**2 * pi * (across + up)

    places = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    x, y = torch.cartesian_prod(places, places).unbind(1)
    return ps.Problem(
        domain,
        fields=("u", "a"),
        constraints=[
            ps.Residual("balance", lambda s: ps.D(s.a * s.u_x, "x") + ps.D(s.a * s.u_y, "y") + source(s)),
            ps.Data("measured", ps.Points({"x": x, "y": y}), u=temperature),
            ps.Dirichlet("walls", u=0.0, a=diffusivity, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=temperature, a=diffusivity),
    )
