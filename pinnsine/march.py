"""Time windows: an evolution equation solved on one interval of time after another.

Each window is a problem of its own that starts from the end of the one before: there every field, and its time derivatives below the highest
in the equations, are prescribed. A short window has little to represent, so that a long or chaotic evolution is a chain of easy problems.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from pinnsine.ansatz import Ansatz
from pinnsine.arguments import DEFAULT_TIME
from pinnsine.budget import Clock, seconds
from pinnsine.constraint import row_points
from pinnsine.continuation import continued, time_orders, window_problem
from pinnsine.errors import ProblemError
from pinnsine.estimate import MOST_ROWS, correct
from pinnsine.history import History
from pinnsine.nets import FrozenSines
from pinnsine.objective import Objective, bind
from pinnsine.outcome import Outcome
from pinnsine.policy import share_points
from pinnsine.problem import Problem
from pinnsine.solution import Solution
from pinnsine.solve import solve
from pinnsine.windows import Windowed

ESTIMATE_SHARE = 0.2  # of a time budget, kept for the error estimate at the end
ESTIMATE_SEED = 7
SUMMED = ("parameters", "iterations", "evaluations", "seconds")


def march(problem: Problem, windows: int | Sequence[float], *, time=None, out: str | Path | None = None, **options) -> Solution:
    """Solve an evolution problem window by window.

    Args:
        problem: one with a time coordinate and conditions at its start.
        windows: their number, or their ends in increasing order, the first and last those of the domain.
        time: wall time for all windows, shared evenly, as for ``solve``.
        out: a run file (.h5) to write at the end.
        options: what ``solve`` takes, the same for every window.

    Returns:
        One solution on the whole domain. Its estimate follows the error from window to window.

    Raises:
        ProblemError: there is no time, the ends are not increasing, or there are unknown numbers, which all windows would have to share.
    """
    if options.get("resume"):
        raise ProblemError("A march cannot be resumed, only what solve() has begun: start it anew, without resume=.")
    edges = _edges(problem, windows)
    orders = time_orders(problem)
    clock = Clock(seconds(time if time is not None or options.get("iterations") is not None else DEFAULT_TIME))
    solved: list[Solution] = []
    for k in range(len(edges) - 1):
        part = window_problem(problem, edges, k)
        if solved:
            part = continued(part, solved[-1].ansatz, orders)
        left = None if math.isinf(clock.budget) else max(clock.left - ESTIMATE_SHARE * clock.budget, 1e-3) / (len(edges) - 1 - k)
        solved.append(solve(part, time=left, estimate=False, **_carried(options, solved)))
        if solved[-1].outcome in (Outcome.INTERRUPTED, Outcome.CALLBACK):
            break
    solution = _joined(problem, solved, edges, orders, clock)
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


def _carried(options: Mapping, solved: Sequence[Solution]) -> dict:
    """The options of the next window: a bandwidth that was found serves all of them."""
    net = options.get("net")
    if isinstance(net, nn.Module):  # every window trains a copy: one module cannot hold them all
        return {**options, "net": copy.deepcopy(net)}
    if not solved or net is not None or not isinstance(solved[-1].ansatz.net, FrozenSines):
        return dict(options)
    return {**options, "net": solved[-1].ansatz.net}


def _joined(problem: Problem, solved: Sequence[Solution], edges: Sequence[float], orders: Mapping[str, int], clock: Clock) -> Solution:
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
    settings["held_out"] = max(s.settings["held_out"] for s in solved)
    estimate = _estimated(problem, solved, edges, orders)
    settings["seconds"] = clock.elapsed
    worst = next((s.outcome for s in solved if s.outcome is not Outcome.CONVERGED), Outcome.CONVERGED)
    return Solution(problem, ansatz, history, worst, estimate, settings)


def _estimated(problem: Problem, solved: Sequence[Solution], edges: Sequence[float], orders: Mapping[str, int]) -> dict[str, float]:
    """The estimated relative L2 error of every field: each window's error equation starts from the corrected end of the window before."""
    squares = {f.name: [0.0, 0.0] for f in problem.fields}
    if any(c.loss is not None for c in problem.soft) or next(solved[0].ansatz.parameters()).dtype != torch.float64:
        return dict.fromkeys(problem.names.shown, math.nan)
    before = None
    for k, solution in enumerate(solved):
        part = window_problem(problem, edges, k)
        part = part if before is None else continued(part, before, orders)
        correction = correct(_at_fresh_points(part, solution), solution.ansatz.flat())
        before, length = correction.ansatz, edges[k + 1] - edges[k]
        for name, sums in squares.items():
            sums[0] += length * correction.errors[name] ** 2
            sums[1] += length * correction.sizes[name] ** 2
    totals = problem.names.joined(squares, lambda re, im: [a + b for a, b in zip(re, im, strict=True)])
    return {name: math.sqrt(error / size) if size > 0 else math.nan for name, (error, size) in totals.items()}


def _at_fresh_points(problem: Problem, solution: Solution) -> Objective:
    """The rows of a window with another start, at points that it was not solved at."""
    old = solution.ansatz
    generator = torch.Generator().manual_seed(ESTIMATE_SEED)
    counts = share_points(problem, MOST_ROWS)
    like = next(old.parameters())
    drawn = {c.name: row_points(c, problem.domain, counts[c.name], "sobol", generator) for c in problem.soft}
    points = {n: p.to(like.dtype, like.device) for n, p in drawn.items()}
    return bind(Ansatz(problem, old.pieces, old.scales, old.net), points)
