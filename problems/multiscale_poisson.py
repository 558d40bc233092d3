"""Poisson's equation with waves of four lengths at once.

    u_xx + u_yy = -(pi^2 / 2) sum_w w^2 sin(w pi x) sin(w pi y),   w in {4, 8, 12, 16},   0 <= x, y <= 1,   u = 0 on the boundary

Exact solution u = (1/4) sum_w sin(w pi x) sin(w pi y) (arXiv 2607.02194, table 1). The source is dominated by the shortest wave, the
solution by none.
"""

import torch

import pinnsine as ps


def problem(waves: tuple[int, ...] = (4, 8, 12, 16), hard: bool = True) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))

    def mode(s, w):
        return torch.sin(w * torch.pi * s.x) * torch.sin(w * torch.pi * s.y) / len(waves)

    def exact(s):
        return sum(mode(s, w) for w in waves)

    def source(s):
        return -2 * torch.pi**2 * sum(w**2 * mode(s, w) for w in waves)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("poisson", lambda s: ps.laplacian(s.u) - source(s)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary(), hard=hard),
        ],
        reference=ps.Reference.exact(u=exact),
    )
