"""The bandwidth of frozen sines, found by trial: small least-squares fits are cheap, and their rows at held-out points decide.

First few sines are tried over the whole range, then coordinate by coordinate. As n sines in d coordinates resolve a volume of wave
numbers that grows like n, more of them want a larger bandwidth, which is climbed to from there at the full number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from pinnsine.constraint import Periodic
from pinnsine.cost import factorisation_seconds
from pinnsine.nested import from_fewer_waves
from pinnsine.nets import FrozenSines
from pinnsine.objective import Objective
from pinnsine.policy import PROMISING
from pinnsine.rest import from_rest
from pinnsine.trials import MANY, Guess, Trial, Trials, inputs_of

TRIAL = 250  # sines of a first trial
OMEGAS = (2.0, 4.0, 7.0, 12.0, 20.0, 35.0, 60.0)
STEADY, ALONE = 6.0, 12.0  # the bandwidth in time of a window, and where time is the only coordinate
FINER = (*OMEGAS, 100.0, 170.0)  # bandwidths in space of a window, which leaves few sines to time
SHORT = (100.0, 200.0, 400.0, 800.0, 1600.0)  # what all sines are tried with on a line where few leave much: they may resolve a layer there
FAINT = (3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 2.0, 4.0)  # bandwidths for more of them
FAINTEST = 1e-4  # below, the squares of two wave numbers come near rounding
TRIED = 20  # coordinates, beyond which it matters little: what few sines of all coordinates add are polynomials of the second degree at most
SEARCHED = 5  # coordinates, beyond which trials along each would take longer than they are worth
CLIMB = 1.4  # the factor from one bandwidth to the next at the full number of sines
WORTH = 0.5  # a held-out loss below this part of the best is worth a bandwidth of its own for a coordinate
TIED = 2.0  # times the least held-out loss: the larger of bandwidths that leave about as much in many coordinates
HOPELESS = 0.03  # a held-out loss of few sines above which more of them will not do either
FEW_FAIR, FAIR = 1e-4, 1e-6  # a loss of few sines, and of all, above which a window is made shorter
HELPED = 0.25  # as long as that leaves no more than this part of it


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
    inputs, few = inputs_of(objective), None
    if near is None:
        few = _searched(trial_net(net), objective, held_out, seed, linear, left, guess) if inputs <= TRIED else None
        if few is not None and brief and few.loss > HOPELESS and inputs > 1:
            return few
        near = few.net.omega if few is not None else 1 / math.sqrt(inputs)
    trials = Trials(objective, held_out, seed, linear, left, guess, close)
    columns = net.width * len(objective.ansatz.problem.fields)
    if few is not None and few.net.width < net.width and not left() > 2 * factorisation_seconds(objective.count, columns, few.theta):
        return few  # a guess and a step would not fit
    if few is not None:
        trials.start_from(few)
    best = trials.of(replace(net, omega=near))
    if close and trials.carries:  # there it matters little, and a trial costs as much as what is left to do
        return best
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


def _climbed(trials: Trials, best: Trial, climb: float, along: Sequence[int] | None, upwards: bool) -> Trial:
    """The best of larger bandwidths, one after the other while they gain, then of smaller ones unless it is ``upwards`` alone; ``along`` some
    coordinates or all.
    """
    inputs = inputs_of(trials.objective)
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
        return list(range(inputs_of(objective)))
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
        return Trials(objective, held_out, seed, linear, left, from_fewer_waves).begun(net)
    trials = Trials(objective, held_out, seed, linear, left)
    if net.omega is not None or len(inputs) == 1:
        return trials.of(replace(net, omega=net.omega or ALONE))
    if near is None:
        few = Trials.of_few(trial_net(net), objective, held_out, seed, linear, left)
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
    inputs = inputs_of(objective)
    return inputs <= MANY or all(FAINTEST <= o <= FAINT[-1] for o in net.bandwidths(inputs))


def common_bandwidth(objective: Objective, held_out: Objective, *of_trials) -> float:
    """The bandwidth, one for all coordinates, with which few sines leave the smallest held-out rows; both are bound to few sines."""
    net = trial_net(FrozenSines())
    trials = Trials.of_few(net, objective, held_out, *of_trials)
    best = _over_all(trials, net)
    for factor in (CLIMB**0.5, CLIMB**-0.5):
        while trials.wanted(best) and (moved := trials.of(replace(best.net, omega=_scaled(best.net.omega, factor)))).loss < best.loss:
            best = moved
    return best.net.omega


def _searched(net: FrozenSines, objective: Objective, held_out: Objective, *of_trials) -> Trial:
    """The best trial of few sines over the whole range, then doubled or halved along one coordinate after another."""
    trials = Trials.of_few(net, objective, held_out, *of_trials)
    best = _over_all(trials, net)
    if inputs_of(objective) > MANY:  # then it is nearly free, and more sines want more
        best = max((t for t in trials.known.values() if t.loss <= TIED * best.loss), key=lambda trial: trial.net.bandwidths(1)[0])
    inputs = {p.inputs for p in objective.ansatz.pieces}
    if len(inputs) > 1 or not 1 < len(min(inputs)) <= SEARCHED:
        return best
    for i in range(len(min(inputs))):
        for factor in (2.0, 0.5):
            while trials.wanted(best) and (moved := trials.of(_along(best.net, [i], factor, len(min(inputs))))).loss < WORTH * best.loss:
                best = moved
    return best


def _over_all(trials: Trials, net: FrozenSines) -> Trial:
    """The best over the whole range of bandwidths."""
    first, *others = OMEGAS if inputs_of(trials.objective) <= MANY else FAINT
    return trials.over_range(trials.of(replace(net, omega=first)), others)


def _along(net: FrozenSines, coordinates: Sequence[int], factor: float, inputs: int) -> FrozenSines:
    omega = enumerate(net.bandwidths(inputs))
    return replace(net, omega=tuple(_scaled(o, factor) if i in coordinates else o for i, o in omega))


def _scaled(omega: float | tuple[float, ...], factor: float) -> float | tuple[float, ...]:
    """Of three digits: more would be read off an answer, and mean nothing."""
    return tuple(_scaled(o, factor) for o in omega) if isinstance(omega, tuple) else float(f"{omega * factor:.3g}")
