"""One problem from several seeds: how far answers scatter that differ by nothing but the draw of network and points.

Adam moves every parameter on its own. Members that differ in parameters and points alone are therefore one run with S times the parameters,
whose loss is the sum of theirs: all are evaluated at once (``torch.func.vmap``), and each goes as it would alone. Where methods or networks are
of another kind, the seeds are solved one after another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pinnsine import distributed, policy
from pinnsine.arguments import Arguments, device_of
from pinnsine.attempt import Call, begun
from pinnsine.attempts import answer
from pinnsine.budget import Clock
from pinnsine.checkpoint import Checkpoints
from pinnsine.errors import ProblemError
from pinnsine.history import History
from pinnsine.loop import Limits, run
from pinnsine.memory import budget
from pinnsine.nets import FrozenSines
from pinnsine.objective import Objective
from pinnsine.optim import Adam
from pinnsine.points import Points
from pinnsine.problem import Problem
from pinnsine.scaling import field_scales
from pinnsine.sitting import prepare, thread_limit
from pinnsine.solution import Solution
from pinnsine.solve import solve
from pinnsine.state import Look, Result, State


@dataclass(frozen=True)
class Ensemble:
    """The solutions of all seeds; ``batched`` says whether they were made in one run. The history of a batched run is the members' mean."""

    solutions: tuple[Solution, ...]
    batched: bool

    def predict(self, expression=None, /, **coordinates):
        """Mean and spread (the standard deviation of one member) of the members' predictions, each as ``Solution.predict`` returns them."""
        found = [s.predict(expression, **coordinates) for s in self.solutions]
        if expression is not None:
            return _statistics(found)
        pairs = {n: _statistics([f[n] for f in found]) for n in found[0]}
        return {n: mean for n, (mean, _) in pairs.items()}, {n: spread for n, (_, spread) in pairs.items()}


def ensemble(problem: Problem, seeds: Sequence[int], net=None, optimizer=None, **options) -> Ensemble:
    """Solve a problem from several seeds of network and points; Adam on one network for all in one batched run.

    Args:
        seeds: at least two different ones.
        net, optimizer: as for ``solve``.
        options: those of ``solve``, without ``out`` and ``resume``; ``time`` and ``iterations`` are of the batched run, or of each by itself.
            A run is batched only with ``estimate=False``.

    Raises:
        ProblemError: fewer than two seeds, or whatever ``solve`` refuses.
    """
    if not isinstance(seeds, Sequence) or len(set(seeds)) < 2 or len(set(seeds)) < len(seeds):
        got = list(seeds) if isinstance(seeds, Sequence) else repr(seeds)
        raise ProblemError(f"An ensemble needs at least two different seeds, as in seeds=range(5), got {got}.")
    wrong = {"out", "resume", "seed"} & options.keys()
    if wrong:
        raise ProblemError(f"ensemble() takes no {', '.join(sorted(wrong))}=: save its solutions one by one.")
    together = _batched(problem, seeds, Arguments(net, optimizer, **options)) if set(options) <= BATCHED else None
    if together is not None:
        return Ensemble(together, True)
    return Ensemble(tuple(solve(problem, net, optimizer, seed=s, **options) for s in seeds), False)


BATCHED = {"points", "sampler", "evaluator", "dtype", "device", "time", "iterations", "threads", "memory", "callbacks", "progress", "estimate"}


def _batched(problem: Problem, seeds: Sequence[int], asked: Arguments) -> tuple[Solution, ...] | None:
    """The solutions of one run; None where that would not be what each seed does alone, or does not fit the memory."""
    phases, net = asked.optimizer, asked.net
    plain = all(type(p) is Adam and p == Adam(p.iterations, p.lr, p.beta1, p.beta2, schedule=p.schedule) for p in phases)
    if not (phases and plain) or net is None or isinstance(net, FrozenSines | torch.nn.Module) or asked.estimate:
        return None
    if distributed.active() or asked.sampler == "rad":
        return None
    prepare(problem, asked)
    clock, scales = Clock(asked.time), field_scales(problem)
    memory = budget(asked.memory, device_of(asked.device))
    limits = Limits(clock, asked.iterations or math.inf, None, 0.0)
    with thread_limit(asked.threads):
        [attempt] = policy.plan(problem, scales, net, phases, asked.points, asked.sampler, None, asked.dtype, memory)
        alone = [replace(asked, seed=s, memory=memory) for s in seeds]
        calls = [Call(problem, scales, a, limits, asked.callbacks, Checkpoints(None, lambda *whole: b"")) for a in alone]
        members = [begun(0, attempt, c, History(), None) for c in calls]
        if not _alike(members, memory):
            return None
        joint = Joint([m.state.objective for m in members])
        state = State(torch.cat([m.state.theta for m in members]), joint, torch.Generator())
        monitor = Monitor([m.held_out for m in members])
        outcome = run(state, phases, False, limits, monitor, asked.callbacks, lambda state: None)
    return tuple(answer(_member(m, state, best, outcome), c) for m, c, best in zip(members, calls, monitor.best, strict=True))


