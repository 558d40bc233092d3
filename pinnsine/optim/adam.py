"""Adam (Kingma & Ba 2015): full-batch steps with a cosine decay of the learning rate, or passes over the rows in mini-batches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.optim.step import Progress, Step


@dataclass(frozen=True)
class Adam:
    """``iterations`` full-batch steps of learning rate ``lr``, decayed to a hundredth of it by a cosine.

    With ``batch``, an iteration is one pass over all rows in a new random order, in mini-batches of about that many rows; its loss is
    the mean of theirs. The rate is then decayed by the cosine over the passes where ``iterations`` tells their number, and else halved
    whenever the loss has not fallen for ``patience`` passes.
    """

    iterations: int | None = None
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    batch: int | None = None
    patience: int = 5

    uses = "gradient"
    gathers_curvature = False

    def __post_init__(self):
        if not (self.lr > 0 and 0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            raise ProblemError(f"Adam needs lr > 0 and both betas in [0, 1), got {self}.")
        if (self.batch is not None and self.batch < 1) or self.patience < 1:
            raise ProblemError(f"Adam needs batch and patience of at least 1, got {self}.")

    def start(self, objective, theta: Tensor) -> dict:
        """The state between iterations: both moments, the counts of steps and iterations, and where the rate stands."""
        moments = {"mean": torch.zeros_like(theta), "square": torch.zeros_like(theta), "count": 0}
        return {**moments, "passes": 0, "rate": 1.0, "best": math.inf, "stale": 0}

    def step(self, objective, theta: Tensor, state: dict) -> Step:
        """One iteration from theta (P,); the loss returned is that before its steps."""
        parts = [objective] if self.batch is None else objective.batches(self.batch, state["passes"])
        state = {**state, "passes": state["passes"] + 1}
        total, moved, rate = 0.0, False, self._rate(state)
        for part in parts:
            loss, g = part.loss_and_gradient(theta)
            if not math.isfinite(loss):
                return Step(theta, loss, state, Progress.BROKEN)
            direction = self._direction(g, state)
            theta, total, moved = theta - rate * direction, total + loss / len(parts), moved or bool(direction.any())
        if self.batch is not None and self.iterations is None:
            self._slow_down(total, state)
        return Step(theta, total, state, Progress.MOVED if moved else Progress.STALLED, len(parts))

    def _direction(self, g: Tensor, state: dict) -> Tensor:
        """The step for a gradient (P,) at rate one; the moments in ``state`` go on."""
        count = state["count"] = state["count"] + 1
        state["mean"] = self.beta1 * state["mean"] + (1 - self.beta1) * g
        state["square"] = self.beta2 * state["square"] + (1 - self.beta2) * g * g
        return (state["mean"] / (1 - self.beta1**count)) / ((state["square"] / (1 - self.beta2**count)).sqrt() + 1e-12)

    def _slow_down(self, loss: float, state: dict) -> None:
        """Halve the rate where the loss has not fallen for ``patience`` passes."""
        fallen = loss < state["best"]
        state["best"], state["stale"] = min(loss, state["best"]), 0 if fallen else state["stale"] + 1
        if state["stale"] >= self.patience:
            state["rate"], state["stale"] = state["rate"] / 2, 0

    def _rate(self, state: dict) -> float:
        if self.iterations is None:
            return self.lr * state["rate"]
        return self.lr * (0.505 + 0.495 * math.cos(math.pi * min(1.0, state["passes"] / self.iterations)))
