"""Points drawn towards the corners of a rectangle."""

import math

import torch

from pinnsine.domain import Rectangle
from pinnsine.places import DECADES, NEAR_CORNERS, towards_corners

PLATE = Rectangle(x=(0, 3), y=(-1, 1))


def moved(region, count=3000):
    """Points of a region before and after, with their distances from the nearest corner."""
    generator = torch.Generator().manual_seed(0)
    before = region.sample(count, "sobol", generator)
    after = towards_corners(before, region, PLATE, generator)
    far = [torch.hypot(torch.minimum(p["x"], 3 - p["x"]), 1 - p["y"].abs()) for p in (before, after)]
    return before, after, *far


def test_a_third_of_them_is_spread_evenly_over_decades_of_the_distance():
    """Of 1,000 even logarithms the mean is half the decades, with a standard error of 0.04 of them; all stay inside."""
    _, after, before, now = moved(PLATE)
    change = torch.log10(before / now)
    closer = change > 1e-6
    assert abs(int(closer.sum()) - NEAR_CORNERS * len(after)) <= 3
    assert abs(float(change[closer].mean()) - DECADES / 2) <= 4 * DECADES / math.sqrt(12 * 1000)
    assert bool(PLATE.contains(after).all())


def test_points_of_a_side_stay_on_it_and_a_part_of_the_inside_is_left_alone():
    side = PLATE.side(y=1)
    before, after, far, now = moved(side)
    assert bool((after["y"] == 1).all())
    assert bool((now <= far).all())
    assert set(after.normal) == set(before.normal)
    inner = Rectangle(x=(0, 1), y=(0, 1))
    points = inner.sample(50, "sobol", torch.Generator().manual_seed(0))
    assert towards_corners(points, inner, PLATE, torch.Generator()) is points
