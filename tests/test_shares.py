"""How many points each constraint gets: a share of the total, and enough to tell the sines apart where it stands."""

import math

import pytest
import torch

from pinnsine.calculus import laplacian
from pinnsine.constraint import Dirichlet, Initial, Residual
from pinnsine.domain import Box, Disk, Interval, Rectangle, Time
from pinnsine.problem import Problem
from pinnsine.shares import MOST_ON_CONDITIONS, ROWS_PER_SINE, share_points

LINE = Interval("x", 0, 1) * Time(0, 2)
HEAT = Residual("pde", lambda s: s.u_t - s.u_xx)
START = Initial("start", u=lambda s: torch.sin(math.pi * s.x))


def test_points_are_shared_by_equations_and_conditions():
    problem = Problem(LINE, "u", [HEAT, Residual("other", lambda s: s.u_x), START, Dirichlet("walls", u=0.0, on=LINE.boundary())])
    assert share_points(problem, None) == {"pde": 1250, "other": 1250, "start": 250, "walls": 250}
    assert share_points(problem, 1000, default=7) == {"pde": 500, "other": 500, "start": 100, "walls": 100}
    assert share_points(problem, {"walls": 9}, default=1000)["walls"] == 9
    assert share_points(problem, 1) == {"pde": 1, "other": 1, "start": 1, "walls": 1}


@pytest.mark.parametrize(("domain", "faces"), [(Rectangle(x=(0, 1), y=(0, 9)), 4), (Box(dim=3), 6), (Disk((0, 0), 2.0), math.pi)])
def test_conditions_have_points_for_what_becomes_of_the_sines_there(domain, faces):
    problem = Problem(domain, "u", [Residual("pde", lambda s: laplacian(s.u)), Dirichlet("walls", u=0.0, on=domain.boundary())])
    wanted = ROWS_PER_SINE * faces * 1000 ** (1 - 1 / len(domain.axes))
    assert share_points(problem, None, 4000, 1000)["walls"] == pytest.approx(max(wanted, 800), abs=1)
    assert share_points(problem, None, 4000)["walls"] == 800


def test_conditions_in_many_coordinates_have_at_most_so_many_points_for_one_of_an_equation():
    box = Box(dim=10)
    problem = Problem(box, "u", [Residual("pde", lambda s: laplacian(s.u)), Dirichlet("walls", u=0.0, on=box.boundary())])
    assert share_points(problem, None, 4000, 1000)["walls"] == MOST_ON_CONDITIONS * 4000
