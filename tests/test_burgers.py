"""The shipped Burgers problem against its own exact solution."""

import pytest
import torch

import pinnsine as ps
from pinnsine.constraint import row_points, rows_of
from pinnsine.jet import Context
from pinnsine.local import Local
from pinnsine.points import Points
from pinnsine.probe import coordinates_at


def exact_rows(problem, constraint, points):
    """The rows of a constraint with the reference in place of the network, derivatives by jets."""
    context = Context(space=problem.domain.space)
    coordinates = coordinates_at(problem, points, context)
    plain = Local(problem.names, context, coordinates, {})
    fields = {n: function(plain) for n, function in problem.reference.fields.items()}
    return rows_of(constraint, Local(problem.names, context, coordinates, fields), len(points))


@pytest.mark.parametrize("nu", [0.01 / torch.pi, 0.01, 0.1])
def test_the_exact_solution_satisfies_the_problem(nu):
    problem = ps.load_problem("burgers", nu=nu)
    for constraint in problem.constraints:
        points = row_points(constraint, problem.domain, 500, "uniform", torch.Generator().manual_seed(0))
        if constraint.name == "burgers":  # derivatives in time do not exist at t = 0
            points = Points({"x": points["x"], "t": points["t"].clamp(min=1e-3)})
        for values in exact_rows(problem, constraint, points).values():
            assert float(values.abs().max()) < 1e-9


def test_the_policy_expects_a_front_and_says_so():
    solution = ps.solve(ps.load_problem("burgers"), points=300, iterations=1, progress=False)
    assert solution.settings["net"].startswith("mlp")
    assert "fronts" in solution.settings["reason"]
    smooth = ps.solve(ps.load_problem("burgers", nu=1.0), points=300, iterations=1, progress=False)
    assert smooth.settings["net"].startswith("siren")


def test_a_mild_front_is_resolved():
    solution = ps.solve(ps.load_problem("burgers", nu=0.1), points=600, iterations=40, progress=False)
    assert solution.compare().relative_l2["u"] < 5e-6  # measured: 1.7e-6
