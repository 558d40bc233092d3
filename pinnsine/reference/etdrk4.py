"""Exponential time differencing: a Runge-Kutta method of fourth order for v_t = L v + N(v) with a diagonal L, which it solves exactly.

S. M. Cox & P. C. Matthews (2002), J. Comput. Phys. 176, section 2; its coefficients are divided differences of exp(h L), found without
cancellation as means over a circle around each h L: A.-K. Kassam & L. N. Trefethen (2005), SIAM J. Sci. Comput. 26, sections 2 and 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CIRCLE = 32  # points on the circle of radius 1: the means are then exact to rounding


@dataclass(frozen=True)
class Coefficients:
    """The factors (modes,) of one step: exp(h L), exp(h L / 2), and the weights of N in the stages and in the result."""

    whole: np.ndarray
    half: np.ndarray
    stage: np.ndarray
    first: np.ndarray
    middle: np.ndarray
    last: np.ndarray


def coefficients(symbol: np.ndarray, step: float) -> Coefficients:
    """The factors for the diagonal ``symbol`` (modes,) of L and the time step h."""
    z = step * symbol
    weights = np.zeros((4, len(z)), dtype=complex)
    circle = np.exp(2j * math.pi * (np.arange(CIRCLE) + 0.5) / CIRCLE)
    if np.isrealobj(z):
        circle = circle[: CIRCLE // 2]  # the other half gives the conjugates
    for shift in circle:
        r = z + shift
        square, root = r * r, np.exp(r / 2)
        cube, e = square * r, root * root
        weights[0] += (root - 1) / r
        weights[1] += (-4 - r + e * (4 - 3 * r + square)) / cube
        weights[2] += 2 * (2 + r + e * (r - 2)) / cube
        weights[3] += (-4 - 3 * r - square + e * (4 - r)) / cube
    weights *= step / len(circle)
    return Coefficients(np.exp(z), np.exp(z / 2), *(weights.real.copy() if np.isrealobj(z) else weights))


def advance(v: np.ndarray, c: Coefficients, nonlinear: Callable[[np.ndarray], np.ndarray], steps: int) -> np.ndarray:
    """The coefficients ``v`` (modes,) after a number of steps."""
    for _ in range(steps):
        n = nonlinear(v)
        propagated = c.half * v
        a = propagated + c.stage * n
        n_a = nonlinear(a)
        b = propagated + c.stage * n_a
        n_b = nonlinear(b)
        d = c.half * a + c.stage * (2 * n_b - n)
        v = c.whole * v + c.first * n + c.middle * (n_a + n_b) + c.last * nonlinear(d)
    return v
