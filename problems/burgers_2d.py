"""Burgers' equations in the plane: an oblique front that moves through a square.

    u_t + u u_x + v u_y = lap u / Re,   v_t + u v_x + v v_y = lap v / Re,   0 <= x, y <= 1,  0 <= t <= 1,   Re = 80

u and v are given at t = 0 and on the boundary. Exact solution, with F = 1 / (1 + exp(Re (4 y - 4 x - t) / 32)):

    u = 3/4 - F / 4,   v = 3/4 + F / 4

(C. A. J. Fletcher 1983, Int. J. Numer. Methods Fluids 3).
"""

import torch

import pinnsine as ps


def problem(Re: float = 80.0) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1)) * ps.Time(0, 1)

    def front(s):
        return torch.sigmoid(-Re * (4 * s.y - 4 * s.x - s.t) / 32)

    def burgers(s):
        V = s.vector("u", "v")
        return ps.D(V, "t") + ps.advect(V, V) - ps.laplacian(V) / Re

    exact = {"u": lambda s: 0.75 - front(s) / 4, "v": lambda s: 0.75 + front(s) / 4}
    return ps.Problem(
        domain,
        fields=("u", "v"),
        constraints=[
            ps.Residual("burgers", burgers),
            ps.Initial("start", **exact),
            ps.Dirichlet("walls", **exact, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(**exact),
    )
