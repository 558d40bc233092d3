"""Adam (Kingma & Ba 2015) with a cosine decay of the learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.optim.step import Progress, Step


@dataclass(frozen=True)
class Adam:
    """``iterations`` steps of learning rate ``lr``, decayed to a hundredth of it by a cosine.

    ``batch``: the rows of a step, drawn anew for each, all if None; the losses of the history are then those of batches.
    """

    iterations: int | None = None
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    batch: int | None = None

    uses = "gradient"
    gathers_curvature = False

    def __post_init__(self):
        if not (self.lr > 0 and 0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            raise ProblemError(f"Adam needs lr > 0 and both betas in [0, 1), got {self}.")
        if self.batch is not None and self.batch < 1:
            raise ProblemError(f"Adam needs a batch of at least one row or None, got {self}.")

    def start(self, objective, theta: Tensor) -> dict:
        """The state between iterations: both moments and the count, which seeds the batches."""
        return {"mean": torch.zeros_like(theta), "square": torch.zeros_like(theta), "count": 0}

    def step(self, objective, theta: Tensor, state: dict) -> Step:
        """One iteration from theta (P,); the loss returned is that at theta."""
        count = state["count"] + 1
        loss, g = objective.batch(self.batch, count).loss_and_gradient(theta)
        if not math.isfinite(loss):
            return Step(theta, loss, state, Progress.BROKEN)
        mean = self.beta1 * state["mean"] + (1 - self.beta1) * g
        square = self.beta2 * state["square"] + (1 - self.beta2) * g * g
        direction = (mean / (1 - self.beta1**count)) / ((square / (1 - self.beta2**count)).sqrt() + 1e-12)
        progress = Progress.MOVED if bool(direction.any()) else Progress.STALLED
        return Step(theta - self._rate(count) * direction, loss, {"mean": mean, "square": square, "count": count}, progress)

    def _rate(self, count: int) -> float:
        if self.iterations is None:
            return self.lr
        return self.lr * (0.505 + 0.495 * math.cos(math.pi * min(1.0, count / self.iterations)))
