"""A harmonic function of ten variables, or any even number of them.

    sum_i u_{x_i x_i} = 0,   0 <= x_i <= 1,   i = 1 ... dim,   u given on the boundary,   dim = 10

Exact solution u = x_1 x_2 + x_3 x_4 + ... (W. E & B. Yu 2018, Commun. Math. Stat. 6, section 3).
"""

import pinnsine as ps


def problem(dim: int = 10) -> ps.Problem:
    if dim < 2 or dim % 2:
        raise ps.ProblemError(f"dim must be even and positive, got {dim}.")
    domain = ps.Box(dim=dim)

    def exact(s):
        return sum(getattr(s, f"x{i}") * getattr(s, f"x{i + 1}") for i in range(1, dim, 2))

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("laplace", lambda s: ps.laplacian(s.u)),
            ps.Dirichlet("walls", u=exact, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
