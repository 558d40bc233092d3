"""``solve``: from a problem to a solution, in one sitting.

check the problem -> find the scales -> choose what was not given -> draw network and points -> bind -> iterate -> keep the best by
held-out rows -> estimate the error. Nothing here reads the reference but the monitor, whose figures go to the progress line and the
history and nowhere else.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pinnsine import distributed, policy
from pinnsine.arguments import Arguments, device_of
from pinnsine.attempt import Call, restored
from pinnsine.attempts import answer, better, tried
from pinnsine.budget import Clock
from pinnsine.chain import estimating
from pinnsine.checkpoint import Checkpoints, described, found, packed
from pinnsine.compiled import Compiler
from pinnsine.constrained import constrained_fit
from pinnsine.cost import Kept, OutOfTime
from pinnsine.dense_windows import densely, is_dense
from pinnsine.estimate import estimate_error
from pinnsine.evolution import is_evolution
from pinnsine.history import History
from pinnsine.kept_march import March
from pinnsine.lift import lifted
from pinnsine.loop import Limits
from pinnsine.memory import budget
from pinnsine.nets import FrozenSines
from pinnsine.optim import GaussNewton
from pinnsine.outcome import Outcome
from pinnsine.problem import Problem
from pinnsine.resolved import is_resolvable, mirrored_in, stepped
from pinnsine.runfile import image
from pinnsine.scaling import field_scales
from pinnsine.sitting import prepare, sitting
from pinnsine.solution import Solution
from pinnsine.state import Result
from pinnsine.stepping import POOR, STEPS
from pinnsine.uncertainty import error_seconds, unknown_errors

ESTIMATE_SHARE = 0.3  # of a time budget, kept for the error estimate and the errors of unknown numbers at the end
ESTIMATE_SECONDS = 8.0  # and no more than this
SURE = 1e-12  # a held-out loss of all windows with which nothing else is tried
STOPPED = (Outcome.TARGET, Outcome.ITERATIONS, Outcome.CALLBACK, Outcome.INTERRUPTED)
LINES = 2  # coordinates, one of them time, in which windows come before more sines
LEAST_WINDOWS = 2  # of as many sines as came near on the whole domain: each takes no less time than a trial did there
KNOWN = 10.0  # the factor to which an estimate of the error is to be trusted
WELL = 1e-12  # a held-out loss on the whole domain with which more sines promise more than windows of time


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
            solution = _answered(plan, call, kept)
        except BaseException:
            checkpoints.write()
            raise
    if checkpoints.path is not None:
        checkpoints.finish(lambda whole: image(solution, whole and packed(told, clock.elapsed, *whole)))
    return solution


def _answered(plan: Sequence[policy.Attempt], call: Call, kept: tuple[Mapping, History] | None) -> Solution:
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


def _shown(call: Call, march: March | None, best: Result | None, current: Result | None) -> Solution:
    """The answer as far as it goes: of the attempts on the whole domain, or the windows of time where there are none."""
    if best is None and current is None:
        return march.shown(call.limits, None, None)
    return answer(better(best, current or best), call)


def _estimated(best: Result, call: Call) -> Solution:
    """The answer with its estimated error, and the errors of the unknown numbers; what was iterated is on disk before these are sought."""
    call.checkpoints.write()
    best = lifted(best, call)
    alone = best.outcome is Outcome.INTERRUPTED and distributed.size() > 1  # the others were interrupted elsewhere
    wanted = call.asked.estimate and not alone
    objective, theta = best.state.objective.whole, best.best
    clock, missing, errors, numbers = None if alone else call.limits.clock, [], None, {}
    if clock is not None:
        limited = math.isfinite(clock.budget) and call.problem.unknowns
        last = error_seconds(objective, theta) if limited else 0.0
        objective, theta = constrained_fit(objective, theta, Kept(clock, last + call.limits.reserve / 2))
    try:
        errors = estimate_error(best.held_out, theta, Kept(clock, last)) if wanted else None
    except OutOfTime as left_out:
        missing.append(str(left_out))
    try:
        numbers = unknown_errors(objective, theta, clock)
    except OutOfTime as left_out:
        missing.append(str(left_out))
    if missing:
        reason = f"{best.attempt.reason}; no time was left for {' and '.join(missing)}"
        best = replace(best, attempt=replace(best.attempt, reason=reason))
    return answer(best, call, errors, numbers, theta)
