"""The last step of a run on a front: least squares on sines of the coordinates and of what the network has learned.

Levenberg-Marquardt resolves a front, and then gains little by little. Smooth functions of the last hidden layer resolve it as well, and enter
linearly (``LiftedSines``): a few Gauss-Newton steps on a thousand of them. Burgers' equation at nu = 0.01/pi after 200 iterations of seed 0:
3.4e-5, with them 3.2e-6, in a seventh of the time. More freedom is more to misuse: with 1000 points on Allen-Cahn's start, where a kink is,
they followed these, and 3.0e-5 became 2.0e-4; with 5000 it becomes 1.7e-5. Where the held-out rows are not nearly as small as those fitted
the answer is left as it is, and the time that remains is used as before.

Unknown numbers are fitted along with the sines. A fifth of the measurements is held out: of exact ones, after 283 iterations, viscosity and
convection off by 2.4e-6 and 1.2e-6 came to 7e-9 and 8e-9; with noise of 0.01 so many functions follow it, and convection off by 1e-3 would have
been off by 1e-2, which the measurements held out forbid.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from pinnsine.attempt import Call, drawn
from pinnsine.attempts import LEAST, iterated
from pinnsine.distributed import agreed
from pinnsine.errors import EvaluationError
from pinnsine.loop import Limits
from pinnsine.nets import LiftedSines
from pinnsine.objective import Objective
from pinnsine.optim import GaussNewton
from pinnsine.optim.step import Progress
from pinnsine.outcome import Outcome
from pinnsine.points import Points
from pinnsine.problem import Problem
from pinnsine.regression import apart
from pinnsine.resampling import resample
from pinnsine.shares import ROWS_PER_SINE, equations_of
from pinnsine.state import Result, State
from pinnsine.uncertainty import is_data

WIDTH = 1000  # sines where there are conditions
STEPS = 3
DAMPING = 1e-12  # see ``least_squares``
HONEST = 3.0  # the held-out loss over the fitted one, above which more is fitted than is known
FALLEN = 1e-2  # unless the held-out loss itself is this part of what it was: Burgers' fell from 1e-9 to 1e-15, at 2.6 times the fitted one


def lifted(best: Result, call: Call) -> Result:
    """The answer with its function corrected so, where that is to be trusted; else as it is, after what there is time left for."""
    clock, stopped = call.limits.clock, best.outcome in (Outcome.INTERRUPTED, Outcome.CALLBACK, Outcome.TARGET)
    if not best.attempt.lifted or stopped or not LEAST <= clock.left < math.inf:
        return best
    try:
        found = _begun(best, call)
        if (state := _corrected(found, call.limits)) is not None:
            return replace(found, state=state, outcome=best.outcome)
    except EvaluationError:
        pass  # what was found is not lost
    if best.outcome is not Outcome.TIME:
        return best
    return replace(best, outcome=iterated(replace(best, attempt=replace(best.attempt, lifted=False)), None, call))


def _corrected(found: Result, limits: Limits) -> State | None:
    """The state after a few steps; None where they are not to be trusted."""
    objective, theta, method = found.state.objective, found.state.theta, GaussNewton(damping=DAMPING)
    least, accepted = found.held_out.loss(theta), None
    wanted = 2 if found.ansatz.problem.unknowns else 1  # the standard errors of unknown numbers take about the time of a step
    for _ in range(STEPS):
        started = limits.clock.elapsed
        step = method.step(objective, theta, {})
        held_out = found.held_out.loss(step.theta)
        if not held_out < min(max(HONEST * step.loss, FALLEN * least), least):
            return accepted
        theta, least = step.theta, held_out
        accepted = replace(found.state, theta=theta, best=theta, best_held_out=held_out)
        if step.progress is not Progress.MOVED or limits.left() < wanted * agreed(limits.clock.elapsed - started):
            return accepted
    return accepted


def _begun(best: Result, call: Call) -> Result:
    """The same function on its new network, at more points, drawn where its residual is large."""
    width, points = _shares(call.problem)
    net = LiftedSines(best.attempt.net, width)
    attempt = replace(best.attempt, net=net, phases=(GaussNewton(damping=DAMPING),))
    found = drawn(best.number, attempt, replace(call, asked=replace(call.asked, points=points)), best.state.history)
    best.ansatz.load(best.best)
    for piece, trained in zip(found.ansatz.pieces, best.ansatz.pieces, strict=True):
        piece.module[1].core.load_state_dict(trained.module[1].state_dict())
    with torch.no_grad():
        found.ansatz.unknowns.copy_(best.ansatz.unknowns)
    there = best.state.objective.with_points(found.state.objective.points)
    moved = resample(there, best.best, torch.Generator().manual_seed(call.asked.seed + 3)).points
    counts = {name: getattr(best.state, name) for name in ("iteration", "evaluations", "phase")}
    objective = _apart(found.state.objective.with_points(moved), call.asked.seed, held_out=False)
    held_out = _apart(found.held_out, call.asked.seed, held_out=True)
    return replace(found, held_out=held_out, state=replace(found.state, theta=found.ansatz.flat(), objective=objective, **counts))


def _apart(objective: Objective, seed: int, held_out: bool) -> Objective:
    """The objective with the measurements that are fitted, or those that tell whether their noise was: one in five."""
    data = [t.constraint.name for t in objective.terms if is_data(t)]
    return objective.with_points({n: apart(objective.points[n], seed, held_out) for n in data})


def _shares(problem: Problem) -> tuple[int, dict[str, int]]:
    """The number of sines, and points by constraint: as many for all conditions together as for all equations.

    So many functions would follow fewer of them and nothing between. Measurements have their own points; where nothing else is given, the
    equations take all, which then tell half as many functions again apart: of the inverse Burgers problem 1000 left 7e-13, 1400 5e-15.
    """
    equations = equations_of(problem)
    others = [c for c in problem.soft if c not in equations and not isinstance(c.on, Points)]
    groups = [group for group in (equations, others) if group]
    points = {c.name: max(1, 2 * ROWS_PER_SINE * WIDTH // len(groups) // len(group)) for group in groups for c in group}
    return (WIDTH if others else WIDTH * 3 // 2), points
