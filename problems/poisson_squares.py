"""Poisson's equation on the unit cube of a hundred dimensions, or any other number of them.

    sum_i u_{x_i x_i} = 2 dim,   0 <= x_i <= 1,   i = 1 ... dim,   u given on the boundary,   dim = 100

Exact solution u = sum_i x_i^2, which also gives the boundary values (S. Guzman-Cordero, F. Dangel, G. Goldshlager & M. Zeinhofer 2025, arXiv
2505.12149).
"""

import pinnsine as ps


def problem(dim: int = 100) -> ps.Problem:
    domain = ps.Box(dim=dim)

    def exact(s):
        return sum(getattr(s, name) ** 2 for name in domain.names)

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("poisson", lambda s: ps.laplacian(s.u) - 2.0 * dim),
            ps.Dirichlet("walls", u=exact, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
