"""Flow in a square cavity whose lid moves, fastest in its middle.

    (V . grad) V + grad p = lap V / Re,   div V = 0,   V = (u, v),   0 <= x, y <= 1,   Re = 100
    u = 4 x (1 - x), v = 0 on the lid y = 1;   V = 0 on the other walls;   p = 0 at the centre

The velocity of this regularised lid does not jump at the upper corners, but the vorticity does, and the pressure is infinite there like log r:
networks and polynomials alike converge slowly. The reference takes this singular flow out (the case of arXiv 2607.02194, table 1).
"""

import pinnsine as ps


def problem(Re: float = 100.0, degree: int = 48) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))

    def navier_stokes(s):
        V = s.vector("u", "v")
        return {"momentum": ps.advect(V, V) + ps.grad(s.p) - ps.laplacian(V) / Re, "mass": ps.div(V)}

    return ps.Problem(
        domain,
        fields=("u", "v", "p"),
        constraints=[
            ps.Residual("flow", navier_stokes),
            ps.Dirichlet("lid", u=lambda s: 4 * s.x * (1 - s.x), v=0.0, on=domain.side(y=1)),
            ps.Dirichlet("bottom", u=0.0, v=0.0, on=domain.side(y=0)),
            ps.Dirichlet("sides", u=0.0, v=0.0, on=domain.boundary("x")),
            ps.Data("pressure", ps.Points({"x": [0.5], "y": [0.5]}), p=0.0),
        ],
        reference=ps.reference.cavity(Re, degree),
    )
