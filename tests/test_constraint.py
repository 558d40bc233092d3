"""Constraints: where their rows are, what each row is, and refusals of other shapes."""

import math
from dataclasses import replace

import pytest
import torch
from helpers import columns, gap, rand, state

from pinnsine.calculus import Vector
from pinnsine.conditions import Neumann
from pinnsine.constraint import Data, Dirichlet, Initial, Periodic, Residual, row_points
from pinnsine.domain import Interval, Rectangle, Time
from pinnsine.errors import ProblemError
from pinnsine.integral import Integral
from pinnsine.named_rows import rows_of
from pinnsine.points import Points

DOMAIN = Interval("x", -1, 1) * Time(0.5, 2)
BATCH = columns("xt", count=6)


def u(x, t):
    return torch.sin(3 * x) * torch.exp(-t)


def rows(constraint, points=None, **fields):
    """The rows of a constraint for fields that are given functions of the coordinates."""
    points = points or Points(BATCH)
    nodes = constraint.expand(points, DOMAIN)
    batch = {n: nodes[n] for n in DOMAIN.names}
    data = {n: nodes[n] for n in nodes.names if n not in DOMAIN.names}
    s = state(batch, space="x", normal=nodes.normal, data=data, **(fields or {"u": u}))
    return rows_of(constraint, s, len(points))


def region_points(constraint, count=20):
    return row_points(constraint, DOMAIN, count, "sobol", torch.Generator().manual_seed(0))


def test_rows_are_named_by_the_parts_of_what_a_residual_returns():
    def parts(function):
        return list(rows(Residual("r", function)))

    assert parts(lambda s: s.u) == [""]
    assert parts(lambda s: (s.u, s.u_x)) == ["[0]", "[1]"]
    assert parts(lambda s: Vector(s.u, s.u_x)) == ["[0]", "[1]"]
    assert parts(lambda s: {"momentum": Vector(s.u, s.u_x), "mass": s.u_t}) == ["momentum[0]", "momentum[1]", "mass"]
    found = rows(Residual("r", lambda s: {"a": s.u, "b": {"c": 2 * s.u}}))
    assert list(found) == ["a", "b.c"]
    assert torch.equal(found["b.c"], 2 * u(**BATCH))


