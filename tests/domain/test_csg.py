"""Random trees of unions, intersections and differences against Monte Carlo with Boolean logic alone."""

import math

import numpy as np
import pytest
import torch

from pinnsine.domain import Ball, Box, Cone, Cylinder, Disk, Ellipse, Polygon, Rectangle, Torus
from pinnsine.domain.csg import as_shape

LOGIC = {"union": torch.logical_or, "intersection": torch.logical_and, "difference": lambda a, b: a & ~b}
FLAT = 22
TREES = 30
POINTS = 40_000
LINES, STEPS = 1500, 300


def leaf(draw, dimension):
    centre = draw.uniform(-0.5, 0.5, dimension)
    if dimension == 2:
        kinds = (
            lambda: Disk(centre.tolist(), draw.uniform(0.3, 0.9)),
            lambda: Rectangle(x=(-0.6, 0.5), y=(-0.4, 0.7)).rotate(draw.uniform(0, 3)).translate(*centre),
            lambda: Ellipse(centre.tolist(), draw.uniform(0.3, 1.0, 2).tolist()).rotate(draw.uniform(0, 3)),
            lambda: Polygon([(-0.7, -0.7), (0.8, -0.5), (0, 0), (0.6, 0.9), (-0.8, 0.6)]).translate(*centre),
        )
    else:
        turn = {"angle": draw.uniform(0, 3), "axis": draw.normal(size=3).tolist()}
        kinds = (
            lambda: Ball(centre.tolist(), draw.uniform(0.4, 0.9)),
            lambda: as_shape(Box(x=(-0.6, 0.5), y=(-0.4, 0.7), z=(-0.5, 0.5))).rotate(**turn).translate(*centre),
            lambda: Cylinder(centre.tolist(), 0.5, 0.8).rotate(**turn),
            lambda: Cone(centre.tolist(), 0.7, 1.0).rotate(**turn),
            lambda: Torus(centre.tolist(), 0.6, 0.25).rotate(**turn),
        )
    return kinds[draw.integers(len(kinds))]()


