"""Levenberg-Marquardt with ratio-targeted damping and geodesic acceleration.

Minimises |r(theta)|^2. At damping lambda the step is p = -(J^T J + lambda I)^-1 J^T r, corrected by the geodesic acceleration
a = -(J^T J + lambda I)^-1 J^T r_vv (Transtrum & Sethna 2012), r_vv the second derivative of r along p, found from one more residual:
r_vv = (2/h) ((r(theta + h p) - r) / h - J p). The step is p + a/2, with |a| held to 0.75 |p|.

Each iteration takes the smallest damping on a geometric ladder whose ratio of the true to the predicted decrease is at least ``ratio``: a
low target makes over-long steps and drives the damping down over ten orders of magnitude (Webb, Jerad & Cartis 2026, arXiv 2607.02194).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.linearised import Linearised
from pinnsine.optim.step import Progress, Step

ROUNDING = 4.0  # times machine epsilon times the largest diagonal entry: the smallest damping
SLACK = 0.75  # the largest |a| / |p| for which the expansion in the step is trusted


@dataclass(frozen=True)
class LevenbergMarquardt:
    """See the module's docstring. ``ratio``: the target; ``factor``: the ladder's spacing; ``probe``: h above."""

    iterations: int | None = None
    ratio: float = 0.1
    factor: float = 4.0
    damping: float = 1.0
    geodesic: bool = True
    probe: float = 0.1

    uses = "residual"
    gathers_curvature = False

    def __post_init__(self):
        if not (0 < self.ratio < 1 and self.factor > 1 and self.damping > 0 and self.probe > 0):
            raise ProblemError(f"LevenbergMarquardt needs 0 < ratio < 1, factor > 1, damping > 0 and probe > 0, got {self}.")

    def start(self, objective, theta: Tensor) -> dict[str, float]:
        """The state between iterations: the damping."""
        return {"damping": self.damping}

    def step(self, objective, theta: Tensor, state: dict) -> Step:
        """One iteration from theta (P,)."""
        model = objective.linearise(theta)
        before = float(model.rows.square().sum())
        ladder = _Ladder(self, objective, theta, model, before)
        best = ladder.search(state["damping"])
        if best is None:
            return Step(theta, before, state, Progress.STALLED, ladder.evaluations)
        return Step(best.theta, best.loss, {"damping": best.damping}, Progress.MOVED, ladder.evaluations)


@dataclass(frozen=True)
class _Trial:
    damping: float
    theta: Tensor
    loss: float
    ratio: float


class _Ladder:
    """The trial steps of one iteration."""

    REACH = 24  # rungs tried upwards before giving up: 4^24 is fourteen orders of magnitude

    def __init__(self, method: LevenbergMarquardt, objective, theta: Tensor, model: Linearised, before: float):
        self.method, self.objective, self.theta, self.model, self.before = method, objective, theta, model, before
        self.evaluations = 1  # the linearisation
        # below it the damping is lost in the rounding of J^T J, and noise would choose the step
        self.floor = ROUNDING * torch.finfo(theta.dtype).eps * float(model.gram.diagonal().max())

    def search(self, damping: float) -> _Trial | None:
        """The trial with the smallest damping that reaches the target ratio."""
        factor, damping = self.method.factor, max(damping, self.floor)
        trial = self.trial(damping)
        if self.passes(trial):
            while trial.damping / factor > self.floor and self.passes(lower := self.trial(trial.damping / factor)):
                trial = lower
            return trial
        for _ in range(self.REACH):
            damping *= factor
            if self.passes(trial := self.trial(damping)):
                return trial
        return None

    def passes(self, trial: _Trial | None) -> bool:
        return trial is not None and trial.ratio >= self.method.ratio and trial.loss < self.before

    def trial(self, damping: float) -> _Trial | None:
        """The step at one damping; None where the factorisation fails or the new rows are not finite."""
        factor = self.model.factor(damping)
        if factor is None:
            return None
        p = -factor.solve(self.model.gradient)
        change = self.model.apply(p)  # J p
        predicted = -float((change * (2 * self.model.rows + change)).sum())  # |r|^2 - |r + J p|^2
        step = p + self.acceleration(factor, p, change) / 2 if self.method.geodesic else p
        theta = self.theta + step
        loss = float(self._rows(theta).square().sum())
        if not (math.isfinite(loss) and predicted > 0):
            return None
        return _Trial(damping, theta, loss, (self.before - loss) / predicted)

    def acceleration(self, factor, p: Tensor, change: Tensor) -> Tensor:
        h = self.method.probe
        curved = (2 / h) * ((self._rows(self.theta + h * p) - self.model.rows) / h - change)
        a = -factor.solve(self.model.adjoint(curved))
        norm, limit = float(a.norm()), SLACK * float(p.norm())
        if not math.isfinite(norm):
            return torch.zeros_like(p)
        return a if norm <= limit else a * (limit / norm)

    def _rows(self, theta: Tensor) -> Tensor:
        self.evaluations += 1
        return self.objective.rows(theta)
