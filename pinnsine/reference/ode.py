"""Systems of ordinary differential equations, and evolution equations between walls by the method of lines, through scipy.

Time is cut into panels. scipy's steps end exactly at the Chebyshev points of every panel, so that its dense output, which is less accurate
than its steps, is not used; between them each value is interpolated by their polynomial.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import torch

from pinnsine.domain import Axis, Box
from pinnsine.errors import ProblemError
from pinnsine.reference.computed import Arrays, Computed, digest, reference_of
from pinnsine.reference.exact import Reference
from pinnsine.reference.grid import Grid, Line, Panels, chebyshev_line, difference

FORMAT = 1  # of the files in the cache; raised whenever the same plan gives other numbers
COARSE = 0.75  # of the degree in space, and
COARSER = 100.0  # times the tolerance, for the computation that the floor is measured with
TESTED = 20  # points of each panel at which two computations are compared


@dataclass(frozen=True)
class Stepping:
    """A plan in time: scipy's method with its relative tolerance, the number of panels and the degree on each of them."""

    method: str
    tolerance: float
    panels: int
    degree: int

    def coarse(self) -> Stepping:
        """The plan that this one is compared with."""
        return replace(self, tolerance=COARSER * self.tolerance, degree=self.degree - 2)


def integrate(rate: Callable, start: np.ndarray, time: Axis, plan: Stepping) -> np.ndarray:
    """The solution (panels, degree + 1, unknowns) of y' = rate(t, y) at the nodes of every panel.

    Raises ProblemError where scipy's method fails or the solution does not stay finite.
    """
    from scipy.integrate import solve_ivp

    edges, found, y = np.linspace(time.lower, time.upper, plan.panels + 1), [], start
    size = max(float(np.abs(start).max()), 1.0)
    for lower, upper in itertools.pairwise(edges):
        nodes = chebyshev_line(time.name, lower, upper, plan.degree).nodes
        panel = [y]
        for begin, end in itertools.pairwise(nodes):
            with np.errstate(over="ignore", invalid="ignore"):
                run = solve_ivp(rate, (begin, end), y, plan.method, t_eval=[end], rtol=plan.tolerance, atol=plan.tolerance * size)
            if not run.success or not np.isfinite(run.y).all():
                raise ProblemError(
                    f"The numerical reference cannot go on after {time.name} = {begin:g}: {run.message} Check the signs of the equation, or "
                    "take a larger tolerance."
                )
            y = run.y[:, -1]
            panel.append(y)
        found.append(panel)
    return np.array(found)


def ode(
    domain: Box,
    rate: Callable,
    start: Mapping[str, float],
    *,
    method: str = "DOP853",
    tolerance: float = 1e-13,
    panels: int = 40,
    degree: int = 24,
) -> Reference:
    """A numerical solution of a system of ordinary differential equations.

        y' = f(t, y),   y(t0) = y0,   t0 <= t <= t1

    Nothing is computed before the first value or floor is asked for; the solution is then kept on disk (see ``pinnsine.reference.cache``).

    Args:
        domain: a time interval.
        rate: f, a function of t and the fields in the order of ``start``, that returns as many rates.
        start: y0 by field.
        method: of ``scipy.integrate.solve_ivp``: "DOP853", or "Radau" where the system is stiff.
        tolerance: relative, of a step.
        panels: stretches of time interpolated by one polynomial each.
        degree: of these polynomials.

    Returns:
        A Reference whose floors are the measured change for a hundred times the tolerance and polynomials of a lower degree.

    Raises:
        ProblemError: the domain is no time interval, or a number is out of its range; on evaluation, a time is outside the domain, or the
            solution does not stay finite.

    Source of the method DOP853: E. Hairer, S. P. Norsett & G. Wanner (1993), Solving Ordinary Differential Equations I, section II.10.
    """
    if domain.names != (domain.time,):
        raise ProblemError(f"An ode reference has one time coordinate and no other, got {domain.describe()}: give it Time(0, 1).")
    plan, time = stepping(method, tolerance, panels, degree), domain.axis(domain.time)
    initial = np.array([float(value) for value in start.values()])

    def rates(t, y):
        return np.array(rate(t, *y), dtype=float)

    def compute() -> Arrays:
        return solved(lambda plan: integrate(rates, initial, time, plan), (), time, plan)

    tried = [rates(time.lower + 0.37 * k * time.length, initial + 0.1 * (k + np.arange(len(initial)))) for k in range(4)]
    key = digest("ode", [FORMAT, str(plan), time.lower, time.upper], [initial, *tried])
    computed = Computed(key, compute, lambda kept: stretched((), time, kept["values"]))
    return reference_of(computed, domain, tuple(start), f"scipy's {method} with tolerance {tolerance:g}")


