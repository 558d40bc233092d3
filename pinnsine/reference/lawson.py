"""Lawson's Runge-Kutta method of fourth order for v_t = L v + N(v) with an imaginary diagonal L: the classical one for exp(-t L) v.

J. D. Lawson (1967), SIAM J. Numer. Anal. 4. In that frame a fast mode is moved by its slow neighbours as slowly as it passes them, so that a
step need not resolve the turning of the mode itself. Exponential time differencing, which takes N as a polynomial in time, leaves their
coupling out wherever L turns by more than a radian a step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Turning:
    """The factors (modes,) of one step: exp(h L / 2) and its square."""

    step: float
    half: np.ndarray
    whole: np.ndarray


def turning(symbol: np.ndarray, step: float) -> Turning:
    """The factors for the diagonal ``symbol`` (modes,) of L and the time step h."""
    half = np.exp(step / 2 * symbol)
    return Turning(step, half, half**2)


def advance(v: np.ndarray, c: Turning, nonlinear: Callable[[np.ndarray], np.ndarray], steps: int) -> np.ndarray:
    """The coefficients ``v`` (modes,) after a number of steps."""
    h = c.step
    for _ in range(steps):
        first, moved = nonlinear(v), c.half * v
        second = nonlinear(moved + h / 2 * (c.half * first))
        third = nonlinear(moved + h / 2 * second)
        v = c.whole * v
        last = nonlinear(v + h * (c.half * third))
        v = v + h / 6 * (c.whole * first + 2 * (c.half * (second + third)) + last)
    return v
