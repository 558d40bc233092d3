"""Trials of frozen sines: one network after another at the same points, a few steps each, judged by the rows at held-out points."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnsine.ansatz import Ansatz, build_ansatz
from pinnsine.distributed import agreed
from pinnsine.nets import FrozenSines
from pinnsine.objective import Objective
from pinnsine.optim.gauss_newton import GaussNewton
from pinnsine.optim.step import Progress
from pinnsine.policy import PROMISING
from pinnsine.rest import from_rest, from_solution
from pinnsine.shares import ROWS_PER_SINE

Guess = Callable[[Objective, Tensor], Tensor]  # the parameters (P,) to start from, from an objective and drawn ones
MANY = 3  # coordinates, beyond which so few sines as can be had are best nearly straight: they then span the polynomials of low degree
FEWEST = 2  # rows for each unknown of a first trial: with 1.3, fields of three left fifty times the held-out loss that they left with 4
STEPS = 10  # Newton steps of a trial of a nonlinear problem
CHORDS = {False: 2, True: 6}  # the most steps with the same factors after the one from another solution; in more than ``MANY`` coordinates
ROUGH = 1e-18  # a held-out loss of a linear problem above which a second step, against the rounding of the first, is of no use
SETTLED = 0.1  # of the loss, left by a step after which a trial is over
CURVED = 10.0  # times the loss that the linearised rows left: they bend too much for the step, and further ones gain more than it did
MARGIN = 2.0  # trials that must fit the time left for a further one to be made
ROUNDING = 1e-26  # a held-out loss below which rounding is all that is left


@dataclass(frozen=True)
class Trial:
    """A network, the trial function with it, the parameters (P,) found in a few steps, their held-out loss, and the seconds it took.

    ``stalled``: further steps gain nothing.
    """

    net: FrozenSines
    ansatz: Ansatz
    theta: Tensor
    loss: float
    seconds: float
    stalled: bool


class Trials:
    """One network after another at the same points, each tried once."""

    def __init__(
        self,
        objective: Objective,
        held_out: Objective,
        seed: int,
        linear: bool,
        left: Callable[[], float],
        guess: Guess = from_rest,
        close: bool = False,
    ):
        self.objective, self.held_out, self.seed, self.linear, self.left = objective, held_out, seed, linear, left
        self.guess = guess
        self.carries = not linear and inputs_of(objective) > MANY
        self.steps, self.chords = (1 if linear or close else STEPS), (CHORDS[self.carries] if close else 0)
        self.near: Trial | None = None  # the best of those that may be started from
        self.known: dict[FrozenSines, Trial] = {}

    @staticmethod
    def of_few(net: FrozenSines, objective: Objective, held_out: Objective, *of_trials) -> Trials:
        """Trials at as many of the points as the few sines of ``net`` want."""
        rows = max(ROWS_PER_SINE, FEWEST * len(objective.ansatz.problem.fields)) * net.width
        share = min(rows / max(objective.count, 1), 1.0)
        return Trials(objective.thinned(share), held_out.thinned(share), *of_trials)

    def over_range(self, best: Trial, omegas: Sequence[float]) -> Trial:
        """The best of a trial and others of the bandwidths ``omegas``."""
        for omega in omegas:
            if self.wanted(best):
                best = min(best, self.of(replace(best.net, omega=omega)), key=lambda trial: trial.loss)
        return best

    def wanted(self, best: Trial) -> bool:
        """Whether there is anything to gain on the best, and time for it."""
        return best.loss > ROUNDING and self.left() > MARGIN * best.seconds

    def of(self, net: FrozenSines) -> Trial:
        if net not in self.known:
            trial = self._made(net, *((self.steps, self.chords) if self.near is None else (1, CHORDS[True])))
            self.known[net] = trial
            self.start_from(trial)
        return self.known[net]

    def start_from(self, trial: Trial) -> None:
        """Let further trials start from the fields of one, if it is the best and comes near.

        One step and its chords then leave what six from rest do: of Beltrami's flow the same to about a percent for each of 19 bandwidths, in
        0.5 s and not 2.1. In few coordinates trials cost little.
        """
        if self.carries and trial.loss < min(PROMISING, self.near.loss if self.near is not None else math.inf):
            trial.ansatz.load(trial.theta)
            self.near, self.guess = trial, functools.partial(from_solution, before=trial.ansatz)

    def begun(self, net: FrozenSines) -> Trial:
        """A trial without a step."""
        return self._made(net, 0, 0)

    def _made(self, net: FrozenSines, steps: int, chords: int) -> Trial:
        old, started = self.objective.ansatz, time.perf_counter()
        ansatz = build_ansatz(old.problem, net, old.scales, torch.Generator().manual_seed(self.seed), old.pieces[0].evaluator)
        ansatz.to(next(old.parameters()))  # device and number type
        objective, held_out = self.objective.with_ansatz(ansatz), self.held_out.with_ansatz(ansatz)
        theta, method = ansatz.flat() if self.linear else self.guess(objective, ansatz.flat()), GaussNewton(chords=chords)
        before, stalled, left = math.inf, False, self.left()
        for _ in range(steps):
            step = method.step(objective, theta, {})
            theta, stalled, ahead, left = step.theta, step.progress is not Progress.MOVED, left, self.left()
            settled = SETTLED * before < step.loss < CURVED * step.expected
            if stalled or step.loss < ROUNDING or settled or left <= 0 or left < ahead - left:
                break
            before = step.loss
        loss = held_out.loss(theta)
        stalled = loss > ROUGH if self.linear and steps else stalled
        return Trial(net, ansatz, theta, loss if math.isfinite(loss) else math.inf, agreed(time.perf_counter() - started), stalled)


def inputs_of(objective: Objective) -> int:
    """The largest number of coordinates that a network depends on."""
    return max(len(p.inputs) for p in objective.ansatz.pieces)