def tree(seed):
    """A random combination of two to five leaves that is not nearly empty, and its membership (N, d) -> (N,) by logic on the leaves."""
    draw = np.random.default_rng(seed)
    dimension = 2 if seed < FLAT else 3
    shape = leaf(draw, dimension)

    def inside(x, shape=shape):
        return shape.smooth(x.unbind(1)) > 0

    for _ in range(draw.integers(1, 5)):
        operation, other = draw.choice(["union", "union", "intersection", "difference"]), leaf(draw, dimension)
        x = 4 * torch.rand(2000, dimension, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 2
        if float(LOGIC[operation](inside(x), other.signed(x) < 0).double().mean()) < 0.01:
            continue
        shape = shape._combined(str(operation), other)

        def inside(x, before=inside, other=other, logic=LOGIC[operation]):
            return logic(before(x), other.smooth(x.unbind(1)) > 0)

    return shape, inside


@pytest.fixture(scope="module", params=[pytest.param(k, marks=() if k % 3 == 0 else pytest.mark.slow) for k in range(TREES)])
def case(request):
    return (*tree(request.param), torch.Generator().manual_seed(request.param))


def test_measures_agree_with_counting_points_and_crossings_of_lines(case):
    """The boundary by Crofton's formula: a random line through a ball meets it in proportion to its measure (Santalo 1976)."""
    shape, inside, generator = case
    d = shape.dimension
    share = inside(4 * torch.rand(POINTS, d, generator=generator, dtype=torch.float64) - 2).double()
    error = math.hypot(4**d * float(share.std()) / POINTS**0.5, shape.measure_error)
    assert abs(shape.measure - 4**d * float(share.mean())) < 4.5 * error
    radius, reach = 2.5, torch.linspace(-2.5, 2.5, STEPS, dtype=torch.float64)
    along = torch.randn(LINES, d, generator=generator, dtype=torch.float64)
    along = along / along.norm(dim=1, keepdim=True)
    across = torch.randn(LINES, d, generator=generator, dtype=torch.float64)
    across = across - (across * along).sum(1, keepdim=True) * along
    offset = radius * torch.rand(LINES, 1, generator=generator, dtype=torch.float64) ** (1 / (d - 1))
    start = offset * across / across.norm(dim=1, keepdim=True)
    on = inside((start[:, None] + reach[:, None] * along[:, None]).reshape(-1, d)).view(LINES, STEPS)
    crossings = (on[:, 1:] != on[:, :-1]).sum(dim=1).double()
    factor = math.pi * radius if d == 2 else 2 * math.pi * radius**2
    found, boundary = factor * float(crossings.mean()), shape.boundary()
    # lines sampled at steps of 0.017 miss up to half a per cent of the crossings
    error = math.hypot(factor * float(crossings.std()) / LINES**0.5, boundary.measure_error)
    assert abs(boundary.measure - found) < 4.5 * error + 0.005 * found


def test_samples_distance_and_cutoff_keep_to_the_tree(case):
    shape, inside, generator = case
    wall = shape.boundary().sample(1000, "uniform", generator)
    x, n = wall.matrix(shape.names), torch.stack([wall.normal[name] for name in shape.names], dim=1)
    assert float(shape.signed(x).abs().max()) < 1e-10
    step = 1e-5
    at_corners = (inside(x + step * n) | ~inside(x - step * n)).double().mean()
    assert float(at_corners) < 0.01
    assert bool(inside(shape.sample(1000, "sobol", generator).matrix(shape.names)).all())
    anywhere = 4 * torch.rand(10_000, shape.dimension, generator=generator, dtype=torch.float64) - 2
    distance = shape.signed(anywhere)
    assert torch.equal(distance < 0, inside(anywhere))
    assert torch.equal(shape.smooth(anywhere.unbind(1)) > 0, inside(anywhere))
    assert float((distance.abs() - torch.cdist(anywhere, x).amin(dim=1)).max()) < 1e-9  # never above the true distance


def test_boundaries_in_common_are_counted_once():
    square = Rectangle(x=(0, 1), y=(0, 1))
    beside, within = Rectangle(x=(1, 2), y=(0, 1)), Rectangle(x=(0, 0.5), y=(0, 0.5))
    assert (square | beside).boundary().measure == pytest.approx(6, abs=1e-8)
    assert (square | beside).measure == pytest.approx(2, abs=1e-8)
    assert (square | within).boundary().measure == pytest.approx(4, abs=1e-8)
    assert (square & within).boundary().measure == pytest.approx(2, abs=1e-8)
    assert (square - within).boundary().measure == pytest.approx(4, abs=1e-8)
    assert (square - beside).boundary().measure == pytest.approx(4, abs=1e-8)
    assert (square | square).boundary().measure == pytest.approx(4, abs=1e-8)
    assert (square & square).measure == pytest.approx(1, abs=1e-8)


def test_coordinates_are_matched_by_name_or_by_order():
    wide = Rectangle(a=(0, 4), b=(0, 1))
    by_order = wide - Disk((3, 0.5), 0.2)
    assert by_order.names == ("a", "b")
    assert not bool(by_order.signed(torch.tensor([[3.0, 0.5]], dtype=torch.float64)) < 0)
    by_name = wide - Disk((0.5, 3), 0.2, names=("b", "a"))
    assert not bool(by_name.signed(torch.tensor([[3.0, 0.5]], dtype=torch.float64)) < 0)
    assert by_name.boundary().measure == pytest.approx(10 + 0.4 * math.pi)
    wall = by_name.on(Disk((0.5, 3), 0.2, names=("b", "a"))).sample(50, "sobol", torch.Generator().manual_seed(0))
    assert torch.allclose(torch.hypot(wall["a"] - 3, wall["b"] - 0.5), torch.full((50,), 0.2, dtype=torch.float64))
