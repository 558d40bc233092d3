"""Transport with little diffusion: boundary layers where the stream leaves and along the sides.

    -eps (u_xx + u_yy) + u_x = 1,   0 <= x, y <= 1,   u = 0 on the boundary,   eps = 0.05

The layer at x = 1 is of width eps, those along y = 0 and y = 1 of width sqrt(eps) (H.-G. Roos, M. Stynes & L. Tobiska 2008, Robust Numerical
Methods for Singularly Perturbed Differential Equations, part III). Reference by separation: with k = (2 j + 1) pi and r_-, r_+ the roots of
eps r^2 = r + eps k^2,

    u = y (1 - y) / (2 eps) - sum over j of 4 / (eps k^3) sin(k y) (A exp(r_+ (x - 1)) + B exp(r_- x)),

A and B such that each term vanishes at x = 0 and x = 1. What a sum of n terms leaves out decays like exp(-2 pi n d) with the distance d to
these sides, where it is 1 / (4 eps pi^3 n^2) at most.
"""

import math

import torch

import pinnsine as ps

BLOCK = 4096  # points at a time


def series(x: torch.Tensor, y: torch.Tensor, eps: float, terms: int) -> torch.Tensor:
    """u (N,) by the first terms of the sum."""
    k = math.pi * (2 * torch.arange(terms, dtype=torch.float64) + 1)
    root = torch.sqrt(0.25 / eps**2 + k**2)
    ahead, behind = 0.5 / eps + root, 0.5 / eps - root
    over, through = torch.exp(-ahead), torch.exp(behind)
    a, b = (1 - through) / (1 - over * through), (1 - over) / (1 - over * through)
    layers = a * torch.exp(ahead * (x[:, None] - 1)) + b * torch.exp(behind * x[:, None])
    inside = y * (1 - y) / (2 * eps) - (4 / (eps * k**3) * torch.sin(k * y[:, None]) * layers).sum(dim=1)
    return torch.where((x > 0) & (x < 1), inside, 0.0)


def problem(eps: float = 0.05, terms: int = 1000) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))

    def exact(s):
        return series(s.x, s.y, eps, terms)

    constraints = [
        ps.Residual("transport", lambda s: s.u_x - eps * ps.laplacian(s.u) - 1),
        ps.Dirichlet("walls", u=0.0, on=domain.boundary()),
    ]
    reference = ps.Reference({"u": exact}, {"u": 5e-11}, f"sine series in y of {terms:,} terms", chunk=BLOCK)
    return ps.Problem(domain, "u", constraints, reference=reference)
