"""Burgers' equation with a sharp front: the equation, one call, the estimated and the true error.

u_t + u u_x = (0.01 / pi) u_xx,   u(x, 0) = -sin(pi x),   u(-1, t) = u(1, t) = 0

python examples/burgers.py [TIME]      # 60s by default: an error of about 1e-5 on two cores
"""

import sys

import torch

import pinnsine as ps

nu = 0.01 / torch.pi
domain = ps.Interval("x", -1, 1) * ps.Time(0, 1)
problem = ps.Problem(
    domain,
    fields="u",
    constraints=[
        ps.Residual("burgers", lambda s: s.u_t + s.u * s.u_x - nu * s.u_xx),
        ps.Initial("start", u=lambda s: -torch.sin(torch.pi * s.x)),
        ps.Dirichlet("walls", u=0.0, on=domain.boundary("x")),
    ],
    reference=ps.reference.burgers(nu),
)
print(problem.check())
solution = ps.solve(problem, time=sys.argv[1] if len(sys.argv) > 1 else "60s")
print("estimated relative error:", solution.estimate["u"])
print(solution.compare())
print("picture:", solution.plot("burgers.png"))
