"""The estimated error of frozen sines against the true one."""

import math

import pytest
import torch

import pinnsine as ps
from pinnsine.estimate import enough

K = 2 * math.pi


def periodic(hard):
    """u'' - u = f on a circle, with u = exp(sin(2 pi x))."""
    domain = ps.Interval("x", 0, 1)

    def source(s):
        sine, cosine = torch.sin(K * s.x), torch.cos(K * s.x)
        return (K**2 * (cosine**2 - sine) - 1) * torch.exp(sine)

    return ps.Problem(
        domain,
        "u",
        [ps.Residual("pde", lambda s: s.u_xx - s.u - source(s)), ps.Periodic("wrap", "x", hard=hard)],
        reference=ps.Reference.exact(u=lambda s: torch.exp(torch.sin(K * s.x))),
    )


@pytest.mark.parametrize("width", [7, 16, 40])
@pytest.mark.parametrize("hard", [True, False])
def test_too_few_sines_are_told_by_the_estimate(hard, width):
    solution = ps.solve(periodic(hard), net=ps.FrozenSines(width, 12.0), points=200, progress=False)
    error = solution.compare().relative_l2["u"]
    assert error > 1e-7
    assert 0.5 < solution.estimate["u"] / error < 2


def test_an_exact_solution_is_told_too():
    solution = ps.solve(periodic(hard=True), net=ps.FrozenSines(100, 50.0), points=400, progress=False)
    assert solution.compare().relative_l2["u"] < 1e-13
    assert solution.estimate["u"] < 1e-10


def test_the_estimate_of_sines_along_single_coordinates_has_such_sines():
    """u = sum_i cos(pi x_i) in four dimensions on few sines: the estimate was measured 0.2 to 2 times the error."""
    domain = ps.Box(dim=4)

    def exact(s):
        return sum(torch.cos(torch.pi * getattr(s, n)) for n in domain.names)

    constraints = [
        ps.Residual("pde", lambda s: ps.laplacian(s.u) + torch.pi**2 * exact(s)),
        ps.Dirichlet("walls", u=exact, on=domain.boundary()),
    ]
    problem = ps.Problem(domain, "u", constraints, reference=ps.Reference.exact(u=exact))
    solution = ps.solve(problem, net=ps.FrozenSines(80, 0.1, alone=0.3), points=600, progress=False)
    error = solution.compare().relative_l2["u"]
    assert error > 1e-5
    assert 0.1 < solution.estimate["u"] / error < 10


@pytest.mark.parametrize("width", [6, 8, 10])
def test_a_number_that_too_few_sines_miss_is_told_to_be_off(width):
    """u'' + k u = 0, u(0) = 0, u'(0) = 1 and u(1/2) = 1 / pi: k = pi^2, and no data."""
    line = ps.Interval("x", 0, 0.5)
    constraints = [
        ps.Residual("wave", lambda s: s.u_xx + s.k * s.u),
        ps.Dirichlet("begin", u=0.0, u_x=1.0, on=line.side(x=0)),
        ps.Dirichlet("end", u=1 / math.pi, on=line.side(x=0.5)),
    ]
    problem = ps.Problem(line, "u", constraints, unknowns=[ps.Unknown("k", 8.0)])
    found = ps.solve(problem, net=ps.FrozenSines(width, 2.0), points=100, iterations=8, progress=False).unknowns["k"]
    assert 0.9 < found.error / abs(found.value - math.pi**2) < 1.1  # measured: 1.00 to 1.02
    assert abs(found.value - math.pi**2) > 1e-10


@pytest.mark.parametrize("partial", [True, False])
def test_what_an_unknown_function_does_is_resolved_as_well_as_the_solution(partial):
    domain = ps.Interval("x", 0, 1) * ps.Time(0, 1)
    fields = ["u", ps.Field("q", of="x")] if partial else ["u", "q"]
    problem = ps.Problem(domain, fields, [ps.Residual("heat", lambda s: s.u_t - s.u_xx - s.q)])
    ansatz = ps.solve(problem, net=ps.FrozenSines(500, 2.0), points=50, iterations=1, estimate=False, progress=False).ansatz
    assert {enough(piece.module[1], ansatz) for piece in ansatz.pieces} == {500 if partial else 400}
