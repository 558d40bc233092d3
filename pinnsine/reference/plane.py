"""Periodic evolution equations of several fields in the plane, solved by Fourier collocation in space and ETDRK4 in time.

The counterpart of ``pinnsine.reference.spectral`` for two space coordinates, with the same plan of panels and steps, but one number of modes
throughout.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, replace

import numpy as np
import torch

from pinnsine.domain import Axis, Box
from pinnsine.errors import ProblemError
from pinnsine.points import tensor_grid
from pinnsine.reference.collocation import Plan, lobatto
from pinnsine.reference.computed import Arrays, Computed, digest, reference_of
from pinnsine.reference.etdrk4 import advance, coefficients
from pinnsine.reference.exact import Reference
from pinnsine.reference.grid import Grid, Line, Panels, chebyshev_line, difference, periodic_line

FORMAT = 1  # of the files in the cache; raised whenever the same plan gives other numbers
COARSE = 0.75  # of the modes, for the computation that the floor is measured with


def coarser(plan: Plan) -> Plan:
    """The plan that one is compared with."""
    return replace(plan.coarse(), modes=2 * int(COARSE * plan.modes / 2))


@dataclass(frozen=True)
class Equation:
    """u_t = linear(laplacian) u + source(u), with u = start(x, y) at the beginning; see ``spectral_2d``."""

    domain: Box
    start: Mapping[str, Callable]
    linear: Mapping[str, Callable]
    source: Callable

    @property
    def time(self) -> Axis:
        return self.domain.axis(self.domain.time)

    def lines(self, modes: int) -> tuple[Line, ...]:
        """The nodes of both space coordinates."""
        axes = [self.domain.axis(n) for n in self.domain.space]
        return tuple(periodic_line(a.name, a.lower, a.length, modes) for a in axes)

    def initial(self, modes: int) -> np.ndarray:
        """The fields (fields, modes, modes) at the beginning."""
        nodes = tensor_grid({line.name: torch.from_numpy(line.nodes) for line in self.lines(modes)})
        values = Reference.exact(**self.start).evaluate(nodes.columns)
        return np.stack([v.numpy().reshape(modes, modes) for v in values.values()])

    def symbol(self, modes: int) -> np.ndarray:
        """The factors (fields, modes, modes / 2 + 1) by which the linear parts multiply spectra."""
        first, second = (2 * np.pi / line.period * np.fft.fftfreq(modes, 1 / modes) for line in self.lines(modes))
        laplacian = -(first[:, None] ** 2) - second[None, : modes // 2 + 1] ** 2
        return np.stack([np.asarray(factor(laplacian), dtype=float) + 0 * laplacian for factor in self.linear.values()])

    def integrate(self, plan: Plan) -> np.ndarray:
        """The fields (panels, nodes in time, modes, modes, fields) at the nodes of every panel. Raises ProblemError if they are not finite."""
        modes, symbol = plan.modes, self.symbol(plan.modes)
        shape = symbol.shape

        def rate(spectra):
            values = np.fft.irfft2(spectra.reshape(shape), (modes, modes))
            return np.fft.rfft2(np.stack(self.source(*values))).ravel()

        @functools.lru_cache(maxsize=plan.nodes)
        def factors(step):
            return coefficients(symbol.ravel(), step)

        state, found = np.fft.rfft2(self.initial(modes)).ravel(), []
        for lower, width in plan.panels():
            gaps, spectra = width * np.diff(lobatto(plan.nodes)), [state]
            for gap in np.minimum(gaps, gaps[::-1]).tolist():  # equal to rounding: half as many factors
                with np.errstate(over="ignore", invalid="ignore"):
                    state = advance(state, factors(gap / plan.steps(gap)), rate, plan.steps(gap))
                spectra.append(state)
            if not np.isfinite(state).all():
                raise ProblemError(
                    f"The numerical reference is not finite after {self.time.name} = {lower:g}: take a smaller step than {plan.step:g} or more "
                    f"modes than {modes}, and check the signs of the equation."
                )
            found.append([np.moveaxis(np.fft.irfft2(s.reshape(shape), (modes, modes)), 0, -1) for s in spectra])
        return np.array(found)

    def solution(self, plan: Plan, values: np.ndarray) -> Panels:
        """What can be evaluated, from the values at the nodes of a plan."""
        panels, lines = plan.panels(), self.lines(plan.modes)
        grids = [
            Grid((*lines, chebyshev_line(self.time.name, lower, lower + width, plan.nodes - 1)), np.moveaxis(panel, 0, 2))
            for (lower, width), panel in zip(panels, values, strict=True)
        ]
        return Panels(self.time.name, np.array([*(lower for lower, _ in panels), plan.upper]), grids)


def spectral_2d(
    domain: Box,
    start: Mapping[str, Callable],
    linear: Callable | Mapping[str, Callable],
    source: Callable,
    *,
    modes: int = 96,
    step: float = 2e-3,
    panel: float = 0.1,
    nodes: int = 9,
    halvings: int = 0,
) -> Reference:
    """A numerical solution of periodic evolution equations in the plane.

        u_t = L u + f(u, v, ...),   and so on for each field,   x in [a, b], y in [c, d] periodic,   t0 <= t <= t1

    Nothing is computed before the first value or floor is asked for; the solution is then kept on disk (see ``pinnsine.reference.cache``).

    Args:
        domain: a rectangle times a time interval.
        start: by field, a function of s at t0, continued periodically.
        linear: L, a function of the Laplacian, which is an array of numbers: ``lambda lap: 0.1 * lap``; one for all fields or by field.
        source: f, a function of one array a field that returns a tuple of as many.
        modes: Fourier modes a coordinate, an even number.
        step: the longest time step.
        panel: the longest stretch of time interpolated by one polynomial.
        nodes: its number of nodes.
        halvings: how often the first panel is halved towards t0, for solutions that change faster there.

    Returns:
        A Reference whose floors are the measured change for three quarters of the modes, twice the step and one node a panel less.

    Raises:
        ProblemError: the domain is no such product, or a number is out of its range; on evaluation, a time is outside the domain, or the
            solution does not stay finite.

    Sources: S. M. Cox & P. C. Matthews (2002), J. Comput. Phys. 176; A.-K. Kassam & L. N. Trefethen (2005), SIAM J. Sci. Comput. 26.
    """
    if len(domain.axes) != 3 or len(domain.space) != 2 or domain.time is None:
        raise ProblemError(f"A reference by spectral_2d has two space coordinates and a time, got {domain.describe()}.")
    if modes < 8 or modes % 2:
        raise ProblemError(f"modes must be even and at least 8, got {modes}.")
    if not (step > 0 and panel > 0 and nodes >= 5 and halvings >= 0):
        raise ProblemError(f"step and panel must be positive, nodes at least 5, halvings at least 0, got {step}, {panel}, {nodes}, {halvings}.")
    equation = Equation(domain, start, linear if isinstance(linear, Mapping) else dict.fromkeys(start, linear), source)
    plan = Plan(equation.time.lower, equation.time.upper, modes, step, panel, nodes, halvings)

    def compute() -> Arrays:
        plans = plan, coarser(plan)
        found = [equation.integrate(p) for p in plans]
        times = torch.tensor([lower + part * width for lower, width in plan.panels() for part in (0.3, 0.8)], dtype=torch.float64)
        nodes = {a.name: torch.linspace(a.lower, a.upper, 41, dtype=torch.float64) for a in (domain.axis(n) for n in domain.space)}
        columns = {n: c.numpy() for n, c in tensor_grid({**nodes, equation.time.name: times}).columns.items()}
        return {
            "values": found[0],
            "floor": difference(*(equation.solution(p, v).evaluate(columns) for p, v in zip(plans, found, strict=True))),
        }

    tried = [equation.initial(modes), equation.symbol(modes), np.stack(source(*(0.3 + 0.1 * equation.initial(modes))))]
    axes = [(a.name, a.lower, a.upper) for a in domain.axes]
    computed = Computed(digest("plane", [FORMAT, axes, astuple(plan)], tried), compute, lambda kept: equation.solution(plan, kept["values"]))
    return reference_of(computed, domain, tuple(start), f"Fourier collocation with {modes} x {modes} modes, ETDRK4 with steps up to {step:g}")
