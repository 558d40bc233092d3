"""Burgers' equation with two unknown coefficients, found from samples of a solution.

    u_t + convection u u_x = nu u_xx,   -1 <= x <= 1,  0 <= t <= 1

Known are the values of u, without noise, at 500 points drawn from a grid of 513 x 101, but neither initial nor boundary values. The samples
belong to convection = 1 and nu = 0.01 / pi, the exact answer; the search starts from convection = 0 and nu = 0.05 (M. Raissi, P. Perdikaris &
G. E. Karniadakis 2019, J. Comput. Phys. 378, section 4). Exact solution by Cole and Hopf (C. Basdevant et al. 1986, Computers & Fluids 14).
"""

import torch

import pinnsine as ps


def problem(nu: float = 0.01 / torch.pi, samples: int = 500) -> ps.Problem:
    domain = ps.Interval("x", -1, 1) * ps.Time(0, 1)
    reference = ps.reference.burgers(nu)
    grid = domain.grid()
    chosen = grid.select(torch.randperm(len(grid), generator=torch.Generator().manual_seed(0))[:samples])
    measured = ps.Points({**chosen.columns, "measured": reference.evaluate(chosen.columns)["u"]})
    return ps.Problem(
        domain,
        fields="u",
        unknowns=[ps.Unknown("convection", 0.0), ps.Unknown("nu", 0.05, positive=True)],
        constraints=[
            ps.Residual("burgers", lambda s: s.u_t + s.convection * s.u * s.u_x - s.nu * s.u_xx),
            ps.Data("samples", measured, u="measured"),
        ],
        reference=reference,
    )
