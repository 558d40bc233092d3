"""Boxes and their faces: measures, membership, samples, outward normals, refusals."""

import math

import pytest
import torch

from pinnsine.domain import Axis, Box, Interval, Parameter, Rectangle, Time
from pinnsine.errors import ProblemError
from pinnsine.points import Points
from pinnsine.sampling import SAMPLERS

LINE = Interval("x", -1, 1)
SPACE_TIME = LINE * Time(0, 0.5)
BRICK = Box(x=(0, 1), y=(-1, 1), z=(2, 5))
FAMILY = Rectangle(x=(0, 2), y=(0, 1)) * Time(1, 3) * Parameter("nu", 0.1, 0.2)
REGIONS = {
    "interval": LINE,
    "space-time": SPACE_TIME,
    "brick": BRICK,
    "family": FAMILY,
    "side": BRICK.side(y=1),
    "start": SPACE_TIME.side(t=0),
    "ends of an interval": LINE.boundary(),
    "walls in time": SPACE_TIME.boundary(),
    "walls of a brick": BRICK.boundary(),
    "walls of a family": FAMILY.boundary("y"),
    "mixed boundary": SPACE_TIME.boundary("x", "t"),
}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("name", REGIONS)
def test_samples_lie_in_their_region(name, sampler):
    region = REGIONS[name]
    points = region.sample(64, sampler, generator())
    assert points.names == region.names
    assert bool(region.contains(points).all())


def test_measures_are_products_of_lengths():
    assert LINE.measure == 2
    assert SPACE_TIME.measure == 1
    assert BRICK.measure == 6
    assert BRICK.side(x=0).measure == 6
    assert BRICK.side(y=1).measure == 3
    assert BRICK.side(z=5).measure == 2
    assert BRICK.boundary().measure == 2 * (6 + 3 + 2)
    assert LINE.boundary().measure == 2  # two points
    assert FAMILY.boundary("x").measure == pytest.approx(2 * 1 * 2 * 0.1)
    assert SPACE_TIME.side(t=0).measure == 2


@pytest.mark.parametrize("region", [BRICK.boundary(), LINE.boundary(), FAMILY.boundary()], ids=["brick", "line", "family"])
def test_normals_have_unit_length_and_point_out(region):
    box = region.faces[0].box
    points = region.sample(100, "uniform", generator())
    assert set(points.normal) == set(box.space)
    assert torch.equal(sum(n**2 for n in points.normal.values()), torch.ones(len(points), dtype=torch.float64))
    for step, inside in ((1e-3, False), (-1e-3, True)):
        moved = {n: points[n] + step * points.normal[n] if n in box.space else points[n] for n in box.names}
        assert torch.equal(box.contains(Points(moved)), torch.full((len(points),), inside))


def test_divergence_theorem_on_a_brick():
    """The integral of div F over the volume is that of F.n over the boundary, F = (x^2 y, y z, z x)."""
    inside, wall = BRICK.sample(2**12, "sobol", generator()), BRICK.boundary().sample(2**13, "sobol", generator())
    volume = BRICK.measure * float((2 * inside["x"] * inside["y"] + inside["z"] + inside["x"]).mean())
    flux = (wall["x"] ** 2 * wall["y"], wall["y"] * wall["z"], wall["z"] * wall["x"])
    outward = sum(f * wall.normal[n] for f, n in zip(flux, "xyz", strict=True))
    surface = BRICK.boundary().measure * float(outward.mean())
    assert surface == pytest.approx(volume, rel=2e-3)


def test_a_face_in_time_has_no_normal():
    assert SPACE_TIME.side(t=0).sample(4, "uniform", generator()).normal == {}


def test_samples_of_a_boundary_are_shared_out_by_measure():
    count = 2200
    points = BRICK.boundary().sample(count, "uniform", generator())
    for name, value, share in (("x", 0, 6), ("x", 1, 6), ("y", -1, 3), ("y", 1, 3), ("z", 2, 2), ("z", 5, 2)):
        assert int((points[name] == value).sum()) == count * share // 22
    thin = Box(x=(0, 1), y=(0, 1e-6)).boundary().sample(50, "uniform", generator())
    assert all(bool((thin["x"] == end).any()) for end in (0, 1))  # every face has a point


def test_uniform_samples_have_the_mean_and_variance_of_the_region():
    points = BRICK.sample(4096, "sobol", generator())
    for axis in BRICK.axes:
        assert float(points[axis.name].mean()) == pytest.approx((axis.lower + axis.upper) / 2, abs=2e-3 * axis.length)
        assert float(points[axis.name].var()) == pytest.approx(axis.length**2 / 12, rel=1e-2)


def test_membership_holds_up_to_rounding_and_no_further():
    points = Points({"x": [-1.0, 1.0, 1 + 1e-12, 1 + 1e-6, -1.1], "t": [0.0, 0.5, 0.2, 0.2, 0.2]})
    assert SPACE_TIME.contains(points).tolist() == [True, True, True, False, False]
    assert SPACE_TIME.side(x=1).contains(points).tolist() == [False, True, True, False, False]
    assert SPACE_TIME.boundary().contains(points).tolist() == [True, True, True, False, False]


