"""Windows of time on lattices of sines, as fine as the solution at their start asks for, of one space coordinate or of periodic ones.

The fields at the start of a window say how many waves they have above a part of the aim. A window whose rows fail the aim is halved, which
costs twice as much, while a quarter more waves cost the same; waves are added where the aim is near and those at the end fill
the lattice, or where halving has not helped. A march that is made again to a smaller aim comes down to that of the march before where the
time runs short: what is left there grows from a smaller error.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pinnsine.arguments import Arguments
from pinnsine.constraint import Periodic
from pinnsine.distributed import agreed
from pinnsine.domain import Box
from pinnsine.evolution import holds_at_start
from pinnsine.kept_march import March
from pinnsine.loop import Limits
from pinnsine.mirror import walls
from pinnsine.nets import FrozenSines
from pinnsine.nets.frozen_sines import lattice_step
from pinnsine.outcome import Outcome
from pinnsine.points import Points, tensor_grid
from pinnsine.policy import is_linear
from pinnsine.problem import Problem
from pinnsine.scaling import field_scales, given
from pinnsine.stepping import POOR, SLACK, STOPS, Stepper, Window
from pinnsine.waves import MOST, NODES, nodes, waves_needed

WAVES = 6  # along time: 13 functions, for which windows are about as long as they are cheap
# The period along time over the window's length. Long periods are for small aims, and for windows on which little happens: with 4 the first
# window of Klein-Gordon's equation kept a loss of 3e-18 whatever its waves and its points, with 8 it left 6e-26.
REACHES = ((1e-12, 4.0), (0.0, 8.0))
FINEST = {1: 6000, 2: 100, 3: 20}  # waves along each of so many periodic coordinates, which cost no factorisation of all of them
TAIL = 0.3  # of the root of the aim: coefficients of waves that may be missing
SPARE, FULL, FINER = 1.25, 0.85, 1.25  # waves for those needed at the start; so many at the end are too many; the factor to more then
CHORDS = 8  # after each of Newton's steps
STEPS = 6  # of Newton's method, after which a window is too long for it
# Of the aim: no more of Newton's steps below. In several space coordinates the last step, the most exact, costs a third of all: without it a
# short march of Ginzburg-Landau's equation was off by 6.8e-3 in place of 5.4e-3, in nine tenths of the time.
SURPLUS, SURPLUS_IN_PLANE = 1e-3, 0.1
STRICTER = 0.1  # of what a stubborn window left: what the next ones may leave, one after the other
STUBBORN = 8  # windows in a row that change nothing, after which the march ends
WAIT = 3  # windows after one that was halved before a longer one is tried again
NEAR = 1e3  # times the aim
COPIES = 6  # of the triangles of all wave numbers, held at a time
LARGEST = 4000  # parameters of a window, beyond which a factorisation takes longer than many shorter windows
HELPS = 0.1  # of the loss: what half a window, or more waves, must leave at most to have helped
FIRST = 1 / 16  # of the domain's length: the first window
AIMS = (1e-8, 1e-10, 1e-12, 1e-17, 1e-22, 1e-27)  # held-out losses of one march after the other
COARSE = 1e-6  # the first in more than one space coordinate
FURTHER = 1.6  # times the digits of the last march, at most
ONLY = 1e-12  # where iterations are limited
# The power of the digits of the aim with which the time for a march grows, where space is periodic and where it is not.
DEARER = {True: 1.5, False: 3.0}
REFINING = 0.5  # of the time for a march, which the estimate of its error takes where space is periodic
HURRY = 1.2  # times what a march took: the time for as much of another to its aim
LAST = 0.02  # of the time, in which a march that is no answer yet goes no further


class Resolver(Stepper):
    """The march of one call on lattices, with windows and waves such that the held-out rows of each leave ``aim``.

    ``before``: the march to a larger aim that there is already.
    """

    steps, chords = STEPS, CHORDS
    keeps = (*Stepper.keeps, "aim")
    ready, easy = 1, 0.1  # where it is the waves that limit the loss, that of an easy window is no smaller

    def __init__(self, problem: Problem, asked: Arguments, limits: Limits, callbacks: Sequence, aim: float, before: Resolver | None = None):
        domain = problem.domain
        lattice = FrozenSines(lattice=(1,) * len(domain.axes))
        super().__init__(problem, asked, limits, callbacks, FIRST * domain.axis(domain.time).length, lattice)
        self.mirrored = mirrored_in(problem)
        self.periodic = self.mirrored is not None
        self.before, self.chain.coarser = before, before and before.chain
        self.surplus = SURPLUS if len(domain.space) == 1 else SURPLUS_IN_PLANE
        self.least = 0.0 if limits.target is None else self.tolerance
        self._aim_at(aim)
        self.finest = self._finest(asked.memory)

    def _aim_at(self, aim: float) -> None:
        self.aim, self.tolerance, self.wanted = aim, max(aim, self.least), max(aim, self.least)
        self.reach = next(reach for most, reach in REACHES if aim >= most)

    def _finest(self, memory: float) -> int:
        """The most waves along each space coordinate."""
        fields, dimension = len(self.problem.fields), len(self.problem.domain.space)
        functions = fields * (2 * WAVES + 1)  # for each of the waves
        if self.periodic:
            fits = memory / (COPIES * 8 * 2**dimension * functions**2)
            return min(FINEST[dimension], int((fits ** (1 / dimension) - 1) / 2))
        budget = min(LARGEST, int(math.sqrt(memory / 32)))
        return min(MOST, (budget // functions - 1) // 2)

    def _window(self) -> tuple[Window | None, Outcome]:
        """The next window: halved, or with more waves, until the aim is met or neither helps."""
        if self._is_late():
            self._come_down()
        waves = self._more(self._needed(self._start()), SPARE)
        before, finer, useless = math.inf, False, 0
        while True:
            self._lattice(waves)
            window, outcome = self._tried(before)
            if outcome is not Outcome.CONVERGED or window.loss <= self.tolerance:
                self.even = self.even + 1 if math.isinf(before) else -WAIT
                self.tolerance = max(self.wanted, STRICTER * self.tolerance)
                return window, outcome
            if self._is_late():
                return self._window()
            useless = useless + 1 if window.loss > HELPS * before else 0
            if useless > 1 and window.loss <= POOR:
                self.even, self.tolerance = -WAIT, min(max(self.tolerance, SLACK * window.loss), POOR)
                return window, outcome
            if useless > STUBBORN:
                return None, Outcome.HALTED
            finer = self._finer(window, waves) if not useless else not finer
            finer = finer and min(waves) < self.finest and window.loss <= POOR
            if not finer and self.length / 2 < self.shortest:
                return None, Outcome.HALTED
            waves = self._more(waves, FINER) if finer else waves
            self.length, before = self.length / (1 if finer else 2), window.loss

    def _is_late(self) -> bool:
        """Whether the time left is little more than the march before took from here to its end."""
        if self.before is None or self.chain.refined is not None or not self.chain.solved:
            return False
        edges, solved = self.before.chain.edges, self.before.chain.solved
        ends = [s.settings["seconds"] for s in solved]
        took = ends[-1] - float(np.interp(self.chain.lower, edges[1:], ends))
        return agreed(self.limits.left() - HURRY * took - self.seconds) < 0

    def _come_down(self) -> None:
        """Go on to the aim of the march before, in windows as long as it made here."""
        chain, edges = self.chain, self.before.chain.edges
        self._aim_at(self.before.aim)
        place = bisect.bisect_right(edges, chain.lower)
        self.length, self.even, chain.refined = edges[place] - edges[place - 1], 0, chain.lower

    @property
    def reason(self) -> str:
        """What was done, in words."""
        if self.chain.refined is None:
            return super().reason
        time = f"{self.problem.domain.time} = {self.chain.refined:.4g}"
        return f"{super().reason}; from {time} on its rows may leave more ({self.aim:.0e}), for want of time"

    def _finer(self, window: Window, waves: Sequence[int]) -> bool:
        """Whether a few more waves are all that is missing: what a window ends with fills the lattice, and the aim is near."""
        full = any(n > FULL * w for n, w in zip(self._needed(self._end(window)), waves, strict=True))
        return window.loss <= NEAR * self.tolerance and full

    def _more(self, waves: Sequence[int], factor: float) -> tuple[int, ...]:
        return tuple(min(math.ceil(factor * n), self.finest) for n in waves)

    def _lattice(self, waves: Sequence[int]) -> None:
        domain = self.problem.domain
        counts, mirrored = {**dict(zip(domain.space, waves, strict=True)), domain.time: WAVES}, {**(self.mirrored or {}), domain.time: 0}
        steps = {n: torch.pi / (2 if mirrored[n] else 1) if self.periodic else lattice_step(counts[n]) for n in domain.space}
        steps[domain.time] = torch.pi / self.reach
        omega, lattice = zip(*((counts[n] * steps[n], counts[n]) for n in domain.names), strict=True)
        self.net = FrozenSines(omega=omega, lattice=lattice, mirrored=tuple(mirrored.get(n, 0) for n in domain.names))

    def _needed(self, fields: Mapping[str, Tensor]) -> tuple[int, ...]:
        """The waves along each space coordinate with which values on a grid leave the aim, of every field."""
        tail = TAIL * math.sqrt(self.tolerance)
        shape = (self._nodes,) * len(self.problem.domain.space)
        found = [waves_needed(v.view(shape) / self.scales[n].scale, self.mirrored, tail) for n, v in fields.items()]
        return tuple(max(counts) for counts in zip(*found, strict=True))

    @property
    def _nodes(self) -> int:
        """Points along a space coordinate, which tell the finest waves apart."""
        return NODES * (self.finest if self.periodic else MOST)

    def _line(self, time: float) -> Points:
        """A grid of space at one time."""
        domain, unit = self.problem.domain, nodes(self._nodes, self.periodic)
        axes = [domain.axis(n) for n in domain.space]
        columns = {a.name: a.lower + a.length * (unit + 1) / 2 for a in axes}
        grid = tensor_grid(columns)
        return Points({n: grid.columns.get(n, torch.full((len(grid),), time, dtype=torch.float64)) for n in domain.names})

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


def started(problem: Problem, line: Points) -> dict[str, Tensor]:
    """The fields that are prescribed at the start of time, at points of it."""
    found = {}
    for constraint in (c for c in problem.constraints if holds_at_start(c, problem)):
        for name, index, target in constraint.prescribed(problem.names):
            if not index and (values := given(problem, name, index, target, line)) is not None:
                found[name] = values.expand(len(line))
    return found


def is_resolvable(problem: Problem, asked: Arguments) -> bool:
    """Whether there is a line, or a box of periodic coordinates, at every time, rows are not linear, and neither sines nor points are given.

    Where they are linear a trial of random sines is one factorisation: a long heat conduction kept an error of 7e-15 on those, and 1e-12 on
    lattices in about the same time.
    """
    domain = problem.domain
    boxes = isinstance(domain, Box) and len(domain.axes) == len(domain.space) + 1 and all(f.of == domain.names for f in problem.fields)
    shaped = boxes and (len(domain.space) == 1 or (len(domain.space) in FINEST and mirrored_in(problem) is not None))
    free = asked.net is None and asked.points is None and asked.sampler is None
    if not (shaped and free):
        return False
    start = Points({n: torch.full((1,), domain.axis(n).lower, dtype=torch.float64) for n in domain.names})
    known = started(problem, start).keys() == {f.name for f in problem.fields}
    return known and not is_linear(problem, field_scales(problem))


def mirrored_in(problem: Problem) -> dict[str, int] | None:
    """By space coordinate 0 where it is exactly periodic, -1 where fields are odd about both ends, 1 where even; None where any is not so."""
    space, whole = problem.domain.space, {c.coordinate for c in problem.constraints if isinstance(c, Periodic) and c.hard}
    found = dict.fromkeys(space, 0) if whole >= set(space) else walls(problem, field_scales(problem))
    return found if found and all(n in whole or sign for n, sign in found.items()) else None


def stepped(
    problem: Problem,
    asked: Arguments,
    limits: Limits,
    callbacks: Sequence,
    length: float,
    whole=None,
    kept: Mapping | None = None,
    turn: Callable[[March], None] = lambda march: None,
    later: float = 0.0,
) -> tuple[Stepper, Outcome]:
    """The march in windows that are chosen, and why it ended; in one space coordinate again to a smaller aim while there is time.

    Where windows on lattices do not get on they are made on random sines. ``kept``: the march to go on with. ``turn`` is handed the march
    between two windows, and one to a smaller aim when it is whole. ``later``: seconds that are left to something else unless a first march
    reaches the end without them.
    """
    aim = _first_aim(limits, kept, len(problem.domain.space) == 1) if is_resolvable(problem, asked) else None
    best = None
    while aim is not None:
        before = limits.clock.elapsed
        own = replace(limits, reserve=limits.reserve + (0.0 if best else later))
        stepper = Resolver(problem, asked, own, callbacks, aim, best and best[0])
        outcome = stepper.resumed(kept, turn) if best is None else stepper.run()
        if best is not None and not (stepper.chain.whole and stepper.chain.held_out <= max(best[0].chain.held_out, stepper.wanted)):
            return best[0], outcome if outcome in STOPS else best[1]
        if outcome is Outcome.HALTED:
            kept = None
            break
        if best is not None:
            turn(stepper.march())
        elif outcome is Outcome.TIME and not later and stepper.chain.solved and stepper.chain.held_out <= POOR:
            # an answer without an estimate is better than none
            stepper.limits = replace(limits, reserve=min(limits.reserve, LAST * limits.clock.budget))
            outcome = stepper.run(turn)
        best = stepper, outcome
        met = stepper.chain.whole and stepper.chain.held_out <= stepper.wanted and outcome is Outcome.CONVERGED
        seconds, further = agreed(limits.clock.elapsed - before), met and math.isinf(limits.iterations)
        left = min(limits.left(), limits.clock.left / (1 + REFINING)) if stepper.periodic and limits.reserve else limits.left()
        aim = next_aim(aim, seconds, left, DEARER[stepper.periodic]) if further else None
    if best is None:
        limits = replace(limits, reserve=limits.reserve + later)
        stepper = Stepper(problem, asked, limits, callbacks, length, asked.net, whole)
        best = stepper, stepper.resumed(kept, turn)
    return best


def _first_aim(limits: Limits, kept: Mapping | None, lines: bool) -> float | None:
    """That of the march to go on with, None for one on random sines; ``lines``: whether there is one space coordinate alone."""
    if kept:
        return kept["stepping"].get("aim")
    return (AIMS[0] if lines else COARSE) if math.isinf(limits.iterations) else ONLY


def next_aim(aim: float, seconds: float, left: float, power: float) -> float | None:
    """The smallest aim that the seconds left are expected to suffice for, if the march to ``aim`` took ``seconds``; ``power``: ``DEARER``."""
    digits = math.log10(aim)
    return min((a for a in AIMS if aim**FURTHER <= a < aim and seconds * (math.log10(a) / digits) ** power < left), default=None)
