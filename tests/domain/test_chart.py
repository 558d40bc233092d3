"""Charts: derivatives by coordinates that are expressions of the state, against those of the function itself; domains that move."""

import pytest
import torch
from helpers import columns, nested_grad, state

import pinnsine as ps
from pinnsine.domain import Chart
from pinnsine.jet import values


def test_one_coordinate_that_moves_with_time():
    """x = h(t) xi, h = 1 + t^2: derivatives at fixed x and at fixed t."""
    batch = columns("xt", 9)  # the domain's own coordinates xi and t, the first called x here

    def height(t):
        return 1 + t**2

    def f(x, t):
        return torch.sin(2 * x) * torch.exp(-t) + x * t

    s = state(batch, space=("x",), u=lambda xi, t: f(height(t) * xi, t), h=lambda xi, t: height(t))
    chart = Chart("x", z=s.h * s.x)
    place = {"z": height(batch["t"]) * batch["x"], "t": batch["t"]}
    for names in ("z", "t", "zz", "tt", "zt", "tz"):
        found, exact = chart.D(s.u, *names), nested_grad(f, place, tuple(names))
        assert torch.allclose(values(found), exact, rtol=1e-12, atol=1e-12), names
    assert torch.allclose(values(chart.laplacian(s.u)), nested_grad(f, place, ("z", "z")), rtol=1e-12)


def test_two_coordinates():
    """Polar coordinates: x = r cos(a), y = r sin(a)."""
    batch = columns("ra", 9, low=0.5, high=1.5)

    def f(x, y):
        return x**3 * y + torch.exp(x - y)

    s = state(batch, u=lambda r, a: f(r * torch.cos(a), r * torch.sin(a)))
    chart = Chart(("r", "a"), x=s.r * torch.cos(s.a), y=s.r * torch.sin(s.a))
    place = {"x": batch["r"] * torch.cos(batch["a"]), "y": batch["r"] * torch.sin(batch["a"])}
    for names in ("x", "y", "xy", "yy"):
        assert torch.allclose(values(chart.D(s.u, *names)), nested_grad(f, place, tuple(names)), rtol=1e-11), names
    exact = nested_grad(f, place, ("x", "x")) + nested_grad(f, place, ("y", "y"))
    assert torch.allclose(values(chart.laplacian(s.u)), exact, rtol=1e-11)
    moved = chart.D(ps.Vector(s.u, 2 * s.u), "x")
    assert torch.allclose(values(moved[1]), 2 * values(moved[0]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda s: Chart("x", y=s.x, z=s.t), "replaces as many coordinates as it has"),
        (lambda s: Chart(("x", "t", "u"), y=s.x, z=s.t, w=s.u), "one or two coordinates, got 3"),
        (lambda s: Chart("x", z=2 * s.x).D(s.u, "x"), "The chart replaces 'x'"),
        (lambda s: Chart("x", z=lambda s: s.x), "expressions of the state.* got function for 'z': make the chart inside the constraint"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ps.ProblemError, match=message):
        make(state(columns("xt"), u=lambda x, t: x * t))


SMALL = {"points": 600, "progress": False, "estimate": False}


def test_a_domain_that_ends_at_an_unknown_front():
    """Measured with seed 0 and these few sines: 5.0e-5."""
    solution = ps.solve(ps.load_problem("stefan"), net=ps.FrozenSines(60, omega=4.0), **SMALL)
    assert max(solution.compare().relative_l2.values()) < 1.5e-4


def test_a_radius_found_from_measurements_on_the_boundary():
    """Measured with seed 0 and these few sines: 1.4e-11."""
    solution = ps.solve(ps.load_problem("inverse_radius"), net=ps.FrozenSines(120, omega=3.0), **SMALL)
    assert float(solution.unknowns["R"]) == pytest.approx(0.4, abs=4e-11)
