"""Scales are found so that rescaling x, t or u changes the rows by rounding alone."""

import math

import pytest
import torch
from helpers import gap, rand

from pinnsine.ansatz import build_ansatz
from pinnsine.constraint import Data, Dirichlet, Initial, Periodic, Residual, row_points
from pinnsine.domain import Box, Interval, Rectangle, Time
from pinnsine.integral import Integral
from pinnsine.nets import MLP
from pinnsine.objective import bind
from pinnsine.points import Points
from pinnsine.probe import FieldScale, trace
from pinnsine.problem import Problem, Unknown
from pinnsine.scaling import field_scales, row_scales

FACTORS = [(1e3, 1, 1), (1e-3, 1, 1), (1, 1e3, 1), (1, 1e-3, 1), (1, 1, 1e3), (1, 1, 1e-3), (1e3, 1e-3, 1e3), (7.0, 0.3, 11.0)]


def burgers(X=1.0, T=1.0, U=1.0):
    """u_t + a u u_x = nu u_xx in coordinates x = X x', t = T t' with values u = U u'."""
    domain = Interval("x", -X, X) * Time(0, T)
    a, nu = X / T / U, 0.01 * X**2 / T
    return Problem(
        domain,
        "u",
        [
            Residual("burgers", lambda s: s.u_t + a * s.u * s.u_x - nu * s.u_xx),
            Initial("start", u=lambda s: -U * torch.sin(torch.pi * s.x / X)),
            Dirichlet("walls", u=0.0, on=domain.boundary("x")),
        ],
    )


def heat_with_source(X=1.0, T=1.0, U=1.0):
    """Nothing but zeros prescribed: the source alone tells the size of u."""
    domain = Interval("x", 0, X) * Time(0, T)
    q = 5.0 * U / T
    return Problem(
        domain,
        "u",
        [
            Residual("heat", lambda s: s.u_t - X**2 / T * s.u_xx - q * torch.sin(torch.pi * s.x / X)),
            Initial("start", u=0.0),
            Dirichlet("walls", u=0.0, on=domain.boundary("x")),
        ],
    )


def reaction(X=1.0, T=1.0, U=1.0):
    """A nonlinear equation that is not homogeneous, with periodicity, a conserved mass, data and their errors."""
    domain = Interval("x", 0, X) * Time(0, T)
    table = Points(
        {
            "x": X * rand(9, seed=1, low=0.0),
            "t": T * rand(9, seed=2, low=0.0),
            "m": U * rand(9, seed=3),
            "err": U * rand(9, seed=4, low=0.1),
        }
    )
    return Problem(
        domain,
        "u",
        [
            Residual("pde", lambda s: s.u_t - 0.1 * X**2 / T * s.u_xx - s.u * (1 - (s.u / U) ** 2) / T),
            Periodic("wrap", "x"),
            Integral("mass", lambda s: s.u, over="x", equals=0.3 * U * X),
            Data("probe", table, u="m", sigma="err"),
        ],
    )


PROBLEMS = {"burgers": burgers, "source": heat_with_source, "reaction": reaction}


def scaled_rows(problem):
    """The rows of a fresh network of a fixed seed, with scales, points and factors as ``solve`` finds them."""
    scales = field_scales(problem)
    points = {c.name: row_points(c, problem.domain, 16, "sobol", torch.Generator().manual_seed(0)) for c in problem.constraints}
    ansatz = build_ansatz(problem, MLP(6, 2), scales, torch.Generator().manual_seed(0))
    objective = bind(ansatz, points)
    return objective.rows(ansatz.flat())


# A balance found on a grid of amplitudes is invariant where the factors are powers of the grid's step.
@pytest.mark.parametrize("factors", FACTORS, ids=lambda f: f"x{f[0]:g} t{f[1]:g} u{f[2]:g}")
@pytest.mark.parametrize("name", PROBLEMS)
def test_rescaling_coordinates_and_values_leaves_the_rows_unchanged(name, factors):
    make = PROBLEMS[name]
    exact = factors != FACTORS[-1]
    assert gap(scaled_rows(make(*factors)), scaled_rows(make())) <= (1e-9 if exact else 0.1)


@pytest.mark.parametrize("factors", FACTORS)
def test_field_scales_follow_the_values(factors):
    for make in PROBLEMS.values():
        one, scaled = field_scales(make())["u"], field_scales(make(*factors))["u"]
        assert scaled.scale == pytest.approx(factors[2] * one.scale, rel=1e-9 if factors != FACTORS[-1] else 0.1)
        assert scaled.shift == pytest.approx(factors[2] * one.shift, rel=1e-9)


def test_prescribed_values_give_the_middle_and_half_of_their_range():
    domain = Interval("x", 0, 1) * Time(0, 1)
    start = Initial("start", u=lambda s: 100 + 5 * torch.cos(2 * torch.pi * s.x))
    found = field_scales(Problem(domain, "u", [start]))["u"]
    assert found.shift == pytest.approx(100, rel=1e-3)
    assert found.scale == pytest.approx(5, rel=1e-3)
    around_zero = Initial("start", u=lambda s: torch.cos(2 * torch.pi * s.x))
    assert field_scales(Problem(domain, "u", [around_zero]))["u"].shift == 0


