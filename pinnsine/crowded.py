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
from pinnsine.cost import factorisation_seconds
from pinnsine.distributed import agreed
from pinnsine.errors import EvaluationError
from pinnsine.history import History
from pinnsine.loop import Limits
from pinnsine.nets import FrozenSines
from pinnsine.optim import GaussNewton
from pinnsine.outcome import Outcome
from pinnsine.policy import FEW_ROWS, PROMISING, Attempt, fields_per_row, fitting
from pinnsine.problem import Problem
from pinnsine.resolved import CHORDS
from pinnsine.solution import Solution
from pinnsine.state import Result
from pinnsine.stepping import POOR, STEPS, STOPS, Stepper, Window

CROWD = 4000  # sines on a window, for all fields together
FEWEST, MOST = 2, 6  # windows: fewer are no gain on the whole domain, with more it is space that is left
BESIDE = 2.0  # times a factorisation: what a window takes with its start, its Jacobian and its chords
ENOUGH = 1e-12  # a loss below which a window is left as it is
NARROWEST = 0.1  # the bandwidth in time against the largest: a polynomial of low degree, with fewer digits of the coefficients lost


def crowded(call: Call, best: Result, kept: Mapping | None) -> tuple[Solution | None, Outcome]:
    """The answer, and why the march ended; no answer where it does not reach the end of time, or leaves no less than ``best``, by few sines.

    ``kept``: the march to go on with.
    """
    problem, asked, clock = call.problem, call.asked, call.limits.clock
    iterations = call.limits.iterations - best.state.history.rows
    limits = replace(call.limits, iterations=iterations, reserve=estimating(clock.budget, asked.estimate))
    few, each = best.attempt.net, fields_per_row(problem, call.scales)
    width = fitting(FrozenSines(CROWD // len(problem.fields)), asked.points, each).width
    net = replace(few, width=width, omega=few.bandwidths(len(problem.domain.axes)))
    count = kept["stepping"]["windows"] if kept else _affordable(best, net, limits)
    if not count:
        return None, Outcome.HALTED
    best.ansatz.load(best.best)
    turn = functools.partial(call.checkpoints.turn, best=best)
    stepper = Crowded(problem, asked, limits, call.callbacks, count, net, best.ansatz)
    outcome = stepper.resumed(kept, turn)
    if stepper.chain.whole and stepper.chain.held_out < best.state.best_held_out:
        return stepper.chain.joined(limits, outcome, stepper.reason, asked.estimate), outcome
    if outcome in (Outcome.CONVERGED, Outcome.HALTED):
        outcome = Outcome.HALTED
        turn(stepper.march(outcome))
    return None, outcome


def _affordable(best: Result, net: FrozenSines, limits: Limits) -> int:
    """How many windows there is time for, up to as many as are of use; 0 where they are too few, or few sines have left too much."""
    grown, left = net.width / best.attempt.net.width, limits.left()
    if grown <= 1 or best.state.best_held_out > PROMISING:
        return 0
    seconds = BESIDE * factorisation_seconds(math.ceil(grown * best.state.objective.count), math.ceil(grown * best.ansatz.size), best.best)
    count = MOST if math.isinf(left) else min(MOST, int(left / seconds))
    return count if count >= FEWEST else 0


class Crowded(Stepper):
    """The march in windows of an even length, each begun from the one before, the first from the solution by few sines on all of the time."""

    keeps = (*Stepper.keeps, "windows")

    def __init__(self, problem: Problem, asked: Arguments, limits: Limits, callbacks: Sequence, windows: int, net: FrozenSines, few: Ansatz):
        super().__init__(problem, asked, limits, callbacks, problem.domain.axis(problem.domain.time).length / windows, net)
        self.few, self.whole, self.windows = few, net, windows

    def _window(self) -> tuple[Window | None, Outcome]:
        """The next window; a poor one ends the march."""
        window, outcome = self._tried(math.inf)
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
        names, axis = self.problem.domain.names, self.problem.domain.axis(self.problem.domain.time)
        part = (upper - self.chain.lower) / axis.length
        omegas = self.whole.omega
        least = NARROWEST * max(omegas)
        return replace(self.whole, omega=tuple(max(part * o, least) if n == axis.name else o for n, o in zip(names, omegas, strict=True)))
