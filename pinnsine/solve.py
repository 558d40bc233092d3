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
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pinnsine import policy
from pinnsine.ansatz import Ansatz, build_ansatz
from pinnsine.arguments import device_of, phases_of, validate
from pinnsine.budget import Clock, seconds
from pinnsine.constraint import row_points
from pinnsine.errors import EvaluationError, ProblemError
from pinnsine.estimate import estimate_error
from pinnsine.monitor import Monitor
from pinnsine.objective import Objective, bind
from pinnsine.optim.step import Progress
from pinnsine.outcome import Outcome
from pinnsine.points import Points
from pinnsine.probe import trace
from pinnsine.problem import Problem
from pinnsine.resampling import resample
from pinnsine.scaling import field_scales
from pinnsine.solution import Solution
from pinnsine.state import State
from pinnsine.version import VERSION

MONITOR = 5  # iterations between two looks at the held-out rows and the reference
PATIENCE = 12  # looks without a gain before a run with fixed points counts as converged
RESAMPLE = {"residual": 10, "gradient": 500}  # iterations between two draws of adaptive points
DEFAULT_TIME = "2m"
ESTIMATE_SHARE = 0.3  # of a time budget, kept for the error estimate at the end
ESTIMATE_SECONDS = 8.0  # and no more than this


@dataclass(frozen=True)
class _Limits:
    """When to stop; ``reserve``: seconds kept for the error estimate."""

    clock: Clock
    iterations: float
    target: float | None
    reserve: float


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
) -> Solution:
    """Solve a problem; everything that is not given is chosen, and said in ``solution.settings["reason"]``.

    Args:
        net: a specification such as ``Siren(width=32)``, or any module (N, d) -> (N, m) of the scaled coordinates.
        optimizer: a method, or a list of them as phases; Levenberg-Marquardt by default.
        points: row points of the equations together, or by constraint.
        sampler: "sobol", "uniform", "grid", "latin_hypercube", or "rad" for adaptive points (see ``pinnsine.resampling``).
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

    Returns:
        The best solution by held-out rows, also after Ctrl-C.

    Raises:
        ProblemError: something in the problem or the arguments is wrong; nothing has been computed then.
        EvaluationError: the residual is not finite for the starting network.
    """
    clock = Clock(seconds(time if time is not None or iterations is not None else DEFAULT_TIME))
    phases = phases_of(optimizer)
    validate(problem, phases, iterations, target, sampler, threads, dtype, out)
    problem.check()
    with _threads(threads):
        scales = field_scales(problem)
        choice = policy.choose(problem, scales)
        net, sampler = net if net is not None else choice.net, sampler or choice.sampler
        ansatz = _ansatz(problem, net, scales, seed, evaluator, start).to(getattr(torch, dtype)).to(device_of(device))
        objective, held_out = _bind(problem, ansatz, points, sampler, seed, memory)
        state = State(ansatz.flat(), objective, torch.Generator().manual_seed(seed + 2))
        reserve = min(ESTIMATE_SECONDS, ESTIMATE_SHARE * clock.budget)
        limits = _Limits(clock, iterations or math.inf, target, reserve)
        monitor = Monitor(problem, held_out)
        with _progress(progress) as line:
            outcome = _run(state, phases, sampler == "rad", limits, monitor, [*callbacks, *line])
        ansatz.load(state.best if state.best is not None else state.theta)
        estimate = estimate_error(held_out, ansatz.flat(), clock)
        settings = _settings(net, phases, state, ansatz, objective, dtype, seed, clock, sampler)
    settings["reason"] = choice.reason if net is choice.net else "network given"
    solution = Solution(problem, ansatz, state.history, outcome, estimate, settings)
    if out is not None:
        solution.save(out)
    return solution


def _run(state: State, phases, adaptive: bool, limits: _Limits, monitor: Monitor, callbacks) -> Outcome:
    """All phases in turn; the reason for the end."""
    outcome = Outcome.ITERATIONS
    try:
        monitor.look(state)
        if not math.isfinite(state.best_held_out):
            raise EvaluationError("The residual of the starting network is not finite: check the problem with problem.check().")
        for method in phases:
            outcome = _phase(state, method, adaptive, limits, monitor, callbacks)
            if outcome not in (Outcome.CONVERGED, Outcome.ITERATIONS) or state.iteration >= limits.iterations:
                break
            if state.best is not None and method is not phases[-1]:
                state.theta = state.best
    except KeyboardInterrupt:
        outcome = Outcome.INTERRUPTED
    except EvaluationError:
        if state.iteration == 0:
            raise
        outcome = Outcome.BROKEN  # rows became infinite at new points: the best so far is not lost
    return outcome


