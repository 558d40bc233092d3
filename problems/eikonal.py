"""The eikonal equation: the distance from a point source that lies outside the box.

    u_x^2 + u_y^2 = 1,   0 <= x <= 2,  -1 <= y <= 1
    u = r,  u_x = d / r   at x = 0,   r = sqrt((x + d)^2 + y^2),   d = 1/2

The solution u = r, the distance from (-d, 0), has a kink at the source, which the box leaves out. All rays from the source enter the box
through the side x = 0. The value there determines u along every ray once the sign of the slope is given, without which the mirror image of
r in x = 0 would do as well (method of characteristics: L. C. Evans 2010, Partial Differential Equations, section 3.2; on the singular
source S. Fomel, S. Luo & H. Zhao 2009, J. Comput. Phys. 228).
"""

import torch

import pinnsine as ps


def problem(d: float = 0.5) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 2), y=(-1, 1))

    def distance(s):
        return torch.sqrt((s.x + d) ** 2 + s.y**2)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("eikonal", lambda s: s.u_x**2 + s.u_y**2 - 1),
            ps.Dirichlet("inflow", u=distance, u_x=lambda s: d / distance(s), on=domain.side(x=0)),
        ],
        reference=ps.Reference.exact(u=distance),
    )
