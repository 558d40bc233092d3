"""The eikonal equation around obstacles: how far it is from a point source when the way is barred by two bumps.

    u_x^2 + u_y^2 = 1,   0 <= x <= 3,  0 <= y <= 3/2, without the disks of radius r = 0.4 around (1, 0) and (2.2, 0)
    u and u_x given at x = 0,   slope 1 along a bump where the shortest way lies on it

The source stands at (-1/2, 0), on the ground. In sight of it u is the distance from it; beyond, the shortest way is a taut string along
tangents and arcs. With psi_0 the angle at which it comes to a bump, psi that at which it leaves, D the distance from the source to the
bump's middle and rho that from there, u = sqrt(D^2 - r^2) + r (psi - psi_0) + sqrt(rho^2 - r^2), and so on along the top of the second bump.
Second derivatives jump at the edges of the shadows (J. B. Keller 1962, J. Opt. Soc. Am. 52, on creeping rays).
"""

import math

import torch

import pinnsine as ps


def problem(d: float = 0.5, r: float = 0.4) -> ps.Problem:
    first, second = ps.Disk((1, 0), r), ps.Disk((2.2, 0), r)
    domain = ps.Rectangle(x=(0, 3), y=(0, 1.5)) - first - second
    arrival = math.acos(r / (1 + d))
    slack = math.sqrt((1 + d) ** 2 - r**2) - r * arrival  # of the string at psi = 0

    def string(s, middle):
        """psi, and the straight end of the string, which leaves the bump around (middle, 0)."""
        square = (s.x - middle) ** 2 + s.y**2
        straight = torch.sqrt((square - r**2).clamp(min=1e-30))
        return torch.atan2(s.y, middle - s.x) - torch.atan2(straight, torch.full_like(straight, r)), straight

    def distance(s):
        sight = torch.sqrt((s.x + d) ** 2 + s.y**2)
        (psi, straight), (beyond, last) = string(s, 1.0), string(s, 2.2)
        shadow = torch.where(beyond > math.pi / 2, 1.2 + r * beyond + last, r * psi + straight)
        return torch.where(psi > arrival, slack + shadow, sight)

    def along(middle, start):
        """The slope along a bump, less one, where the string lies on it: from an angle on."""

        def creeping(s):
            slope = s.u_y * s.n_x - s.u_x * s.n_y
            return torch.where(torch.atan2(s.y, middle - s.x) > start, slope - 1, 0 * slope)

        return creeping

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("eikonal", lambda s: s.u_x**2 + s.u_y**2 - 1),
            ps.Dirichlet("inflow", u=distance, u_x=lambda s: (s.x + d) / distance(s), on=domain.side(x=0)),
            ps.Robin("first bump", along(1.0, arrival), on=domain.on(first)),
            ps.Robin("second bump", along(2.2, math.pi / 2), on=domain.on(second)),
        ],
        reference=ps.Reference.exact(u=distance),
    )
