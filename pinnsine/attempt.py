"""One attempt of ``solve``: network and points drawn, bound to an objective, begun or put back as it was."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pinnsine import omega, policy
from pinnsine.ansatz import Ansatz, build_ansatz
from pinnsine.arguments import Arguments, device_of
from pinnsine.bandwidth import trial_net, tuned, tuned_in_space
from pinnsine.checkpoint import Checkpoints, net_of, unpacked
from pinnsine.compiled import Compiler
from pinnsine.errors import ProblemError
from pinnsine.history import History
from pinnsine.known import Symmetry
from pinnsine.lattice_points import lattice_points
from pinnsine.loop import Limits
from pinnsine.nets import FrozenSines
from pinnsine.objective import Objective, bind
from pinnsine.places import points_for
from pinnsine.points import Points
from pinnsine.probe import FieldScale
from pinnsine.problem import Problem
from pinnsine.regression import apart
from pinnsine.rest import from_rest, from_solution, from_window_before
from pinnsine.sharded import Sharded, sharded
from pinnsine.shares import share_points
from pinnsine.state import Result, State
from pinnsine.trials import Trial


@dataclass(frozen=True)
class Call:
    """What all attempts of one call share; its memory is a number of bytes. ``earlier``: the trial function of the window of time before."""

    problem: Problem
    scales: Mapping[str, FieldScale]
    asked: Arguments
    limits: Limits
    callbacks: Sequence
    checkpoints: Checkpoints
    compiler: Compiler | None = None
    earlier: Ansatz | None = None

    @property
    def dtype(self) -> torch.dtype:
        return getattr(torch, self.asked.dtype)

    @property
    def device(self) -> torch.device:
        return device_of(self.asked.device)


def begun(number: int, attempt: policy.Attempt, call: Call, history: History, before: Result | None) -> Result:
    """Draw network and points, bind, find the bandwidth where it is free; ``before``: what was found by then."""
    attempt = _with_omega(attempt, call)
    net, free = attempt.net, isinstance(attempt.net, FrozenSines) and attempt.net.omega is None
    result = drawn(number, attempt, call, history, trial_net(net) if free else net)
    state = result.state
    if free:
        earlier = before.attempt.net if before is not None else call.asked.start.ansatz.net if call.asked.start is not None else None
        near, seed = earlier.omega if isinstance(earlier, FrozenSines) else None, call.asked.seed
        close = isinstance(earlier, FrozenSines) and before is not None and not attempt.apart and before.state.best_held_out < policy.PROMISING
        guess = _close(before) if close else _guess(call)
        trial = tuned(net, state.objective, result.held_out, seed, near, attempt.linear, call.limits.left, guess, attempt.brief, close)
        return _tried(result, trial)
    if isinstance(net, FrozenSines) and not attempt.linear and not _continues(net, call):
        state.theta = _guess(call)(state.objective, state.theta)
    return result


def begun_on_window(attempt: policy.Attempt, call: Call, near: tuple[float, ...] | None, before: float) -> tuple[Result, float]:
    """The same for frozen sines on a window of time, and the held-out loss of the first steps; see ``bandwidth.tuned_in_space``."""
    result = drawn(0, attempt, call, History(), trial_net(attempt.net))
    objective, seed, left = result.state.objective, call.asked.seed, call.limits.left
    trial = tuned_in_space(attempt.net, objective, result.held_out, seed, near, attempt.linear, left, before)
    return _tried(result, trial), trial.loss


def _tried(result: Result, trial: Trial) -> Result:
    """The attempt with the network and the parameters of a trial."""
    state, held_out = result.state, result.held_out.with_ansatz(trial.ansatz)
    state.objective, state.theta = state.objective.with_ansatz(trial.ansatz), trial.theta
    if trial.stalled:
        state.objective.least = trial.theta
    return Result(result.number, replace(result.attempt, net=trial.net), trial.ansatz, state, held_out, trial.seconds)


def _continues(net, call: Call) -> bool:
    """Whether the network of the solution to start from is taken as it is."""
    return call.asked.start is not None and call.asked.start.ansatz.net == net


def _guess(call: Call) -> Callable[[Objective, Tensor], Tensor]:
    """Where Newton's method starts on frozen sines that are freshly drawn."""
    if call.earlier is not None:
        return functools.partial(from_window_before, before=call.earlier)
    return from_rest if call.asked.start is None else functools.partial(from_solution, before=call.asked.start.ansatz)


def _close(before: Result) -> Callable[[Objective, Tensor], Tensor]:
    """Where it starts on more sines: at what fewer have found."""
    before.ansatz.load(before.best)
    return functools.partial(from_solution, before=before.ansatz)