def lines(
    domain: Box,
    rate: Callable,
    start: Mapping[str, Callable],
    walls: Mapping[str, Sequence],
    *,
    degree: int = 64,
    method: str = "DOP853",
    tolerance: float = 1e-11,
    panels: int = 20,
    nodes: int = 16,
) -> Reference:
    """A numerical solution of an evolution equation between walls, by Chebyshev collocation in space and scipy's steps in time.

        u_t = f(x, t, u, u_x, u_xx),   u(x, t0) = u0(x),   a u + b u_x = g(t) at both ends

    Nothing is computed before the first value or floor is asked for; the solution is then kept on disk (see ``pinnsine.reference.cache``).

    Args:
        domain: a space interval times a time interval.
        rate: f, a function of a state with x, t, the fields and their first two space derivatives, such as ``lambda s: s.u_xx + s.u``;
            it returns values (N,), or a tuple of them, one for each field.
        start: u0 by field, a function of a tensor x (N,).
        walls: by field, the conditions at the lower and the upper end: a number or a function of t for u itself, or (a, b, g).
        degree: of the polynomials in x.
        method: of ``scipy.integrate.solve_ivp``; "Radau" where diffusion makes the system stiff.
        tolerance: relative, of a step in time.
        panels, nodes: stretches of time interpolated by one polynomial each, and the degree of these.

    Returns:
        A Reference whose floors are the measured change for three quarters of the degree in x, a hundred times the tolerance and fewer nodes.

    Raises:
        ProblemError: see ``ode``.

    Source: L. N. Trefethen (2000), Spectral Methods in MATLAB, chapters 6, 10 and 13.
    """
    if len(domain.axes) != 2 or len(domain.space) != 1 or domain.time is None or set(start) != set(walls):
        raise ProblemError(
            f"A reference by lines has one space coordinate, a time, and walls for every field of start, got {domain.describe()} with "
            f"{', '.join(start)} and walls of {', '.join(walls)}."
        )
    plan, space, time = stepping(method, tolerance, panels, nodes), domain.axis(domain.space[0]), domain.axis(domain.time)
    fine, rough = (Strip(space, time, rate, start, walls, n) for n in (degree, math.ceil(COARSE * degree)))

    def compute() -> Arrays:
        return solved(lambda p: (fine if p == plan else rough).integrate(p), (fine.line, rough.line), time, plan)

    tried = [fine.rates(time.lower + 0.37 * k * time.length, fine.begin() + 0.1 * k) for k in range(4)]
    key = digest("lines", [FORMAT, str(plan), degree, [(a.lower, a.upper) for a in (space, time)]], [fine.begin(), *tried])
    computed = Computed(key, compute, lambda kept: stretched((fine.line,), time, kept["values"]))
    return reference_of(
        computed, domain, tuple(start), f"Chebyshev collocation of degree {degree}, scipy's {method} with tolerance {tolerance:g}"
    )


def stepping(method: str, tolerance: float, panels: int, degree: int) -> Stepping:
    """The plan. Raises ProblemError for numbers out of their range."""
    if not (tolerance >= 1e-14 and panels >= 1 and degree >= 4):
        raise ProblemError(
            f"tolerance must be at least 1e-14, panels at least 1, the degree in time at least 4, got {tolerance}, {panels}, {degree}."
        )
    return Stepping(method, tolerance, panels, degree)


def stretched(spaces: tuple[Line, ...], time: Axis, values: np.ndarray) -> Panels:
    """What can be evaluated, from values (panels, nodes in time, ..., fields); ``spaces``: the line of nodes in space, if there is one."""
    edges = np.linspace(time.lower, time.upper, len(values) + 1)
    degree = values.shape[1] - 1
    grids = [
        Grid((chebyshev_line(time.name, lower, upper, degree), *spaces), panel)
        for lower, upper, panel in zip(edges[:-1], edges[1:], values, strict=True)
    ]
    return Panels(time.name, edges, grids)


