"""The diagnosis of a solution in windows of time: each is a problem of its own, that starts from the end of the one before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from pinnsine.ansatz import Ansatz
from pinnsine.continuation import continued, time_orders, window_problem
from pinnsine.diagnose import ROUNDED, Diagnosis, Finding, diagnose
from pinnsine.errors import ProblemError
from pinnsine.history import History
from pinnsine.solution import Solution

SHOWN = 5  # windows in words; of the others, the largest violation
OWN = 0.5  # of the error of a window, that it must not have from the start to count as its own
START_POINTS = 500


@dataclass(frozen=True)
class Window:
    """A window by its number, from zero on, its ends and its diagnosis."""

    number: int
    lower: float
    upper: float
    diagnosis: Diagnosis

    @property
    def violation(self) -> float:
        """That of the constraint that is violated most."""
        return max(self.diagnosis.violations.values())


@dataclass(frozen=True)
class MarchDiagnosis:
    """What was found in each window of time, the one with the largest violation first."""

    windows: tuple[Window, ...]

    @property
    def causes(self) -> tuple[str, ...]:
        """The names of the causes, in the order of the windows."""
        return tuple(dict.fromkeys(cause for window in self.windows for cause in window.diagnosis.causes))

    def plot(self, path: str | Path) -> Path:
        """A picture of the residuals on the worst window (.png, .pdf, .svg)."""
        from pinnsine.residual_map import plot_diagnosis

        worst = self.windows[0]
        return plot_diagnosis(worst.diagnosis, path, f"{self._named(worst)}: ")

    def __str__(self) -> str:
        lines = []
        for window in self.windows[:SHOWN]:
            lines.append(f"{self._named(window)}:")
            lines += [f"  {line}" for line in str(window.diagnosis).splitlines()]
        if rest := self.windows[SHOWN:]:
            lines.append(f"and {len(rest)} more, violated by at most {rest[0].violation:.1e}.")
        return "\n".join(lines)

    def _named(self, window: Window) -> str:
        return f"window {window.number + 1} of {len(self.windows)}, from {window.lower:.4g} to {window.upper:.4g}"


def diagnose_windows(solution: Solution) -> MarchDiagnosis:
    """The diagnosis of every window of a march."""
    edges, found = solution.ansatz.edges, []
    for k in range(len(edges) - 1):
        part = _window(solution, k)
        diagnosis = diagnose(part)
        if k > 0 and (finding := _inherited(part)) is not None:  # then the problem and its reference are no others than before
            own = (f for f in diagnosis.findings if f.cause != "equation")
            diagnosis = replace(diagnosis, findings=(finding, *own))
        found.append(Window(k, edges[k], edges[k + 1], diagnosis))
    return MarchDiagnosis(tuple(sorted(found, key=lambda window: -window.violation)))


def _window(solution: Solution, k: int) -> Solution:
    """The solution on one window, as that of the problem that was solved there."""
    problem, windowed, orders = solution.problem, solution.ansatz, time_orders(solution.problem)
    part = window_problem(problem, windowed.edges, k)
    if k > 0:
        part = continued(part, _alone(window_problem(problem, windowed.edges, k - 1), windowed.windows[k - 1]), orders)
    rows = solution.history["window"] == k
    history = History({name: column[rows] for name, column in solution.history.items()})
    settings = {**solution.settings, "loss": float(history["loss"][-1])}
    return Solution(part, _alone(part, windowed.windows[k]), history, solution.outcome, solution.estimate, settings)


def _alone(part, ansatz: Ansatz) -> Ansatz:
    """The trial function of a window without the windows before, which its own problem may hold."""
    return Ansatz(part, ansatz.pieces, ansatz.scales, ansatz.net)


def _inherited(part: Solution) -> Finding | None:
    """An error that a window had from its start."""
    reference, domain = part.problem.reference, part.problem.domain
    start = domain.side(**{domain.time: domain.axis(domain.time).lower})
    try:
        errors = part.compare().relative_l2
        at_start = part.compare(points=start.sample(START_POINTS, "sobol", torch.Generator().manual_seed(0))).relative_l2
    except ProblemError:  # there is no reference that knows a field
        return None
    name = max(errors, key=errors.get)
    if not errors[name] > max(ROUNDED, 5 * reference.floor.get(name, 0.0)) or at_start[name] < OWN * errors[name]:
        return None
    return Finding(
        "inherited error",
        f"{name} is {at_start[name]:.1g} off the reference where the window starts, and {errors[name]:.1g} in all of it.",
        "Look at the windows before.",
        {"start": at_start, "errors": errors},
    )
