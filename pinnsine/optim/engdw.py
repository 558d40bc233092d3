"""Energy natural gradient descent through Woodbury's identity (Mueller & Zeinhofer 2023, arXiv 2302.13163; Guzman-Cordero, Dangel,
Goldshlager & Zeinhofer 2025, arXiv 2505.12149).

Steepest descent of |r|^2 in the space of functions instead of that of parameters: theta <- theta - eta J^T (J J^T + lambda I)^-1 r, where the
matrix has the size of the rows and not of the parameters. With ``batch`` the rows are drawn anew in every iteration, so that large
networks can be trained with small matrices. The step length eta is the best of 1, 1/2, 1/4, ... on the rows of the iteration.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from pinnsine.optim.natural_gradient import pulled_back, require_settings
from pinnsine.optim.step import Progress, Step

HALVINGS = 30


@dataclass(frozen=True)
class ENGDW:
    """``damping`` is lambda; ``batch`` the number of rows in an iteration, all if None: the losses of the history are then those of batches."""

    iterations: int | None = None
    damping: float = 1e-8
    batch: int | None = None

    uses = "residual"
    gathers_curvature = False

    def __post_init__(self):
        require_settings(self)

    def start(self, objective, theta: Tensor) -> dict[str, int]:
        """The state between iterations: their number, which seeds the batches."""
        return {"count": 0}

    def step(self, objective, theta: Tensor, state: dict) -> Step:
        """One iteration from theta (P,)."""
        state = {"count": state["count"] + 1}
        rows = objective.batch(self.batch, state["count"])
        model = rows.linearise(theta, "auto")
        before = float(model.rows.square().sum())
        direction = pulled_back(model, model.rows, self.damping)
        if direction is None:
            return Step(theta, before, state, Progress.STALLED)
        best, loss, count = theta, before, 1
        for halving in range(HALVINGS + 1):
            trial = theta - 0.5**halving * direction
            trial_loss, count = float(rows.rows(trial).square().sum()), count + 1
            if trial_loss < loss:
                best, loss = trial, trial_loss
            elif loss < before and math.isfinite(trial_loss):  # shorter steps have begun to lose
                break
        # other rows may still gain where these do not
        moved = loss < before or self.batch is not None
        return Step(best, loss, state, Progress.MOVED if moved else Progress.STALLED, count)