def test_a_constant_condition_gives_a_scale_that_is_not_zero():
    domain = Interval("x", 0, 1) * Time(0, 1)
    for value, scale in ((300.0, 300.0), (0.0, 1.0)):
        found = field_scales(Problem(domain, "u", [Initial("start", u=value), Residual("pde", lambda s: s.u_t - s.u_xx)]))["u"]
        assert found.scale == scale


def test_a_source_gives_the_size_of_the_solution():
    """u_xx = -q with zero walls: |u| <= q L^2 / 8; the balance finds its order of magnitude."""
    for q, length in ((1.0, 1.0), (1e6, 1.0), (1.0, 1e3)):
        domain = Interval("x", 0, length)
        problem = Problem(domain, "u", [Residual("pde", lambda s, q=q: s.u_xx + q), Dirichlet("walls", u=0.0, on=domain.boundary())])
        assert 0.1 < field_scales(problem)["u"].scale / (q * length**2 / 8) < 10


@pytest.mark.parametrize("factor", [2.0, 7.3, 1e-4])
def test_the_scale_of_a_linear_equation_is_proportional_to_its_source(factor):
    def scale(source):
        residual = Residual("r", lambda s: s.u_xx + s.u - source * torch.cos(3 * s.x))
        return field_scales(Problem(Interval("x", 0, 1), "u", [residual]))["u"].scale

    assert scale(factor) == pytest.approx(factor * scale(1.0), rel=1e-9)


SOUND = {
    "an unknown in a condition": lambda d: Problem(
        d, "u", [Residual("pde", lambda s: s.u_t - s.u_xx), Initial("start", u=lambda s: s.A * s.x)], unknowns=[Unknown("A", 2.0)]
    ),
    "an unknown in data": lambda d: Problem(
        d,
        "u",
        [Data("probe", Points({"x": [0.5], "t": [0.5], "m": [3.0]}), u=lambda s: s.A * s.data.m)],
        unknowns=[Unknown("A", 2.0)],
    ),
    "one field prescribed by another": lambda d: Problem(
        d, ["u", "v"], [Residual("pde", lambda s: (s.u_t, s.v_t - 1.0)), Dirichlet("walls", u=lambda s: s.v, on=d.boundary())]
    ),
    "a normal in a condition": lambda d: Problem(d, "u", [Dirichlet("walls", u=lambda s: s.n_x, on=d.boundary())]),
    "no constraint but an integral": lambda d: Problem(d, "u", [Integral("mass", lambda s: s.u, over=("x", "t"), equals=1.0)]),
    "singular at zero": lambda d: Problem(d, "u", [Residual("pde", lambda s: s.u_t - torch.log(s.u) / s.u)]),
}


@pytest.mark.parametrize("name", SOUND)
def test_scales_are_found_for_every_sound_problem(name):
    problem = SOUND[name](Interval("x", 0, 1) * Time(0, 1))
    problem.check()
    scales = field_scales(problem)
    for field in problem.fields:
        assert math.isfinite(scales[field.name].shift)
        assert 0 < scales[field.name].scale < math.inf
    for constraint in problem.constraints:
        assert all(0 < f < math.inf for f in row_scales(problem, constraint, scales).values())


def test_rows_of_the_probe_have_the_size_of_their_kind():
    problem = burgers()
    scales = field_scales(problem)
    sizes = {}
    for constraint in problem.constraints:
        points = row_points(constraint, problem.domain, 1024, "sobol", torch.Generator().manual_seed(3))
        rows = torch.cat([trace(problem, constraint, points, scales, seed=k).rows[""] for k in range(4)])
        sizes[constraint.name] = row_scales(problem, constraint, scales)[""] * float(rows.square().mean().sqrt())
    assert sizes["burgers"] == pytest.approx(0.3, rel=0.1)
    assert sizes["start"] == pytest.approx(1.0, rel=0.1)
    assert sizes["walls"] == pytest.approx(1.0, rel=0.1)


def test_a_weight_of_the_user_is_taken_as_it_stands():
    square = Rectangle(x=(0, 1), y=(0, 1))
    for weight, factor in ((4.0, 2.0), (lambda s: s.x, 1.0)):
        residual = Residual("r", lambda s: (1e6 * s.u, s.u_x), weight=weight)
        problem = Problem(square, "u", [residual])
        assert row_scales(problem, residual, {"u": FieldScale()}) == {"[0]": factor, "[1]": factor}


def test_scales_are_deterministic():
    torch.manual_seed(0)
    first = field_scales(reaction())
    torch.manual_seed(1)
    assert field_scales(reaction()) == first
    assert field_scales(Problem(Box(dim=4), "u", [Residual("r", lambda s: s.u - 2.0)]))["u"].scale > 0


def test_a_prescribed_velocity_tells_the_size_of_what_starts_from_zero():
    domain = Interval("x", 0, 1) * Time(0, 4)
    wave = Residual("wave", lambda s: s.u_tt - s.u_xx)
    start = Initial("start", u=0.0, u_t=lambda s: 3e5 * torch.sin(torch.pi * s.x))
    scale = field_scales(Problem(domain, "u", [wave, start, Dirichlet("walls", u=0.0, on=domain.boundary("x"))]))["u"]
    assert scale.shift == 0
    assert scale.scale == pytest.approx(3e5 * math.sqrt(0.5) * 2, rel=0.01)  # the root mean square over half the time
