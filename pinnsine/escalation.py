"""What is tried one after another: few frozen sines on the whole domain, windows of time, then the other attempts of the plan.

Each is left as soon as what it found cannot be made better by what follows, and what time cuts short is no answer where there is another.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from pinnsine import distributed, policy
from pinnsine.attempt import Call, restored
from pinnsine.attempts import answer, tried
from pinnsine.chain import estimating
from pinnsine.constrained import constrained_fit
from pinnsine.cost import Kept, OutOfTime
from pinnsine.dense_windows import densely, is_dense
from pinnsine.estimate import estimate_error
from pinnsine.evolution import is_evolution
from pinnsine.history import History
from pinnsine.lift import lifted
from pinnsine.nets import FrozenSines
from pinnsine.optim import GaussNewton
from pinnsine.outcome import Outcome
from pinnsine.problem import Problem
from pinnsine.resolved import is_resolvable, mirrored_in, stepped
from pinnsine.solution import Solution
from pinnsine.state import Result
from pinnsine.stepping import POOR, STEPS
from pinnsine.uncertainty import error_seconds, unknown_errors

SURE = 1e-12  # a held-out loss of all windows with which nothing else is tried
STOPPED = (Outcome.TARGET, Outcome.ITERATIONS, Outcome.CALLBACK, Outcome.INTERRUPTED)
LINES = 2  # coordinates, one of them time, in which windows come before more sines
LEAST_WINDOWS = 2  # of as many sines as came near on the whole domain: each takes no less time than a trial did there
KNOWN = 10.0  # the factor to which an estimate of the error is to be trusted
WELL = 1e-12  # a held-out loss on the whole domain with which more sines promise more than windows of time


def answered(plan: Sequence[policy.Attempt], call: Call, kept: tuple[Mapping, History] | None) -> Solution:
    """The answer of the attempts; an evolution that few frozen sines do not solve whole is marched through before more is tried."""
    march = kept[0]["march"] if kept else None
    if march is None and not _marches(plan, call, kept):
        return _estimated(tried(plan, call, kept), call)
    # few frozen sines on the whole domain are tried before, but where time is all there is, or waves and windows are found as they are needed
    count = _on_whole(plan, call.problem) if len(call.problem.domain.axes) > 1 and not _is_resolvable(call) else 0
    dense = count > 0 and is_dense(plan, call, kept) and (march is None or "dense" in march["stepping"])
    if count:
        plan = (replace(plan[0], phases=(GaussNewton(STEPS),), brief=count == 1), *plan[1:])
    best = None
    if march is not None:
        call.limits.clock.earlier = kept[0]["seconds"]
        best = kept[0]["best"] and restored(kept[0]["best"], plan, call, kept[1])
    elif count:
        best = tried(plan, call, kept, until=1 if dense else count)
        if _ends(best, call):
            return _estimated(best, call)
        if best is not None and best.state.best_held_out <= WELL:
            return _estimated(tried(plan, call, best=best, begin=count), call)
    if dense and best is not None:
        marched, best = _in_dense_windows(plan, count, call, best, kept, march)
        if marched is not None:
            return marched
        march = None
    unresolved = best.state.best_held_out > POOR if best is not None else len(call.problem.domain.space) == 1
    share = plan[-1].kept if unresolved else 0.0
    fits = march is not None or best is None or unresolved or LEAST_WINDOWS * best.trial_seconds < call.limits.left()
    marched = _marched(call, best, share, march) if fits else None
    last = STOPPED if share else (*STOPPED, Outcome.TIME)
    if marched is not None and (best is None or marched.settings["held_out"] <= SURE or marched.outcome in last):
        return marched
    other = _estimated(tried(plan, call, kept if march and kept[0]["current"] else None, best, begin=count), call)
    return marched if marched is not None and _surer(marched, other) else other


def _in_dense_windows(plan: Sequence[policy.Attempt], count: int, call: Call, best: Result, kept, march) -> tuple[Solution | None, Result]:
    """The answer by windows of many sines; where they are no better, that of the other attempts on the whole domain if nothing is to follow.

    Beside it the best of the attempts.
    """
    marched, outcome = densely(call, best, march)
    if marched is not None:
        return marched, best
    if outcome is not Outcome.HALTED:
        return _estimated(replace(best, outcome=outcome), call), best
    best = tried(plan, call, kept if march and kept[0]["current"] else None, best, begin=1, until=count)
    return _estimated(best, call) if _ends(best, call) else None, best


def _ends(best: Result | None, call: Call) -> bool:
    """Whether nothing is to follow what was found."""
    if best is None:
        return False
    return best.outcome not in (Outcome.CONVERGED, Outcome.BROKEN, Outcome.ITERATIONS) or best.state.history.rows >= call.limits.iterations


def _on_whole(plan: Sequence[policy.Attempt], problem: Problem) -> int:
    """The attempts on the whole domain that come before windows of time.

    On a linear problem in a plane or in space, where they come near, twice the sines gain more digits than half the length, and nothing is
    carried from window to window: of Maxwell's equations 466 sines a field left 7e-5 on the whole domain, 5e-4 in two windows of as many, and
    933 on the whole domain 4e-7.
    """
    frozen = sum(isinstance(a.net, FrozenSines) for a in plan)
    coordinates = len(problem.domain.axes)
    return frozen if coordinates > policy.FILLED or (plan[0].linear and coordinates > LINES) else 1


def _surer(marched: Solution, other: Solution) -> bool:
    """Whether a march is to be trusted more: by the estimated errors, and where one is not known by the held-out rows.

    An estimate is good to a factor of ``KNOWN``, and too small rather where it is made of sines on the whole domain, which see less of a kink
    than those of a window: of Black-Scholes' equation 5e-5 on the whole domain was 5e-4, 2e-4 of windows 6e-5.
    """
    errors = [max(s.estimate.values(), key=lambda e: (math.isnan(e), e)) for s in (marched, other)]
    if any(map(math.isnan, errors)):
        return marched.settings["held_out"] < other.settings["held_out"] and other.settings["held_out"] > POOR
    return errors[0] < KNOWN * errors[1]


def _marches(plan: Sequence[policy.Attempt], call: Call, kept: tuple[Mapping, History] | None) -> bool:
    """Whether windows of time are to be tried: where the choice is free, and smooth solutions are expected that the start determines."""
    asked = call.asked
    given = asked.net is not None or asked.start is not None or asked.optimizer or asked.dtype != "float64"
    later = kept is not None and kept[0]["current"]["number"] >= _on_whole(plan, call.problem)
    few = asked.iterations is not None and len(call.problem.domain.axes) > 1  # those of many windows are for one network
    if given or later or few or not is_evolution(call.problem):
        return False
    return isinstance(plan[0].net, FrozenSines) or _is_resolvable(call, front=True)


def _is_resolvable(call: Call, front: bool = False) -> bool:
    """Whether windows of time on lattices without a Jacobian take whatever comes.

    ``front``: with a very small leading term that is so where space is periodic alone. Between walls Burgers' equation at nu = 0.01 / pi took a
    minute to 1.8e-4, with up to 640 waves, where the network for fronts and its last step come to 1.1e-8 in two.
    """
    found = mirrored_in(call.problem) if is_resolvable(call.problem, call.asked) else None
    return found is not None and not (front and any(found.values()))


def _marched(call: Call, best: Result | None, share: float, kept: Mapping | None) -> Solution | None:
    """The answer window by window; None where not even the first one is solved, or time cut them short and there is or may be another answer.

    ``best``: what was found on the whole domain; ``share``: the part of the time that is left to what may follow; ``kept``: the march to go
    on with.
    """
    axis = call.problem.domain.axis(call.problem.domain.time)
    done = best.state.history.rows if best else 0
    clock = call.limits.clock
    later = share * clock.left if share and math.isfinite(clock.budget) else 0.0
    limits = replace(call.limits, iterations=call.limits.iterations - done, reserve=estimating(clock.budget, call.asked.estimate))
    whole = best.attempt.net if best is not None and best.state.best_held_out <= POOR else None
    turn, length = functools.partial(call.checkpoints.turn, best=best), axis.length / (2 if best else 1)
    stepper, outcome = stepped(call.problem, call.asked, limits, call.callbacks, length, whole, kept, turn, later)
    if outcome in (Outcome.CONVERGED, Outcome.HALTED):  # other attempts may follow
        turn(stepper.march(outcome))
    chain, cut = stepper.chain, outcome is Outcome.TIME and (best is not None or share > 0)
    if chain.solved and (chain.whole if whole or cut else best is None or chain.held_out <= POOR):
        before = f" ({best.state.best_held_out:.0e} of the rows was left on the whole domain)" if best else ""
        return chain.joined(limits, outcome, stepper.reason + before, call.asked.estimate)
    if best is not None and outcome in STOPPED:
        return _estimated(replace(best, outcome=outcome), call)
    if outcome is Outcome.INTERRUPTED:
        raise KeyboardInterrupt
    return None


def _estimated(best: Result, call: Call) -> Solution:
    """The answer with its estimated error, and the errors of the unknown numbers; what was iterated is on disk before these are sought."""
    call.checkpoints.write()
    best = lifted(best, call)
    alone = best.outcome is Outcome.INTERRUPTED and distributed.size() > 1  # the others were interrupted elsewhere
    wanted = call.asked.estimate and not alone
    whole, theta = best.state.objective.whole, best.best
    objective = whole
    clock, missing, estimated, numbers = None if alone else call.limits.clock, [], None, {}
    if clock is not None:
        limited = math.isfinite(clock.budget) and call.problem.unknowns
        last = error_seconds(objective, theta) if limited else 0.0
        objective, theta = constrained_fit(objective, theta, Kept(clock, last + call.limits.reserve / 2))
    try:
        estimated = estimate_error(best.held_out, theta, Kept(clock, last)) if wanted else None
    except OutOfTime as left_out:
        missing.append(str(left_out))
    try:
        numbers = unknown_errors(objective, theta, clock)
    except OutOfTime as left_out:
        missing.append(str(left_out))
    if estimated and objective is whole:  # no constrained fit has left the minimum of the loss
        numbers = {n: float(np.fmax(error, estimated.numbers.get(n, math.nan))) for n, error in numbers.items()}
    if missing:
        reason = f"{best.attempt.reason}; no time was left for {' and '.join(missing)}"
        best = replace(best, attempt=replace(best.attempt, reason=reason))
    return answer(best, call, estimated and estimated.fields, numbers, theta)
