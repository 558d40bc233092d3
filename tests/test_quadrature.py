"""Gauss rules on boxes and faces: exact for polynomials up to their degree."""

import math

import pytest
import torch

from pinnsine.domain import Box, Interval, Rectangle, Time
from pinnsine.errors import ProblemError
from pinnsine.points import Points
from pinnsine.quadrature import nodes_and_weights, tensor_rule

BRICK = Box(x=(-1, 3), y=(0, 2), z=(2, 3))


def monomial(axis, degree):
    return (axis.upper ** (degree + 1) - axis.lower ** (degree + 1)) / (degree + 1)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_tensor_rule_is_exact_to_degree_two_n_minus_one_in_every_coordinate(count):
    x, y = BRICK.axes[:2]
    points, weights = tensor_rule((x, y), count)
    assert len(points) == count**2
    for i in range(2 * count):
        for j in range(2 * count):
            found = float((weights * points["x"] ** i * points["y"] ** j).sum())
            assert found == pytest.approx(monomial(x, i) * monomial(y, j), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("region", [BRICK, BRICK.side(y=2), BRICK.boundary(), Interval("x", 0, 2).boundary()])
def test_weights_sum_to_the_measure_and_nodes_lie_in_the_region(region):
    points, weights = nodes_and_weights(region, 4)
    assert float(weights.sum()) == pytest.approx(region.measure, rel=1e-14)
    assert bool(region.contains(points).all())


def test_divergence_theorem_holds_to_rounding():
    """The integral of div F is that of F.n over the boundary, F = (x^2 y, y z, z x)."""
    inside, w = nodes_and_weights(BRICK, 4)
    volume = float((w * (2 * inside["x"] * inside["y"] + inside["z"] + inside["x"])).sum())
    wall, w = nodes_and_weights(BRICK.boundary(), 4)
    flux = (wall["x"] ** 2 * wall["y"], wall["y"] * wall["z"], wall["z"] * wall["x"])
    assert float((w * sum(f * wall.normal[n] for f, n in zip(flux, "xyz", strict=True))).sum()) == pytest.approx(volume)


def test_smooth_integrals_converge_spectrally():
    domain = Rectangle(x=(0, 1), y=(0, 1))
    errors = []
    for count in (2, 4, 8):
        points, weights = nodes_and_weights(domain, count)
        errors.append(abs(float((weights * torch.exp(points["x"] + points["y"])).sum()) - (math.e - 1) ** 2))
    assert errors[1] < 1e-3 * errors[0]
    assert errors[2] < 1e-13


def test_many_dimensions_use_sobol_points():
    domain = Box(dim=5) * Time(0, 2)
    points, weights = nodes_and_weights(domain, 4)
    assert float(weights.sum()) == pytest.approx(2)
    assert float((weights * points["x1"] * points["t"]).sum()) == pytest.approx(1, rel=1e-3)


def test_other_regions_are_refused():
    with pytest.raises(ProblemError, match="Integrals run over a domain or its sides, got Points"):
        nodes_and_weights(Points({"x": [0.0]}), 4)
