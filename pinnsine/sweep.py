"""A family of problems solved in turn, each from the solution of the one before: parameter sweeps and continuation.

A nonlinear problem that Newton's method does not solve from rest is often easy from the solution for a nearby parameter (natural parameter
continuation: E. L. Allgower & K. Georg 1990, Numerical Continuation Methods). Where a step is too long, it is halved.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pinnsine.arguments import DEFAULT_TIME
from pinnsine.budget import Clock, seconds
from pinnsine.errors import EvaluationError, ProblemError
from pinnsine.nets import FrozenSines
from pinnsine.outcome import Outcome
from pinnsine.policy import FROZEN_SINES
from pinnsine.problem import Problem, load_problem
from pinnsine.solution import Solution
from pinnsine.solve import solve

HALVINGS = 4
SOLVED = 1e-6  # held-out rows, whose own size is about 1, below which a step has succeeded
WORSE = 30.0  # times the held-out rows of the step before, up to which it has as well
FORBIDDEN = ("start", "out", "resume")
Place = Mapping[str, float]


def sweep(
    factory: Callable[..., Problem] | str | Path, values: Mapping[str, Sequence[float]], *, time=None, halvings: int = HALVINGS, **options
) -> list[Solution]:
    """Solve ``factory(**coefficients)`` for one set of coefficients after another, each from the solution before.

        ps.sweep("steady_burgers", {"nu": [0.1, 0.05, 0.01]}, time="2m")

    Args:
        factory: a function of the coefficients that returns a problem, or what ``load_problem`` takes.
        values: by coefficient, its values in turn; several coefficients change together and have as many values each.
        time: wall time for all values, shared evenly, as for ``solve``.
        halvings: how often a step that fails is halved; 0 takes every step as it is.
        options: what ``solve`` takes; ``net`` is that of the first value.

    Returns:
        The solutions in the order of the values, those in between left out. Where a value was not reached in so many halvings there is a
        warning, and the best that was found; the next value starts from there.

    Raises:
        ProblemError: there are no values, or not as many of each coefficient, or an option is not one of a sweep.
    """
    places = _places(values)
    if named := [n for n in FORBIDDEN if n in options]:
        raise ProblemError(f"A sweep takes no {named[0]}=: every solution starts from the one before; save them one by one.")
    make = factory if callable(factory) else lambda **coefficients: load_problem(factory, **coefficients)
    clock = Clock(seconds(time if time is not None or options.get("iterations") is not None else DEFAULT_TIME))
    found: list[Solution] = []
    for k, place in enumerate(places):

        def solved(at: Place, share: int = len(places) - k, **changes) -> Solution:
            left = None if math.isinf(clock.budget) else max(clock.left / share, 1e-3)
            return solve(make(**at), time=left, **{**options, **changes})

        if not found:
            found.append(solved(place))
            continue
        before = found[-1]
        found.append(_reached(solved, places[k - 1], before, place, halvings))
        if not _succeeded(found[-1], before):
            where = ", ".join(f"{n} = {v}" for n, v in place.items())
            rows = found[-1].settings["held_out"]
            warnings.warn(f"The sweep did not reach {where}: its rows are left at {rows:.1e}; give values in between.", stacklevel=2)
        if found[-1].outcome in (Outcome.INTERRUPTED, Outcome.CALLBACK):
            break
    return found


def _places(values: Mapping[str, Sequence[float]]) -> list[Place]:
    """The coefficients of every problem of a sweep."""
    columns = {n: list(column) for n, column in values.items()} if isinstance(values, Mapping) else {}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1 or lengths == {0}:
        raise ProblemError(f'A sweep takes as many values of each coefficient, as in {{"nu": [0.1, 0.05]}}, got {values!r}.')
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _reached(solved: Callable[..., Solution], origin: Place, before: Solution, place: Place, halvings: int) -> Solution:
    """The solution at a place, from that at the origin, by way of places in between where one step does not do."""
    best = None
    for changes in _changes(before):
        try:
            solution = solved(place, start=before, **changes)
        except EvaluationError:  # the rows are not finite from there: the step was too long
            continue
        if best is None or solution.settings["held_out"] < best.settings["held_out"]:
            best = solution
        if _succeeded(solution, before) or solution.outcome in (Outcome.INTERRUPTED, Outcome.CALLBACK):
            return solution
    middle = _between(origin, place)
    if halvings > 0 and middle not in (origin, place):
        halfway = _reached(solved, origin, before, middle, halvings - 1)
        if _succeeded(halfway, before):
            return _reached(solved, middle, halfway, place, halvings - 1)
    return best or solved(place)


def _changes(before: Solution) -> list[dict]:
    """What is tried of a step: the same network, then twice as many frozen sines, of a bandwidth found anew."""
    net, most = before.ansatz.net, FROZEN_SINES[-1] // len(before.problem.fields)
    wider = isinstance(net, FrozenSines) and net.width < most
    return [{"net": None}, *([{"net": replace(net, width=min(2 * net.width, most), omega=None)}] if wider else [])]


def _succeeded(solution: Solution, before: Solution) -> bool:
    rows = solution.settings["held_out"]
    return solution.outcome is not Outcome.BROKEN and rows <= max(SOLVED, WORSE * before.settings["held_out"])


def _between(origin: Place, place: Place) -> Place:
    """Half-way: by the geometric mean where a coefficient keeps its sign; what is no number changes at once."""

    def middle(a, b):
        if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in (a, b)):
            return b
        return math.copysign(math.sqrt(a * b), a) if a * b > 0 else (a + b) / 2

    return {n: middle(origin[n], place[n]) for n in place}
