"""``solve``: from a problem to a solution, in one sitting.

check the problem -> find the scales -> choose what was not given -> draw network and points -> bind -> iterate -> keep the best by
held-out rows -> estimate the error. Nothing here reads the reference but the monitor, whose figures go to the progress line and the
history and nowhere else.
"""

from __future__ import annotations

import contextlib
import copy
import math
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from pinnsine import omega, policy
from pinnsine.ansatz import Ansatz, build_ansatz
from pinnsine.arguments import device_of, phases_of, validate
from pinnsine.bandwidth import trial_net, tuned
from pinnsine.budget import Clock, seconds
from pinnsine.constraint import row_points
from pinnsine.errors import EvaluationError, ProblemError
from pinnsine.estimate import estimate_error
from pinnsine.history import History
from pinnsine.loop import Limits, run
from pinnsine.monitor import Monitor
from pinnsine.nets import FrozenSines, describe
from pinnsine.objective import Objective, bind
from pinnsine.optim import LevenbergMarquardt
from pinnsine.outcome import Outcome
from pinnsine.points import Points
from pinnsine.probe import FieldScale
from pinnsine.problem import Problem
from pinnsine.rest import from_rest
from pinnsine.scaling import field_scales
from pinnsine.solution import Solution
from pinnsine.state import State
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
        out: a run file (.h5) to write at the end.
        progress: show a progress line.
        estimate: whether to estimate the error at the end; NaN otherwise.

    Returns:
        The best solution by held-out rows, also after Ctrl-C.

    Raises:
        ProblemError: something in the problem or the arguments is wrong; nothing has been computed then.
        EvaluationError: the residual is not finite for the starting network.
    """
    clock = Clock(seconds(time if time is not None or iterations is not None else DEFAULT_TIME))
    phases = phases_of(optimizer)
    validate(problem, phases or (LevenbergMarquardt(),), iterations, target, sampler, threads, dtype, out)
    problem.check()
    omega.warn_beyond(net, problem)
    with _threads(threads), _progress(progress) as line:
        scales = field_scales(problem)
        plan = policy.plan(problem, scales, net, phases, points, sampler, start, dtype, memory)
        reserve = min(ESTIMATE_SECONDS, ESTIMATE_SHARE * clock.budget) if estimate else 0.0
        limits = Limits(clock, iterations or math.inf, target, reserve)
        call = _Call(
            problem, scales, points, evaluator, getattr(torch, dtype), device_of(device), seed, memory, start, limits, [*callbacks, *line]
        )
        best = _best(plan, call)
        best.ansatz.load(best.state.best if best.state.best is not None else best.state.theta)
        errors = estimate_error(best.held_out, best.ansatz.flat(), clock) if estimate else {f.name: math.nan for f in problem.fields}
        unknown = unknown_errors(best.state.objective, best.ansatz.flat())
        settings = _settings(best, call)
    solution = Solution(problem, best.ansatz, best.state.history, best.outcome, errors, settings, unknown)
    if out is not None:
        solution.save(out)
    return solution


@dataclass(frozen=True)
class _Call:
    """What all attempts of one call share."""

    problem: Problem
    scales: Mapping[str, FieldScale]
    points: int | Mapping[str, int] | None
    evaluator: str
    dtype: torch.dtype
    device: torch.device
    seed: int
    memory: float
    start: Solution | None
    limits: Limits
    callbacks: Sequence


@dataclass(frozen=True)
class _Result:
    """What came of an attempt."""

    attempt: policy.Attempt
    ansatz: Ansatz
    state: State
    held_out: Objective
    outcome: Outcome
    trial_seconds: float


def _best(plan: Sequence[policy.Attempt], call: _Call) -> _Result:
    """The attempts in turn while there is time and need; the best of them by held-out rows, with the history of all."""
    best, history, limits = None, History(), call.limits
    for attempt in plan:
        if best is not None:
            if limits.left() <= 0:
                return replace(best, outcome=Outcome.TIME)
            if history.rows >= limits.iterations:
                return replace(best, outcome=Outcome.ITERATIONS)
            if not _worthwhile(attempt, best, limits):
                continue
        try:
            result = _made(attempt, call, history, best)
        except KeyboardInterrupt:
            if best is None:
                raise
            return replace(best, outcome=Outcome.INTERRUPTED)
        except EvaluationError:
            if best is None and attempt is plan[-1]:
                raise
            continue  # where one network cannot start, another may, and what was found is not lost
        if best is None or result.state.best_held_out < best.state.best_held_out:
            best = result
        if result.outcome not in (Outcome.CONVERGED, Outcome.BROKEN):
            return replace(best, outcome=result.outcome)
    return best


def _worthwhile(attempt: policy.Attempt, before: _Result, limits: Limits) -> bool:
    """Whether there is something to gain by an attempt, and the time for it: a least-squares problem costs the cube of its sines."""
    if not attempt.above < before.state.best_held_out < attempt.below:
        return False
    if not (isinstance(attempt.net, FrozenSines) and isinstance(before.attempt.net, FrozenSines)):
        return True
    return before.trial_seconds * (attempt.net.width / before.attempt.net.width) ** 3 < limits.left()


def _made(attempt: policy.Attempt, call: _Call, history: History, before: _Result | None) -> _Result:
    """Draw network and points, bind, find the bandwidth where it is free, iterate; ``before``: what was found by then."""
    attempt = _with_omega(attempt, call)
    net, free = attempt.net, isinstance(attempt.net, FrozenSines) and attempt.net.omega is None
    ansatz = _ansatz(trial_net(net) if free else net, call)
    objective, held_out = _bind(ansatz, attempt, call)
    theta, trial_seconds = ansatz.flat(), 0.0
    if free:
        near = before.attempt.net.omega if before is not None and isinstance(before.attempt.net, FrozenSines) else None
        trial = tuned(net, objective, held_out, call.seed, near, attempt.linear, call.limits.left)
        attempt, ansatz, theta, trial_seconds = replace(attempt, net=trial.net), trial.ansatz, trial.theta, trial.seconds
        objective, held_out = objective.with_ansatz(ansatz), held_out.with_ansatz(ansatz)
    elif isinstance(net, FrozenSines) and not attempt.linear and call.start is None:
        theta = from_rest(objective, theta)
    state = State(theta, objective, torch.Generator().manual_seed(call.seed + 2), iteration=history.rows, history=history)
    monitor = Monitor(call.problem, held_out)
    outcome = run(state, attempt.phases, attempt.sampler == "rad", call.limits, monitor, call.callbacks)
    return _Result(attempt, ansatz, state, held_out, outcome, trial_seconds)


def _with_omega(attempt: policy.Attempt, call: _Call) -> policy.Attempt:
    """The attempt with the bandwidth of its network found, where that is left to us."""
    net = attempt.net
    if not omega.is_free(net):
        return attempt
    found = omega.from_data(net, call.problem)
    if found is None:
        objective, held_out = _bind(_ansatz(trial_net(FrozenSines()), call), attempt, call)
        found = omega.from_trials(net, objective, held_out, call.seed, call.limits.left)
    return replace(attempt, net=found)


def _ansatz(net, call: _Call) -> Ansatz:
    """The trial function, freshly drawn or continued from the solution to start from."""
    start, problem = call.start, call.problem
    if start is None:
        ansatz = build_ansatz(problem, net, call.scales, torch.Generator().manual_seed(call.seed), call.evaluator)
    elif (start.problem.names.fields, start.problem.domain.names) != (problem.names.fields, problem.domain.names):
        raise ProblemError("start= must be a solution of the same fields and coordinates as this problem.")
    elif not isinstance(start.ansatz, Ansatz):
        raise ProblemError("start= cannot be the solution of a march, which has a network for every window: give that of one solve().")
    else:
        ansatz = Ansatz(problem, copy.deepcopy(start.ansatz.pieces), start.ansatz.scales, start.ansatz.net)
    return ansatz.to(call.dtype).to(call.device)


def _bind(ansatz: Ansatz, attempt: policy.Attempt, call: _Call) -> tuple[Objective, Objective]:
    """The objective at training points, and the same at held-out points."""
    problem = call.problem
    shares = policy.share_points(problem, call.points, attempt.points)
    unknown = [n for n in shares if n not in {c.name for c in problem.soft}]
    if unknown or any(n < 1 for n in shares.values()):
        raise ProblemError(f"points= takes positive numbers by constraint ({', '.join(c.name for c in problem.soft)}), got {call.points!r}.")
    first = "sobol" if attempt.sampler == "rad" else attempt.sampler

    def draw(draw_seed: int, share: float) -> dict[str, Points]:
        generator = torch.Generator().manual_seed(draw_seed)
        counts = {n: max(1, int(share * count)) for n, count in shares.items()}
        drawn = {c.name: row_points(c, problem.domain, counts[c.name], first, generator) for c in problem.soft}
        return {n: p.to(call.dtype, call.device) for n, p in drawn.items()}

    training = draw(call.seed + 1, 1.0)
    objective = bind(ansatz, training, call.memory)
    return objective, objective.with_points(draw(call.seed + 1_000_003, policy.HELD_OUT))


@contextlib.contextmanager
def _threads(count: int | None):
    """Limit torch to ``count`` threads, and put everything back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _progress(show: bool):
    """The progress line as a list of callbacks, empty if it is not wanted."""
    if not show:
        yield []
        return
    from pinnsine.progress import ProgressLine

    with ProgressLine() as line:
        yield [line]


def _settings(result: _Result, call: _Call) -> dict:
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
