"""``solve``: from a problem to a solution, in one sitting.

check the problem -> find the scales -> choose what was not given -> draw network and points -> bind -> iterate -> keep the best by
held-out rows -> estimate the error. Nothing here reads the reference but the monitor, whose figures go to the progress line and the
history and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pinnsine import distributed, policy
from pinnsine.arguments import Arguments, device_of
from pinnsine.attempt import Call
from pinnsine.attempts import answer, better
from pinnsine.budget import Clock
from pinnsine.checkpoint import Checkpoints, described, found, packed
from pinnsine.compiled import Compiler
from pinnsine.escalation import answered
from pinnsine.kept_march import March
from pinnsine.loop import Limits
from pinnsine.memory import budget
from pinnsine.problem import Problem
from pinnsine.runfile import image
from pinnsine.scaling import field_scales
from pinnsine.sitting import prepare, sitting
from pinnsine.solution import Solution
from pinnsine.state import Result

ESTIMATE_SHARE = 0.3  # of a time budget, kept for the error estimate and the errors of unknown numbers at the end
ESTIMATE_SECONDS = 8.0  # and no more than this


def solve(
    problem: Problem,
    net=None,
    optimizer=None,
    points: int | Mapping[str, int] | None = None,
    sampler: str | None = None,
    evaluator: str = "auto",
    dtype: str = "float64",
    device: str = "auto",
    seed: int = 0,
    time: float | str | None = None,
    iterations: int | None = None,
    target: float | None = None,
    threads: int | None = None,
    memory: float | str | None = None,
    compile: bool = False,
    start: Solution | None = None,
    callbacks: Sequence[Callable[[Mapping], bool | None]] = (),
    out: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
    estimate: bool = True,
) -> Solution:
    """Solve a problem; everything that is not given is chosen (``pinnsine.policy``), and said in ``solution.settings["reason"]``.

    Args:
        net: a specification such as ``Siren(width=32)``, or any module (N, d) -> (N, m) of the scaled coordinates.
        optimizer: a method, or a list of them as phases.
        points: row points of the equations together, or by constraint.
        sampler: "sobol", "halton", "uniform", "grid", "latin_hypercube", or "rad" for adaptive points (see ``pinnsine.resampling``).
        evaluator: "taylor", "forward", "reverse" or "auto".
        dtype, device: "float64" or "float32"; "cpu", "cuda" or "auto".
        seed: of network and points.
        time: wall time of this call in seconds, or "60s", "2m", set-up and the error estimate included; two minutes if neither it nor
            ``iterations`` is given. No iteration is begun that would end late if it took as long as the last; an error estimate or standard
            errors that do not fit are NaN, as ``settings["reason"]`` says.
        iterations: the most iterations of all phases together; with it no windows of time are tried but for ordinary equations.
        target: stop when the estimated relative error of every field is below.
        threads: CPU threads for the length of this call.
        memory: budget for the Jacobian and for what an evaluation holds at a time, in bytes or as "500MB"; "auto" for half of what is free,
            by default 2 GB or that. Points are then evaluated piece by piece, and where memory runs out in smaller pieces.
        compile: whether first-order methods compile residual and gradient (``torch.compile``). This takes a minute or so of the time for each
            constraint, ``solution.settings["compile_seconds"]`` in all; the first step is checked against the eager one.
        start: another solution of the same fields to start from, with its network unless ``net`` is FrozenSines (see ``pinnsine.sweep``).
        callbacks: called with a record of every iteration; one that returns True ends the run.
        out: a run file (.h5): checkpoints during the run, the solution at the end (see ``pinnsine.checkpoint``).
        resume: go on with the run of ``out``, if that file is there, as if it had never stopped; ``iterations`` counts those done before,
            ``time`` is that of this call. A window of time that was not whole is begun anew.
        progress: show a progress line.
        estimate: whether to estimate the error at the end; NaN otherwise.

    Returns:
        The best solution by held-out rows, also after Ctrl-C and, where there is ``out``, SIGTERM. An evolution may be solved in windows of
        time (``pinnsine.march``); where they do not reach its end, predictions beyond are NaN, as ``settings["reason"]`` says; those
        that time cuts short are the answer only where there is none on the whole domain.

    Raises:
        ProblemError: something in the problem or the arguments is wrong, or ``out`` is a run of something else; nothing has been computed
            then.
        EvaluationError: the residual is not finite for the starting network.
    """
    asked = Arguments(
        *(net, optimizer, points, sampler, evaluator, dtype, device, seed, time, iterations, target, threads, memory, compile),
        *(start, callbacks, out, resume, progress, estimate),
    )
    clock = Clock(asked.time)
    prepare(problem, asked)
    kept = found(asked.out, problem, described(asked), device_of(device)) if resume else None
    room = kept[0]["arguments"]["budget"] if kept else distributed.agreed(budget(memory, device_of(device)))
    told, asked = {**described(asked), "budget": room}, replace(asked, memory=room)
    with sitting(asked) as callbacks:
        reserve = min(ESTIMATE_SECONDS, ESTIMATE_SHARE * clock.budget) if estimate or problem.unknowns else 0.0
        limits = Limits(clock, iterations or math.inf, target, reserve)
        checkpoints = Checkpoints(
            asked.out if distributed.leads() else None,
            lambda *whole: image(_shown(call, *whole), packed(told, clock.elapsed, *whole)),
        )
        call = Call(problem, field_scales(problem), asked, limits, callbacks, checkpoints, Compiler() if compile else None)
        plan = policy.plan(problem, call.scales, net, asked.optimizer, asked.points, sampler, start, dtype, room)
        try:
            solution = answered(plan, call, kept)
        except BaseException:
            checkpoints.write()
            raise
    if checkpoints.path is not None:
        checkpoints.finish(lambda whole: image(solution, whole and packed(told, clock.elapsed, *whole)))
    return solution


def _shown(call: Call, march: March | None, best: Result | None, current: Result | None) -> Solution:
    """The answer as far as it goes: of the attempts on the whole domain, or the windows of time where there are none."""
    if best is None and current is None:
        return march.shown(call.limits, None, None)
    return answer(better(best, current or best), call)
