"""Integrals inside residuals: exact values, the row's own nodes in the Jacobian, equations solved, and what is refused."""

import math

import pytest
import torch
from helpers import bound, gap, routes, rows_function

import pinnsine as ps

X, T = ps.Interval("x", 0, 2), ps.Time(0, 1)


def residual(function, domain=X, fields="u", unknowns=(), **where):
    constraint = ps.Residual("equation", function, **where) if not where else ps.Robin("side", function, **where)
    return ps.Problem(domain, fields, [constraint], unknowns=unknowns)


def value(function, domain=X, **coordinates):
    """An expression without fields at points, through the prediction of a solution that is not used."""
    problem = ps.Problem(domain, "u", [ps.Residual("u", lambda s: s.u)])
    solution = ps.solve(problem, net=ps.FrozenSines(4, omega=1.0), iterations=1, progress=False, estimate=False)
    return torch.from_numpy(solution.predict(function, **coordinates))


def test_polynomials_of_degree_two_n_minus_one_are_integrated_exactly_between_limits_that_move():
    x = torch.linspace(0.1, 2, 5, dtype=torch.float64)
    found = value(lambda s: s.u * 0 + ps.integral(s, lambda s, y: s.x * y.x**5, points=3, x=(s.x / 2, s.x)), x=x)
    assert torch.allclose(found, x * (x**6 - (x / 2) ** 6) / 6, rtol=1e-14)


def test_an_integral_over_two_coordinates_and_one_inside_another():
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))
    points = {"x": [0.3, 0.8], "y": [0.6, 0.1]}
    both = value(lambda s: s.u * 0 + ps.integral(s, lambda s, z: torch.exp(z.x) * z.y * s.x, points=8, x=(0, 1), y=(0, s.y)), domain, **points)
    inner = lambda s, p: s.x * ps.integral(p, lambda p, q: torch.exp(q.x) * p.y, points=8, x=(0, 1))  # noqa: E731
    nested = value(lambda s: s.u * 0 + ps.integral(s, inner, points=8, y=(0, s.y)), domain, **points)
    exact = torch.tensor([(math.e - 1) * y**2 / 2 * x for x, y in zip(*points.values(), strict=True)], dtype=torch.float64)
    assert torch.allclose(both, exact, rtol=1e-13)
    assert torch.allclose(nested, exact, rtol=1e-13)


EQUATIONS = {
    "fredholm": lambda s: s.u_xx - ps.integral(s, lambda s, y: torch.cos(s.x - y.x) * y.u**2, points=5, x=(0, 2)),
    "volterra": lambda s: s.u_x + ps.integral(s, lambda s, y: s.u * y.u_x, points=4, x=(0, s.x)),
    "unknown": lambda s: s.u - s.k * ps.integral(s, lambda s, y: s.k * y.k * y.u, points=3, x=(s.x, 2)),
}


@pytest.mark.parametrize("net", [ps.Siren(5, 2), ps.FrozenSines(7, omega=3.0)], ids=["trained", "frozen"])
@pytest.mark.parametrize("name", EQUATIONS)
def test_the_one_backward_jacobian_is_that_of_the_rows(name, net):
    objective, theta = bound(residual(EQUATIONS[name], unknowns=[ps.Unknown("k", 1.5)] if name == "unknown" else ()), net)
    assert routes(objective) == {"equation": "one backward"}
    expected = torch.autograd.functional.jacobian(rows_function(objective), theta)
    assert gap(objective.jacobian(theta)[1], expected) < 1e-12


def test_the_memory_of_a_row_counts_its_nodes():
    objective, _ = bound(residual(EQUATIONS["fredholm"]))
    plain, _ = bound(residual(lambda s: s.u_xx))
    assert objective.bytes_per_row(objective.terms[0]) == 6 * plain.bytes_per_row(plain.terms[0])


@pytest.mark.parametrize(("name", "error"), [("fredholm", 5e-15), ("volterra", 1e-13)])
def test_shipped_equations_are_solved_to_rounding(name, error):
    """Measured with seed 0: 1.0e-15 and 3.6e-14."""
    solution = ps.solve(ps.load_problem(name), net=ps.FrozenSines(120, omega=12.0), points=400, progress=False)
    assert solution.compare().relative_l2["u"] < error


def test_an_integral_in_a_boundary_condition():
    """u_xx = 2, u(0) = 0, u(2) the mean of u: u = x^2 + c x with 4 + 2 c = 4/3 + c."""
    problem = ps.Problem(
        X,
        "u",
        [
            ps.Residual("equation", lambda s: s.u_xx - 2),
            ps.Dirichlet("left", u=0.0, on=X.side(x=0)),
            ps.Robin("right", lambda s: s.u - ps.integral(s, lambda s, y: y.u, x=(0, 2)) / 2, on=X.side(x=2)),
        ],
        reference=ps.Reference.exact(u=lambda s: s.x**2 - 8 / 3 * s.x),
    )
    solution = ps.solve(problem, net=ps.FrozenSines(60, omega=4.0), points=200, progress=False)
    assert solution.compare().relative_l2["u"] < 1e-11


REFUSED = {
    "no limits": (lambda s: ps.integral(s, lambda s, y: y.u), "at least one coordinate with its limits"),
    "no coordinate": (lambda s: ps.integral(s, lambda s, y: y.u, z=(0, 1)), "no such coordinate, only x"),
    "one limit": (lambda s: ps.integral(s, lambda s, y: y.u, x=1.0), r"x= takes its lower and upper limit, as in x=\(0, 1\)"),
    "a limit of fields": (lambda s: ps.integral(s, lambda s, y: y.u, x=(0, s.u)), "a limit of x depends on a field or an unknown"),
    "outside": (lambda s: ps.integral(s, lambda s, y: y.u, x=(0, s.x + 1)), "nodes outside the domain"),
    "the wrong s": (lambda s: ps.integral(s, lambda _, y: s.x * y.u, x=(0, 1)), "read every name from the integrand's own arguments"),
    "differentiated": (lambda s: ps.D(ps.integral(s, lambda s, y: y.u, x=(0, 1)), "x"), "differentiate under the integral sign"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    function, message = REFUSED[name]
    with pytest.raises(ps.ProblemError, match=message):
        residual(function).check()


def test_a_two_point_condition_has_no_integrals():
    interface = ps.Interface("joint", lambda s: ps.integral(s.minus, lambda s, y: y.u, x=(0, 1)), on=ps.Interval("x", 0, 1).side(x=1))
    problem = ps.Problem(X, ps.Field("u", parts=(ps.Interval("x", 0, 1), ps.Interval("x", 1, 2))), [interface])
    with pytest.raises(ps.ProblemError, match="There are no integrals here"):
        problem.check()
