"""The loop: phases of optimizers in turn, until time, target, patience or a wish ends them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pinnsine.budget import Clock
from pinnsine.distributed import agreed, handed
from pinnsine.errors import EvaluationError
from pinnsine.monitor import Monitor
from pinnsine.optim.step import Progress, Step
from pinnsine.outcome import Outcome
from pinnsine.resampling import resample
from pinnsine.state import State
from pinnsine.view import adapted, parameters, view
from pinnsine.weighting import means

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


def run(
    state: State,
    phases: Sequence,
    adaptive: bool,
    limits: Limits,
    monitor: Monitor,
    callbacks: Callbacks,
    keep: Callable[[State], None],
) -> Outcome:
    """All phases in turn, from where the state stands; the reason for the end. The best parameters are in ``state.best``.

    ``keep`` is handed the state whenever it is whole: between two iterations, at the end of a phase and where the run stops.
    """
    outcome = None
    try:
        if state.seen is None:
            monitor.look(state)
        if not math.isfinite(state.best_held_out):
            raise EvaluationError("The residual of the starting network is not finite: check the problem with problem.check().")
        keep(state)
        while outcome is None and state.phase < len(phases):
            outcome = _phase(state, phases[state.phase], adaptive, limits, monitor, callbacks, keep)
            if outcome is None:
                _turn(state)
            keep(state)
        if state.seen.iteration < state.iteration:  # once more for the answer; a run that goes on from here has not had this look
            monitor.look(state)
    except KeyboardInterrupt:
        outcome = Outcome.INTERRUPTED
    except EvaluationError:
        if state.evaluations == 0:
            raise
        outcome = Outcome.BROKEN  # rows became infinite at new points: the best so far is not lost
    return outcome or state.ended


def _turn(state: State) -> None:
    """Go over to the next phase, from the best parameters so far."""
    state.ended = Outcome.CONVERGED if state.converged else Outcome.ITERATIONS
    state.phase, state.since, state.theta, state.memory, state.weights = state.phase + 1, state.iteration, state.best, None, None
    state.stale, state.converged = 0, False


def _phase(state: State, method, adaptive: bool, limits: Limits, monitor: Monitor, callbacks: Callbacks, keep) -> Outcome | None:
    """The iterations of one method; None once they are done, else what stopped them."""
    last, objective, before = state.since + (method.iterations or math.inf), None, math.nan
    while state.iteration < last and not state.converged:
        keep(state)
        if state.iteration >= limits.iterations:
            return Outcome.ITERATIONS
        left = limits.left()
        if left <= 0 or (method.uses == "residual" and left < before - left):  # another as long as the last does not fit
            return Outcome.TIME
        before = left
        if adapted(state, method):
            objective = _anew(state, method)
        elif objective is None:
            objective = view(state, method)
        if state.memory is None:
            state.memory = method.start(objective, parameters(state, method))
        step = method.step(objective, parameters(state, method), state.memory)
        if step.progress is Progress.BROKEN:
            return Outcome.BROKEN
        state.iteration += 1
        state.evaluations += step.evaluations
        state.theta, state.memory = handed(step.theta, step.theta.shape, step.theta).to(state.theta.dtype), step.state
        stalled = step.progress is Progress.STALLED
        if state.iteration % MONITOR == 0 or stalled or state.iteration == last:
            monitor.look(state)
        stop = _report(state, method, step, limits, callbacks)
        reached = limits.target is not None and monitor.reached(state, limits.target)
        moved = adaptive and (state.iteration % RESAMPLE[method.uses] == 0 or stalled)
        if moved:
            state.objective = resample(state.objective, state.theta, state.generator)
            state.weights = state.weights and method.weights.moved(state.weights)
            objective = _anew(state, method)
        tired = state.stale >= PATIENCE * (3 if adaptive else 1) and not getattr(method, "patient", False)
        state.converged = (stalled and not moved) or tired
        if stop or reached:
            return Outcome.CALLBACK if stop else Outcome.TARGET
    return None


def _anew(state: State, method):
    """The objective of a method after a change of points or weights: what was gathered before may not hold now."""
    objective = view(state, method)
    if method.gathers_curvature and state.memory is not None:
        state.memory = method.restart(objective, parameters(state, method), state.memory)
    return objective


def _report(state: State, method, step: Step, limits: Limits, callbacks: Callbacks) -> bool:
    """Add the iteration to the history and tell the callbacks; True if one of them wants to stop."""
    seen, losses = state.seen, {f"loss.{n}": v for n, v in state.seen.losses.items()}
    row = {
        "iteration": state.iteration,
        "seconds": limits.clock.elapsed,
        "loss": step.loss,
        "held_out": seen.held_out,
        "error": seen.error,
        "damping": step.state.get("damping", math.nan),
    }
    fresh = seen.iteration == state.iteration
    weights = {f"weight.{n}": v for n, v in means(state.weights["factors"]).items()} if state.weights else {}
    state.history.append({**row, **weights, **losses} if fresh else {**row, **weights, "held_out": math.nan, "error": math.nan})
    record = {**row, "phase": type(method).__name__, "losses": dict(seen.losses), "seconds_left": limits.clock.left}
    wishes = [callback(record) is True for callback in callbacks]
    return bool(agreed(any(wishes)))
