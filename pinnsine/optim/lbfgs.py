"""L-BFGS: the limited-memory quasi-Newton method (Nocedal & Wright 2006, algorithm 7.4) with a strong Wolfe line search."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.optim.step import Progress, Step


@dataclass(frozen=True)
class LBFGS:
    """``memory`` pairs of steps and gradient changes; the line search is scipy's."""

    iterations: int | None = None
    memory: int = 50

    uses = "gradient"
    gathers_curvature = True

    def __post_init__(self):
        if self.memory < 1:
            raise ProblemError(f"LBFGS needs a memory of at least one pair, got {self.memory}.")

    def start(self, objective, theta: Tensor) -> dict:
        """The state between iterations: loss and gradient at theta, and the pairs; empty after a change of points."""
        loss, gradient = objective.loss_and_gradient(theta)
        return {"loss": loss, "gradient": gradient, "steps": [], "changes": []}

    def step(self, objective, theta: Tensor, state: dict) -> Step:
        """One iteration from theta (P,)."""
        if not math.isfinite(state["loss"]):
            return Step(theta, state["loss"], state, Progress.BROKEN)
        direction = self._direction(state)
        found, count = line_search(objective, theta, direction, state["loss"], state["gradient"])
        if found is None and state["steps"]:  # the pairs may mislead: once more along the gradient
            state = {**state, "steps": [], "changes": []}
            found, more = line_search(objective, theta, self._direction(state), state["loss"], state["gradient"])
            count += more
        if found is None:
            return Step(theta, state["loss"], state, Progress.STALLED, count)
        new, loss, gradient = found
        s, y = new - theta, gradient - state["gradient"]
        steps, changes = state["steps"], state["changes"]
        if float(s @ y) > 1e-14 * float(s.norm() * y.norm()):
            steps, changes = [*steps, s][-self.memory :], [*changes, y][-self.memory :]
        return Step(new, loss, {"loss": loss, "gradient": gradient, "steps": steps, "changes": changes}, evaluations=count)

    @staticmethod
    def _direction(state: dict) -> Tensor:
        """The two-loop recursion."""
        q, pairs, weights = state["gradient"].clone(), list(zip(state["steps"], state["changes"], strict=True)), []
        if not pairs:
            return -q / max(1.0, float(q.norm()))
        for s, y in reversed(pairs):
            weights.append((s @ q) / (s @ y))
            q = q - weights[-1] * y
        s, y = pairs[-1]
        q = q * ((s @ y) / (y @ y))
        for (s, y), weight in zip(pairs, reversed(weights), strict=True):
            q = q + s * (weight - (y @ q) / (s @ y))
        return -q


def line_search(objective, theta: Tensor, direction: Tensor, loss: float, gradient: Tensor) -> tuple[tuple[Tensor, float, Tensor] | None, int]:
    """A step along ``direction`` that meets the strong Wolfe conditions (c1 = 1e-4, c2 = 0.9), or None; and the evaluations."""
    from scipy.optimize import line_search as wolfe

    seen: dict[float, tuple[Tensor, float, Tensor]] = {}

    def at(alpha: float) -> tuple[Tensor, float, Tensor]:
        if alpha not in seen:
            point = theta + alpha * direction
            seen[alpha] = (point, *objective.loss_and_gradient(point))
        return seen[alpha]

    # scipy searches on vectors: along the line the vector is the step length itself
    slope = float(gradient @ direction)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alpha = wolfe(
            lambda a: at(float(a[0]))[1],
            lambda a: (at(float(a[0]))[2] @ direction).reshape(1).numpy(force=True),
            torch.zeros(1).numpy(),
            torch.ones(1).numpy(),
            gfk=torch.tensor([slope]).numpy(),
            old_fval=loss,
            c1=1e-4,
            c2=0.9,
            maxiter=20,
        )[0]
    if alpha is None or not math.isfinite(at(float(alpha))[1]) or at(float(alpha))[1] >= loss:
        return None, len(seen)
    return at(float(alpha)), len(seen)
