"""Periodic evolution equations u_t = L u + f(u) + g(u)_x solved numerically: Fourier collocation in space, ETDRK4 in time.

Space: as many modes as the solution needs at the time, found from the tail of its spectrum, up to a given number. The initial condition is
projected on them, not sampled, so that a kink where its ends meet is not folded onto the lower modes.

Time: [t0, t1] is cut into panels; in each the solution is kept at Chebyshev's points, which the integrator reaches exactly, and is
interpolated by their polynomial, mode by mode. Where the initial condition has a kink that diffuses, the first panel is halved towards t0
again and again. Modes of a dispersive equation that turn freely, as exp(i omega t), are interpolated in their own turning frame.

The floor is measured: the whole computation is repeated with half the modes, twice the step and one node a panel less, and compared in
the L2 norm over space and time at the nodes of the coarse computation, which lie between those of the fine one. It bounds the errors of
both discretizations and of the interpolation.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.reference import cache
from pinnsine.reference.etdrk4 import advance, coefficients
from pinnsine.reference.exact import Reference
from pinnsine.reference.fourier import Fourier

if TYPE_CHECKING:
    from pinnsine.domain import Box

FORMAT = 1  # of the files in the cache; raised whenever the same plan gives other numbers
TAIL = 1e-17  # modes smaller than this part of the largest are dropped
FEWEST = 64  # modes
OVERSAMPLING = 64  # points per mode from which the initial condition is projected
EVALUATION = 1e-13  # error of the evaluation between grid points: no floor is below it
CHUNK = 1 << 17  # points evaluated at once; every chunk costs one transform for each of its times


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


class Trajectory:
    """A solution in time: its spectra (nodes, modes) at Chebyshev's points of every panel of a plan."""

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


def lobatto(nodes: int) -> np.ndarray:
    """Chebyshev's points of the second kind on [0, 1]."""
    return (1 - np.cos(math.pi * np.arange(nodes) / (nodes - 1))) / 2


def end_weights(nodes: int) -> np.ndarray:
    """One for every node, one half at both ends."""
    return np.r_[0.5, np.ones(nodes - 2), 0.5]


