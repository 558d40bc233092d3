"""Barycentric interpolation on tensor grids: exact where it should be, convergent as it is said to be."""

import numpy as np
import pytest

from pinnsine.reference.grid import Grid, Panels, chebyshev_line, is_chebyshev, periodic_line, rational_line

X = np.linspace(-1, 2, 301)


@pytest.mark.parametrize(
    "line", [chebyshev_line("x", -1, 2, 9), rational_line("x", np.linspace(-1, 2, 10), 9)], ids=["chebyshev", "equidistant"]
)
def test_polynomials_are_reproduced(line):
    found = line.cardinal(X) @ line.nodes**9
    np.testing.assert_allclose(found, X**9, atol=3e-12 * 2**9)
    assert np.array_equal(line.cardinal(line.nodes), np.eye(10))


@pytest.mark.parametrize("count", [15, 16])
def test_trigonometric_polynomials_are_reproduced(count):
    line = periodic_line("x", -1.0, 3.0, count)

    def wave(x):
        return np.cos(2 * np.pi * 7 / 3 * x - 0.3) if count % 2 else np.cos(2 * np.pi * 6 / 3 * x - 0.3)

    np.testing.assert_allclose(line.cardinal(X + 3) @ wave(line.nodes), wave(X), atol=1e-13)


def test_the_differentiation_matrix_is_exact_for_polynomials():
    line = chebyshev_line("x", -1, 2, 12)
    np.testing.assert_allclose(line.derivative() @ line.nodes**5, 5 * line.nodes**4, atol=1e-11)


@pytest.mark.parametrize("degree", [1, 3, 5])
def test_rational_interpolation_converges_at_the_order_of_its_degree_plus_one(degree):
    def error(count):
        nodes = np.linspace(-1, 2, count)
        return np.abs(rational_line("x", nodes, degree).cardinal(X) @ np.exp(np.sin(4 * nodes)) - np.exp(np.sin(4 * X))).max()

    assert np.log2(error(101) / error(201)) > degree + 1 - 0.5


def test_a_tensor_grid_and_panels_of_it():
    line = chebyshev_line("x", 0, 1, 8)
    edges = np.array([0.0, 0.5, 1.0])

    def values(x, t):
        return np.stack([x**3 * t**2, x + abs(t - 0.5)], axis=-1)

    grids = []
    for lower, upper in ((0.0, 0.5), (0.5, 1.0)):
        times = chebyshev_line("t", lower, upper, 4)
        grids.append(Grid((line, times), values(line.nodes[:, None], times.nodes[None, :])))
    points = np.random.default_rng(0).random((2, 2000))
    found = Panels("t", edges, grids).evaluate({"x": points[0], "t": points[1]})
    np.testing.assert_allclose(found, values(*points), atol=1e-14)
    assert Panels("t", edges, grids).evaluate({"x": np.empty(0), "t": np.empty(0)}).shape == (0, 2)


def test_chebyshevs_points_are_recognised():
    assert is_chebyshev(chebyshev_line("x", 3, 5, 20).nodes)
    assert not is_chebyshev(np.linspace(0, 1, 21))
