"""SPRING: natural gradient descent with the memory of Kaczmarz' method (Goldshlager, Abrahamsen & Lin 2024, arXiv 2401.10190; for differential
equations Guzman-Cordero, Dangel, Goldshlager & Zeinhofer 2025, arXiv 2505.12149).

Of all directions that solve the damped linear problem on the rows of this iteration, the one nearest to mu times the last direction:

    phi_k = J^T (J J^T + lambda I)^-1 (r - mu J phi_{k-1}) + mu phi_{k-1},
    theta <- theta - min(eta, sqrt(C) / |phi^|) phi^,    phi^ = phi_k / sqrt(1 - mu^{2k}).

What earlier batches have said about directions that this one does not see is thus kept. Rate, momentum and damping are of the size that was
found best for equations in five dimensions; the longest step sqrt(C) was 0.03 there, with which the Helmholtz problem made no headway in
60 iterations (8,577 parameters, batches of 400), where 0.3 reached 2e-4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.optim.natural_gradient import pulled_back, require_settings
from pinnsine.optim.step import Progress, Step

HALVINGS = 30  # of a step to where the rows are not finite


@dataclass(frozen=True)
class SPRING:
    """``rate`` is eta, ``momentum`` mu, ``damping`` lambda and ``length`` sqrt(C); ``batch`` as for ENGDW."""

    iterations: int | None = None
    rate: float = 0.0635
    momentum: float = 0.827
    damping: float = 1e-8
    length: float = 0.3
    batch: int | None = None

    uses = "residual"
    gathers_curvature = False

    def __post_init__(self):
        require_settings(self)
        if not (self.rate > 0 and 0 <= self.momentum < 1 and self.length > 0):
            raise ProblemError(f"SPRING needs rate > 0, 0 <= momentum < 1 and length > 0, got {self}.")

    def start(self, objective, theta: Tensor) -> dict:
        """The state between iterations: their number, which seeds the batches, and the last direction."""
        return {"count": 0, "direction": torch.zeros_like(theta)}

    def step(self, objective, theta: Tensor, state: dict) -> Step:
        """One iteration from theta (P,); the loss is that on the rows of this iteration after it."""
        count, last = state["count"] + 1, self.momentum * state["direction"]
        rows = objective.batch(self.batch, count)
        model = rows.linearise(theta, "auto")
        change = pulled_back(model, model.rows - model.apply(last), self.damping)
        if change is None:
            return Step(theta, float(model.rows.square().sum()), state, Progress.STALLED)
        direction = change + last
        state = {"count": count, "direction": direction}
        step = direction / math.sqrt(1 - self.momentum ** (2 * count))
        norm = float(step.norm())
        if norm == 0:
            return Step(theta, float(model.rows.square().sum()), state, Progress.STALLED)
        step = step * min(self.rate, self.length / norm)
        for halving in range(HALVINGS):
            new = theta - 0.5**halving * step
            loss = float(rows.rows(new).square().sum())
            if math.isfinite(loss):
                return Step(new, loss, state, evaluations=2 + halving)
        return Step(theta, float(model.rows.square().sum()), state, Progress.STALLED, 1 + HALVINGS)
