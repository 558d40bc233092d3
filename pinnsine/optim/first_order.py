"""What the first-order methods share: steps along a direction made of the last gradients, full-batch or passes in mini-batches."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.optim.schedule import Constant, Cosine, Steps
from pinnsine.optim.step import Progress, Step
from pinnsine.weighting import GradientNorm, NTKTrace, ReLoBRaLo, SelfAdaptive

SLOWEST = 1e-6  # of the learning rate: below, halving has ended the descent


@dataclass(frozen=True)
class FirstOrder(ABC):
    """``iterations`` full-batch steps of learning rate ``lr``, decayed to a hundredth of it by a cosine, or as ``schedule`` says.

    With ``batch``, an iteration is one pass over all rows in a new random order, in mini-batches of about that many rows; its loss is
    the mean of theirs. A batch of any size is gathered in pieces that fit the memory budget. Without a ``schedule`` the rate is then decayed
    by the cosine over the passes where ``iterations`` tells their number, and else halved whenever the loss has not fallen for ``patience``
    passes.

    ``clip``: the longest gradient; longer ones are shortened to it. ``weights``: a strategy of ``pinnsine.weighting`` for the weights of the
    losses. ``dtype="float32"``: steps in single precision, handed over to the phase that follows; held-out rows are looked at in that of
    the call.
    """

    iterations: int | None = None
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    batch: int | None = None
    patience: int = 5
    schedule: Constant | Cosine | Steps | None = None
    clip: float | None = None
    weights: GradientNorm | NTKTrace | ReLoBRaLo | SelfAdaptive | None = None
    dtype: str | None = None

    uses = "gradient"
    gathers_curvature = False
    patient = True  # small steps gain over hundreds of iterations, and a schedule counts on all of them

    def __post_init__(self):
        name = type(self).__name__
        if not (self.lr > 0 and 0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            raise ProblemError(f"{name} needs lr > 0 and both betas in [0, 1), got {self}.")
        if (self.batch is not None and self.batch < 1) or self.patience < 1 or (self.clip is not None and not self.clip > 0):
            raise ProblemError(f"{name} needs batch and patience of at least 1 and clip above 0, got {self}.")
        if self.dtype not in (None, "float32", "float64"):
            raise ProblemError(f"{name}: dtype= must be 'float32' or 'float64', got {self.dtype!r}.")
        if isinstance(self.schedule, Cosine) and self.iterations is None:
            raise ProblemError(f"{name}: a cosine needs the number of iterations, as in {name}(5_000, schedule=Cosine()): or choose Steps().")

    @abstractmethod
    def direction(self, objective, g: Tensor, state: dict) -> Tensor:
        """The step for a gradient (P,) at rate one; what ``state`` remembers goes on."""

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
            direction = self.direction(objective, self._clipped(g), state)
            theta, total, moved = theta - rate * direction, total + loss / len(parts), moved or bool(direction.any())
        if self.batch is not None and self.iterations is None and self.schedule is None:
            self._slow_down(total, state)
        stalled = not moved or state["rate"] < SLOWEST
        return Step(theta, total, state, Progress.STALLED if stalled else Progress.MOVED, len(parts))

    def _adam(self, g: Tensor, state: dict) -> Tensor:
        """Adam's direction; the moments in ``state`` go on."""
        count = state["count"] = state["count"] + 1
        state["mean"] = self.beta1 * state["mean"] + (1 - self.beta1) * g
        state["square"] = self.beta2 * state["square"] + (1 - self.beta2) * g * g
        return (state["mean"] / (1 - self.beta1**count)) / ((state["square"] / (1 - self.beta2**count)).sqrt() + 1e-12)

    def _clipped(self, g: Tensor) -> Tensor:
        if self.clip is None or (norm := float(g.norm())) <= self.clip:
            return g
        return g * (self.clip / norm)

    def _slow_down(self, loss: float, state: dict) -> None:
        """Halve the rate where the loss has not fallen for ``patience`` passes."""
        fallen = loss < state["best"]
        state["best"], state["stale"] = min(loss, state["best"]), 0 if fallen else state["stale"] + 1
        if state["stale"] >= self.patience:
            state["rate"], state["stale"] = state["rate"] / 2, 0

    def _rate(self, state: dict) -> float:
        schedule = self.schedule or (None if self.iterations is None else Cosine())
        return self.lr * (state["rate"] if schedule is None else schedule.factor(state["passes"], self.iterations))