SHAPES = {
    "column": (lambda s: s.u[:, None], r"\(6, 1\)"),
    "outer difference": (lambda s: s.u - s.u[:, None], r"\(6, 6\)"),
    "scalar": (lambda s: s.u.sum(), r"\(\)"),
    "half": (lambda s: s.u[:3], r"\(3,\)"),
    "plain tensor": (lambda s: torch.zeros(2, 2), r"\(2, 2\)"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_any_other_shape_is_refused_with_the_constraints_name_and_the_shapes(name):
    function, got = SHAPES[name]
    with pytest.raises(ProblemError, match=rf"Constraint 'mine' must return values of shape \(N,\) = \(6,\), got {got}"):
        rows(Residual("mine", function))
    with pytest.raises(ProblemError, match=rf"Constraint 'mine', part 'b' must return values of shape \(N,\) = \(6,\), got {got}"):
        rows(Residual("mine", lambda s: {"a": s.u, "b": function(s)}))


@pytest.mark.parametrize(("value", "kind"), [(None, "NoneType"), (0.0, "float"), ("u", "str")])
def test_what_is_no_batch_of_values_is_refused_by_its_type(value, kind):
    with pytest.raises(ProblemError, match=rf"Constraint 'mine' must return values of shape \(N,\), got {kind}"):
        rows(Residual("mine", lambda s: value))


@pytest.mark.parametrize("value", [(), {}, []])
def test_an_empty_residual_is_refused(value):
    with pytest.raises(ProblemError, match="Constraint 'mine' returned nothing"):
        rows(Residual("mine", lambda s: value))


def test_an_initial_condition_holds_at_the_start_of_time():
    condition = Initial("start", u=lambda s: torch.sin(3 * s.x) * math.exp(-0.5), u_t=0.0)
    points = region_points(condition)
    assert torch.equal(points["t"], torch.full((len(points),), 0.5, dtype=torch.float64))
    found = rows(condition, points)
    assert list(found) == ["u", "u_t"]
    assert float(found["u"].abs().max()) <= 1e-15
    assert gap(found["u_t"], -u(points["x"], points["t"])) <= 1e-14
    with pytest.raises(ProblemError, match="'start' is an initial condition, but the domain has no time"):
        condition.region(Interval("x", 0, 1))


def test_a_dirichlet_condition_is_field_minus_prescribed_value():
    condition = Dirichlet("walls", u=0.25, on=DOMAIN.boundary("x"))
    points = region_points(condition)
    assert set(points["x"].tolist()) == {-1, 1}
    assert gap(rows(condition, points)[""], u(points["x"], points["t"]) - 0.25) <= 1e-15


def test_a_prescribed_normal_derivative_is_along_the_outward_normal():
    condition = Dirichlet("flux", u_n=0.0, on=DOMAIN.boundary("x"))
    points = region_points(condition)
    slope = 3 * torch.cos(3 * points["x"]) * torch.exp(-points["t"]) * points["x"].sign()
    assert gap(rows(condition, points)[""], slope) <= 1e-14


def test_data_are_columns_or_functions_and_sigma_is_known():
    points = Points({**BATCH, "m": rand(6, seed=9), "err": torch.full((6,), 0.1, dtype=torch.float64)})
    condition = Data("probe", points, u="m", sigma="err")
    assert condition.region(DOMAIN) is points
    assert gap(rows(condition, points)[""], u(**BATCH) - points["m"]) <= 1e-15
    condition = Data("probe", points, u=lambda s: 2 * s.data.m, u_x=1.0)
    found = rows(condition, points)
    assert gap(found["u"], u(**BATCH) - 2 * points["m"]) <= 1e-15
    assert list(found) == ["u", "u_x"]


def test_data_with_an_unknown_column_are_refused():
    points = Points({**BATCH, "m": rand(6)})
    with pytest.raises(ProblemError, match="Constraint 'probe': the data have no column 'w': they have x, t, m"):
        Data("probe", points, u="w")
    with pytest.raises(ProblemError, match="Constraint 'probe': the data have no column 'err'"):
        Data("probe", points, u="m", sigma="err")
    with pytest.raises(ProblemError, match="data are given as Points, got dict"):
        Data("probe", {"x": [0.0]}, u=1.0)


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.nan])
def test_a_standard_deviation_must_be_positive(sigma):
    points = Points({**BATCH, "m": rand(6), "err": torch.full((6,), sigma, dtype=torch.float64)})
    for given in (sigma, "err"):
        with pytest.raises(ProblemError, match="sigma"):
            Data("probe", points, u="m", sigma=given)


def test_data_that_are_not_finite_are_refused_where_they_are_used():
    points = Points({**BATCH, "m": torch.tensor([1.0, math.nan, 2.0, 3.0, math.inf, 4.0]), "other": torch.ones(6)})
    with pytest.raises(ProblemError, match=r"column 'm' of the data is not finite at 2 of 6 points: leave these out, as in points\.select"):
        Data("probe", points, u="m")
    assert Data("probe", points, u="other").targets == {"u": "other"}
    assert len(Data("probe", points.select(torch.isfinite(points["m"])), u="m").on) == 4


def test_sigma_is_a_number_or_a_column():
    points = Points({**BATCH, "m": rand(6)})
    with pytest.raises(ProblemError, match="sigma= takes a number or the name of a column of the points, got Tensor"):
        Data("probe", points, u="m", sigma=torch.ones(6))


def test_periodic_rows_are_differences_between_both_ends():
    condition = Periodic("wrap", "x", derivatives=2)
    points = region_points(condition)
    assert torch.equal(points["x"], torch.full((len(points),), -1.0, dtype=torch.float64))
    found = rows(condition, points)
    decay = torch.exp(-points["t"])
    assert list(found) == ["u", "u_x", "u_xx"]
    assert gap(found["u"], -2 * math.sin(3) * decay) <= 1e-14
    assert float(found["u_x"].abs().max()) <= 1e-14
    assert gap(found["u_xx"], 18 * math.sin(3) * decay) <= 1e-14
    assert list(rows(Periodic("wrap", "x", fields=("u",), derivatives=0))) == ["u"]


