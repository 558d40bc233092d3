"""The bandwidth of frozen sines, found by trial: small least-squares fits are cheap, and their rows at held-out points decide.

First few sines are tried over the whole range, then coordinate by coordinate. As n sines in d coordinates resolve a volume of wave
numbers that grows like n, more of them want a larger bandwidth, which is climbed to from there at the full number.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnsine.ansatz import Ansatz, build_ansatz
from pinnsine.constraint import Periodic
from pinnsine.cost import factorisation_seconds
from pinnsine.distributed import agreed
from pinnsine.nested import from_fewer_waves
from pinnsine.nets import FrozenSines
from pinnsine.objective import Objective
from pinnsine.optim.gauss_newton import GaussNewton
from pinnsine.optim.step import Progress
from pinnsine.policy import PROMISING
from pinnsine.rest import from_rest
from pinnsine.shares import ROWS_PER_SINE

Guess = Callable[[Objective, Tensor], Tensor]  # the parameters (P,) to start from, from an objective and drawn ones
TRIAL = 250  # sines of a first trial
OMEGAS = (2.0, 4.0, 7.0, 12.0, 20.0, 35.0, 60.0)
STEADY, ALONE = 6.0, 12.0  # the bandwidth in time of a window, and where time is the only coordinate
FINER = (*OMEGAS, 100.0, 170.0)  # bandwidths in space of a window, which leaves few sines to time
SHORT = (100.0, 200.0, 400.0, 800.0, 1600.0)  # what all sines are tried with on a line where few leave much: they may resolve a layer there
MANY = 3  # coordinates, beyond which so few sines as can be had are best nearly straight: they then span the polynomials of low degree
FAINT = (3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 2.0, 4.0)  # bandwidths for more of them
FAINTEST = 1e-4  # below, the squares of two wave numbers come near rounding
TRIED = 20  # coordinates, beyond which it matters little: what few sines of all coordinates add are polynomials of the second degree at most
SEARCHED = 5  # coordinates, beyond which trials along each would take longer than they are worth
CLIMB = 1.4  # the factor from one bandwidth to the next at the full number of sines
FEWEST = 2  # rows for each unknown of a first trial: with 1.3, fields of three left fifty times the held-out loss that they left with 4
STEPS = 6  # Newton steps of a trial of a nonlinear problem
CHORDS = 2  # steps with the same factors after the one from a solution by fewer sines
ROUGH = 1e-18  # a held-out loss of a linear problem above which a second step, against the rounding of the first, is of no use
SETTLED = 0.1  # of the loss, left by a step after which a trial is over, once it is below TRUSTED
TRUSTED = 1e-3
WORTH = 0.5  # a held-out loss below this part of the best is worth a bandwidth of its own for a coordinate
TIED = 2.0  # times the least held-out loss: the larger of bandwidths that leave about as much in many coordinates
MARGIN = 2.0  # trials that must fit the time left for a further one to be made
HOPELESS = 0.03  # a held-out loss of few sines above which more of them will not do either
FEW_FAIR, FAIR = 1e-4, 1e-6  # a loss of few sines, and of all, above which a window is made shorter
HELPED = 0.25  # as long as that leaves no more than this part of it
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


def trial_net(net: FrozenSines) -> FrozenSines:
    """The small network that trials are bound with; a lattice, which has its own bandwidth and points, is bound as it is."""
    return net if net.lattice is not None else replace(net, width=min(net.width, TRIAL), omega=OMEGAS[0])


def tuned(
    net: FrozenSines,
    objective: Objective,
    held_out: Objective,
    seed: int,
    near: float | tuple[float, ...] | None = None,
    linear: bool = False,
    left: Callable[[], float] = lambda: math.inf,
    guess: Guess = from_rest,
    brief: bool = False,
    close: bool = False,
) -> Trial:
    """``net`` with the bandwidth, one for each coordinate, that leaves the smallest held-out rows, and its parameters.

    ``objective`` and ``held_out`` are bound to ``trial_net(net)`` at the points of the full network. ``near``: a bandwidth to start from,
    such as was found for fewer sines; ``linear``: one step does. ``left``: the seconds left; where they do not suffice for a further
    trial, the best so far must do. ``guess``: where Newton's method starts. ``brief``: something else is to follow where this promises
    little, so that no time is spent on it then. ``close``: ``near`` and ``guess`` belong to a solution by fewer sines: more of them never
    want a smaller bandwidth, and one step tells what can be had.
    """
    inputs, few = _inputs(objective), None
    if near is None:
        few = _searched(trial_net(net), objective, held_out, seed, linear, left, guess) if inputs <= TRIED else None
        if few is not None and brief and few.loss > HOPELESS and inputs > 1:
            return few
        near = few.net.omega if few is not None else 1 / math.sqrt(inputs)
    trials = _Trials(objective, held_out, seed, linear, left, guess, close)
    columns = net.width * len(objective.ansatz.problem.fields)
    if few is not None and few.net.width < net.width and not left() > 2 * factorisation_seconds(objective.count, columns, few.theta):
        return few  # a guess and a step would not fit
    best = trials.of(replace(net, omega=near))
    if inputs == 1 and best.loss > PROMISING:
        best = trials.over_range(best, SHORT)
    if brief and best.loss > PROMISING:
        return best
    free = _free(objective)
    if 0 < len(free) < inputs:  # whole periods that few sines have found are enough, as a rule; what more of them resolve lies across
        found = _climbed(trials, best, CLIMB ** (2 / len(free)), free, close)
        if found is not best:
            return found
    return _climbed(trials, best, CLIMB, None, close)


def _climbed(trials: _Trials, best: Trial, climb: float, along: Sequence[int] | None, upwards: bool) -> Trial:
    """The best of larger bandwidths, one after the other while they gain, then of smaller ones unless it is ``upwards`` alone; ``along`` some
    coordinates or all.
    """
    inputs = _inputs(trials.objective)
    for factor in (climb,) if upwards else (climb, 1 / climb):
        while trials.wanted(best):
            omega = _scaled(best.net.omega, factor) if along is None else _along(best.net, along, factor, inputs).omega
            moved = replace(best.net, omega=omega)
            if not _sound(moved, trials.objective) or not (trial := trials.of(moved)).loss < best.loss:
                break
            best = trial
    return best


def _free(objective: Objective) -> list[int]:
    """The inputs that are not exactly periodic; all where networks differ in their inputs."""
    inputs = {p.inputs for p in objective.ansatz.pieces}
    if len(inputs) > 1:
        return list(range(_inputs(objective)))
    periodic = {c.coordinate for c in objective.ansatz.problem.constraints if isinstance(c, Periodic) and c.hard}
    return [i for i, n in enumerate(min(inputs)) if n not in periodic]


def tuned_in_space(
    net: FrozenSines,
    objective: Objective,
    held_out: Objective,
    seed: int,
    near: tuple[float, ...] | None = None,
    linear: bool = False,
    left: Callable[[], float] = lambda: math.inf,
    before: float = math.inf,
) -> Trial:
    """``net`` with the bandwidth in space that leaves the smallest held-out rows on a window of time, and its parameters.

    In time it is a fixed number: there the length of the window is what is chosen. ``near``: one to start from; the rest is as for ``tuned``,
    and that of ``net`` is taken as it is; on a lattice no step is made. Where so much is left that the window ought to be shorter, no more is
    tried; ``before``: what was left on a longer one, to see whether that helps.
    """
    time, inputs = objective.ansatz.problem.domain.time, objective.ansatz.pieces[0].inputs
    if net.lattice is not None:
        return _Trials(objective, held_out, seed, linear, left, from_fewer_waves).begun(net)
    trials = _Trials(objective, held_out, seed, linear, left)
    if net.omega is not None or len(inputs) == 1:
        return trials.of(replace(net, omega=net.omega or ALONE))
    if near is None:
        few = _Trials.of_few(trial_net(net), objective, held_out, seed, linear, left)
        first, *others = (tuple(STEADY if n == time else omega for n in inputs) for omega in FINER)
        best = few.over_range(few.of(replace(trial_net(net), omega=first)), others)
        if best.loss > HOPELESS or FEW_FAIR < best.loss < HELPED * before:
            return best
        near = best.net.omega

    def box(factor: float) -> FrozenSines:
        return replace(net, omega=tuple(STEADY if n == time else factor * o for n, o in zip(inputs, near, strict=True)))

    best = trials.of(box(1.0))
    if FAIR < best.loss < HELPED * before:
        return best
    for factor in (CLIMB, 1 / CLIMB):
        power = factor
        while trials.wanted(best) and (moved := trials.of(box(power))).loss < best.loss:
            best, power = moved, power * factor
    return best


def _sound(net: FrozenSines, objective: Objective) -> bool:
    """Whether the bandwidths make sense: in many coordinates shorter waves are noise, longer ones leave nothing but low degrees."""
    inputs = _inputs(objective)
    return inputs <= MANY or all(FAINTEST <= o <= FAINT[-1] for o in net.bandwidths(inputs))


def common_bandwidth(objective: Objective, held_out: Objective, *of_trials) -> float:
    """The bandwidth, one for all coordinates, with which few sines leave the smallest held-out rows; both are bound to few sines."""
    net = trial_net(FrozenSines())
    trials = _Trials.of_few(net, objective, held_out, *of_trials)
    best = trials.over_all(net)
    for factor in (CLIMB**0.5, CLIMB**-0.5):
        while trials.wanted(best) and (moved := trials.of(replace(best.net, omega=_scaled(best.net.omega, factor)))).loss < best.loss:
            best = moved
    return best.net.omega


def _searched(net: FrozenSines, objective: Objective, held_out: Objective, *of_trials) -> Trial:
    """The best trial of few sines over the whole range, then doubled or halved along one coordinate after another."""
    trials = _Trials.of_few(net, objective, held_out, *of_trials)
    best = trials.over_all(net)
    if _inputs(objective) > MANY:  # then it is nearly free, and more sines want more
        best = max((t for t in trials.known.values() if t.loss <= TIED * best.loss), key=lambda trial: trial.net.bandwidths(1)[0])
    inputs = {p.inputs for p in objective.ansatz.pieces}
    if len(inputs) > 1 or not 1 < len(min(inputs)) <= SEARCHED:
        return best
    for i in range(len(min(inputs))):
        for factor in (2.0, 0.5):
            while trials.wanted(best) and (moved := trials.of(_along(best.net, [i], factor, len(min(inputs))))).loss < WORTH * best.loss:
                best = moved
    return best


def _along(net: FrozenSines, coordinates: Sequence[int], factor: float, inputs: int) -> FrozenSines:
    omega = enumerate(net.bandwidths(inputs))
    return replace(net, omega=tuple(_scaled(o, factor) if i in coordinates else o for i, o in omega))


def _scaled(omega: float | tuple[float, ...], factor: float) -> float | tuple[float, ...]:
    """Of three digits: more would be read off an answer, and mean nothing."""
    return tuple(_scaled(o, factor) for o in omega) if isinstance(omega, tuple) else float(f"{omega * factor:.3g}")


def _inputs(objective: Objective) -> int:
    """The largest number of coordinates that a network depends on."""
    return max(len(p.inputs) for p in objective.ansatz.pieces)


class _Trials:
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
        self.steps, self.chords = (1 if linear or close else STEPS), (CHORDS if close else 0)
        self.guess = guess
        self.known: dict[FrozenSines, Trial] = {}

    @staticmethod
    def of_few(net: FrozenSines, objective: Objective, held_out: Objective, *of_trials) -> _Trials:
        """Trials at as many of the points as the few sines of ``net`` want."""
        rows = max(ROWS_PER_SINE, FEWEST * len(objective.ansatz.problem.fields)) * net.width
        share = min(rows / max(objective.count, 1), 1.0)
        return _Trials(objective.thinned(share), held_out.thinned(share), *of_trials)

    def over_range(self, best: Trial, omegas: Sequence[float]) -> Trial:
        """The best of a trial and others of the bandwidths ``omegas``."""
        for omega in omegas:
            if self.wanted(best):
                best = min(best, self.of(replace(best.net, omega=omega)), key=lambda trial: trial.loss)
        return best

    def over_all(self, net: FrozenSines) -> Trial:
        """The best over the whole range of bandwidths."""
        first, *others = OMEGAS if _inputs(self.objective) <= MANY else FAINT
        return self.over_range(self.of(replace(net, omega=first)), others)

    def wanted(self, best: Trial) -> bool:
        """Whether there is anything to gain on the best, and time for it."""
        return best.loss > ROUNDING and self.left() > MARGIN * best.seconds

    def of(self, net: FrozenSines) -> Trial:
        if net not in self.known:
            self.known[net] = self._made(net, self.steps)
        return self.known[net]

    def begun(self, net: FrozenSines) -> Trial:
        """A trial without a step."""
        return self._made(net, 0)

    def _made(self, net: FrozenSines, steps: int) -> Trial:
        old, started = self.objective.ansatz, time.perf_counter()
        ansatz = build_ansatz(old.problem, net, old.scales, torch.Generator().manual_seed(self.seed), old.pieces[0].evaluator)
        ansatz.to(next(old.parameters()))  # device and number type
        objective, held_out = self.objective.with_ansatz(ansatz), self.held_out.with_ansatz(ansatz)
        theta, method = ansatz.flat() if self.linear else self.guess(objective, ansatz.flat()), GaussNewton(chords=self.chords)
        before, stalled, left = math.inf, False, self.left()
        for _ in range(steps):
            step = method.step(objective, theta, {})
            theta, stalled, ahead, left = step.theta, step.progress is not Progress.MOVED, left, self.left()
            if stalled or step.loss < ROUNDING or SETTLED * before < step.loss < TRUSTED or left <= 0 or left < ahead - left:
                break
            before = step.loss
        loss = held_out.loss(theta)
        stalled = loss > ROUGH if self.linear and steps else stalled
        return Trial(net, ansatz, theta, loss if math.isfinite(loss) else math.inf, agreed(time.perf_counter() - started), stalled)
