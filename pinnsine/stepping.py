"""Windows of time whose length is chosen: a window whose held-out rows are poor is made shorter, one that is easy lets the next be longer.

On a window the solution is nearly a polynomial in time, so that a few hundred frozen sines leave most of their number to space. Their bandwidth
is found on the first window, carried on, and found anew where a window fails. How far the windows are cut depends on the time: no further
than there is time for all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from pinnsine.arguments import Arguments, device_of
from pinnsine.attempt import Call, begun_on_window
from pinnsine.attempts import answer, iterated
from pinnsine.bandwidth import FAIR
from pinnsine.chain import Chain, asked_of
from pinnsine.checkpoint import Checkpoints
from pinnsine.distributed import agreed
from pinnsine.errors import EvaluationError
from pinnsine.kept_march import March, unpack
from pinnsine.loop import Limits
from pinnsine.nets import FrozenSines, from_record, to_record
from pinnsine.optim import GaussNewton
from pinnsine.outcome import Outcome
from pinnsine.places import about
from pinnsine.policy import Attempt, fields_per_row, fitting, is_linear
from pinnsine.probe import FieldScale
from pinnsine.problem import Problem
from pinnsine.scaling import field_scales
from pinnsine.shares import ROWS_PER_SINE
from pinnsine.state import Result

FINE = 1e-20  # a held-out loss with which a window is taken as it is
AIM = 1e-3  # the part of a target that the rows of a window may leave
POOR = FAIR  # a held-out loss above which a window is no start for another
EASY = 1e-4  # of the loss that is taken: below, the next window may be longer
STEPS = 20  # of Newton's method on a window
SINES = {1: 60, 2: 700, 3: 1400}  # by the number of coordinates: of every field where time is the only one, else of all fields together
MORE, MOST = 2, 4  # times as many sines where shorter windows do not help, and so many at most
HASTE = 2.0  # times the length of the window before, where there is no time for as many as would be good
GROWTH, EVEN = 1.5, 3  # a window that is longer, after so many that went well
ORDER = 3  # a window of half the length is worth it if it leaves less than 2^-ORDER of the loss
SLACK = 10.0  # times a loss that could not be lowered is taken from then on
STUBBORN = 4  # halvings in a row that change nothing, after which a window is given up
SHORTEST = 1e-6  # of the domain's length
STOPS = (Outcome.INTERRUPTED, Outcome.CALLBACK)


@dataclass(frozen=True)
class Window:
    """A window tried: what came of it, its end and its held-out loss."""

    result: Result | None
    call: Call | None
    upper: float
    loss: float


class Stepper:
    """The march of one call, from a first window of a ``length``.

    ``net``: frozen sines where they are given; ``whole``: those of a solution on the whole domain, as many and near its bandwidth.
    """

    keeps = ("length", "tolerance", "even", "seconds", "iterations")  # what the next window depends on, beside network and scales
    steps, chords, surplus = STEPS, 0, 0.0
    ready, easy = EVEN, EASY  # windows that went well, and the part of the loss taken that the last left, before a longer one

    def __init__(self, problem: Problem, asked: Arguments, limits: Limits, callbacks: Sequence, length: float, net=None, whole=None):
        self.problem, self.asked, self.limits, self.callbacks = problem, asked, limits, callbacks
        self.chain, self.length = Chain(problem), length
        self.shortest = SHORTEST * (self.chain.upper - self.chain.lower)
        self.scales = field_scales(problem)
        self.each = fields_per_row(problem, self.scales)
        drawn = FrozenSines(whole.width if whole else sines(problem), **about(problem))
        self.net = net or fitting(drawn, asked.points, self.each)
        self.near = whole.bandwidths(len(problem.domain.axes)) if whole else None
        self.tuned = self.net.omega is None
        fitting_memory = int(math.sqrt(asked.memory / (8 * ROWS_PER_SINE)) / len(problem.fields))
        self.most = 0 if net or asked.points else min(MOST * self.net.width, fitting_memory)
        self.linear = is_linear(problem, self.scales)
        self.tolerance = FINE if limits.target is None else min(max(FINE, (AIM * limits.target) ** 2), POOR)
        self.even, self.seconds, self.iterations = 0, 0.0, 0

    def run(self, turn: Callable[[March], None] = lambda march: None) -> Outcome:
        """March until the end of time, or as far as it goes; why it ended. ``turn`` is handed the march between two windows."""
        outcome = Outcome.CONVERGED
        while outcome is Outcome.CONVERGED:
            turn(self.march())
            if self.chain.whole:
                break
            try:
                window, outcome = self._window()
            except KeyboardInterrupt:
                outcome = Outcome.INTERRUPTED
                break
            ended = outcome is not Outcome.CONVERGED and not self.chain.solved  # then whatever there is must do
            if window is not None and window.result is not None and (window.loss <= POOR or ended):
                self._accept(window)
        return outcome

    def resumed(self, kept: Mapping | None, turn: Callable[[March], None]) -> Outcome:
        """The same, going on from a march that was kept; nothing is left to do of one that ended."""
        if kept:
            self.restore(kept)
        ended = kept and kept["ended"]
        return Outcome[ended] if ended else self.run(turn)

    def march(self, ended: Outcome | None = None) -> March:
        """The march as it stands, from which ``restore`` goes on; ``ended``: how, where it is over."""
        stepping = {name: getattr(self, name) for name in self.keeps}
        scales = {n: [s.shift, s.scale] for n, s in self.scales.items()}
        return March(self.chain.copy(), {**stepping, "net": to_record(self.net), "scales": scales}, ended=ended)

    def restore(self, kept: Mapping) -> None:
        """Go on from a march that was kept (``March.packed``)."""
        unpack(kept, self.chain, None, torch.float64, device_of(self.asked.device))
        for name in self.keeps:
            setattr(self, name, kept["stepping"][name])
        self.net = from_record(kept["stepping"]["net"])
        self.near = self.net.omega if self.chain.solved else self.near
        self.scales = {n: FieldScale(*s) for n, s in kept["stepping"]["scales"].items()}

    @property
    def reason(self) -> str:
        """What was done, in words."""
        method = "least squares" if self.linear else "Newton's method"
        count = len(self.chain.solved)
        return f"evolution: {count} window{'s' * (count != 1)} of time, {method} on frozen sines on each"

    def _accept(self, window: Window) -> None:
        self.length = window.upper - self.chain.lower
        self.chain.append(answer(window.result, window.call), window.upper)
        self.net = window.result.attempt.net
        self.near = self.net.omega
        self.scales = self.chain.grown(self.scales)
        if window.loss < self.easy * self.tolerance and self.even >= self.ready:
            self.length, self.even = GROWTH * self.length, 0

    def _window(self) -> tuple[Window | None, Outcome]:
        """The next window, the best of those tried, and whether the march goes on."""
        tried: list[Window] = []
        while True:
            window, outcome = self._tried(tried[-1].loss if tried else math.inf)
            tried.append(window)
            best = min(tried, key=lambda w: (w.loss > POOR, w.loss / (w.upper - self.chain.lower) ** ORDER))
            if outcome is not Outcome.CONVERGED or window.loss <= self.tolerance:
                self.even = self.even + 1 if len(tried) == 1 else 0
                return best, outcome
            more = MORE * self.net.width <= self.most
            if self._halved(tried, best):
                self.length /= 2
            elif more and self._affords(self.length, MORE**3):
                self.net, tried = replace(self.net, width=MORE * self.net.width), []
            elif best.loss > POOR:
                return None, Outcome.TIME if more else Outcome.HALTED
            else:
                self.even, self.tolerance = 0, min(max(self.tolerance, SLACK * best.loss), POOR)
                return best, Outcome.CONVERGED
            if self.tuned:
                self.net = replace(self.net, omega=None)

    def _halved(self, tried: Sequence[Window], best: Window) -> bool:
        """Whether half the length is to be tried next: where it has helped and there is time for it, or what was found is no use yet."""
        if self.length < self.shortest:
            return False
        if tried[-1].loss > POOR:
            return len(tried) <= STUBBORN or not tried[-1].loss > 0.5 * tried[-1 - STUBBORN].loss
        return best is tried[-1] and self._affords(self.length / 2)

    def _tried(self, before: float) -> tuple[Window, Outcome]:
        """A window of about the present length, an even part of what is left; ``before``: the loss of a longer one.

        The first is longer where there is no time for so many.
        """
        left, chain = self.limits.left(), self.chain
        rest = chain.upper - chain.lower
        count = max(1, math.ceil(rest / self.length - 1e-6))
        if math.isinf(before) and self.seconds and count * self.seconds > left:
            count = max(1, int(left / self.seconds), math.ceil(rest / (HASTE * self.length)))
        upper = chain.upper if count == 1 else chain.lower + rest / count
        self.length = upper - chain.lower
        if left <= 0:
            return Window(None, None, upper, math.inf), Outcome.TIME
        return self._solved(upper, before)

    def _solved(self, upper: float, before: float) -> tuple[Window, Outcome]:
        part = self.chain.part(upper)
        limits = replace(self.limits, iterations=self.limits.iterations - self.iterations, target=None)
        call = Call(part, self.scales, asked_of(part, self.asked), limits, self.callbacks, Checkpoints(None, None))
        points = math.ceil(ROWS_PER_SINE * self.net.width * self.each)
        newton = GaussNewton(self.steps, chords=self.chords, enough=self.surplus * self.tolerance)
        attempt = Attempt(self.net, (newton,), self.asked.sampler or "sobol", self.reason, points, linear=self.linear)
        try:
            result, loss = begun_on_window(attempt, call, self.near, before)
            ready = self.limits.clock.elapsed
            if loss > POOR and self.limits.left() > 0 and self.net.lattice is None:  # more steps would be lost
                self.seconds = max(self.seconds, result.trial_seconds)  # a window that is solved takes no less
                return Window(result, call, upper, loss), Outcome.CONVERGED
            outcome = iterated(result, None, call)
        except EvaluationError:
            return Window(None, call, upper, math.inf), Outcome.CONVERGED
        self.iterations += result.state.history.rows
        self.seconds = agreed(self.limits.clock.elapsed - ready) + result.trial_seconds
        outcome = outcome if outcome in (*STOPS, Outcome.TIME) else Outcome.CONVERGED
        if self.iterations >= self.limits.iterations:
            outcome = Outcome.ITERATIONS
        return Window(replace(result, outcome=outcome), call, upper, result.state.best_held_out), outcome

    def _affords(self, length: float, factor: float = 1.0) -> bool:
        """Whether there is time for windows of this length up to the end, each ``factor`` times as costly as the last."""
        return math.ceil((self.chain.upper - self.chain.lower) / length) * factor * self.seconds < self.limits.left()


def sines(problem: Problem) -> int:
    """The sines of every field on a window."""
    coordinates = min(len(problem.domain.axes), max(SINES))
    return SINES[coordinates] if coordinates == 1 else SINES[coordinates] // len(problem.fields)
