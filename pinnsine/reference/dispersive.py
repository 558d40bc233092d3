"""Numerical reference solutions of periodic equations of Schroedinger's type whose start has a kink, which disperses and is not smoothed.

The Fourier coefficients of a kink fall like k^-2, and so M modes leave errors of M^-1.5. Here the modes are coupled up to M, and those beyond
are moved by the linear part alone, up to a far higher number: what is neglected there is smaller by the group velocity, about M^-2.5. Three
things hold only because of that:

- Time steps resolve how fast modes pass their neighbours, k q, not how fast they turn, k^2 (``pinnsine.reference.lawson``).
- What couples h_k with the conjugate of h_-k turns twice as fast as either. Where a step does not resolve that it is left out: its effect
  is of order k^-2, but steps that sample it would meet resonances.
- Nothing is interpolated in time. States are kept after every few steps, and between them the solution is stepped to the time asked for.

The floor is measured: all of it is repeated with half the modes of either kind and twice the step.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pinnsine.errors import ProblemError
from pinnsine.reference.collocation import FEWEST, Equation
from pinnsine.reference.computed import Arrays, Computed, digest, reference_of
from pinnsine.reference.exact import Reference
from pinnsine.reference.fourier import Fourier
from pinnsine.reference.lawson import advance, turning

if TYPE_CHECKING:
    from pinnsine.domain import Box

FORMAT = 1  # of the files in the cache; raised whenever the same plan gives other numbers
KEPT = 16  # steps from one state that is kept to the next
PART = 15 / 32  # of the points, the highest mode: products with smooth functions then fold onto no mode
RESOLVED = 4.0  # radians a step: up to there the mean by which it takes a fast part is right to a sixth; at 2 pi it is in resonance
COMPARED = 24  # times at which the floor is measured


@dataclass(frozen=True)
class Plan:
    """How an equation is solved from time ``lower`` to ``upper``: see ``dispersive``. ``steps``: in each of ``gaps`` equal parts."""

    lower: float
    upper: float
    modes: int
    free: int
    gaps: int
    steps: int

    @property
    def gap(self) -> float:
        """The time from one state that is kept to the next."""
        return (self.upper - self.lower) / self.gaps

    @property
    def highest(self) -> int:
        """The number of the highest coupled mode."""
        return int(PART * self.modes)

    def coarse(self) -> Plan:
        """The plan that this one is compared with."""
        return replace(self, modes=self.modes // 2, free=self.free // 2, steps=self.steps // 2)


class Motion:
    """A solution in time: the spectra ``states`` (gaps + 1, modes) of the coupled modes, and the free ones; ``names`` of space and time."""

    def __init__(self, equation: Equation, plan: Plan, states: np.ndarray | None = None, names: Sequence[str] = ("x", "t")):
        self.equation, self.plan, self.line, self.names = equation, plan, equation.line, names
        self.symbol = equation.symbol(plan.highest)
        self.states = self._states() if states is None else states

    def _states(self) -> np.ndarray:
        plan, states = self.plan, [self.equation.projected(self.plan.highest)]
        nonlinear, factors = self.rate(), turning(self.symbol, plan.gap / plan.steps)
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(plan.gaps):
                states.append(advance(states[-1], factors, nonlinear, plan.steps))
        if not np.isfinite(states[-1]).all():
            raise ProblemError(
                f"The numerical reference is not finite at t = {plan.upper:g}: take a smaller step than {plan.gap / plan.steps:g}, and check "
                "the signs of the equation."
            )
        return np.array(states)

    def rate(self) -> Callable[[np.ndarray], np.ndarray]:
        """The map from the spectrum of h to that of source(h), without the conjugates of modes that turn too fast for the step.

        Three values of the source take them out: for a small part w of h, source(h) is linear in w and its conjugate, and the sum of
        source(s + w) and -i source(s + i w) has twice the one and nothing of the other.
        """
        line, plan, source = self.line, self.plan, self.equation.source
        fast = np.abs(self.symbol + self.symbol[::-1]) * (plan.gap / plan.steps) > RESOLVED

        def whole(spectrum):
            return line.spectrum(source(line.values(spectrum, plan.modes)), plan.highest)

        def parted(spectrum):
            s, w = (line.values(np.where(part, spectrum, 0), plan.modes) for part in (~fast, fast))
            return line.spectrum(((1 + 1j) * source(s) + source(s + w) - 1j * source(s + 1j * w)) / 2, plan.highest)

        return parted if fast.any() else whole

    @functools.cached_property
    def free(self) -> tuple[np.ndarray, np.ndarray]:
        """The coefficients (free modes,) beyond the coupled ones at the beginning, and the turns they take in a unit of time.

        They are small: single precision suffices for them.
        """
        highest = self.plan.free // 2 - 1
        coefficients = self.equation.projected(highest)
        coefficients[np.abs(self.line.numbers(highest)) <= self.plan.highest] = 0
        return coefficients.astype(np.complex64), self.equation.symbol(highest).imag / (2 * math.pi)

    def coupled(self, t: float) -> np.ndarray:
        """The spectrum (modes,) of the coupled modes at a time, stepped to from the last state before."""
        plan = self.plan
        last = min(int((t - plan.lower) / plan.gap), plan.gaps)
        rest = t - plan.lower - last * plan.gap
        steps = math.ceil(rest / plan.gap * plan.steps - 1e-9)
        if steps <= 0:
            return self.states[last]
        return advance(self.states[last], turning(self.symbol, rest / steps), self.rate(), steps)

    def moved(self, t: float) -> np.ndarray:
        """The spectrum (free modes,) of the free modes at a time."""
        coefficients, frequency = self.free
        turns = frequency * (t - self.plan.lower)
        angle = (2 * math.pi * (turns - np.rint(turns))).astype(np.float32)
        return coefficients * (np.cos(angle) + 1j * np.sin(angle))

    def spectrum(self, t: float) -> np.ndarray:
        """The whole spectrum (free modes,) at a time."""
        free = self.moved(t)
        return free + self.line.resized(self.coupled(t), self.line.highest(free))

    def evaluate(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """The real and imaginary part (N, 2) at points given by coordinate."""
        x, t = (columns[name] for name in self.names)
        result = np.empty(len(x), dtype=complex)
        times, counts = np.unique(t, return_counts=True)
        for time, points in zip(times, np.split(np.argsort(t, kind="stable"), np.cumsum(counts)[:-1]), strict=True):
            if time == self.plan.lower:
                result[points] = self.equation.initial(x[points])
            else:
                result[points] = self.line.evaluate(self.coupled(time), x[points]) + self.line.evaluate(self.moved(time), x[points])
        return np.stack([result.real, result.imag], axis=1)


def squares(spectrum: np.ndarray) -> np.ndarray:
    """The mean squares (2,) over a period of the real and the imaginary part of a complex function, by Parseval's equation."""
    total, mean = np.vdot(spectrum, spectrum).real, np.dot(spectrum, spectrum[::-1]).real  # of |h|^2 and of h^2
    return np.array([total + mean, total - mean]) / 2


