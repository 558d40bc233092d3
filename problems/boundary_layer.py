"""Transport with little diffusion: boundary layers where the stream leaves and along the sides.

    -eps (u_xx + u_yy) + u_x = 1,   0 <= x, y <= 1,   u = 0 on the boundary,   eps = 0.05

The layer at x = 1 is of width eps, those along y = 0 and y = 1 of width sqrt(eps) (H.-G. Roos, M. Stynes & L. Tobiska 2008, Robust Numerical
Methods for Singularly Perturbed Differential Equations, part III). Reference by Chebyshev collocation; weak corner singularities limit it.
"""

import pinnsine as ps


def problem(eps: float = 0.05, degree: int = 40) -> ps.Problem:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))
    constraints = [
        ps.Residual("transport", lambda s: s.u_x - eps * ps.laplacian(s.u) - 1),
        ps.Dirichlet("walls", u=0.0, on=domain.boundary()),
    ]
    return ps.Problem(domain, "u", constraints, reference=ps.reference.chebyshev(domain, "u", constraints, degree=degree))
