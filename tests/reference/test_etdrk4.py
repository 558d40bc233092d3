"""Exponential time differencing against formulas in multiple precision and equations with known solutions."""

import numpy as np
import pytest

from pinnsine.reference.etdrk4 import advance, coefficients


@pytest.mark.parametrize("z", [0.0, 1e-9, -0.01, -0.9, 0.7, -30.0, -1e5, 0.3j, -2.0 + 1.0j, 40.0j, 1e4j])
def test_coefficients_are_the_divided_differences(z):
    mp = pytest.importorskip("mpmath")
    with mp.workdps(100):
        w = mp.mpmathify(z) if z else mp.mpf("1e-18")
        e = mp.exp(w)
        expected = [
            e,
            mp.exp(w / 2),
            (mp.exp(w / 2) - 1) / w,
            (-4 - w + e * (4 - 3 * w + w**2)) / w**3,
            2 * (2 + w + e * (w - 2)) / w**3,
            (-4 - 3 * w - w**2 + e * (4 - w)) / w**3,
        ]
        expected = [complex(value) for value in expected]
    c = coefficients(np.array([z]) / 0.1, 0.1)
    found = [c.whole, c.half, c.stage / 0.1, c.first / 0.1, c.middle / 0.1, c.last / 0.1]
    assert np.isrealobj(c.first) == (np.imag(z) == 0 and not isinstance(z, complex))
    np.testing.assert_allclose(np.array(found)[:, 0], expected, rtol=1e-12, atol=4e-15)


@pytest.mark.parametrize("symbol", [-1.0, -4.0, 5.0j])
def test_converges_at_fourth_order(symbol):
    """v' = L v + cos(3 v), which no step solves exactly."""

    def end(steps):
        return advance(np.array([0.3 + 0j]), coefficients(np.array([symbol]), 1 / steps), lambda v: np.cos(3 * v), steps)[0]

    exact = end(4096)
    errors = np.array([abs(end(steps) - exact) for steps in (32, 64, 128)])
    np.testing.assert_allclose(np.log2(errors[:-1] / errors[1:]), 4, atol=0.3)


def test_a_linear_equation_is_solved_exactly():
    symbol = np.array([-3.0, 20j, 0.5 - 1e3j])
    v = advance(np.ones(3, dtype=complex), coefficients(symbol, 0.25), lambda v: 0 * v, 4)
    np.testing.assert_allclose(v, np.exp(symbol), rtol=1e-12)
