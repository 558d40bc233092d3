"""The shipped Burgers problem against its own exact solution."""

import pytest
import torch
from helpers import exact_points, exact_rows

import pinnsine as ps


@pytest.mark.parametrize("nu", [0.01 / torch.pi, 0.01, 0.1])
def test_the_exact_solution_satisfies_the_problem(nu):
    problem = ps.load_problem("burgers", nu=nu)
    for constraint in problem.constraints:
        for values in exact_rows(problem, constraint, exact_points(problem, constraint)).values():
            assert float(values.abs().max()) < 1e-9


def test_the_policy_expects_a_front_and_says_so():
    solution = ps.solve(ps.load_problem("burgers"), points=300, iterations=1, progress=False)
    assert solution.settings["net"].startswith("mlp")
    assert "fronts" in solution.settings["reason"]
    smooth = ps.solve(ps.load_problem("burgers", nu=1.0), points=300, iterations=1, progress=False)
    assert smooth.settings["net"].startswith("frozensines")
    assert "Newton's method" in smooth.settings["reason"]


def test_a_mild_front_is_resolved():
    solution = ps.solve(ps.load_problem("burgers", nu=0.1), points=600, iterations=40, progress=False)
    assert solution.compare().relative_l2["u"] < 5e-6  # measured: 1.7e-6


@pytest.mark.slow
def test_the_front_that_an_unknown_viscosity_makes_is_found():
    solution = ps.solve(ps.load_problem("inverse_burgers", samples=200), points=400, iterations=60, progress=False, estimate=False)
    assert solution.settings["net"].startswith("mlp")
    assert "fronts are possible" in solution.settings["reason"]
    assert float(solution.unknowns["convection"]) == pytest.approx(1.0, abs=2e-3)  # measured: 6e-4
    assert float(solution.unknowns["nu"]) == pytest.approx(0.01 / torch.pi, rel=0.35)  # measured: 0.11
