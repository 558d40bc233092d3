"""The loop: phases of optimizers in turn, until time, target, patience or a wish ends them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pinnsine.budget import Clock
from pinnsine.errors import EvaluationError
from pinnsine.monitor import Monitor
from pinnsine.optim.step import Progress, Step
from pinnsine.outcome import Outcome
from pinnsine.resampling import resample
from pinnsine.state import State

MONITOR = 5  # iterations between two looks at the held-out rows and the reference
PATIENCE = 12  # looks without a gain before a run with fixed points counts as converged
RESAMPLE = {"residual": 10, "gradient": 500}  # iterations between two draws of adaptive points

Callbacks = Sequence[Callable[[Mapping], bool | None]]


@dataclass(frozen=True)
class Limits:
    """When to stop; ``reserve``: seconds kept for the error estimate."""

    clock: Clock
    iterations: float
    target: float | None
    reserve: float

    def left(self) -> float:
        """Seconds left, those for the error estimate set aside."""
        return self.clock.left - self.reserve


def run(state: State, phases: Sequence, adaptive: bool, limits: Limits, monitor: Monitor, callbacks: Callbacks) -> Outcome:
    """All phases in turn; the reason for the end. The best parameters are in ``state.best``."""
    outcome = Outcome.ITERATIONS
    first = state.iteration
    try:
        monitor.look(state)
        if not math.isfinite(state.best_held_out):
            raise EvaluationError("The residual of the starting network is not finite: check the problem with problem.check().")
        for method in phases:
            outcome = _phase(state, method, adaptive, limits, monitor, callbacks)
            if monitor.seen_iteration != state.iteration:  # the last iterations count too
                monitor.look(state)
            if outcome not in (Outcome.CONVERGED, Outcome.ITERATIONS) or state.iteration >= limits.iterations:
                break
            if state.best is not None and method is not phases[-1]:
                state.theta = state.best
    except KeyboardInterrupt:
        outcome = Outcome.INTERRUPTED
    except EvaluationError:
        if state.iteration == first:
            raise
        outcome = Outcome.BROKEN  # rows became infinite at new points: the best so far is not lost
    return outcome


def _phase(state: State, method, adaptive: bool, limits: Limits, monitor: Monitor, callbacks: Callbacks) -> Outcome:
    """The iterations of one method."""
    state.memory, state.stale = method.start(state.objective, state.theta), 0
    last = min(state.iteration + (method.iterations or math.inf), limits.iterations)
    while state.iteration < last:
        if limits.left() <= 0:
            return Outcome.TIME
        step = method.step(state.objective, state.theta, state.memory)
        if step.progress is Progress.BROKEN:
            return Outcome.BROKEN
        state.iteration += 1
        state.evaluations += step.evaluations
        state.theta, state.memory = step.theta, step.state
        if state.iteration % MONITOR == 0 or step.progress is Progress.STALLED or state.iteration == last:
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


def _report(state: State, method, step: Step, limits: Limits, monitor: Monitor, callbacks: Callbacks) -> bool:
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
