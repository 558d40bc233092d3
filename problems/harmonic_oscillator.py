"""The quantum harmonic oscillator: its energies are the eigenvalues of Schroedinger's equation.

    -u_xx / 2 + x^2 u / 2 = E u,   -half <= x <= half,   u = 0 at both ends,   int u^2 dx = 1,   half = 8

Of the eigenvalues E = 1/2, 3/2, ... the one nearest to ``near`` is found; ``pinnsine.eigenpairs(problem, 3)`` finds three. On the whole line
they are exact (E. Schroedinger 1926, Ann. Phys. 79, section 3); the walls raise the lowest by 1e-26, the third by 1e-23. Eigenfunctions by
Hermite polynomials H_n(x) exp(-x^2 / 2), of the sign that is positive on the left.
"""

import math

import torch

import pinnsine as ps


def problem(near: float = 0.0, half: float = 8.0) -> ps.Problem:
    domain = ps.Interval("x", -half, half)
    level = max(0, round(near - 0.5))
    size = math.sqrt(2**level * math.factorial(level) * math.sqrt(math.pi))

    def exact(s):
        return (-1) ** level * torch.special.hermite_polynomial_h(s.x, level) * torch.exp(-(s.x**2) / 2) / size

    return ps.Problem(
        domain,
        fields="u",
        unknowns=[ps.Unknown("E", near)],
        constraints=[
            ps.Residual("schroedinger", lambda s: -s.u_xx / 2 + s.x**2 / 2 * s.u - s.E * s.u),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary()),
            ps.Integral("norm", lambda s: s.u**2, over="x", equals=1.0, points=64),
        ],
        reference=ps.Reference.exact(u=exact),
    )
