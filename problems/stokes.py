"""Stokes' equations: a slow eddy in a closed square, driven by a force.

    - lap V + grad p = f,   div V = 0,   V = (u, v),   0 <= x, y <= 1,   V = 0 on the boundary,   p = 0 at the centre

With a(x) = x^2 (x - 1)^2 and b(x) = x (x - 1) (2 x - 1) = a'(x) / 2 the exact solution, for which f is made, is

    u = -256 a(x) b(y),   v = 256 b(x) a(y),   p = (x - 1/2) (y - 1/2)

(M. Bercovier & M. Engelman 1979, J. Comput. Phys. 30).
"""

import pinnsine as ps


def problem() -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))

    def a(x, order=0):
        return (x**2 * (x - 1) ** 2, 2 * x * (x - 1) * (2 * x - 1), 12 * x**2 - 12 * x + 2)[order]

    def b(x, order=0):
        return (x * (x - 1) * (2 * x - 1), 6 * x**2 - 6 * x + 1, 12 * x - 6)[order]

    def force(s):
        u = 256 * (a(s.x, 2) * b(s.y) + a(s.x) * b(s.y, 2)) + s.y - 0.5
        v = -256 * (b(s.x, 2) * a(s.y) + b(s.x) * a(s.y, 2)) + s.x - 0.5
        return ps.Vector(u, v)

    def stokes(s):
        V = s.vector("u", "v")
        return {"momentum": ps.grad(s.p) - ps.laplacian(V) - force(s), "mass": ps.div(V)}

    exact = {"u": lambda s: -256 * a(s.x) * b(s.y), "v": lambda s: 256 * b(s.x) * a(s.y), "p": lambda s: (s.x - 0.5) * (s.y - 0.5)}
    return ps.Problem(
        domain,
        fields=("u", "v", "p"),
        constraints=[
            ps.Residual("flow", stokes),
            ps.Dirichlet("walls", u=0.0, v=0.0, on=domain.boundary()),
            ps.Data("pressure", ps.Points({"x": [0.5], "y": [0.5]}), p=0.0),
        ],
        reference=ps.Reference.exact(**exact),
    )
