"""Tensor grids of row points: their numbers, their places, and that they determine a lattice of sines."""

import torch
from helpers import gap

import pinnsine as ps
from pinnsine.tensor_points import tensor_points

DOMAIN = ps.Interval("x", 2, 6) * ps.Time(0, 0.5)
WAVES = {"x": 7, "t": 3}


def test_points_are_even_along_a_period_and_crowd_at_other_ends():
    points = tensor_points(DOMAIN, WAVES, {"x"})
    x, t = points["x"].unique(), points["t"].unique()
    assert (len(x), len(t), len(points)) == (18, 9, 162)  # 1.2 times 15 and 7
    assert gap(x.diff(), torch.full((17,), 4 / 18, dtype=torch.float64)) <= 1e-14
    assert gap(t, 0.25 - 0.25 * torch.cos(torch.pi * (torch.arange(9) + 0.5) / 9).double()) <= 1e-7
    assert bool(DOMAIN.contains(points).all())


def test_a_face_has_the_points_of_its_own_coordinates_and_its_normal():
    start, walls = tensor_points(DOMAIN.side(t=0), WAVES, {"x"}), tensor_points(DOMAIN.boundary("x"), WAVES, ())
    assert len(start) == 18
    assert start["t"].tolist() == [0.0] * 18
    assert len(walls) == 2 * 9
    assert walls["x"].unique().tolist() == [2.0, 6.0]
    assert walls.normal["x"].tolist() == [-1.0] * 9 + [1.0] * 9


def test_a_shape_has_no_tensor_grid():
    assert tensor_points(ps.Disk(), {"x": 3, "y": 3}, ()) is None
