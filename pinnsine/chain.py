"""A chain of windows of time: each begins where the one before ends, and all together are one solution."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import replace

import torch

from pinnsine.ansatz import Ansatz
from pinnsine.arguments import Arguments
from pinnsine.budget import Clock
from pinnsine.constraint import row_points
from pinnsine.continuation import continued, time_orders, window_problem
from pinnsine.cost import OutOfTime
from pinnsine.errors import EvaluationError
from pinnsine.estimate import GRID, MOST_ROWS, ROWS, correct, field_values
from pinnsine.history import History
from pinnsine.loop import Limits
from pinnsine.objective import Objective, bind
from pinnsine.outcome import Outcome
from pinnsine.probe import FieldScale
from pinnsine.problem import Problem
from pinnsine.refined import is_refinable, refine
from pinnsine.shares import share_points
from pinnsine.solution import Solution
from pinnsine.windows import Windowed

ESTIMATE_SHARE = 0.2  # of a time budget, kept for the error estimate at the end
ESTIMATE_SEED = 7
SAMPLES = 1000  # of a window, for the size of the fields on it
SUMMED = ("parameters", "iterations", "evaluations")


class Chain:
    """The windows solved so far, their ends, and the problem of the next one."""

    def __init__(self, problem: Problem):
        axis = problem.domain.axis(problem.domain.time)
        self.problem, self.orders, self.upper = problem, time_orders(problem), axis.upper
        self.edges: list[float] = [axis.lower]
        self.solved: list[Solution] = []
        self.coarser: Chain | None = None  # an earlier march that reached the end, to a larger aim
        self.refined: float | None = None  # the time from which on this one's aim was no smaller

    @property
    def lower(self) -> float:
        """The end of the last window."""
        return self.edges[-1]

    @property
    def whole(self) -> bool:
        """Whether the windows fill the domain."""
        return self.lower == self.upper

    @property
    def held_out(self) -> float:
        """The largest held-out loss of a window."""
        return max(s.settings["held_out"] for s in self.solved)

    def part(self, upper: float) -> Problem:
        """The problem from the end of the last window to ``upper``."""
        part = window_problem(self.problem, [*self.edges, upper], len(self.solved))
        return continued(part, self.solved[-1].ansatz, self.orders) if self.solved else part

    def copy(self) -> Chain:
        """The chain as it is now, to which windows may be added on their own."""
        other = copy.copy(self)
        other.edges, other.solved = list(self.edges), list(self.solved)
        return other

    def append(self, solution: Solution, upper: float) -> None:
        """Add the solution of ``part(upper)``."""
        self.solved.append(solution)
        self.edges.append(upper)

    def grown(self, scales: Mapping[str, FieldScale]) -> dict[str, FieldScale]:
        """The scales of the fields, made larger where the last window has outgrown them."""
        last = self.solved[-1]
        values = last.evaluate(last.problem.domain.grid(SAMPLES))
        sizes = {f.name: float((v - scales[f.name].shift).abs().max()) for f, v in zip(self.problem.fields, values, strict=True)}
        return {n: FieldScale(s.shift, max(s.scale, sizes[n])) for n, s in scales.items()}

    def require_some(self) -> None:
        """Raise EvaluationError where there is no window."""
        if not self.solved:
            raise EvaluationError("Not even a first window of time was solved: give more time, check() the problem, or call solve().")

    def joined(self, limits: Limits, outcome: Outcome, reason: str, estimate: bool = True) -> Solution:
        """One solution of all windows; where they do not fill the domain, its error is not known."""
        settings = {**self.solved[-1].settings, **{n: sum(s.settings[n] for s in self.solved) for n in SUMMED}}
        settings |= {"windows": len(self.solved), "edges": list(self.edges), "held_out": self.held_out}
        if not self.whole:
            reason += f"; solved until {self.problem.domain.time} = {self.lower:.4g} of {self.upper:.4g}, and not known from there on"
        errors = dict.fromkeys(self.problem.names.shown, math.nan)
        try:
            if estimate and self.whole and outcome is not Outcome.INTERRUPTED:
                errors = self._estimated(limits.clock)
        except OutOfTime:
            errors, told = self._compared()
            reason += f"; no time was left to estimate the error{told}"
        settings |= {"reason": reason, "seconds": limits.clock.elapsed}
        if limits.target is not None and all(error <= limits.target for error in errors.values()):
            outcome = Outcome.TARGET
        return Solution(self.problem, self.function, self._history(), outcome, errors, settings)

    def _history(self) -> History:
        history = History()
        for k, solution in enumerate(self.solved):
            table = solution.history
            for i in range(table.rows):
                row = {name: float(table[name][i]) for name in table}
                history.append({**row, "iteration": history.rows + 1, "window": k})
        return history

    def _compared(self) -> tuple[dict[str, float], str]:
        """The relative L2 error of every field by the difference from a march to a larger aim, and a note that says so.

        The difference is the error of that march; this one's is smaller as are the roots of the losses that both have left. Where its aim
        was smaller in a part of the time alone, the difference is what came of the error in this part, and the rest has as much as before.
        """
        if self.coarser is None:
            return dict.fromkeys(self.problem.names.shown, math.nan), ""
        functions = [chain.function for chain in (self, self.coarser)]
        grid = self.problem.domain.grid(GRID).to(torch.float64, next(functions[0].parameters()).device)
        one, other = (field_values(f, f.flat(), grid) for f in functions)
        refined = self.upper if self.refined is None else self.refined
        part = (refined - self.edges[0]) / (self.upper - self.edges[0])
        left = max(s.settings["held_out"] for s, end in zip(self.solved, self.edges[1:], strict=True) if end <= refined)
        smaller = math.sqrt(left / self.coarser.held_out)
        factor = (smaller + 1 - part) / part
        squares = {n: [factor**2 * float((one[n] - other[n]).square().sum()), float(one[n].square().sum())] for n in one}
        told = f": given is {factor:.1g} times the difference from a march whose rows left {self.coarser.held_out:.0e}, where this one's left "
        told += f"{left:.0e}" + (f" until {self.problem.domain.time} = {refined:.4g}" if refined < self.upper else "")
        return self._relative(squares), told

    @property
    def function(self) -> Windowed:
        """The trial functions of all windows as one."""
        return Windowed(self.problem, [s.ansatz for s in self.solved], self.edges)

    def _relative(self, squares: Mapping[str, list[float]]) -> dict[str, float]:
        totals = self.problem.names.joined(squares, lambda re, im: [a + b for a, b in zip(re, im, strict=True)])
        return {name: _relative(*sums) for name, sums in totals.items()}

    def _estimated(self, clock: Clock) -> dict[str, float]:
        """The estimated relative L2 error of every field: each window's error equation starts from the corrected end of the window before.

        Raises OutOfTime where a window cannot be expected to fit the time left, by what the one before took for each of its parameters.
        """
        squares = {f.name: [0.0, 0.0] for f in self.problem.fields}
        if any(c.loss is not None for c in self.problem.soft) or next(self.solved[0].ansatz.parameters()).dtype != torch.float64:
            return dict.fromkeys(self.problem.names.shown, math.nan)
        before, taken = None, 0.0
        for k, solution in enumerate(self.solved):
            left, size = clock.left, solution.ansatz.size
            if not left > taken * size:
                raise OutOfTime("the error estimate")
            part = window_problem(self.problem, self.edges, k)
            part = part if before is None else continued(part, before, self.orders)
            if is_refinable(solution.ansatz):
                correction = refine(part, solution.ansatz)
            else:
                share = 1 / (len(self.solved) - k)
                correction = correct(_at_fresh_points(part, solution), solution.ansatz.flat(), clock, ESTIMATE_SEED, share)
            before, length = correction.ansatz, self.edges[k + 1] - self.edges[k]
            for name, sums in squares.items():
                sums[0] += length * correction.errors[name] ** 2
                sums[1] += length * correction.sizes[name] ** 2
            taken = (left - clock.left) / size if left < math.inf else 0.0
        return self._relative(squares)


def estimating(budget: float, wanted: bool) -> float:
    """The seconds kept for the error estimate of all windows."""
    return ESTIMATE_SHARE * budget if wanted and math.isfinite(budget) else 0.0


def asked_of(part: Problem, asked: Arguments) -> Arguments:
    """The arguments for a window: points that are given by constraint, for its own constraints alone."""
    if not isinstance(asked.points, dict):
        return asked
    return replace(asked, points={n: count for n, count in asked.points.items() if n in {c.name for c in part.constraints}})


def _relative(error: float, size: float) -> float:
    """No value is known better than to rounding; the error of a field that vanishes is not known."""
    return max(math.sqrt(error / size), torch.finfo(torch.float64).eps) if size > 0 else math.nan


def _at_fresh_points(problem: Problem, solution: Solution) -> Objective:
    """The rows of a window with another start, at points that it was not solved at."""
    old = solution.ansatz
    generator = torch.Generator().manual_seed(ESTIMATE_SEED)
    wanted = min(MOST_ROWS, ROWS * solution.settings["points"])
    counts = share_points(problem, wanted)
    like = next(old.parameters())
    drawn = {c.name: row_points(c, problem.domain, counts[c.name], "sobol", generator) for c in problem.soft}
    points = {n: p.to(like.dtype, like.device) for n, p in drawn.items()}
    objective = bind(Ansatz(problem, old.pieces, old.scales, old.net), points)
    return objective.thinned(min(1.0, wanted / objective.count))
