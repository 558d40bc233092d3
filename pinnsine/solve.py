"""``solve``: from a problem to a solution, in one sitting.

check the problem -> find the scales -> choose what was not given -> draw network and points -> bind -> iterate -> keep the best by
held-out rows -> estimate the error. Nothing here reads the reference but the monitor, whose figures go to the progress line and the
history and nowhere else.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from pinnsine import distributed, omega, policy
from pinnsine.arguments import device_of, phases_of, validate
from pinnsine.attempt import Call, begun, restored
from pinnsine.budget import Clock, seconds
from pinnsine.checkpoint import Checkpoints, described, found, packed, terminable
from pinnsine.errors import EvaluationError
from pinnsine.estimate import estimate_error
from pinnsine.export import require_writable
from pinnsine.history import History
from pinnsine.loop import Limits, run
from pinnsine.monitor import Monitor
from pinnsine.nets import FrozenSines, describe
from pinnsine.optim import LevenbergMarquardt
from pinnsine.outcome import Outcome
from pinnsine.problem import Problem
from pinnsine.runfile import image
from pinnsine.scaling import field_scales
from pinnsine.sitting import progress_line, thread_limit
from pinnsine.solution import Solution
from pinnsine.state import Result
from pinnsine.uncertainty import unknown_errors
from pinnsine.version import VERSION

DEFAULT_TIME = "2m"
ESTIMATE_SHARE = 0.3  # of a time budget, kept for the error estimate at the end
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
    memory: float = 2e9,
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
        time: wall time of this call in seconds, or "60s", "2m"; two minutes if neither it nor ``iterations`` is given.
        iterations: the most iterations of all phases together.
        target: stop when the estimated relative error of every field is below.
        threads: CPU threads for the length of this call.
        memory: budget in bytes for the Jacobian and its making.
        start: another solution of the same fields to start from.
        callbacks: called with a record of every iteration; one that returns True ends the run.
        out: a run file (.h5): checkpoints during the run, the solution at the end (see ``pinnsine.checkpoint``).
        resume: go on with the run of ``out``, if that file is there, as if it had never stopped; ``iterations`` counts those done before,
            ``time`` is that of this call.
        progress: show a progress line.
        estimate: whether to estimate the error at the end; NaN otherwise.

    Returns:
        The best solution by held-out rows, also after Ctrl-C and, where there is ``out``, SIGTERM.

    Raises:
        ProblemError: something in the problem or the arguments is wrong, or ``out`` is a run of something else; nothing has been computed
            then.
        EvaluationError: the residual is not finite for the starting network.
    """
    clock = Clock(seconds(time if time is not None or iterations is not None else DEFAULT_TIME))
    phases, out = phases_of(optimizer), None if out is None else Path(out)
    validate(problem, phases or (LevenbergMarquardt(),), iterations, target, sampler, threads, dtype, out, resume)
    if out is not None:
        require_writable(out, (".h5", ".hdf5"), "A run")
    problem.check()
    omega.warn_beyond(net, problem)
    distributed.join(device_of(device))
    arguments = described(
        net=net,
        optimizer=phases,
        points=points,
        sampler=sampler,
        evaluator=evaluator,
        dtype=dtype,
        device=device,
        seed=seed,
        time=clock.budget if math.isfinite(clock.budget) else None,
        iterations=iterations,
        target=target,
        threads=threads,
        memory=memory,
        start=start,
    )
    kept = found(out, problem, arguments, device_of(device)) if resume else None
    out, callbacks, progress = (out, callbacks, progress) if distributed.leads() else (None, (), False)
    with thread_limit(threads), progress_line(progress) as line, terminable(out):
        scales = field_scales(problem)
        plan = policy.plan(problem, scales, net, phases, points, sampler, start, dtype, memory)
        reserve = min(ESTIMATE_SECONDS, ESTIMATE_SHARE * clock.budget) if estimate else 0.0
        limits = Limits(clock, iterations or math.inf, target, reserve)
        checkpoints = Checkpoints(out, lambda *results: image(_solution(_better(*results), call), packed(arguments, clock.elapsed, *results)))
        call = Call(
            problem,
            scales,
            points,
            evaluator,
            getattr(torch, dtype),
            device_of(device),
            seed,
            memory,
            start,
            limits,
            [*callbacks, *line],
            checkpoints,
        )
        try:
            best = _best(plan, call, kept)
        finally:
            checkpoints.write()
        alone = best.outcome is Outcome.INTERRUPTED and distributed.size() > 1  # the others were interrupted elsewhere
        errors = estimate_error(best.held_out, best.best, clock) if estimate and not alone else None
        solution = _solution(best, call, errors, unknown_errors(best.state.objective.whole, best.best))
    if out is not None:
        checkpoints.finish(lambda results: image(solution, packed(arguments, clock.elapsed, *results)))
    return solution


