"""Windows of time of one space coordinate on lattices of sines, as fine as the solution at their start asks for.

The fields at the start of a window say how many waves they have above a part of the aim. A window whose rows fail the aim is halved, which
costs twice as much, while a quarter more waves cost the same; waves are added where the aim is near and those at the end fill
the lattice, or where halving has not helped.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from pinnsine.arguments import Arguments
from pinnsine.constraint import Periodic
from pinnsine.distributed import agreed
from pinnsine.domain import Box
from pinnsine.evolution import holds_at_start
from pinnsine.kept_march import March
from pinnsine.loop import Limits
from pinnsine.nets import FrozenSines
from pinnsine.nets.frozen_sines import lattice_step
from pinnsine.outcome import Outcome
from pinnsine.points import Points
from pinnsine.policy import is_linear
from pinnsine.problem import Problem
from pinnsine.scaling import field_scales, given
from pinnsine.stepping import POOR, SLACK, STOPS, Stepper, Window

WAVES = 6  # along time: 13 functions, for which windows are about as long as they are cheap
# The period along time over the window's length. Long periods are for small aims, and for windows on which little happens: with 4 the first
# window of Klein-Gordon's equation kept a loss of 3e-18 whatever its waves and its points, with 8 it left 6e-26.
REACHES = ((1e-12, 4.0), (0.0, 8.0))
LEAST = {True: 8, False: 20}  # waves along space, where it is periodic and where not: the step of a lattice is the same from 20 on
MOST = 400
TAIL = 0.3  # of the root of the aim: coefficients of waves that may be missing
SPARE, FULL, FINER = 1.25, 0.85, 1.25  # waves for those needed at the start; so many at the end are too many; the factor to more then
CHORDS = 8  # after each of Newton's steps
STEPS = 6  # of Newton's method, after which a window is too long for it
STUBBORN = 8  # windows in a row that change nothing, after which the march ends
WAIT = 3  # windows after one that was halved before a longer one is tried again
NEAR = 1e3  # times the aim
LARGEST = 4000  # parameters of a window, beyond which a factorisation takes longer than many shorter windows
HELPS = 0.1  # of the loss: what half a window, or more waves, must leave at most to have helped
FIRST = 1 / 16  # of the domain's length: the first window
AIMS = (1e-8, 1e-10, 1e-12, 1e-17, 1e-22, 1e-27)  # held-out losses of one march after the other
ONLY = 1e-12  # where iterations are limited
DEARER = 3.0  # the power of the digits of the aim with which the time for a march grows


class Resolver(Stepper):
    """The march of one call on lattices, with windows and waves such that the held-out rows of each leave ``aim``."""

    steps, chords = STEPS, CHORDS
    keeps = (*Stepper.keeps, "aim")
    ready, easy = 1, 0.1  # where it is the waves that limit the loss, that of an easy window is no smaller

    def __init__(self, problem: Problem, asked: Arguments, limits: Limits, callbacks: Sequence, aim: float):
        domain = problem.domain
        super().__init__(problem, asked, limits, callbacks, FIRST * domain.axis(domain.time).length, FrozenSines(lattice=(1, 1)))
        [self.space] = domain.space
        self.periodic = any(isinstance(c, Periodic) and c.hard and c.coordinate == self.space for c in problem.constraints)
        self.aim = aim
        self.tolerance = aim if limits.target is None else max(aim, self.tolerance)
        self.reach = next(reach for most, reach in REACHES if aim >= most)
        fields = len(problem.fields)
        budget = min(LARGEST, int(math.sqrt(asked.memory / 32)))
        self.finest = min(MOST, (budget // (fields * (2 * WAVES + 1)) - 1) // 2)

    def _window(self) -> tuple[Window | None, Outcome]:
        """The next window: halved, or with more waves, until the aim is met or neither helps."""
        waves = min(math.ceil(SPARE * self._needed(self._start())), self.finest)
        before, finer, useless = math.inf, False, 0
        while True:
            self._lattice(waves)
            window, outcome = self._tried(before)
            if outcome is not Outcome.CONVERGED or window.loss <= self.tolerance:
                self.even = self.even + 1 if math.isinf(before) else -WAIT
                return window, outcome
            useless = useless + 1 if window.loss > HELPS * before else 0
            if useless > 1 and window.loss <= POOR:
                self.even, self.tolerance = -WAIT, min(max(self.tolerance, SLACK * window.loss), POOR)
                return window, outcome
            if useless > STUBBORN:
                return None, Outcome.HALTED
            finer = self._finer(window, waves) if not useless else not finer
            finer = finer and waves < self.finest and window.loss <= POOR
            if not finer and self.length / 2 < self.shortest:
                return None, Outcome.HALTED
            waves = min(math.ceil(FINER * waves), self.finest) if finer else waves
            self.length, before = self.length / (1 if finer else 2), window.loss

    def _finer(self, window: Window, waves: int) -> bool:
        """Whether a few more waves are all that is missing: what a window ends with fills the lattice, and the aim is near."""
        return window.loss <= NEAR * self.tolerance and self._needed(self._end(window)) > FULL * waves

    def _lattice(self, waves: int) -> None:
        bandwidths = {self.space: waves * lattice_step(waves), self.problem.domain.time: WAVES * torch.pi / self.reach}
        names = self.problem.domain.names
        self.net = FrozenSines(omega=tuple(bandwidths[n] for n in names), lattice=tuple(waves if n == self.space else WAVES for n in names))

    def _needed(self, fields: Mapping[str, Tensor]) -> int:
        """The waves along space with which values on a line leave the aim, of every field."""
        tail = TAIL * math.sqrt(self.tolerance)
        return max(waves_needed(v / self.scales[n].scale, self.periodic, tail) for n, v in fields.items())

    def _line(self, time: float) -> Points:
        """Points along space at one time."""
        axis, unit = self.problem.domain.axis(self.space), nodes(self.periodic)
        x = axis.lower + axis.length * (unit + 1) / 2
        columns = {self.space: x, self.problem.domain.time: torch.full_like(x, time)}
        return Points({n: columns[n] for n in self.problem.domain.names})

    def _start(self) -> dict[str, Tensor]:
        """The fields at the start of the next window."""
        line = self._line(self.chain.lower)
        if not self.chain.solved:
            return started(self.problem, line)
        return dict(zip(self.problem.names.fields, self.chain.solved[-1].evaluate(line), strict=True))

    def _end(self, window: Window) -> dict[str, Tensor]:
        """The fields at the end of a window tried."""
        result, need = window.result, {f.name: {()} for f in self.problem.fields}
        with torch.no_grad():
            local = result.ansatz.local(result.ansatz.views(result.state.theta), self._line(window.upper), need)
            return {n: getattr(local, n).values for n in need}


def nodes(periodic: bool) -> Tensor:
    """Points of [-1, 1] that tell ``MOST`` waves apart."""
    count = 3 * MOST
    unit = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return 2 * unit - 1 if periodic else -torch.cos(torch.pi * unit)


def waves_needed(values: Tensor, periodic: bool, tail: float) -> int:
    """The least number of waves that approximate values at ``nodes`` (N,) to a root mean square of ``tail``, at least ``LEAST``."""
    packed, tau = _factors(periodic)
    parts = torch.ormqr(packed, tau, values[:, None], transpose=True)[:, 0].square() / len(values)
    left = parts.flip(0).cumsum(0).flip(0)[1 : packed.shape[1] : 2]  # by the functions up to each wave number
    enough = (left <= tail**2).nonzero()
    return max(LEAST[periodic], int(enough[0]) if len(enough) else MOST)


@functools.lru_cache(2)
def _factors(periodic: bool) -> tuple[Tensor, Tensor]:
    """Householder factors of {1, sin k y, cos k y} at ``nodes``, by wave number."""
    step = torch.pi if periodic else lattice_step(MOST)
    angles = nodes(periodic)[:, None] * step * torch.arange(1, MOST + 1, dtype=torch.float64)
    waves = torch.stack([torch.sin(angles), torch.cos(angles)], dim=2).flatten(1)
    return torch.geqrf(torch.cat([torch.ones(len(angles), 1, dtype=torch.float64), waves], dim=1))


def started(problem: Problem, line: Points) -> dict[str, Tensor]:
    """The fields that are prescribed at the start of time, at points of it."""
    found = {}
    for constraint in (c for c in problem.constraints if holds_at_start(c, problem)):
        for name, index, target in constraint.prescribed(problem.names):
            if not index and (values := given(problem, name, index, target, line)) is not None:
                found[name] = values.expand(len(line))
    return found


def is_resolvable(problem: Problem, asked: Arguments) -> bool:
    """Whether there is a line at every time, the rows are not linear, and neither sines nor their points are given.

    Where they are linear a trial of random sines is one factorisation: a long heat conduction kept an error of 7e-15 on those, and 1e-12 on
    lattices in about the same time.
    """
    domain = problem.domain
    lines = isinstance(domain, Box) and len(domain.axes) == 2 and len(domain.space) == 1 and all(f.of == domain.names for f in problem.fields)
    free = asked.net is None and asked.points is None and asked.sampler is None
    start = Points({n: torch.full((1,), domain.axis(n).lower, dtype=torch.float64) for n in domain.names})
    known = lines and free and started(problem, start).keys() == {f.name for f in problem.fields}
    return known and not is_linear(problem, field_scales(problem))


def stepped(
    problem: Problem,
    asked: Arguments,
    limits: Limits,
    callbacks: Sequence,
    length: float,
    whole=None,
    kept: Mapping | None = None,
    turn: Callable[[March], None] = lambda march: None,
) -> tuple[Stepper, Outcome]:
    """The march in windows that are chosen, and why it ended; in one space coordinate again to a smaller aim while there is time.

    Where windows on lattices do not get on they are made on random sines. ``kept``: the march to go on with. ``turn`` is handed the march
    between two windows, and one to a smaller aim when it is whole.
    """
    aim = _first_aim(limits, kept) if is_resolvable(problem, asked) else None
    best = None
    while aim is not None:
        before = limits.clock.elapsed
        stepper = Resolver(problem, asked, limits, callbacks, aim)
        outcome = stepper.resumed(kept, turn) if best is None else stepper.run()
        if best is not None and not (stepper.chain.whole and stepper.chain.held_out < best[0].chain.held_out):
            return best[0], outcome if outcome in STOPS else best[1]
        if outcome is Outcome.HALTED:
            kept = None
            break
        if best is not None:
            turn(stepper.march())
        best = stepper, outcome
        met = stepper.tolerance <= aim and stepper.chain.whole and outcome is Outcome.CONVERGED
        aim = next_aim(aim, agreed(limits.clock.elapsed - before), limits.left()) if met and math.isinf(limits.iterations) else None
    if best is None:
        stepper = Stepper(problem, asked, limits, callbacks, length, asked.net, whole)
        best = stepper, stepper.resumed(kept, turn)
    return best


def _first_aim(limits: Limits, kept: Mapping | None) -> float | None:
    """That of the march to go on with; None for one on random sines."""
    if kept:
        return kept["stepping"].get("aim")
    return AIMS[0] if math.isinf(limits.iterations) else ONLY


def next_aim(aim: float, seconds: float, left: float) -> float | None:
    """The smallest aim that the seconds left are expected to suffice for, if the march to ``aim`` took ``seconds``."""
    digits = math.log10(aim)
    return min((a for a in AIMS if a < aim and seconds * (math.log10(a) / digits) ** DEARER < left), default=None)
