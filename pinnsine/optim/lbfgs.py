"""L-BFGS: the limited-memory quasi-Newton method (Nocedal & Wright 2006, algorithm 7.4) with a strong Wolfe line search."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.optim.line_search import line_search
from pinnsine.optim.step import Progress, Step
from pinnsine.weighting import GradientNorm, NTKTrace, ReLoBRaLo, SelfAdaptive


@dataclass(frozen=True)
class LBFGS:
    """``memory`` pairs of steps and gradient changes; the line search is scipy's.

    ``weights``: a strategy of ``pinnsine.weighting``; every change of the weights drops the pairs, so that it should be a rare one.
    """

    iterations: int | None = None
    memory: int = 50
    weights: GradientNorm | NTKTrace | ReLoBRaLo | SelfAdaptive | None = None

    uses = "gradient"
    gathers_curvature = True

    def __post_init__(self):
        if self.memory < 1:
            raise ProblemError(f"LBFGS needs a memory of at least one pair, got {self.memory}.")

    def start(self, objective, theta: Tensor) -> dict:
        """The state between iterations: loss and gradient at theta, and the pairs, none yet."""
        loss, gradient = objective.loss_and_gradient(theta)
        return {"loss": loss, "gradient": gradient, "steps": [], "changes": []}

    def restart(self, objective, theta: Tensor, state: dict) -> dict:
        """The state after a change of points: the pairs are dropped."""
        return self.start(objective, theta)

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