def _phase(state: State, method, adaptive: bool, limits: _Limits, monitor: Monitor, callbacks) -> Outcome:
    """The iterations of one method."""
    state.memory, state.stale = method.start(state.objective, state.theta), 0
    last = state.iteration + (method.iterations or math.inf)
    while state.iteration < min(last, limits.iterations):
        if limits.clock.left <= limits.reserve:
            return Outcome.TIME
        step = method.step(state.objective, state.theta, state.memory)
        if step.progress is Progress.BROKEN:
            return Outcome.BROKEN
        state.iteration += 1
        state.evaluations += step.evaluations
        state.theta, state.memory = step.theta, step.state
        if state.iteration % MONITOR == 0 or step.progress is Progress.STALLED:
            monitor.look(state)
        if _report(state, method, step, limits, monitor, callbacks):
            return Outcome.CALLBACK
        if limits.target is not None and monitor.reached(state, limits.target):
            return Outcome.TARGET
        moved = adaptive and (state.iteration % RESAMPLE[method.uses] == 0 or step.progress is Progress.STALLED)
        if moved:
            state.objective = resample(state.objective, state.theta, state.generator)
            if method.gathers_curvature:  # what was gathered on the old points may not hold on the new ones
                state.memory = method.restart(state.objective, state.theta, state.memory)
        if (step.progress is Progress.STALLED and not moved) or state.stale >= PATIENCE * (3 if adaptive else 1):
            return Outcome.CONVERGED
    return Outcome.ITERATIONS


def _report(state: State, method, step, limits: _Limits, monitor: Monitor, callbacks) -> bool:
    """Add the iteration to the history and tell the callbacks; True if one of them wants to stop."""
    fresh = monitor.seen_iteration == state.iteration
    row = {
        "iteration": state.iteration,
        "seconds": limits.clock.elapsed,
        "loss": step.loss,
        "held_out": monitor.seen_held_out if fresh else math.nan,
        "error": monitor.error if fresh else math.nan,
        "damping": step.state.get("damping", math.nan),
    }
    state.history.append({**row, **({f"loss.{n}": v for n, v in monitor.losses.items()} if fresh else {})})
    record = {**row, "phase": type(method).__name__, "losses": dict(monitor.losses), "seconds_left": limits.clock.left}
    record["held_out"], record["error"] = monitor.seen_held_out, monitor.error
    wishes = [callback(record) is True for callback in callbacks]
    return any(wishes)


def _ansatz(problem: Problem, net, scales, seed: int, evaluator: str, start: Solution | None) -> Ansatz:
    if start is None:
        return build_ansatz(problem, net, scales, torch.Generator().manual_seed(seed), evaluator)
    if (start.problem.names.fields, start.problem.domain.names) != (problem.names.fields, problem.domain.names):
        raise ProblemError("start= must be a solution of the same fields and coordinates as this problem.")
    pieces = copy.deepcopy(start.ansatz.pieces)
    return Ansatz(problem, pieces, start.ansatz.scales, start.ansatz.net)


def _bind(problem: Problem, ansatz: Ansatz, points, sampler: str, seed: int, memory: float) -> tuple[Objective, Objective]:
    """The objective at training points, and the same at held-out points."""
    shares = policy.share_points(problem, points)
    unknown = [n for n in shares if n not in {c.name for c in problem.soft}]
    if unknown or any(n < 1 for n in shares.values()):
        raise ProblemError(f"points= takes positive numbers by constraint ({', '.join(c.name for c in problem.soft)}), got {points!r}.")
    first = "sobol" if sampler == "rad" else sampler
    like = next(ansatz.parameters())

    def draw(draw_seed: int, share: float) -> dict[str, Points]:
        generator = torch.Generator().manual_seed(draw_seed)
        counts = {n: max(1, int(share * count)) for n, count in shares.items()}
        drawn = {c.name: row_points(c, problem.domain, counts[c.name], first, generator) for c in problem.soft}
        return {n: p.to(like.dtype, like.device) for n, p in drawn.items()}

    training = draw(seed + 1, 1.0)
    needs = {
        c.name: trace(problem, c, training[c.name].to(torch.float64, "cpu").select(slice(0, 16)), ansatz.scales).need for c in problem.soft
    }
    objective = bind(ansatz, training, needs, ansatz.scales, memory)
    return objective, objective.with_points(draw(seed + 1_000_003, policy.HELD_OUT))


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


def _settings(net, phases, state: State, ansatz: Ansatz, objective: Objective, dtype, seed, clock: Clock, sampler) -> dict:
    """What was used and what came of it, for the answer and the run file."""
    like = next(ansatz.parameters())
    last = state.history["loss"][-1] if state.history.rows else math.nan
    return {
        "net": describe_net(net),
        "optimizer": " + ".join(type(p).__name__ for p in phases),
        "sampler": sampler,
        "evaluator": ", ".join(dict.fromkeys(p.evaluator for p in ansatz.pieces)),
        "parameters": ansatz.size,
        "points": objective.count,
        "dtype": dtype,
        "device": str(like.device),
        "seed": seed,
        "threads": torch.get_num_threads(),
        "iterations": state.iteration,
        "evaluations": state.evaluations,
        "seconds": clock.elapsed,
        "loss": float(last),
        "held_out": state.best_held_out,
        "versions": {
            "pinnsine": VERSION,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def describe_net(net) -> str:
    """A network as the command line writes it: ``siren:width=20,depth=3,omega=4.0``; a module by its class."""
    if isinstance(net, nn.Module) or not is_dataclass(net):
        return type(net).__name__
    return f"{type(net).__name__.lower()}:" + ",".join(f"{k}={v}" for k, v in asdict(net).items())
