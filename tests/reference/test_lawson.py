"""Lawson's method against known solutions, and where exponential time differencing fails: modes that turn fast, coupled to slow change."""

import numpy as np

from pinnsine.reference import etdrk4
from pinnsine.reference.lawson import advance, turning


def test_converges_at_fourth_order():
    """v' = 5 i v + cos(3 v), which no step solves exactly."""

    def end(steps):
        return advance(np.array([0.3 + 0j]), turning(np.array([5j]), 1 / steps), lambda v: np.cos(3 * v), steps)[0]

    exact = end(4096)
    errors = np.array([abs(end(steps) - exact) for steps in (64, 128, 256)])
    np.testing.assert_allclose(np.log2(errors[:-1] / errors[1:]), 4, atol=0.3)


def test_a_linear_equation_is_solved_exactly():
    symbol = np.array([-3j, 20j, 1e3j])
    v = advance(np.ones(3, dtype=complex), turning(symbol, 0.25), lambda v: 0 * v, 4)
    np.testing.assert_allclose(v, np.exp(symbol), rtol=1e-12)


def test_neighbours_exchange_what_they_should_however_fast_both_turn():
    """v1' = i w v1 + i v2, v2' = i (w + 8) v2 + i v1: a rotation by the eigenvalues of a matrix of two rows, w h = 500 in a step h."""
    symbol, steps = 1j * np.array([1e4, 1e4 + 8]), 20
    matrix = np.diag(symbol) + 1j * (1 - np.eye(2))
    values, vectors = np.linalg.eigh(-1j * matrix)
    start = np.array([1.0 + 0j, 0.0])
    exact = vectors @ (np.exp(1j * values) * (vectors.conj().T @ start))

    def other(v):
        return 1j * v[::-1]

    found = advance(start, turning(symbol, 1 / steps), other, steps)
    differenced = etdrk4.advance(start, etdrk4.coefficients(symbol, 1 / steps), other, steps)
    assert np.abs(found - exact).max() < 1.5e-4  # 4.4e-5
    assert np.abs(differenced - exact).max() > 0.1  # the coupling is left out
