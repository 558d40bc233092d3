"""A string over an obstacle: it touches the obstacle, or it is straight, and where is not known.

    min(-u_xx, 100 (u - psi)) = 0,   -1 <= x <= 1,   u = 0 at both ends,   psi = height - x^2,   height = 1/2

Exact solution u = psi for |x| <= a, and its tangent 2 a (1 - |x|) beyond, a = 1 - sqrt(1 - height); u_xx jumps there (D. Kinderlehrer &
G. Stampacchia 1980, An Introduction to Variational Inequalities and Their Applications, chapter 1). Newton's method on the minimum is the
active-set method (M. Hintermueller, K. Ito & K. Kunisch 2002, SIAM J. Optim. 13). The factor, which may be any positive number, makes a gap
of 0.01 count like a curvature of 1.
"""

import math

import torch

import pinnsine as ps


def problem(height: float = 0.5) -> ps.Problem:
    domain = ps.Interval("x", -1, 1)
    a = 1 - math.sqrt(1 - height)

    def obstacle(s):
        return height - s.x**2

    def exact(s):
        return torch.where(s.x.abs() < a, obstacle(s), 2 * a * (1 - s.x.abs()))

    return ps.Problem(
        domain,
        fields="u",
        constraints=[
            ps.Residual("contact", lambda s: torch.minimum(-s.u_xx, 100 * (s.u - obstacle(s)))),
            ps.Dirichlet("ends", u=0.0, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=exact),
    )
