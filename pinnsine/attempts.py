"""The attempts of a plan in turn: each is begun, iterated and compared with the best before it, and the best is made a solution."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pinnsine import policy
from pinnsine.attempt import Call, begun, restored
from pinnsine.bandwidth import FAIR
from pinnsine.errors import EvaluationError
from pinnsine.history import History
from pinnsine.loop import Limits, run
from pinnsine.monitor import Monitor
from pinnsine.nets import FrozenSines, describe
from pinnsine.outcome import Outcome
from pinnsine.solution import Solution
from pinnsine.state import Result
from pinnsine.uncertainty import error_seconds
from pinnsine.version import VERSION

SHARE = 0.15  # of the time: kept for the last step of an attempt that has one (``pinnsine.lift``)
LEAST = 10.0  # seconds without which that is not begun
CLOSING = 0.3  # of the time left, at most, for the standard errors of unknown numbers
# Where training is to follow and twice as many sines are expected to leave more than FAIR, they may take no more than this part of the time
# left. Burgers' front in the plane: 3e-4, 3e-5 and 4e-6 with more and more sines, the last in half of the time, in which training leaves 1e-12.
# Where sines leave less, though they gain as slowly (1e-7, 4e-9 of the obstacle; 3e-9, 7e-10 of the cavity), training as a rule gains nothing.
SHARE_OF_MORE = 0.25
ROUNDS = 3  # trials and steps, of about a trial's time each, that an attempt on more sines takes: two bandwidths at least, and the solution


def tried(
    plan: Sequence[policy.Attempt],
    call: Call,
    kept: tuple[Mapping, History] | None = None,
    best: Result | None = None,
    until: int | None = None,
    begin: int = 0,
) -> Result:
    """The attempts in turn while there is time and need; the best of them by held-out rows, with the history of all.

    ``kept``: the state and the history of the run to go on with. ``best``: the best before. ``begin``, ``until``: the attempts of the plan.
    """
    current, history, limits = None, best.state.history if best else History(), call.limits
    if kept is not None:
        (tree, history), limits.clock.earlier = kept, kept[0]["seconds"]
        best, current = (tree[name] and restored(tree[name], plan, call, history) for name in ("best", "current"))
    first = current.number if current else begin if best is None else max(begin, best.number + 1)
    for number in range(first, len(plan) if until is None else until):
        if best is not None and current is None:
            if limits.left() <= 0:
                return replace(best, outcome=Outcome.TIME)
            if history.rows >= limits.iterations:
                return replace(best, outcome=Outcome.ITERATIONS)
            if not _worthwhile(plan[number:], best, limits):
                continue
        try:
            current = current or begun(number, plan[number], call, history, best)
            result = replace(current, outcome=iterated(current, best, call))
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
        best = replace(better(best, result), gain=_gain(best, result))
        if result.outcome not in (Outcome.CONVERGED, Outcome.BROKEN):
            return replace(best, outcome=result.outcome)
    return best


def better(best: Result | None, other: Result) -> Result:
    """The one with the smaller held-out rows."""
    return other if best is None or other.state.best_held_out < best.state.best_held_out else best


def _worthwhile(plan: Sequence[policy.Attempt], before: Result, limits: Limits) -> bool:
    """Whether there is something to gain by the first attempt of those to come, and the time for it.

    A least-squares problem costs the cube of its sines. Where a trained network follows, they are worth much of the time only if they are
    expected to come near: to gain what the last ones did.
    """
    attempt, *later = plan
    if not _promises(attempt, before):
        return False
    if not (isinstance(attempt.net, FrozenSines) and isinstance(before.attempt.net, FrozenSines)):
        return True
    left, factor = limits.left(), (attempt.net.width / before.attempt.net.width) ** 3
    trained = any(_promises(a, before) and not isinstance(a.net, FrozenSines) for a in later)
    if trained and before.gain * before.state.best_held_out > FAIR and ROUNDS * factor * before.trial_seconds > SHARE_OF_MORE * left:
        return False
    return factor * (before.trial_seconds + _closing(before, limits)) < left


def _promises(attempt: policy.Attempt, before: Result) -> bool:
    """Whether the attempt is for what is left of the rows."""
    return attempt.above < before.state.best_held_out < attempt.below


def _gain(before: Result | None, result: Result) -> float:
    """The part of the held-out loss that more frozen sines of the same kind have left; 0 where nothing of the sort is known."""
    nets = [r.attempt.net for r in (before, result) if r is not None]
    if len(nets) < 2 or not all(isinstance(n, FrozenSines) for n in nets) or nets[0].corners != nets[1].corners:
        return 0.0
    return result.state.best_held_out / before.state.best_held_out


def iterated(current: Result, best: Result | None, call: Call) -> Outcome:
    """Run an attempt from where it stands."""
    attempt, adaptive, keep = current.attempt, current.attempt.sampler == "rad", call.checkpoints.keeper(best, current)
    monitor, limits = Monitor(call.problem, current.held_out, adaptive), call.limits
    closing = max(_closing(result, limits) for result in (current, best) if result is not None)  # either may be the answer
    reserve = limits.reserve + lift_seconds(attempt, limits.clock.budget) + closing
    return run(current.state, attempt.phases, adaptive, replace(limits, reserve=reserve), monitor, call.callbacks, keep)


def lift_seconds(attempt: policy.Attempt, budget: float) -> float:
    """What an attempt leaves of a budget to its last step."""
    seconds = SHARE * budget
    return seconds if attempt.lifted and LEAST <= seconds < math.inf else 0.0


def _closing(result: Result, limits: Limits) -> float:
    """The seconds to be kept for the standard errors of unknown numbers, which are left out rather than take most of the time."""
    left = limits.left()
    return min(error_seconds(result.state.objective.whole, result.state.theta), CLOSING * max(left, 0.0)) if left < math.inf else 0.0


def answer(
    result: Result,
    call: Call,
    estimate: Mapping[str, float] | None = None,
    numbers: Mapping[str, float] | None = None,
    theta: Tensor | None = None,
) -> Solution:
    """The answer of an attempt, with its best parameters or ``theta`` (P,); ``numbers``: the standard errors of the unknown ones."""
    result.ansatz.load(result.best if theta is None else theta)
    outcome = result.outcome or Outcome.INTERRUPTED
    estimate = estimate or dict.fromkeys(call.problem.names.shown, math.nan)
    return Solution(call.problem, result.ansatz, result.state.history, outcome, estimate, _settings(result, call), numbers or {})


def _settings(result: Result, call: Call) -> dict:
    """What was used and what came of it, for the answer and the run file."""
    attempt, state, ansatz = result.attempt, result.state, result.ansatz
    losses = state.history["loss"][: state.iteration] if state.iteration else [math.nan]
    return {
        "net": describe(attempt.net),
        "optimizer": " + ".join(type(p).__name__ for p in attempt.phases),
        "sampler": attempt.sampler,
        "evaluator": ", ".join(dict.fromkeys(p.evaluator for p in ansatz.pieces)),
        "parameters": ansatz.size,
        "points": state.objective.count,
        "dtype": str(call.dtype).removeprefix("torch."),
        "device": str(call.device),
        "seed": call.asked.seed,
        "threads": torch.get_num_threads(),
        "iterations": state.history.rows,
        "evaluations": state.evaluations,
        "seconds": call.limits.clock.elapsed,
        "loss": float(losses[-1]),
        "held_out": state.best_held_out,
        **({"compile_seconds": call.compiler.seconds} if call.compiler else {}),
        "reason": attempt.reason,
        "versions": {
            "pinnsine": VERSION,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
