"""Laplace's equation on a square without four disks.

    u_xx + u_yy = 0   on (-1/2, 1/2)^2 without the disks of radius 1/10 at (+-0.3, +-0.3),   u given on all boundaries

The domain is that of the second Poisson problem of Z. Hao et al. 2023 (PINNacle, arXiv 2306.08827). Here the boundary values are those of
the exact solution, the potential of a charge of alternating sign at the centre of every disk, u = sum_k q_k log |x - c_k|.
"""

import torch

import pinnsine as ps

CENTRES = ((-0.3, -0.3), (0.3, -0.3), (0.3, 0.3), (-0.3, 0.3))
CHARGES = (1.0, -1.0, 1.0, -1.0)


def exact(s):
    terms = [q / 2 * torch.log((s.x - a) ** 2 + (s.y - b) ** 2) for q, (a, b) in zip(CHARGES, CENTRES, strict=True)]
    return sum(terms[1:], start=terms[0])


def problem(radius: float = 0.1) -> ps.Problem:
    domain = ps.Rectangle(x=(-0.5, 0.5), y=(-0.5, 0.5))
    for centre in CENTRES:
        domain = domain - ps.Disk(centre, radius)
    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("laplace", lambda s: ps.laplacian(s.u)),
            ps.Dirichlet("walls", u=exact, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
