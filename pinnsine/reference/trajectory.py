"""A spectral solution between the times at which it was computed, and how far two of them are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pinnsine.reference.collocation import Equation, Plan, lobatto
from pinnsine.reference.fourier import Fourier


class Trajectory:
    """A solution in time: its spectra (nodes, modes) at Chebyshev's points of every panel of a plan.

    Between them each mode is interpolated by their polynomial. Modes of a dispersive equation that turn freely, as exp(i omega t), are
    interpolated in their own turning frame: a kink that is not smoothed leaves many that turn too fast for polynomials.
    """

    def __init__(self, equation: Equation, plan: Plan, spectra: Sequence[np.ndarray]):
        self.line, self.spectra, self.times = equation.line, spectra, [lower + width * lobatto(plan.nodes) for lower, width in plan.panels()]
        self.beginnings = np.array([times[0] for times in self.times])
        self.frames = [self._frame(equation, *panel) for panel in zip(self.times, spectra, strict=True)]

    def _frame(self, equation: Equation, times: np.ndarray, spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The spectra in the frame they are interpolated in, and the frequencies (modes,) with which it turns.

        Each mode takes the frame, turning with its own linear frequency or not at all, in which its last two Chebyshev coefficients are
        smaller.
        """
        frequency = equation.symbol(self.line.highest(spectra)).imag
        if not frequency.any():
            return spectra, None
        turned = spectra * np.exp(np.outer(times[0] - times, 1j * frequency))
        k = np.arange(len(times))
        last = np.cos(math.pi / k[-1] * np.outer(k[-2:], k)) * end_weights(len(times))  # (2, nodes)
        free = np.abs(last @ turned).sum(axis=0) < np.abs(last @ spectra).sum(axis=0)
        return np.where(free, turned, spectra), np.where(free, frequency, 0.0)

    def spectrum(self, t: float) -> np.ndarray:
        """The spectrum (modes,) at a time."""
        panel = max(0, int(np.searchsorted(self.beginnings, t, side="right")) - 1)
        times, (values, frequency) = self.times[panel], self.frames[panel]
        distance = t - times
        if not distance.all():
            return self.spectra[panel][np.argmin(np.abs(distance))]
        weights = (-1.0) ** np.arange(len(times)) * end_weights(len(times)) / distance
        value = (weights / weights.sum()) @ values
        return value if frequency is None else value * np.exp(1j * frequency * (t - times[0]))


def end_weights(nodes: int) -> np.ndarray:
    """One for every node, one half at both ends."""
    return np.r_[0.5, np.ones(nodes - 2), 0.5]


def parts(line: Fourier, values: np.ndarray) -> list[np.ndarray]:
    """The fields: a real solution itself, or the real and imaginary part of a complex one."""
    return [values] if line.real else [values.real, values.imag]


def difference(fine: Trajectory, coarse: Trajectory) -> np.ndarray:
    """By field, the relative L2 difference over space and time, by the trapezoidal rule over the nodes of the coarse trajectory.

    It is absolute for a field that vanishes.
    """
    line, total, norm = fine.line, 0.0, 0.0
    for times, spectra in zip(coarse.times, coarse.spectra, strict=True):
        squares = np.array([mean_squares(line, fine.spectrum(t), spectrum) for t, spectrum in zip(times, spectra, strict=True)])
        integral = np.einsum("kij,k->ij", (squares[1:] + squares[:-1]) / 2, np.diff(times))
        total, norm = total + integral[0], norm + integral[1]
    return np.sqrt(total / np.where(norm > 0, norm, 1.0))


def mean_squares(line: Fourier, exact: np.ndarray, other: np.ndarray) -> list[list[float]]:
    """The mean squares over space, by field, of the difference of two spectra, and of the first."""
    highest = max(line.highest(exact), line.highest(other))
    exact, other = line.resized(exact, highest), line.resized(other, highest)
    fields = [parts(line, line.values(spectrum, 2 * (highest + 1))) for spectrum in (exact - other, exact)]
    return [[float(np.mean(field**2)) for field in pair] for pair in fields]
