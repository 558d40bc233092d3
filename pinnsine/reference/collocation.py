"""Periodic evolution equations u_t = L u + f(u) + g(u)_x solved by Fourier collocation in space and ETDRK4 in time.

Time is cut into panels, at whose Chebyshev points, reached exactly by the steps, the solution is kept. In each panel as many modes are
taken as the solution needs there, found from the tail of its spectrum, up to a given number. The initial condition is projected on the
modes, not sampled; where it has a kink that diffuses, the first panel is halved towards the start again and again.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from pinnsine.errors import ProblemError
from pinnsine.reference.etdrk4 import advance, coefficients
from pinnsine.reference.fourier import Fourier

TAIL = 1e-16  # modes smaller than this part of the largest are dropped
FEWEST = 64  # modes
ROOM = 2.25  # modes per significant one: 2 would leave no empty tail to tell that they are enough
OVERSAMPLING = 16  # points per mode from which the initial condition is projected


@dataclass(frozen=True)
class Equation:
    """u_t = linear(d/dx) u + source(u) + flux(u)_x with u = start(x) at the beginning; see ``spectral``."""

    line: Fourier
    start: Callable
    linear: Callable
    source: Callable | None
    flux: Callable | None

    def initial(self, x: np.ndarray) -> np.ndarray:
        """The initial condition, continued periodically, at ``x`` (N,)."""
        inside = x - self.line.length * np.floor((x - self.line.lower) / self.line.length)
        values = np.asarray(self.start(torch.from_numpy(inside)))
        if values.shape != x.shape or not np.isfinite(values).all() or (self.line.real and np.iscomplexobj(values)):
            raise ProblemError(
                f"start must map x (N,) to finite values (N,), real for one field, got {values.dtype} of shape {values.shape}: use elementwise "
                "torch operations, and name two fields for a complex solution."
            )
        return values

    def projected(self, highest: int) -> np.ndarray:
        """The spectrum of the initial condition, by Simpson's rule: sampling folds no mode onto another, even where its ends meet in a kink."""
        values = self.initial(self.line.points(2 * OVERSAMPLING * (highest + 1)))
        return (4 * self.line.spectrum(values, highest) - self.line.spectrum(values[::2], highest)) / 3

    def symbol(self, highest: int) -> np.ndarray:
        """The factors (modes,) by which the linear part multiplies a spectrum; real where they all are."""
        symbol = np.asarray(self.linear(self.line.derivative(highest)), dtype=complex) + np.zeros(len(self.line.numbers(highest)))
        return symbol if symbol.imag.any() else symbol.real

    def nonlinear(self, highest: int) -> Callable[[np.ndarray], np.ndarray]:
        """The map from the spectrum (modes,) of u to that of source(u) + flux(u)_x."""
        line, count, derivative = self.line, 2 * (highest + 1), self.line.derivative(highest)

        def rate(spectrum):
            u = line.values(spectrum, count)
            total = 0.0 if self.source is None else line.spectrum(self.source(u), highest)
            return total if self.flux is None else total + derivative * line.spectrum(self.flux(u), highest)

        return rate


@dataclass(frozen=True)
class Plan:
    """How an equation is solved from time ``lower`` to ``upper``: see ``spectral``. ``refinement`` divides steps of 2 ``step``."""

    lower: float
    upper: float
    modes: int
    step: float
    panel: float
    nodes: int
    halvings: int
    refinement: int = 2

    def coarse(self) -> Plan:
        """The plan that this one is compared with."""
        return replace(self, modes=self.modes // 2, nodes=self.nodes - 1, refinement=1)

    def panels(self) -> list[tuple[float, float]]:
        """Beginning and width of every panel."""
        count = math.ceil((self.upper - self.lower) / self.panel - 1e-9)
        width = (self.upper - self.lower) / count
        first = [(self.lower, width / 2**self.halvings)]
        first += [(self.lower + width / 2**k, width / 2**k) for k in range(self.halvings, 0, -1)]
        return first + [(self.lower + width * k, width) for k in range(1, count)]

    def steps(self, gap: float) -> int:
        """The number of steps across a gap between two nodes."""
        return self.refinement * math.ceil(gap / (2 * self.step))


def lobatto(nodes: int) -> np.ndarray:
    """Chebyshev's points of the second kind on [0, 1]."""
    return (1 - np.cos(math.pi * np.arange(nodes) / (nodes - 1))) / 2


def integrate(equation: Equation, plan: Plan) -> list[np.ndarray]:
    """The spectra (nodes, modes) at the nodes of every panel, without negligible tails.

    Raises ProblemError if the solution does not stay finite.
    """
    line, count, found = equation.line, plan.modes, []
    state = equation.projected(count // 2 - 1)

    @functools.lru_cache(maxsize=plan.nodes)
    def factors(highest, gap):
        return coefficients(equation.symbol(highest), gap / plan.steps(gap))

    for lower, width in plan.panels():
        while True:
            spectra = cross(equation, plan, width, line.resized(state, count // 2 - 1), factors)
            if not np.isfinite(spectra).all():
                raise ProblemError(
                    f"The numerical reference is not finite after t = {lower:g}: take a smaller step than {plan.step:g} or more modes than "
                    f"{plan.modes}, and check the signs of the equation."
                )
            highest = line.significant(spectra, TAIL)
            if ROOM * highest <= count or count == plan.modes:
                break
            count *= 2
        state = spectra[-1]
        found.append(line.resized(spectra, highest))
        count = min(plan.modes, max(FEWEST, 1 << math.ceil(math.log2(ROOM * max(highest, 1)))))
    return found


def cross(equation: Equation, plan: Plan, width: float, state: np.ndarray, factors: Callable) -> np.ndarray:
    """The spectra (nodes, modes) at the nodes of one panel, from the first of them; ``factors(highest, gap)`` gives those of a step."""
    highest = equation.line.highest(state)
    nonlinear = equation.nonlinear(highest)
    gaps = width * np.diff(lobatto(plan.nodes))
    spectra = [state]
    with np.errstate(over="ignore", invalid="ignore"):
        for gap in np.minimum(gaps, gaps[::-1]).tolist():  # equal to rounding: half as many factors
            spectra.append(advance(spectra[-1], factors(highest, gap), nonlinear, plan.steps(gap)))
    return np.array(spectra)
