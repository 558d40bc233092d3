"""``march``: an evolution equation solved on one interval of time after another.

Each window is a problem of its own that starts from the end of the one before: there every field, and its time derivatives below the highest
in the equations, are prescribed. A short window has little to represent, so that a long or chaotic evolution is a chain of easy problems.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import nn

from pinnsine import distributed, policy
from pinnsine.arguments import Arguments, device_of
from pinnsine.attempt import Call
from pinnsine.attempts import answer, tried
from pinnsine.budget import Clock
from pinnsine.chain import Chain, asked_of, estimating
from pinnsine.checkpoint import Checkpoints, described, found, packed
from pinnsine.compiled import Compiler
from pinnsine.errors import ProblemError
from pinnsine.history import History
from pinnsine.kept_march import March, unpack
from pinnsine.loop import Limits
from pinnsine.memory import budget
from pinnsine.nets import FrozenSines
from pinnsine.optim import GaussNewton
from pinnsine.outcome import Outcome
from pinnsine.problem import Problem
from pinnsine.resolved import CHORDS, stepped
from pinnsine.runfile import image
from pinnsine.scaling import field_scales
from pinnsine.sitting import prepare, sitting
from pinnsine.solution import Solution


def march(problem: Problem, windows: int | Sequence[float] | str = "auto", **options) -> Solution:
    """Solve an evolution problem window by window.

    Args:
        problem: one with a time coordinate and conditions at its start.
        windows: "auto", so that windows on frozen sines are made as short as their held-out rows and the time ask for; their number; or
            their ends in increasing order, the first and last those of the domain.
        options: what ``solve`` takes. ``time`` is the wall time of all windows, shared evenly where they are given; ``iterations`` those of
            each then, and of all together with "auto". A run that goes on with ``resume`` keeps the windows that are whole.

    Returns:
        One solution on the whole domain. Its estimate follows the error from window to window. Where the march ends before the end of time,
        ``settings["reason"]`` says where, predictions beyond are NaN, and the estimate is too.

    Raises:
        ProblemError: there is no time, the ends are not increasing, there are unknown numbers, which all windows would have to share, or a
            trained network is to choose windows.
        EvaluationError: not even a first window can be solved.
    """
    asked, device = Arguments(**options), device_of(options.get("device", "auto"))
    clock = Clock(asked.time)
    prepare(problem, asked)
    edges = _edges(problem, windows)
    if asked.start is not None:
        raise ProblemError("A march cannot be started from a solution: begin it anew, without start=.")
    told = described(asked, windows="auto" if edges is None else edges)
    kept = found(asked.out, problem, told, device) if asked.resume else None
    room = kept[0]["arguments"]["budget"] if kept else distributed.agreed(budget(asked.memory, device))
    asked, told = replace(asked, memory=room), {**told, "budget": room}
    clock.earlier = kept[0]["seconds"] if kept else 0.0
    with sitting(asked) as callbacks:
        limits = Limits(clock, asked.iterations or math.inf, asked.target, estimating(clock.budget, asked.estimate))

        def content(march: March, *results, solution: Solution | None = None) -> bytes:
            return image(solution or march.shown(limits, *results), packed(told, clock.elapsed, march, *results))

        checkpoints = Checkpoints(asked.out if distributed.leads() else None, content)
        try:
            if edges is None:
                solution = _chosen(problem, asked, limits, callbacks, checkpoints, kept)
            else:
                solution = _prescribed(problem, asked, limits, callbacks, checkpoints, kept, edges)
        except BaseException:
            checkpoints.write()
            raise
    if checkpoints.path is not None:
        checkpoints.finish(lambda whole: content(*whole, solution=solution) if whole else image(solution))
    return solution


def _edges(problem: Problem, windows: int | Sequence[float] | str) -> list[float] | None:
    """The ends of the windows; None where they are to be chosen."""
    domain = problem.domain
    if domain.time is None:
        raise ProblemError("A march needs a time coordinate: multiply the domain by Time(0, 1), or call solve().")
    if problem.unknowns:
        raise ProblemError(f"A march cannot find unknown numbers ({', '.join(u.name for u in problem.unknowns)}): call solve().")
    axis = domain.axis(domain.time)
    if windows == "auto":
        return None
    if isinstance(windows, int | str):
        if isinstance(windows, str) or windows < 1:
            raise ProblemError(f"windows= is 'auto', a positive number of windows or a list of their ends, got {windows!r}.")
        return [axis.lower + axis.length * k / windows for k in range(windows)] + [axis.upper]
    edges = [float(e) for e in windows]
    rising = all(a < b for a, b in itertools.pairwise(edges))
    if len(edges) < 2 or not rising or abs(edges[0] - axis.lower) + abs(edges[-1] - axis.upper) > 1e-9 * axis.length:
        raise ProblemError(f"windows= must rise from {axis.lower:g} to {axis.upper:g}, got {edges}.")
    return [axis.lower, *edges[1:-1], axis.upper]


def _chosen(
    problem: Problem, asked: Arguments, limits: Limits, callbacks: Sequence, checkpoints: Checkpoints, kept: tuple[Mapping, History] | None
) -> Solution:
    """Windows as short as they need to be."""
    if not (asked.net is None or isinstance(asked.net, FrozenSines)) or asked.optimizer or asked.dtype != "float64":
        raise ProblemError("windows='auto' is for frozen sines in float64: give a number of windows with a trained network or a method.")
    length, march = problem.domain.axis(problem.domain.time).length, kept and kept[0]["march"]
    stepper, outcome = stepped(problem, asked, limits, callbacks, length, kept=march, turn=checkpoints.turn)
    if outcome is Outcome.INTERRUPTED and not stepper.chain.solved:
        raise KeyboardInterrupt
    stepper.chain.require_some()
    return stepper.chain.joined(limits, outcome, stepper.reason, asked.estimate)


def _prescribed(
    problem: Problem,
    asked: Arguments,
    limits: Limits,
    callbacks: Sequence,
    checkpoints: Checkpoints,
    kept: tuple[Mapping, History] | None,
    edges: Sequence[float],
) -> Solution:
    """Windows between given ends, each by the attempts of an ordinary call."""
    chain, outcome, compiler = Chain(problem), Outcome.CONVERGED, Compiler() if asked.compile else None
    if kept:
        unpack(kept[0]["march"], chain, asked.net, getattr(torch, asked.dtype), device_of(asked.device))
    window = kept if kept and kept[0]["current"] else None  # one in whose midst the run stopped
    for k, upper in list(enumerate(edges[1:]))[len(chain.solved) :]:
        part = chain.part(upper)
        own = asked_of(part, replace(asked, net=_carried(asked.net, chain)))
        earlier = chain.solved[-1].ansatz if chain.solved else None
        call = Call(part, field_scales(part), own, _share(limits, len(edges) - 1 - k), callbacks, checkpoints, compiler, earlier)
        checkpoints.turn(March(chain.copy(), call=call))
        plan = policy.plan(part, call.scales, own.net, own.optimizer, own.points, own.sampler, None, own.dtype, own.memory)
        plan = plan if own.optimizer else tuple(_with_chords(attempt) for attempt in plan)
        try:
            solution = answer(tried(plan, call, window), call)
        except KeyboardInterrupt:
            if not chain.solved:
                raise
            outcome = Outcome.INTERRUPTED
            break
        chain.append(solution, upper)
        window = None
        if solution.outcome in (Outcome.INTERRUPTED, Outcome.CALLBACK):
            outcome = solution.outcome
            break
    else:
        checkpoints.turn(March(chain.copy()))
        outcome = next((s.outcome for s in reversed(chain.solved) if s.outcome is not Outcome.CONVERGED), outcome)
    reason = f"windows of time given, on each: {_choice(chain, asked.net)}"
    return chain.joined(limits, outcome, reason, asked.estimate)


def _choice(chain: Chain, net) -> str:
    """Why the network is what it is, in the words of the last window that chose it: those after it were handed it (``_carried``)."""
    carried = [False, *(net is None and isinstance(s.ansatz.net, FrozenSines) for s in chain.solved[:-1])]
    return [s.settings["reason"] for s, handed in zip(chain.solved, carried, strict=True) if not handed][-1]


def _with_chords(attempt: policy.Attempt) -> policy.Attempt:
    """The attempt with chords, as a window starts near its solution: a sine-Gordon breather in 16 windows and 180 s came to 4.3e-9, to 3.5e-4
    without.
    """
    return replace(attempt, phases=tuple(replace(p, chords=CHORDS) if isinstance(p, GaussNewton) else p for p in attempt.phases))


def _share(limits: Limits, windows: int) -> Limits:
    """An even share of the time left for one of so many windows."""
    if math.isinf(limits.clock.budget):
        return limits
    left = limits.clock.left
    return replace(limits, reserve=left - max(left - limits.reserve, 1e-3) / windows)


def _carried(net, chain: Chain):
    """The network of the next window: a bandwidth that was found serves all of them."""
    if isinstance(net, nn.Module):  # every window trains a copy: one module cannot hold them all
        return copy.deepcopy(net)
    found = chain.solved[-1].ansatz.net if chain.solved else None
    return found if net is None and isinstance(found, FrozenSines) else net
