"""Ordinary differential equations and the method of lines against exact solutions and another solver."""

import math

import pytest
import torch

import pinnsine as ps
from pinnsine.errors import ProblemError
from pinnsine.reference import burgers, lines, ode

WALLS = {"u": (0.0, 0.0)}


def times(count=400, until=20.0):
    return {"t": torch.linspace(0, until, count, dtype=torch.float64)}


def relative(found, expected):
    return float((found - expected).norm() / expected.norm())


def test_an_oscillator_is_exact_to_rounding():
    reference = ode(ps.Time(0, 20), lambda t, x, v: (v, -x), {"x": 1.0, "v": 0.0}, panels=10)
    columns = times()
    found = reference.evaluate(columns)
    assert relative(found["x"], torch.cos(columns["t"])) < 3e-14  # measured 3e-15
    assert relative(found["v"], -torch.sin(columns["t"])) < 3e-14
    assert max(reference.floor.values()) < 1e-12


def test_the_floor_bounds_the_error_where_it_grows():
    """y' = y: relative errors stay, those of the tolerance add up."""
    reference = ode(ps.Time(0, 20), lambda t, y: (y,), {"y": 1.0}, tolerance=1e-8, panels=10, degree=12)
    error = relative(reference.evaluate(times())["y"], torch.exp(times()["t"]))
    assert 1e-12 < error < reference.floor["y"] < 1e-5


def test_what_stiff_methods_are_for():
    reference = ode(
        ps.Time(0, 1), lambda t, y: (-1e4 * (y - math.cos(t)) - math.sin(t),), {"y": 1.0}, method="Radau", tolerance=1e-10, panels=4
    )
    assert relative(reference.evaluate(times(until=1.0))["y"], torch.cos(times(until=1.0)["t"])) < 1e-10


def test_blowing_up_is_refused():
    with pytest.raises(ProblemError, match="cannot go on after t = "):
        ode(ps.Time(0, 2), lambda t, y: (y**2,), {"y": 1.0}, panels=4, degree=6, tolerance=1e-6).floor["y"]


def test_burgers_equation_between_walls():
    nu, domain = 0.1, ps.Interval("x", -1, 1) * ps.Time(0, 0.5)
    reference = lines(
        domain,
        lambda s: nu * s.u_xx - s.u * s.u_x,
        {"u": lambda x: -torch.sin(torch.pi * x)},
        WALLS,
        degree=40,
        panels=3,
        nodes=14,
        method="Radau",
        tolerance=1e-8,
    )
    columns = domain.sample(500, "uniform", torch.Generator().manual_seed(0)).columns
    error = relative(reference.evaluate(columns)["u"], burgers(nu).evaluate(columns)["u"])
    assert error < reference.floor["u"] < 1e-3
    assert error < 1e-5


def test_two_fields_and_walls_of_all_kinds():
    """u_t = u_xx with a wall that moves and one that leaks, v_t = -v beside it."""
    domain = ps.Interval("x", 0, 1) * ps.Time(0, 1)

    def exact(x, t):
        return torch.exp(-(t if isinstance(t, torch.Tensor) else torch.tensor(t))) * (torch.sin(x) + torch.cos(x))

    reference = lines(
        domain,
        lambda s: (s.u_xx, -s.v),
        {"u": lambda x: exact(x, 0.0), "v": lambda x: torch.sin(torch.pi * x)},
        {"u": (lambda t: math.exp(-t), (2.0, 1.0, lambda t: math.exp(-t) * (3 * math.cos(1) + math.sin(1)))), "v": (0.0, 0.0)},
        degree=16,
        panels=1,
        method="Radau",
        tolerance=1e-9,
    )
    columns = domain.sample(300, "uniform", torch.Generator().manual_seed(0)).columns
    found = reference.evaluate(columns)
    assert relative(found["u"], exact(columns["x"], columns["t"])) < 3e-8
    assert relative(found["v"], torch.sin(torch.pi * columns["x"]) * torch.exp(-columns["t"])) < 3e-8


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ode(ps.Interval("x", 0, 1), lambda t, y: (y,), {"y": 1.0}), "one time coordinate and no other, got x in"),
        (lambda: ode(ps.Time(0, 1), lambda t, y: (y,), {"y": 1.0}, tolerance=1e-16), "tolerance must be at least 1e-14"),
        (lambda: lines(ps.Time(0, 1), lambda s: s.u, {"u": torch.sin}, WALLS), "one space coordinate, a time"),
        (lambda: lines(ps.Interval("x", 0, 1) * ps.Time(0, 1), lambda s: s.u, {"v": torch.sin}, WALLS), "walls for every field"),
    ],
)
def test_wrong_settings_are_refused(make, message):
    with pytest.raises(ProblemError, match=message):
        make()
