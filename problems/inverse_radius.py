"""A hidden hole found from measurements on the outer boundary: a disk with a hole of unknown radius R, in polar coordinates.

    u_rr + u_r / r + u_aa / r^2 = 0,   R <= r <= 1,   u = 1 at r = R,   u = c cos(a) and u_r measured at r = 1,   c = 0.3

The measurements belong to R = 0.4; the search starts from 0.6. Exact solution u = log r / log R + c (r - R^2 / r) cos(a) / (1 - R^2) (L. C.
Evans 2010, Partial Differential Equations, section 2.2). The radius is r = R + (1 - R) rho, 0 <= rho <= 1.
"""

import math

import torch

import pinnsine as ps


def problem(R: float = 0.4, c: float = 0.3) -> ps.Problem:
    domain = ps.Interval("rho", 0, 1) * ps.Interval("a", 0, 2 * math.pi)

    def exact(s):
        r = R + (1 - R) * s.rho
        return torch.log(r) / math.log(R) + c * (r - R**2 / r) * torch.cos(s.a) / (1 - R**2)

    def measured(s):
        return 1 / math.log(R) + c * (1 + R**2) * torch.cos(s.a) / (1 - R**2)

    def radial(s, f):
        """f_r."""
        return ps.domain.Chart("rho", r=s.R + (1 - s.R) * s.rho).D(f, "r")

    def laplace(s):
        r = s.R + (1 - s.R) * s.rho
        return radial(s, r * radial(s, s.u)) * r + s.u_aa

    return ps.Problem(
        domain,
        fields="u",
        unknowns=[ps.Unknown("R", 0.6, bounds=(0.05, 0.95))],
        constraints=[
            ps.Residual("laplace", laplace),
            ps.Dirichlet("hole", u=1.0, on=domain.side(rho=0)),
            ps.Dirichlet("outside", u=lambda s: c * torch.cos(s.a), on=domain.side(rho=1)),
            ps.Robin("measured", lambda s: radial(s, s.u) - measured(s), on=domain.side(rho=1)),
            ps.Periodic("turn", "a", hard=True),
        ],
        reference=ps.Reference.exact(u=exact),
    )
