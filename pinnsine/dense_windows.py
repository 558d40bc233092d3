"""Windows of time in more than three coordinates, on one factorisation each: as many sines as there is time for, from a solution by few.

There the number of sines is what leaves most, and what one factorisation takes grows with its cube. On a short window all of them are left to
space, and the solution of the window before, continued in time, is so near that one Newton step and its chords suffice: of Beltrami's flow
1,000 sines a field on windows of a sixth left 5e-6 of the pressure, 1,200 on the whole time 6e-5 in more time.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pinnsine.ansatz import Ansatz
from pinnsine.arguments import Arguments
from pinnsine.attempt import Call, begun
from pinnsine.attempts import iterated
from pinnsine.chain import asked_of, estimating
from pinnsine.checkpoint import Checkpoints
from pinnsine.distributed import agreed
from pinnsine.errors import EvaluationError
from pinnsine.history import History
from pinnsine.loop import Limits
from pinnsine.nets import FrozenSines
from pinnsine.optim import GaussNewton
from pinnsine.outcome import Outcome
from pinnsine.policy import FEW_ROWS, FILLED, PROMISING, Attempt, fields_per_row, fitting
from pinnsine.problem import Problem
from pinnsine.resolved import CHORDS
from pinnsine.shares import ROWS_PER_SINE
from pinnsine.solution import Solution
from pinnsine.state import Result
from pinnsine.stepping import POOR, STEPS, STOPS, Stepper, Window

SINES = 4000  # sines on a window, for all fields together
FEWEST, MOST = 2, 6  # windows: fewer are no gain on the whole domain, with more it is space that is left
ENOUGH = 1e-12  # a loss below which a window is left as it is


def is_dense(plan: Sequence[Attempt], call: Call, kept: tuple[Mapping, History] | None) -> bool:
    """Whether such windows come after few sines on the whole domain; not in a run (``kept``) that is past them."""
    current = kept and not kept[0]["march"] and kept[0]["current"]
    return len(call.problem.domain.axes) > FILLED and not plan[0].linear and not (current and current["number"] > 0)


def densely(call: Call, best: Result, kept: Mapping | None) -> tuple[Solution | None, Outcome]:
    """The answer, and why the march ended; no answer where it does not reach the end of time, or leaves no less than ``best``, by few sines.

    ``kept``: the march to go on with.
    """
    problem, asked, clock = call.problem, call.asked, call.limits.clock
    iterations = call.limits.iterations - best.state.history.rows
    limits = replace(call.limits, iterations=iterations, reserve=estimating(clock.budget, asked.estimate))
    few, each = best.attempt.net, fields_per_row(problem, call.scales)
    room = min(SINES, int(math.sqrt(asked.memory / (8 * ROWS_PER_SINE)))) // len(problem.fields)
    net = _grown(few, fitting(FrozenSines(room), asked.points, each).width, problem) if room > few.width else few
    if not kept and not _is_affordable(best, net, limits):
        return None, Outcome.HALTED
    best.ansatz.load(best.best)
    turn = functools.partial(call.checkpoints.turn, best=best)
    stepper = DenseWindows(problem, asked, limits, call.callbacks, net, best.ansatz)
    outcome = stepper.resumed(kept, turn)
    if stepper.chain.whole and stepper.chain.held_out < best.state.best_held_out:
        return stepper.chain.joined(limits, outcome, stepper.reason, asked.estimate), outcome
    if outcome in (Outcome.CONVERGED, Outcome.HALTED):
        outcome = Outcome.HALTED
        turn(stepper.march(outcome))
    return None, outcome


def _grown(few: FrozenSines, width: int, problem: Problem) -> FrozenSines:
    """More sines that lie as densely among the wave numbers along a coordinate, if all of them are left to all others than time.

    Of Beltrami's flow a window with the factor 1.4 for space left 3e-12 of the rows, with this one, 2.3, 1e-12.
    """
    domain = problem.domain
    factor = width ** (1 / (len(domain.axes) - 1)) / few.width ** (1 / len(domain.axes))
    omega = zip(domain.names, few.bandwidths(len(domain.axes)), strict=True)
    return replace(few, width=width, omega=tuple(o if n == domain.time else factor * o for n, o in omega))


def _is_affordable(best: Result, net: FrozenSines, limits: Limits) -> bool:
    """Whether there is time for windows of many sines, by the cube of their number, and few have not left too much."""
    grown = net.width / best.attempt.net.width
    return grown > 1 and best.state.best_held_out < PROMISING and FEWEST * grown**3 * best.trial_seconds < limits.left()


class DenseWindows(Stepper):
    """The march in windows of an even length, each begun from the one before, the first from the solution by few sines on all of the time."""

    keeps = (*Stepper.keeps, "dense")
    dense = True  # what tells a march that is kept from others

    def __init__(self, problem: Problem, asked: Arguments, limits: Limits, callbacks: Sequence, net: FrozenSines, few: Ansatz):
        super().__init__(problem, asked, limits, callbacks, problem.domain.axis(problem.domain.time).length / MOST, net)
        self.few, self.whole = few, net

    def _window(self) -> tuple[Window | None, Outcome]:
        """The next window, of the length of the first, or longer where there is no time for so many; a poor one ends the march."""
        chain, left = self.chain, self.limits.left()
        rest = chain.upper - chain.lower
        count = round(rest / self.length)
        if self.seconds and count * self.seconds > left:
            count = max(1, int(left / self.seconds))
        upper = chain.upper if count <= 1 else chain.lower + rest / count
        if left <= 0:
            return Window(None, None, upper, math.inf), Outcome.TIME
        window, outcome = self._solved(upper, math.inf)
        poor = outcome is Outcome.CONVERGED and window.loss > POOR
        return (None, Outcome.HALTED) if poor else (window, outcome)

    def _solved(self, upper: float, before: float) -> tuple[Window, Outcome]:
        chain, started = self.chain, self.limits.clock.elapsed
        part, earlier = chain.part(upper), chain.solved[-1].ansatz if chain.solved else self.few
        limits = replace(self.limits, iterations=self.limits.iterations - self.iterations, target=None)
        call = Call(part, self.scales, asked_of(part, self.asked), limits, self.callbacks, Checkpoints(None, None), earlier=earlier)
        points = math.ceil(FEW_ROWS * self.whole.width * self.each)
        newton = GaussNewton(STEPS, chords=CHORDS, enough=ENOUGH)
        attempt = Attempt(self._narrowed(upper), (newton,), self.asked.sampler or "sobol", self.reason, points)
        try:
            result = begun(0, attempt, call, History(), None)
            outcome = iterated(result, None, call)
        except EvaluationError:
            return Window(None, call, upper, math.inf), Outcome.CONVERGED
        self.iterations += result.state.history.rows
        self.seconds = agreed(self.limits.clock.elapsed - started)
        outcome = outcome if outcome in (*STOPS, Outcome.TIME) else Outcome.CONVERGED
        if self.iterations >= self.limits.iterations:
            outcome = Outcome.ITERATIONS
        return Window(replace(result, outcome=outcome), call, upper, result.state.best_held_out), outcome

    def _narrowed(self, upper: float) -> FrozenSines:
        """The sines of a window, of the same wave numbers in time as on all of it."""
        domain = self.problem.domain
        part = (upper - self.chain.lower) / domain.axis(domain.time).length
        omega = zip(domain.names, self.whole.omega, strict=True)
        return replace(self.whole, omega=tuple(part * o if n == domain.time else o for n, o in omega))