def _best(plan: Sequence[policy.Attempt], call: Call, kept: tuple[Mapping, History] | None) -> Result:
    """The attempts in turn while there is time and need; the best of them by held-out rows, with the history of all.

    ``kept``: the state and the history of the run to go on with.
    """
    best, current, history, limits = None, None, History(), call.limits
    if kept is not None:
        (tree, history), limits.clock.earlier = kept, kept[0]["seconds"]
        best, current = (tree[name] and restored(tree[name], plan, call, history) for name in ("best", "current"))
    for number in range(current.number if current else 0, len(plan)):
        if best is not None and current is None:
            if limits.left() <= 0:
                return replace(best, outcome=Outcome.TIME)
            if history.rows >= limits.iterations:
                return replace(best, outcome=Outcome.ITERATIONS)
            if not _worthwhile(plan[number], best, limits):
                continue
        try:
            current = current or begun(number, plan[number], call, history, best)
            result = replace(current, outcome=_iterated(current, best, call))
        except KeyboardInterrupt:
            if best is None:
                raise
            return replace(best, outcome=Outcome.INTERRUPTED)
        except EvaluationError:
            if best is None and number == len(plan) - 1:
                raise
            continue  # where one network cannot start, another may, and what was found is not lost
        finally:
            current = None
        best = _better(best, result)
        if result.outcome not in (Outcome.CONVERGED, Outcome.BROKEN):
            return replace(best, outcome=result.outcome)
    return best


def _better(best: Result | None, other: Result) -> Result:
    return other if best is None or other.state.best_held_out < best.state.best_held_out else best


def _worthwhile(attempt: policy.Attempt, before: Result, limits: Limits) -> bool:
    """Whether there is something to gain by an attempt, and the time for it: a least-squares problem costs the cube of its sines."""
    if not attempt.above < before.state.best_held_out < attempt.below:
        return False
    if not (isinstance(attempt.net, FrozenSines) and isinstance(before.attempt.net, FrozenSines)):
        return True
    return before.trial_seconds * (attempt.net.width / before.attempt.net.width) ** 3 < limits.left()


def _iterated(current: Result, best: Result | None, call: Call) -> Outcome:
    """Run an attempt from where it stands."""
    attempt, monitor, keep = current.attempt, Monitor(call.problem, current.held_out), call.checkpoints.keeper(best, current)
    return run(current.state, attempt.phases, attempt.sampler == "rad", call.limits, monitor, call.callbacks, keep)


def _solution(result: Result, call: Call, estimate: Mapping[str, float] | None = None, numbers: Mapping[str, float] | None = None) -> Solution:
    """The answer of an attempt, with its best parameters; ``numbers``: the standard errors of the unknown ones."""
    result.ansatz.load(result.best)
    outcome = result.outcome or Outcome.INTERRUPTED
    estimate = estimate or dict.fromkeys(call.problem.names.shown, math.nan)
    return Solution(call.problem, result.ansatz, result.state.history, outcome, estimate, _settings(result, call), numbers or {})


def _settings(result: Result, call: Call) -> dict:
    """What was used and what came of it, for the answer and the run file."""
    attempt, state, ansatz = result.attempt, result.state, result.ansatz
    losses = state.history["loss"][: state.iteration] if state.history.rows else [math.nan]
    return {
        "net": describe(attempt.net),
        "optimizer": " + ".join(type(p).__name__ for p in attempt.phases),
        "sampler": attempt.sampler,
        "evaluator": ", ".join(dict.fromkeys(p.evaluator for p in ansatz.pieces)),
        "parameters": ansatz.size,
        "points": state.objective.count,
        "dtype": str(call.dtype).removeprefix("torch."),
        "device": str(call.device),
        "seed": call.seed,
        "threads": torch.get_num_threads(),
        "iterations": state.history.rows,
        "evaluations": state.evaluations,
        "seconds": call.limits.clock.elapsed,
        "loss": float(losses[-1]),
        "held_out": state.best_held_out,
        "reason": attempt.reason,
        "versions": {
            "pinnsine": VERSION,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