def _with_omega(attempt: policy.Attempt, call: Call) -> policy.Attempt:
    """The attempt with the bandwidth of its network found, where that is left to us."""
    net = attempt.net
    if not omega.is_free(net):
        return attempt
    found = omega.from_data(net, call.problem)
    if found is None:
        objective, held_out = _bind(_ansatz(trial_net(FrozenSines()), call, {}), attempt, call)
        found = omega.from_trials(net, objective, held_out, call.asked.seed, call.limits.left)
    return replace(attempt, net=found)


def drawn(number: int, attempt: policy.Attempt, call: Call, history: History, net=None) -> Result:
    """An attempt with network and points freshly drawn; ``net``: one that is bound to the points in place of the attempt's."""
    ansatz = _ansatz(net or attempt.net, call, attempt.symmetry)
    objective, held_out = _bind(ansatz, attempt, call)
    generator = torch.Generator().manual_seed(call.asked.seed + 2)
    state = State(ansatz.flat(), objective, generator, since=history.rows, iteration=history.rows, history=history)
    return Result(number, attempt, ansatz, state, held_out)


def restored(kept: Mapping, plan: Sequence[policy.Attempt], call: Call, history: History) -> Result:
    """An attempt as it was kept."""
    attempt = plan[kept["number"]]
    return unpacked(kept, drawn(kept["number"], replace(attempt, net=net_of(kept, attempt.net)), call, history), history)


def _ansatz(net, call: Call, symmetry: Mapping[str, tuple[Symmetry, ...]]) -> Ansatz:
    """The trial function, freshly drawn or continued from the solution to start from."""
    start, problem = call.asked.start, call.problem.with_symmetry(symmetry)
    if start is not None and (start.problem.names.fields, start.problem.domain.names) != (problem.names.fields, problem.domain.names):
        raise ProblemError("start= must be a solution of the same fields and coordinates as this problem.")
    if start is not None and not isinstance(start.ansatz, Ansatz):
        raise ProblemError("start= cannot be the solution of a march, which has a network for every window: give one of a solve() with net=.")
    if not _continues(net, call):
        if start is not None and not isinstance(net, FrozenSines):
            raise ProblemError(f"start= brings its own network; another that starts from it is FrozenSines, got {net!r}: leave net= out.")
        ansatz = build_ansatz(problem, net, call.scales, torch.Generator().manual_seed(call.asked.seed), call.asked.evaluator)
    else:
        ansatz = Ansatz(problem, copy.deepcopy(start.ansatz.pieces), start.ansatz.scales, start.ansatz.net)
    return ansatz.to(call.dtype).to(call.device)


def _bind(ansatz: Ansatz, attempt: policy.Attempt, call: Call) -> tuple[Objective | Sharded, Objective | Sharded]:
    """The objective at training points, and the same at held-out points."""
    problem = call.problem
    sines = attempt.net.width if isinstance(attempt.net, FrozenSines) else 0
    shares = share_points(problem, call.asked.points, attempt.points, sines)
    unknown = [n for n in shares if n not in {c.name for c in problem.soft}]
    if unknown or any(n < 1 for n in shares.values()):
        names = ", ".join(c.name for c in problem.soft)
        raise ProblemError(f"points= takes positive numbers by constraint ({names}), got {call.asked.points!r}.")
    first = "sobol" if attempt.sampler == "rad" else attempt.sampler

    def draw(draw_seed: int, share: float, grids: Mapping[str, Points]) -> dict[str, Points]:
        generator = torch.Generator().manual_seed(draw_seed)
        counts = {n: max(1, int(share * count)) for n, count in shares.items()}
        random = [c for c in problem.soft if c.name not in grids]
        drawn = {c.name: points_for(attempt.net, c, problem.domain, counts[c.name], first, generator) for c in random}
        if attempt.apart:
            drawn = {n: apart(p, call.asked.seed, share < 1) for n, p in drawn.items()}
        return {n: p.to(call.dtype, call.device) for n, p in {**drawn, **grids}.items()}

    training, held_out = call.asked.seed + 1, call.asked.seed + 1_000_003
    points = draw(training, 1.0, _on_tensor_grids(ansatz, call))
    objective = sharded(bind(ansatz, points, call.asked.memory, call.compiler, attempt.early))
    return objective, objective.with_points(draw(held_out, policy.HELD_OUT, _on_tensor_grids(ansatz, call, held_out)))


def _on_tensor_grids(ansatz: Ansatz, call: Call, seed: int | None = None) -> dict[str, Points]:
    """The row points of a lattice of sines, by constraint, where neither their number nor a sampler is given; drawn, if there is a seed."""
    net, problem = ansatz.net, ansatz.problem
    if not isinstance(net, FrozenSines) or net.lattice is None or call.asked.points is not None or call.asked.sampler is not None:
        return {}
    return lattice_points(problem, net, seed)