def difference(fine: Motion, coarse: Motion) -> np.ndarray:
    """By field, the relative L2 difference over space and time, which is cut into as many parts as times are compared."""
    plan, total, norm = fine.plan, 0.0, 0.0
    for t in plan.lower + (plan.upper - plan.lower) * (np.arange(COMPARED) + 0.5) / COMPARED:
        exact = fine.spectrum(t)
        total, norm = total + squares(exact - fine.line.resized(coarse.spectrum(t), plan.free // 2 - 1)), norm + squares(exact)
    return np.sqrt(total / np.where(norm > 0, norm, 1.0))


def dispersive(
    domain: Box,
    start: Callable,
    linear: Callable,
    source: Callable,
    *,
    fields: Sequence[str],
    modes: int = 8192,
    free: int = 1 << 19,
    step: float = 1e-4,
) -> Reference:
    """A numerical solution of a periodic equation of Schroedinger's type whose start may have a kink.

        h_t = L h + f(h),   h(x, t0) = h0(x),   x in [a, b] periodic,   t0 <= t <= t1

    Nothing is computed before the first value or floor is asked for; the solution is then kept on disk (see ``pinnsine.reference.cache``).
    Every other time at which it is evaluated costs some steps and a transform of all modes, so that it is not looked at while a solution is
    sought.

    Args:
        domain: a space interval [a, b] times a time interval [t0, t1].
        start: h0, a function of a tensor x (N,), continued periodically.
        linear: the symbol of L, imaginary, a function of d/dx, which is an array of imaginary numbers: ``lambda d: 0.5j * d**2 + 1j * c``.
            It holds the mean c of what multiplies h in f, by which fine ripples turn.
        source: f, without that mean, a function of an array of values: ``lambda h: 1j * (abs(h)**2 - c) * h``.
        fields: two names, those of the real and of the imaginary part.
        modes: points of the grid on which f is evaluated, a power of two; 15 / 16 as many modes are coupled.
        free: modes altogether, most of them moved by the linear part alone; a power of two, at least ``modes``.
        step: the longest time step.

    Returns:
        A Reference whose floors are the measured change when modes of either kind and steps are made coarser.

    Raises:
        ProblemError: the domain is no such product, the symbol is not imaginary, or a number is out of its range; on evaluation, a point is
            outside the domain, or the solution does not stay finite.
    """
    if len(domain.axes) != 2 or len(domain.space) != 1 or domain.time is None or isinstance(fields, str) or len(fields) != 2:
        raise ProblemError(
            f"A dispersive reference has one space coordinate, a time, and two fields, got {domain.describe()} and fields {fields!r}: give it "
            'Interval("x", a, b) * Time(0, 1) and the names of the real and the imaginary part.'
        )
    if modes < FEWEST or modes & (modes - 1) or free < modes or free & (free - 1) or not step > 0:
        raise ProblemError(
            f"modes and free must be powers of two, {FEWEST} <= modes <= free, and step positive, got modes={modes}, free={free}, step={step}."
        )
    space, time = domain.axis(domain.space[0]), domain.axis(domain.time)
    equation = Equation(Fourier(space.lower, space.length, False), start, linear, source, None)
    plan = Plan(time.lower, time.upper, modes, free, math.ceil(time.length / (KEPT * step) - 1e-9), KEPT)
    symbol = equation.symbol(plan.highest).astype(complex)
    if np.abs(symbol.real).max() > 1e-12 * np.abs(symbol).max():
        raise ProblemError("The symbol of a dispersive equation is imaginary, got one with a real part: use reference.spectral for others.")

    def compute() -> Arrays:
        motion = Motion(equation, plan)
        return {"states": motion.states, "floor": difference(motion, Motion(equation, plan.coarse()))}

    values = np.outer(np.linspace(0.1, 2, 7), np.exp(1j * np.arange(7))).ravel()
    tried = [equation.initial(equation.line.points(modes)), symbol, np.asarray(source(values))]
    key = digest("dispersive", [FORMAT, astuple(equation.line), astuple(plan)], tried)
    computed = Computed(key, compute, lambda kept: Motion(equation, plan, kept["states"], (space.name, time.name)))
    description = f"{modes:,} coupled and {free:,} free Fourier modes, Runge-Kutta steps in the turning frame up to {step:g}"
    return replace(reference_of(computed, domain, tuple(fields), description), quick=False)
