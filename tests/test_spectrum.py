"""How far data reach: tones and images on grids, in the scaled coordinates of the network."""

import math

import pytest
import torch
from helpers import gap, rand

import pinnsine as ps
from pinnsine.spectrum import data_reach, on_grid, power, quantile

DOMAIN = ps.Box(x=(0, 10), y=(-1, 1))


def grid(nx=100, ny=40, shuffle=True):
    x, y = torch.meshgrid(torch.linspace(0, 10, nx, dtype=torch.float64), torch.linspace(-1, 1, ny, dtype=torch.float64), indexing="ij")
    order = torch.randperm(nx * ny, generator=torch.Generator().manual_seed(0)) if shuffle else torch.arange(nx * ny)
    return x.reshape(-1)[order], y.reshape(-1)[order]


def problem(columns, domain=DOMAIN, **targets):
    return ps.Problem(domain, "u", [ps.Data("data", ps.Points(columns), **(targets or {"u": "value"}))])


def test_values_come_back_as_an_array_whatever_the_order_of_the_points():
    x, y = grid()
    array, steps = on_grid(ps.Points({"x": x, "y": y}), x + 100 * y, ("x", "y"))
    assert gap(array[:, 0], torch.linspace(0, 10, 100, dtype=torch.float64) - 100) <= 1e-14
    assert steps == pytest.approx([10 / 99, 2 / 39], rel=1e-12)


@pytest.mark.parametrize("change", [lambda x: x[:-1], lambda x: x + 1e-3 * rand(len(x)), lambda x: torch.cat([x[:-1], x[:1]]), torch.square])
def test_points_that_fill_no_even_grid_are_none(change):
    x, y = grid()
    x = change(x)
    assert on_grid(ps.Points({"x": x, "y": y[: len(x)]}), x, ("x", "y")) is None


@pytest.mark.parametrize("k", [5.0, 20.0, 60.0])
def test_a_tone_reaches_as_far_as_its_wave_number_in_scaled_coordinates(k):
    """Hann's window spreads a tone over four lines of the spectrum, pi apart."""
    x, y = grid(nx=200)
    assert data_reach(problem({"x": x, "y": y, "value": torch.sin(k * (x - 5) / 5) + 3})) == pytest.approx(k, abs=2 * math.pi)


def test_the_faster_coordinate_decides():
    x, y = grid()
    value = torch.sin(5 * (x - 5) / 5) * torch.sin(30 * y)
    assert data_reach(problem({"x": x, "y": y, "value": value})) == pytest.approx(30, abs=2 * math.pi)


def test_a_share_of_the_energy_lies_below_the_quantile():
    x = torch.linspace(-1, 1, 400, dtype=torch.float64)
    numbers, energy = power(torch.sin(10 * x) + 0.2 * torch.sin(100 * x), 0, 2 / 399)
    assert quantile(numbers, energy, 0.95) == pytest.approx(10, abs=2 * math.pi)  # the second tone holds 4 %
    assert quantile(numbers, energy, 0.98) == pytest.approx(100, abs=2 * math.pi)


def test_problems_without_values_of_fields_on_a_grid_have_no_reach():
    x, y = grid()
    assert data_reach(problem({"x": x, "y": y, "value": x}, u_x="value")) is None
    assert data_reach(problem({"x": x, "y": y}, u=1.0)) is None
    assert data_reach(problem({"x": 10 * rand(50, low=0.0), "y": rand(50), "value": rand(50)})) is None
    assert data_reach(ps.load_problem("burgers")) is None