def _alike(members: Sequence[Result], memory: float) -> bool:
    """Whether members differ in parameters and coordinates alone, and fit the memory together."""
    objectives = [m.state.objective for m in members]
    first, others = objectives[0], objectives[1:]
    bytes_each = sum(len(first.points[t.constraint.name]) * first.bytes_per_row(t) for t in first.terms)
    if len(members) * bytes_each > memory or any(t.constraint.loss is not None for t in first.terms):
        return False
    frozen = [dict(m.ansatz.named_buffers()) for m in members]
    same_frozen = all(torch.equal(frozen[0][n], f[n]) for f in frozen[1:] for n in frozen[0])
    return same_frozen and all(len(p) == len(o.points[n]) for o in others for n, p in first.points.items())


def _member(member: Result, state: State, best: tuple[Tensor, float], outcome) -> Result:
    theta, held_out = best
    own = replace(
        member.state, history=state.history, iteration=state.iteration, evaluations=state.evaluations, best=theta, best_held_out=held_out
    )
    return replace(member, state=own, outcome=outcome)


class Joint:
    """The objective of all members: the sum of their losses, as a function of all their parameters (S P,)."""

    def __init__(self, members: Sequence[Objective]):
        self.first, self.count, self.members = members[0], sum(m.count for m in members), len(members)
        self.columns = {n: _stacked([m.points[n].columns for m in members]) for n in self.first.points}
        self.normals = {n: _stacked([m.points[n].normal for m in members]) for n in self.first.points}

    def loss_and_gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """The mean of the members' losses, and the gradient (S P,) of their sum."""
        theta = theta.detach().requires_grad_()
        losses = torch.func.vmap(self._loss)(theta.view(self.members, -1), self.columns, self.normals)
        return float(losses.detach().mean()), torch.autograd.grad(losses.sum(), theta)[0]

    def _loss(self, theta: Tensor, columns, normals) -> Tensor:
        views = self.first.views(theta)
        points = {n: Points(c, normals[n]) for n, c in columns.items()}
        return sum(self.first.term_rows(t, views, points[t.constraint.name]).square().sum() for t in self.first.terms)


class Monitor:
    """Looks at the held-out rows of all members and keeps the best parameters of each."""

    def __init__(self, held_out: Sequence[Objective]):
        self.held_out = held_out
        self.best: list[tuple[Tensor, float]] = [(torch.empty(0), math.inf)] * len(held_out)

    def look(self, state: State) -> None:
        """Measure; a member's parameters are kept where its held-out loss is the lowest so far."""
        thetas = state.theta.view(len(self.held_out), -1)
        losses = [o.losses(t) for o, t in zip(self.held_out, thetas, strict=True)]
        now = [sum(found.values()) for found in losses]
        self.best = [(t, v) if v < old[1] else old for t, v, old in zip(thetas, now, self.best, strict=True)]
        state.best, state.best_held_out = torch.cat([t for t, _ in self.best]), sum(v for _, v in self.best) / len(self.best)
        means = {n: sum(found[n] for found in losses) / len(losses) for n in losses[0]}
        state.seen = Look(state.iteration, sum(now) / len(now), means, math.nan)


def _stacked(parts: Sequence) -> dict[str, Tensor]:
    return {n: torch.stack([p[n] for p in parts]) for n in parts[0]}


def _statistics(found: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    stack = np.stack(found)
    return stack.mean(axis=0), stack.std(axis=0, ddof=1)
