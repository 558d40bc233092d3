"""Shapes given by the sign of a function: measures, samples on the boundary, cutoff, motion, refusals."""

import math

import pytest
import torch

from pinnsine.domain import Ball, Disk, Ellipse, Implicit, Rectangle
from pinnsine.errors import ProblemError
from pinnsine.jet import Context, Coordinate

pytest.importorskip("skimage")
OVAL = Implicit(lambda s: s.x**2 + s.y**2 / 4 - 1, x=(-1.3, 1.2), y=(-2.2, 2.1))
RING = Implicit(lambda s: (s.x**2 + s.y**2 - 1) * (s.x**2 + s.y**2 - 0.25), x=(-1.3, 1.2), y=(-1.2, 1.1))
SPHERE = Implicit(lambda s: s.x**2 + s.y**2 + s.z**2 - 1, x=(-1.2, 1.2), y=(-1.1, 1.1), z=(-1.3, 1.1))
CASES = {  # shape, its twin by formula, measure, boundary
    "oval": (OVAL, Ellipse((0, 0), (1, 2)), 2 * math.pi, 9.688448220547677),  # 8 E(3/4)
    "ring": (RING, Disk() - Disk((0, 0), 0.5), 0.75 * math.pi, 3 * math.pi),
    "sphere": (SPHERE, Ball(), 4 / 3 * math.pi, 4 * math.pi),
    "moved": (OVAL.rotate(0.4).scale(2).translate(1, 0), Ellipse((0, 0), (2, 4)).rotate(0.4).translate(1, 0), 8 * math.pi, 19.376896441095354),
}


@pytest.mark.parametrize("name", CASES)
def test_measures_within_their_stated_errors(name):
    shape, _, measure, around = CASES[name]
    assert abs(shape.measure - measure) < 4.5 * shape.measure_error
    assert shape.measure_error < 2e-3 * measure
    assert abs(shape.boundary().measure - around) < 4.5 * shape.boundary().measure_error
    assert shape.boundary().measure_error < 2e-3 * around


@pytest.mark.parametrize("name", CASES)
def test_samples_lie_on_the_boundary_and_inside(name):
    shape, twin, *_ = CASES[name]
    generator = torch.Generator().manual_seed(0)
    wall = shape.boundary().sample(500, "sobol", generator)
    assert float(twin.distance(wall).abs().max()) < 1e-10
    step = {n: wall[n] + 1e-6 * wall.normal[n] for n in shape.names}
    assert torch.allclose(twin.signed(torch.stack(list(step.values()), 1)), torch.full((500,), 1e-6, dtype=torch.float64), rtol=1e-3)
    assert float(twin.distance(shape.sample(500, "sobol", generator)).max()) < 0


def test_distance_has_the_right_sign_and_is_of_first_order():
    x = 4 * torch.rand(10_000, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 2
    exact, found = Ellipse((0, 0), (1, 2)).signed(x), OVAL.signed(x)
    assert torch.equal(found < 0, exact < 0)
    close = exact.abs() < 0.01
    assert float((found - exact)[close].abs().max()) < 3e-4  # measured 9e-5


@pytest.mark.parametrize("name", ["oval", "moved"])
def test_the_cutoff_has_unit_slope_and_jets(name):
    shape = CASES[name][0]
    wall = shape.boundary().sample(100, "sobol", torch.Generator().manual_seed(0))
    context = Context(names=("x", "y"), space=("x", "y"))
    cutoff = shape.cutoff({n: Coordinate(n, wall[n], context) for n in ("x", "y")})
    slope = sum(cutoff.at((n,)) * wall.normal[n] for n in ("x", "y"))
    assert float(cutoff.values.abs().max()) < 1e-12
    assert torch.allclose(slope, -torch.ones(100, dtype=torch.float64), atol=1e-10)
    assert bool(torch.isfinite(cutoff.at(("x",) * 4)).all())
    assert torch.allclose(shape.cutoff(wall.columns), cutoff.values, atol=1e-14)


def test_it_combines_with_other_shapes():
    rest = Rectangle(x=(-2, 2), y=(-2.5, 2.5)) - OVAL
    assert rest.measure == pytest.approx(20 - 2 * math.pi, abs=1e-3)
    assert rest.on(OVAL).measure == pytest.approx(9.688448, abs=1e-3)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Implicit(3.0, x=(0, 1), y=(0, 1)), "given by a function of s"),
        (lambda: Implicit(lambda s: s.x, x=(0, 1)), "two or three coordinates, got 1"),
        (lambda: Implicit(lambda s: s.x - 0.5, x=(0, 1), y=(0, 1)).boundary(), "must lie inside its box"),
        (lambda: Implicit(lambda s: s.x + 5, x=(0, 1), y=(0, 1)).boundary(), "not be empty"),
        (lambda: Implicit(lambda s: 1.0, x=(0, 1), y=(0, 1)).boundary(), r"must return values of shape \(N,\)"),
    ],
)
def test_what_makes_no_shape_is_refused(build, message):
    with pytest.raises(ProblemError, match=message):
        build()