def test_roles_of_the_coordinates():
    assert FAMILY.names == ("x", "y", "t", "nu")
    assert FAMILY.space == ("x", "y")
    assert FAMILY.time == "t"
    assert (LINE * Time(0, 1, name="tau")).time == "tau"
    assert LINE.time is None
    assert Box(dim=10).names == tuple(f"x{i}" for i in range(1, 11))
    assert Box(dim=3).space == ("x1", "x2", "x3")
    assert {f.name for f in FAMILY.boundary().faces} == {"x", "y"}
    assert [(f.name, f.value, f.sign) for f in SPACE_TIME.boundary("x").faces] == [("x", -1, -1), ("x", 1, 1)]


def test_comparison_grids_hold_the_end_points():
    grid = SPACE_TIME.grid()
    assert len(grid) == 513 * 101
    assert (float(grid["x"].min()), float(grid["x"].max())) == (-1, 1)
    assert (float(grid["t"].min()), float(grid["t"].max())) == (0, 0.5)
    cube = Box(x=(0, 1), y=(0, 1), z=(0, 1)).grid()
    assert 0.8 * 50_000 <= len(cube) <= 50_000
    high = Box(dim=5).grid(1000)
    assert len(high) == 1000
    assert torch.equal(high["x1"], Box(dim=5).grid(1000)["x1"])


@pytest.mark.parametrize(
    ("lower", "upper"),
    [(1, 1), (1, 0), (0, math.inf), (-math.inf, 0), (0, math.nan)],
    ids=["empty", "inverted", "inf", "-inf", "nan"],
)
def test_an_empty_inverted_or_infinite_range_is_refused(lower, upper):
    message = "Coordinate 'x': the lower end must be below the upper one and both finite, got"
    for build in (lambda: Interval("x", lower, upper), lambda: Box(x=(lower, upper)), lambda: Axis("x", lower, upper)):
        with pytest.raises(ProblemError, match=message):
            build()


@pytest.mark.parametrize("interval", [1.0, (0.0,), (0.0, 1.0, 2.0), ("a", "b"), None])
def test_a_range_that_is_no_pair_of_numbers_is_refused_with_the_coordinates_name(interval):
    with pytest.raises(ProblemError, match="'x'"):
        Box(x=interval)


@pytest.mark.parametrize("name", ["", "2x", "x y", "x-y", None, 3])
def test_a_coordinates_name_must_be_an_identifier(name):
    with pytest.raises(ProblemError, match="name must be an identifier such as 'x', got"):
        Interval(name, 0, 1)


def test_domains_that_make_no_product_are_refused():
    with pytest.raises(ProblemError, match="The coordinate 'x' stands twice in the domain"):
        Interval("x", 0, 1) * Rectangle(x=(0, 1), y=(0, 1))
    with pytest.raises(ProblemError, match="multiplied by another domain, got float"):
        Interval("x", 0, 1) * 2.0
    with pytest.raises(ProblemError, match="at least one coordinate"):
        Box()
    with pytest.raises(ProblemError, match="two coordinates, as in Rectangle"):
        Rectangle(x=(0, 1))


def test_sides_are_named_by_one_end_of_one_coordinate():
    assert SPACE_TIME.side(x=1.0).value == 1
    with pytest.raises(ProblemError, match=r"side\(x=0.5\) is no end of x in \[-1, 1\]"):
        SPACE_TIME.side(x=0.5)
    with pytest.raises(ProblemError, match="The domain has no coordinate 'y': it has x, t"):
        SPACE_TIME.side(y=0)
    with pytest.raises(ProblemError, match=r"named by one coordinate, as in side\(x=1\)"):
        SPACE_TIME.side(x=1, t=0)
    with pytest.raises(ProblemError, match="The domain has no coordinate 'y'"):
        SPACE_TIME.boundary("y")
    with pytest.raises(ProblemError, match="no space coordinate, so no boundary"):
        Time(0, 1).boundary()


def test_regions_say_in_words_what_they_are():
    assert SPACE_TIME.describe() == "x in [-1, 1] x t in [0, 0.5]"
    assert SPACE_TIME.side(t=0).describe() == "the side t = 0"
    assert LINE.boundary().describe() == "the sides x = -1, x = 1"


def test_points_on_many_faces_are_dealt_from_one_sequence():
    """On the 200 faces of a cube in a hundred dimensions: three points each, all coordinates even over [0, 1] (measured 0.004 off 1/2)."""
    region = Box(dim=100).boundary()
    points = region.sample(600, "sobol", torch.Generator().manual_seed(0))
    assert len(points) == 600
    assert bool(region.contains(points).all())
    on_face = torch.stack([points.normal[n] for n in points.names], dim=1)
    assert on_face.abs().sum(dim=0).tolist() == [6.0] * 100
    assert on_face.sum(dim=0).tolist() == [0.0] * 100
    inside = torch.stack([points[n] for n in points.names], dim=1)[on_face == 0]
    assert abs(float(inside.mean()) - 0.5) <= 0.012
