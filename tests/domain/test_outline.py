"""Holes and inward corners of plane shapes, against what is known of them."""

import math

import pytest

from pinnsine.domain import Ball, Box, Disk, Polygon, Rectangle
from pinnsine.domain.outline import holes, inward_corners

PLATE = Rectangle(x=(0, 3), y=(0, 2))


def test_a_round_hole_has_its_centre_and_radius():
    [hole] = holes(PLATE - Disk((1.2, 0.8), 0.3))
    assert hole.centre == pytest.approx((1.2, 0.8), abs=1e-8)
    assert hole.radius == pytest.approx(0.3, rel=1e-3)
    assert hole.far == pytest.approx(math.hypot(1.8, 1.2), rel=1e-6)


def test_overlapping_holes_are_one():
    [hole] = holes(PLATE - Disk((1, 1), 0.3) - Disk((1.3, 1), 0.3))
    assert hole.centre == pytest.approx((1.15, 1.0), abs=1e-3)


@pytest.mark.parametrize("shape", [PLATE - Disk((0, 1), 0.3), PLATE & Disk((1, 1), 0.5), Disk((0, 0), 1), Ball((0, 0, 0), 1)])
def test_a_notch_and_an_outer_edge_are_no_holes(shape):
    assert holes(shape) == ()


def test_a_ring_has_one_hole_and_no_corner():
    ring = Disk((0, 0), 2) - Disk((0, 0), 1)
    assert len(holes(ring)) == 1
    assert inward_corners(ring) == ()


def test_an_l_has_one_inward_corner():
    [corner] = inward_corners(Rectangle(x=(-1, 1), y=(-1, 1)) - Rectangle(x=(0, 1), y=(-1, 0)))
    assert corner.place == pytest.approx((0, 0), abs=1e-12)
    assert corner.opening == pytest.approx(3 * math.pi / 2, rel=1e-12)
    assert corner.bisector == pytest.approx(3 * math.pi / 4, rel=1e-12)


@pytest.mark.parametrize("tip", [0.2, 1.0, 1.8])
def test_a_notch_is_as_wide_as_its_edges_say(tip):
    [corner] = inward_corners(Polygon([(0, 0), (2, 0), (tip, 1), (2, 2), (0, 2)]))
    assert corner.place == pytest.approx((tip, 1), abs=1e-9)
    assert corner.opening == pytest.approx(2 * math.pi - 2 * math.atan(1 / (2 - tip)), rel=1e-9)
    assert abs(corner.bisector) == pytest.approx(math.pi, rel=1e-9)


def test_corners_behind_which_there_is_more_of_the_shape_are_left_out():
    assert inward_corners(PLATE - Rectangle(x=(1, 2), y=(0.5, 1))) == ()


def test_a_box_has_none():
    assert inward_corners(Disk((0, 0), 5) & PLATE) == ()
    assert holes(Box(x=(0, 1), y=(0, 1)) - Rectangle(x=(0.5, 2), y=(0, 2))) == ()
