"""Time windows: an evolution equation solved on one interval of time after another.

Each window is a problem of its own that starts from the end of the one before: there every field, and its time derivatives below the highest
in the equations, are prescribed. A short window has little to represent, so that a long or chaotic evolution is a chain of easy problems.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from pinnsine.ansatz import TrialFunction
from pinnsine.budget import Clock, seconds
from pinnsine.constraint import Constraint, InitialCondition, row_points
from pinnsine.domain import Box, Face, Faces, Region
from pinnsine.errors import ProblemError
from pinnsine.history import History
from pinnsine.jet import Shifted, values
from pinnsine.nets import FrozenSines
from pinnsine.outcome import Outcome
from pinnsine.points import Points
from pinnsine.probe import FieldScale, trace
from pinnsine.problem import Problem
from pinnsine.solution import Solution
from pinnsine.solve import DEFAULT_TIME, solve
from pinnsine.windows import Windowed

SUMMED = ("parameters", "iterations", "evaluations", "seconds")


@dataclass(frozen=True)
class Continuation(Constraint):
    """The fields, and their time derivatives below ``orders``, are those of the trial function ``before`` at the same points."""

    before: TrialFunction = field(kw_only=True)
    orders: Mapping[str, int] = field(kw_only=True)

    def residual(self, s):
        domain = self.before.problem.domain
        points = Points({n: values(getattr(s, n)) for n in domain.names})
        indices = {f: [(domain.time,) * k for k in range(order)] for f, order in self.orders.items()}
        with torch.no_grad():
            end = self.before.local(self.before.views(self.before.flat()), points, {f: set(i) for f, i in indices.items()})
            wanted = {(f, i): Shifted(getattr(end, f), i).values for f, those in indices.items() for i in those}
        return {"_".join((f, *i)): Shifted(getattr(s, f), i) - value for (f, i), value in wanted.items()}


def march(problem: Problem, windows: int | Sequence[float], *, time=None, out: str | Path | None = None, **options) -> Solution:
    """Solve an evolution problem window by window.

    Args:
        problem: one with a time coordinate and conditions at its start.
        windows: their number, or their ends in increasing order, the first and last those of the domain.
        time: wall time for all windows, shared evenly, as for ``solve``.
        out: a run file (.h5) to write at the end.
        options: what ``solve`` takes, the same for every window.

    Returns:
        One solution on the whole domain. Its estimate adds up those of the windows, as if errors were carried on unchanged.

    Raises:
        ProblemError: there is no time, the ends are not increasing, or there are unknown numbers, which all windows would have to share.
    """
    if options.get("resume"):
        raise ProblemError("A march cannot be resumed, only what solve() has begun: start it anew, without resume=.")
    edges = _edges(problem, windows)
    orders = _time_orders(problem)
    clock = Clock(seconds(time if time is not None or options.get("iterations") is not None else DEFAULT_TIME))
    solved: list[Solution] = []
    for k in range(len(edges) - 1):
        part = window_problem(problem, edges, k)
        if solved:
            part = _continued(part, solved[-1].ansatz, orders)
        left = None if math.isinf(clock.budget) else max(clock.left, 1e-3) / (len(edges) - 1 - k)
        solved.append(solve(part, time=left, **_carried(options, solved)))
        if solved[-1].outcome in (Outcome.INTERRUPTED, Outcome.CALLBACK):
            break
    solution = _joined(problem, solved, edges, clock)
    if out is not None:
        solution.save(out)
    return solution


def _edges(problem: Problem, windows: int | Sequence[float]) -> list[float]:
    domain = problem.domain
    if domain.time is None:
        raise ProblemError("A march needs a time coordinate: multiply the domain by Time(0, 1), or call solve().")
    if problem.unknowns:
        raise ProblemError(f"A march cannot find unknown numbers ({', '.join(u.name for u in problem.unknowns)}): call solve().")
    axis = domain.axis(domain.time)
    if isinstance(windows, int):
        if windows < 1:
            raise ProblemError(f"windows= is a positive number of windows or a list of their ends, got {windows}.")
        return [axis.lower + axis.length * k / windows for k in range(windows)] + [axis.upper]
    edges = [float(e) for e in windows]
    rising = all(a < b for a, b in itertools.pairwise(edges))
    if len(edges) < 2 or not rising or abs(edges[0] - axis.lower) + abs(edges[-1] - axis.upper) > 1e-9 * axis.length:
        raise ProblemError(f"windows= must rise from {axis.lower:g} to {axis.upper:g}, got {edges}.")
    return [axis.lower, *edges[1:-1], axis.upper]


def _time_orders(problem: Problem) -> dict[str, int]:
    """The highest time derivative of every field in the equations; a field without one carries nothing from window to window."""
    scales = {f.name: FieldScale() for f in problem.fields}
    orders: dict[str, int] = {}
    for constraint in problem.constraints:
        points = row_points(constraint, problem.domain, 8, "sobol", torch.Generator().manual_seed(0))
        for name, indices in trace(problem, constraint, points, scales).need.items():
            highest = max((i.count(problem.domain.time) for i in indices if isinstance(i, tuple)), default=0)
            orders[name] = max(orders.get(name, 0), highest)
    found = {n: order for n, order in orders.items() if order}
    if not found:
        raise ProblemError("No equation has a time derivative, so there is nothing to carry from one window to the next: call solve().")
    return found


def window_problem(problem: Problem, edges: Sequence[float], k: int) -> Problem:
    """The problem on window k, with the conditions of its own time alone."""
    time = problem.domain.time
    box = Box(*(replace(a, lower=edges[k], upper=edges[k + 1]) if a.name == time else a for a in problem.domain.axes))
    constraints = (_restricted(c, problem.domain, box, first=k == 0) for c in problem.constraints)
    return Problem(box, problem.fields, [c for c in constraints if c is not None], reference=problem.reference, name=problem.name)


def _continued(problem: Problem, before: TrialFunction, orders: Mapping[str, int]) -> Problem:
    """The problem on a window that starts from the end of the one before."""
    domain = problem.domain
    start = domain.side(**{domain.time: domain.axis(domain.time).lower})
    continuation = Continuation("continuation", on=start, before=before, orders=orders)
    return Problem(domain, problem.fields, [*problem.constraints, continuation], reference=problem.reference, name=problem.name)


def _restricted(constraint: Constraint, domain: Box, box: Box, first: bool) -> Constraint | None:
    """A constraint on the part of its region that lies in a window; None where nothing of it does."""
    if isinstance(constraint, InitialCondition) and constraint.on is None:
        return constraint if first else None
    if constraint.on is None:
        return constraint
    region = _part(constraint.on, domain, box)
    return None if region is None else replace(constraint, on=region)


def _part(region: Region | Points, domain: Box, box: Box) -> Region | Points | None:
    time = domain.time
    low, high = box.axis(time).lower, box.axis(time).upper
    if isinstance(region, Points):
        t = region[time]
        inside = (t <= high) & ((t > low) | (low == domain.axis(time).lower))
        return region.select(inside.nonzero()[:, 0]) if bool(inside.any()) else None
    if isinstance(region, Faces):
        faces = [f for f in (_part(face, domain, box) for face in region.faces) if f is not None]
        return Faces(tuple(faces)) if faces else None
    if isinstance(region, Face):
        if region.name == time:
            return Face(box, time, region.value, region.sign) if region.value == (low if region.sign < 0 else high) else None
        own = _part(region.box, domain, box)
        return None if own is None else Face(own, region.name, region.value, region.sign)
    if isinstance(region, Box):
        axis = region.axis(time)
        lower, upper = max(axis.lower, low), min(axis.upper, high)
        return Box(*(replace(a, lower=lower, upper=upper) if a.name == time else a for a in region.axes)) if lower < upper else None
    raise ProblemError(f"A march cannot cut a region of type {type(region).__name__} into windows.")


def _carried(options: Mapping, solved: Sequence[Solution]) -> dict:
    """The options of the next window: a bandwidth that was found serves all of them."""
    net = options.get("net")
    if isinstance(net, nn.Module):  # every window trains a copy: one module cannot hold them all
        return {**options, "net": copy.deepcopy(net)}
    if not solved or net is not None or not isinstance(solved[-1].ansatz.net, FrozenSines):
        return dict(options)
    return {**options, "net": solved[-1].ansatz.net}


def _joined(problem: Problem, solved: Sequence[Solution], edges: Sequence[float], clock: Clock) -> Solution:
    """One solution of all windows."""
    ansatz = Windowed(problem, [s.ansatz for s in solved], edges[: len(solved) + 1])
    history, start = History(), 0.0
    for k, solution in enumerate(solved):
        table = solution.history
        for i in range(table.rows):
            row = {name: float(table[name][i]) for name in table}
            history.append({**row, "iteration": history.rows + 1, "seconds": row["seconds"] + start, "window": k})
        start += float(solution.settings["seconds"])
    settings = {**solved[-1].settings, **{n: sum(s.settings[n] for s in solved) for n in SUMMED}, "windows": len(solved)}
    settings["seconds"] = clock.elapsed
    settings["held_out"] = max(s.settings["held_out"] for s in solved)
    estimate = {f.name: sum(s.estimate[f.name] for s in solved) for f in problem.fields}
    worst = next((s.outcome for s in solved if s.outcome is not Outcome.CONVERGED), Outcome.CONVERGED)
    return Solution(problem, ansatz, history, worst, estimate, settings)