def integrate(equation: Equation, plan: Plan) -> list[np.ndarray]:
    """The spectra (nodes, modes) at the nodes of every panel, without negligible tails.

    Raises ProblemError if the solution does not stay finite.
    """
    line, count, found = equation.line, plan.modes, []
    samples = equation.initial(line.points(OVERSAMPLING * count))
    state = line.spectrum(samples, count // 2 - 1)
    for lower, width in plan.panels():
        while True:
            spectra = cross(equation, plan, width, line.resized(state, count // 2 - 1))
            if not np.isfinite(spectra).all():
                raise ProblemError(
                    f"The numerical reference is not finite after t = {lower:g}: take a smaller step than {plan.step:g} or more modes than "
                    f"{plan.modes}, and check the signs of the equation."
                )
            highest = line.significant(spectra, TAIL)
            if 3 * highest <= count or count == plan.modes:
                break
            count *= 2
        state = spectra[-1]
        found.append(line.resized(spectra, highest))
        count = min(plan.modes, max(FEWEST, 1 << (3 * highest - 1).bit_length()))
    return found


def cross(equation: Equation, plan: Plan, width: float, state: np.ndarray) -> np.ndarray:
    """The spectra (nodes, modes) at the nodes of one panel, from the first of them."""
    highest = equation.line.highest(state)
    symbol, nonlinear = equation.symbol(highest), equation.nonlinear(highest)
    gaps = width * np.diff(lobatto(plan.nodes))
    gaps = np.minimum(gaps, gaps[::-1])  # equal to rounding: half as many coefficients

    @functools.cache
    def factors(gap):
        return coefficients(symbol, gap / plan.steps(gap))

    spectra = [state]
    with np.errstate(over="ignore", invalid="ignore"):
        for gap in gaps.tolist():
            spectra.append(advance(spectra[-1], factors(gap), nonlinear, plan.steps(gap)))
    return np.array(spectra)


def parts(line: Fourier, values: np.ndarray) -> list[np.ndarray]:
    """The fields: a real solution itself, or the real and imaginary part of a complex one."""
    return [values] if line.real else [values.real, values.imag]


def difference(fine: Trajectory, coarse: Trajectory) -> np.ndarray:
    """By field, the relative L2 difference over space and time: the trapezoidal rule over the nodes of the coarse trajectory."""
    line, total, norm = fine.line, 0.0, 0.0
    for times, spectra in zip(coarse.times, coarse.spectra, strict=True):
        squares = np.array([mean_squares(line, fine.spectrum(t), spectrum) for t, spectrum in zip(times, spectra, strict=True)])
        integral = np.einsum("kij,k->ij", (squares[1:] + squares[:-1]) / 2, np.diff(times))
        total, norm = total + integral[0], norm + integral[1]
    return np.sqrt(total / norm)


def mean_squares(line: Fourier, exact: np.ndarray, other: np.ndarray) -> list[list[float]]:
    """The mean squares over space, by field, of the difference of two spectra, and of the first."""
    highest = max(line.highest(exact), line.highest(other))
    exact, other = line.resized(exact, highest), line.resized(other, highest)
    fields = [parts(line, line.values(spectrum, 2 * (highest + 1))) for spectrum in (exact - other, exact)]
    return [[float(np.mean(field**2)) for field in pair] for pair in fields]


@dataclass(frozen=True)
class Evolution:
    """An equation with the plan of its solution, which is computed, or read from the cache, when it is first asked for."""

    equation: Equation
    plan: Plan

    @functools.cached_property
    def solution(self) -> tuple[Trajectory, np.ndarray]:
        """The solution and its floors by field."""
        key = self.key()
        kept = cache.read(key)
        if kept is None:
            spectra, coarse = integrate(self.equation, self.plan), integrate(self.equation, self.plan.coarse())
            trajectory = Trajectory(self.equation, self.plan, spectra)
            floor = difference(trajectory, Trajectory(self.equation, self.plan.coarse(), coarse))
            cache.write(key, {**{f"panel {k:04d}": s for k, s in enumerate(spectra)}, "floor": floor})
            return trajectory, floor
        floor = kept.pop("floor")
        return Trajectory(self.equation, self.plan, [kept[name] for name in sorted(kept)]), floor

    def key(self) -> str:
        """A digest of all that the solution depends on: functions by their values at fixed points."""
        line, plan = self.equation.line, self.plan
        u = np.linspace(-2, 2, 41) if line.real else np.outer(np.linspace(0.1, 2, 7), np.exp(1j * np.arange(7))).ravel()
        nonlinear = [np.asarray(term(u)) if term else np.zeros(1) for term in (self.equation.source, self.equation.flux)]
        values = [self.equation.initial(line.points(plan.modes)), self.equation.symbol(plan.modes // 2 - 1), *nonlinear]
        digest = hashlib.sha256(json.dumps([FORMAT, astuple(line), astuple(plan)]).encode())
        for array in values:
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def evaluate(self, x: np.ndarray, t: np.ndarray) -> np.ndarray:
        """The solution (N,), real or complex, at points ``x`` and ``t`` (N,). Raises ProblemError for times outside the plan's."""
        plan, line = self.plan, self.equation.line
        slack = 1e-9 * (plan.upper - plan.lower)
        if ((t < plan.lower - slack) | (t > plan.upper + slack)).any():
            raise ProblemError(
                f"This reference is made for times {plan.lower:g} <= t <= {plan.upper:g}, got t from {t.min():g} to {t.max():g}: leave out "
                "other points, or give its domain a longer time."
            )
        result = np.empty(len(x), dtype=float if line.real else complex)
        times, counts = np.unique(t, return_counts=True)
        order, ends = np.argsort(t, kind="stable"), np.cumsum(counts)
        for time, end, count in zip(times, ends, counts, strict=True):
            points = order[end - count : end]
            if time == plan.lower:
                result[points] = self.equation.initial(x[points])
            else:
                result[points] = line.evaluate(self.solution[0].spectrum(time), x[points])
        return result


class Floor(Mapping):
    """Floors by field, measured when they are first asked for."""

    def __init__(self, names: tuple[str, ...], evolution: Evolution):
        self.names, self.evolution = names, evolution

    def __getitem__(self, name: str) -> float:
        return max(EVALUATION, float(dict(zip(self.names, self.evolution.solution[1], strict=True))[name]))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def spectral(
    domain: Box,
    start: Callable,
    linear: Callable,
    *,
    source: Callable | None = None,
    flux: Callable | None = None,
    fields: str | Sequence[str] = "u",
    modes: int = 512,
    step: float = 1e-3,
    panel: float = 0.05,
    nodes: int = 9,
    halvings: int = 0,
) -> Reference:
    """A numerical solution of a periodic evolution equation in one space dimension.

        u_t = L u + f(u) + g(u)_x,   u(x, t0) = u0(x),   x in [a, b] periodic,   t0 <= t <= t1

    One field is a real solution; two fields are the real and imaginary part of a complex one, u + i v. Nothing is computed before the
    first value or floor is asked for; the solution is then kept on disk (see ``pinnsine.reference.cache``).

    Args:
        domain: a space interval [a, b] times a time interval [t0, t1].
        start: u0, a function of a tensor x (N,), continued periodically. It need not be smooth where its ends meet.
        linear: the symbol of L, a function of d/dx, which is an array of imaginary numbers: ``lambda d: nu * d**2``.
        source: f, a function of an array of values, such as ``lambda u: u - u**3``.
        flux: g, a function of an array of values, such as ``lambda u: -(u**2) / 2``.
        fields: a name, or two for a complex solution.
        modes: the most Fourier modes taken, a power of two.
        step: the longest time step.
        panel: the longest stretch of time interpolated by one polynomial.
        nodes: its number of nodes.
        halvings: how often the first panel is halved towards t0: 10 or more where u0 has a kink and L is diffusive.

    Returns:
        A Reference whose floors are the measured change when modes, steps and nodes are made coarser.

    Raises:
        ProblemError: the domain is no such product, ``modes`` is no power of two, or another number is out of its range; on evaluation, a
            time is outside the domain, or the solution does not stay finite.

    Sources: S. M. Cox & P. C. Matthews (2002), J. Comput. Phys. 176; A.-K. Kassam & L. N. Trefethen (2005), SIAM J. Sci. Comput. 26.
    """
    names = (fields,) if isinstance(fields, str) else tuple(fields)
    if len(domain.axes) != 2 or len(domain.space) != 1 or domain.time is None or len(names) not in (1, 2):
        raise ProblemError(
            f"A spectral reference has one space coordinate, a time, and one or two fields, got {domain.describe()} and {len(names)} fields: "
            'give it Interval("x", a, b) * Time(0, 1).'
        )
    if modes < FEWEST or modes & (modes - 1):
        raise ProblemError(f"modes must be a power of two from {FEWEST} on, got {modes}.")
    if not (step > 0 and panel > 0 and nodes >= 4 and halvings >= 0):
        raise ProblemError(f"step and panel must be positive, nodes at least 4, halvings at least 0, got {step}, {panel}, {nodes}, {halvings}.")
    space, time = domain.axis(domain.space[0]), domain.axis(domain.time)
    equation = Equation(Fourier(space.lower, space.length, len(names) == 1), start, linear, source, flux)
    evolution = Evolution(equation, Plan(time.lower, time.upper, modes, step, panel, nodes, halvings))

    def field(part: int) -> Callable:
        def values(s) -> Tensor:
            x, t = getattr(s, space.name), getattr(s, time.name)
            if not isinstance(x, Tensor):
                raise ProblemError("A spectral reference has values only: derivatives of it are not known.")
            found = parts(equation.line, evolution.evaluate(x.cpu().numpy(), t.cpu().numpy()))[part]
            return torch.from_numpy(np.ascontiguousarray(found)).to(x.device)

        return values

    description = f"Fourier collocation with up to {modes:,} modes, ETDRK4 with steps up to {step:g}"
    return Reference({n: field(k) for k, n in enumerate(names)}, Floor(names, evolution), description, chunk=CHUNK)