def test_a_periodic_field_has_vanishing_rows():
    condition = Periodic("wrap", "x", derivatives=3)
    found = rows(condition, region_points(condition), u=lambda x, t: torch.sin(torch.pi * x + t) + t)
    assert max(float(r.abs().max()) for r in found.values()) <= 1e-13


def test_an_integral_row_is_the_integral_over_its_coordinates():
    condition = Integral("mass", lambda s: s.u * s.x, over="x")
    points = region_points(condition)
    assert points.names == ("t",)
    exact = (2 / 9 * math.sin(3) - 2 / 3 * math.cos(3)) * torch.exp(-points["t"])
    assert gap(rows(condition, points)[""], exact) <= 1e-13
    shifted = Integral("mass", lambda s: s.u * s.x, over="x", equals=lambda s: s.t)
    assert gap(rows(shifted, points)[""], exact - points["t"]) <= 1e-13


def test_an_integral_over_everything_is_one_row():
    condition = Integral("mass", lambda s: 1 + 0 * s.u, over=("x", "t"), equals=3.0)
    points = region_points(condition)
    assert len(points) == 1
    assert float(rows(condition, points)[""]) == pytest.approx(0, abs=1e-13)
    assert condition.nodes == 32**2


def test_integrals_of_derivatives_and_of_coordinates_alone():
    condition = Integral("growth", lambda s: s.u_x, over="x")
    points = region_points(condition)
    assert gap(rows(condition, points)[""], 2 * math.sin(3) * torch.exp(-points["t"])) <= 1e-12
    constant = Integral("length", lambda s: s.x * 0 + 1, over="x", equals=2.0)
    assert float(rows(constant, points)[""].abs().max()) <= 1e-14


def test_constraints_refuse_what_makes_no_sense():
    with pytest.raises(ProblemError, match="first argument is its name, a string, got None"):
        Residual(None, lambda s: s.u)
    with pytest.raises(ProblemError, match="first argument is its name"):
        Residual(lambda s: s.u, lambda s: s.u)
    with pytest.raises(ProblemError, match=r"prescribes nothing: name a field, as in u=0\.0"):
        Dirichlet("walls", on=DOMAIN.boundary())
    with pytest.raises(ProblemError, match="u= takes a number, a function of s or a column's name, got list"):
        Dirichlet("walls", u=[0.0], on=DOMAIN.boundary())
    with pytest.raises(ProblemError, match="at least one coordinate with at least one node"):
        Integral("mass", lambda s: s.u, over=())
    with pytest.raises(ProblemError, match="at least one coordinate with at least one node"):
        Integral("mass", lambda s: s.u, over="x", points=0)


@pytest.mark.parametrize("weight", [0, -1.0, math.nan, math.inf, "1"])
def test_weights_are_positive(weight):
    with pytest.raises(ProblemError, match="Constraint 'r': a weight is a positive, finite number or a function of s, got"):
        Residual("r", lambda s: s.u, weight=weight)


def test_a_residual_must_be_a_function():
    with pytest.raises(ProblemError, match="'r'"):
        Residual("r", 0.0)


def test_rows_of_a_subset_are_taken_there():
    disk = Rectangle(x=(-0.5, 0.5), t=(0.5, 1))
    points = region_points(Residual("part", lambda s: s.u, on=disk))
    assert bool(disk.contains(points).all())


def test_conditions_of_the_boundary_stand_on_all_of_it_where_nothing_is_said():
    domain = Rectangle(x=(0, 1), y=(0, 1)) * Time(0, 1)
    for constraint in (Dirichlet("walls", u=0.0), Neumann("walls", u=0.0)):
        assert constraint.region(domain) == replace(constraint, on=domain.boundary()).region(domain)