def solved(values: Callable[[Stepping], np.ndarray], spaces: Sequence[Line], time: Axis, plan: Stepping) -> Arrays:
    """The solution by a plan, and its change by field when that is made coarser; ``spaces``: the lines of nodes in space of both."""
    found = values(plan)
    fine, rough = (stretched(spaces[k : k + 1], time, v) for k, v in ((0, found), (1, values(plan.coarse()))))
    times = np.linspace(time.lower, time.upper, TESTED * plan.panels + 1)
    columns = {time.name: times}
    if spaces:
        nodes = spaces[0].nodes
        columns = {time.name: np.repeat(times, len(nodes)), spaces[0].name: np.tile(nodes, len(times))}
    return {"values": found, "floor": difference(fine.evaluate(columns), rough.evaluate(columns))}


class Strip:
    """An evolution equation on Chebyshev's points between two walls: the unknowns are the fields at the inner points."""

    def __init__(self, space: Axis, time: Axis, rate: Callable, start: Mapping[str, Callable], walls: Mapping[str, Sequence], degree: int):
        self.line, self.time, self.rate, self.start = chebyshev_line(space.name, space.lower, space.upper, degree), time, rate, start
        self.slope = self.line.derivative()
        self.walls = {name: self._wall(pair) for name, pair in walls.items()}

    def _wall(self, pair: Sequence) -> tuple[np.ndarray, np.ndarray, list]:
        """The maps from the given values (2,) and from the inner values (inner,) to those on the walls (2,), and what is given."""
        conditions = [wall if isinstance(wall, tuple) else (1.0, 0.0, wall) for wall in pair]
        unit = np.eye(len(self.slope))
        rows = np.array([a * unit[end] + b * self.slope[end] for end, (a, b, _) in zip((0, -1), conditions, strict=True)])
        given = np.linalg.inv(rows[:, [0, -1]])
        return given, -given @ rows[:, 1:-1], [g for _, _, g in conditions]

    def begin(self) -> np.ndarray:
        """The unknowns at the beginning."""
        x = torch.from_numpy(self.line.nodes)
        return np.concatenate([np.asarray(torch.as_tensor(f(x)).expand_as(x), dtype=float)[1:-1] for f in self.start.values()])

    def whole(self, t: float, y: np.ndarray) -> dict[str, np.ndarray]:
        """The fields (nodes,) at all nodes, those on the walls from the conditions there."""
        fields = {}
        for (name, (given, inner, values)), y_inner in zip(self.walls.items(), np.split(y, len(self.walls)), strict=True):
            lower, upper = given @ [float(g(t)) if callable(g) else float(g) for g in values] + inner @ y_inner
            fields[name] = np.concatenate([[lower], y_inner, [upper]])
        return fields

    def rates(self, t: float, y: np.ndarray) -> np.ndarray:
        """The rates of the unknowns."""
        x = self.line.name
        state = {x: torch.from_numpy(self.line.nodes), self.time.name: torch.tensor(float(t), dtype=torch.float64)}
        for name, u in self.whole(t, y).items():
            first = self.slope @ u
            known = {name: u, f"{name}_{x}": first, f"{name}_{x}{x}": self.slope @ first}
            state |= {label: torch.from_numpy(column) for label, column in known.items()}
        found = self.rate(SimpleNamespace(**state))
        found = found if isinstance(found, tuple) else (found,)
        return np.concatenate([f.numpy()[1:-1] for f in found])

    def integrate(self, plan: Stepping) -> np.ndarray:
        """The fields (panels, nodes in time, nodes in space, fields)."""
        found = integrate(self.rates, self.begin(), self.time, plan)
        edges = np.linspace(self.time.lower, self.time.upper, plan.panels + 1)
        times = [chebyshev_line(self.time.name, a, b, plan.degree).nodes for a, b in itertools.pairwise(edges)]
        return np.array([
            [np.stack(list(self.whole(t, y).values()), axis=-1) for t, y in zip(nodes, panel, strict=True)]
            for nodes, panel in zip(times, found, strict=True)
        ])  # fmt: skip
