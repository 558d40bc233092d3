"""The last step of a run on a front: least squares on sines of the coordinates and of what the network has learned.

Levenberg-Marquardt resolves a front, and then gains little by little. Smooth functions of the last hidden layer resolve it as well, and enter
linearly (``LiftedSines``): a few Gauss-Newton steps on a thousand of them. Burgers' equation at nu = 0.01/pi after 200 iterations of seed 0:
3.4e-5, with them 3.2e-6, in a seventh of the time. More freedom is more to misuse: with 1000 points on Allen-Cahn's start, where a kink is,
they followed these, and 3.0e-5 became 2.0e-4; with 5000 it becomes 1.7e-5. Where the held-out rows are not nearly as small as those fitted
the answer is left as it is, and the time that remains is used as before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from pinnsine import policy
from pinnsine.attempt import Call, drawn
from pinnsine.attempts import iterated
from pinnsine.distributed import agreed
from pinnsine.errors import EvaluationError
from pinnsine.loop import Limits
from pinnsine.nets import LiftedSines
from pinnsine.optim import GaussNewton
from pinnsine.optim.step import Progress
from pinnsine.outcome import Outcome
from pinnsine.problem import Problem
from pinnsine.resampling import resample
from pinnsine.shares import ROWS_PER_SINE, equations_of
from pinnsine.state import Result, State

WIDTH = 1000  # sines
SHARE = 0.15  # of the time
LEAST = 10.0  # seconds without which it is not begun
STEPS = 3
DAMPING = 1e-12  # see ``least_squares``
HONEST = 3.0  # the held-out loss over the fitted one, above which more is fitted than is known
FALLEN = 1e-2  # unless the held-out loss itself is this part of what it was: Burgers' fell from 1e-9 to 1e-15, at 2.6 times the fitted one


def lift_seconds(plan: Sequence[policy.Attempt], budget: float) -> float:
    """What is kept of a budget for this step."""
    seconds = SHARE * budget
    return seconds if LEAST <= seconds < math.inf and any(a.lifted for a in plan) else 0.0


def lifted(best: Result, call: Call) -> Result:
    """The answer with its function corrected so, where that is to be trusted; else as it is, after what there is time left for."""
    clock, stopped = call.limits.clock, best.outcome in (Outcome.INTERRUPTED, Outcome.CALLBACK, Outcome.TARGET)
    if not best.attempt.lifted or stopped or not LEAST <= clock.left < math.inf:
        return best
    limits = replace(call.limits, reserve=call.limits.reserve - lift_seconds((best.attempt,), clock.budget))
    try:
        found = _begun(best, call)
        if (state := _corrected(found, limits)) is not None:
            return replace(found, state=state, outcome=best.outcome)
    except EvaluationError:
        pass  # what was found is not lost
    return replace(best, outcome=iterated(best, None, replace(call, limits=limits))) if best.outcome is Outcome.TIME else best


def _corrected(found: Result, limits: Limits) -> State | None:
    """The state after a few steps; None where they are not to be trusted."""
    objective, theta, method = found.state.objective, found.state.theta, GaussNewton(damping=DAMPING)
    least, accepted = found.held_out.loss(theta), None
    for _ in range(STEPS):
        started = limits.clock.elapsed
        step = method.step(objective, theta, {})
        held_out = found.held_out.loss(step.theta)
        if not held_out < min(max(HONEST * step.loss, FALLEN * least), least):
            return accepted
        theta, least = step.theta, held_out
        accepted = replace(found.state, theta=theta, best=theta, best_held_out=held_out)
        if step.progress is not Progress.MOVED or limits.left() < agreed(limits.clock.elapsed - started):
            return accepted
    return accepted


def _begun(best: Result, call: Call) -> Result:
    """The same function on its new network, at more points, drawn where its residual is large."""
    net = LiftedSines(best.attempt.net, WIDTH)
    attempt = replace(best.attempt, net=net, phases=(GaussNewton(damping=DAMPING),))
    asked = replace(call.asked, points=_points(call.problem, ROWS_PER_SINE * net.width))
    found = drawn(best.number, attempt, replace(call, asked=asked), best.state.history)
    best.ansatz.load(best.best)
    for piece, trained in zip(found.ansatz.pieces, best.ansatz.pieces, strict=True):
        piece.module[1].core.load_state_dict(trained.module[1].state_dict())
    with torch.no_grad():
        found.ansatz.unknowns.copy_(best.ansatz.unknowns)
    there = best.state.objective.with_points(found.state.objective.points)
    moved = resample(there, best.best, torch.Generator().manual_seed(call.asked.seed + 3)).points
    counts = {name: getattr(best.state, name) for name in ("iteration", "evaluations", "phase")}
    objective = found.state.objective.with_points(moved)
    return replace(found, state=replace(found.state, theta=found.ansatz.flat(), objective=objective, **counts))


def _points(problem: Problem, total: int) -> dict[str, int]:
    """As many points for all conditions together as for all equations: so many functions would follow fewer of them and nothing between."""
    those = equations_of(problem)
    others = [c for c in problem.soft if c not in those]
    return {c.name: max(1, total // len(group)) for group in (those, others) for c in group}
