"""Levenberg-Marquardt with ratio-targeted damping and geodesic acceleration.

Minimises |r(theta)|^2. At damping lambda the step is p = -(J^T J + lambda I)^-1 J^T r, corrected by the geodesic acceleration
a = -(J^T J + lambda I)^-1 J^T r_vv (Transtrum & Sethna 2012), r_vv the second derivative of r along p, found from one more residual:
r_vv = (2/h) ((r(theta + h p) - r) / h - J p). The step is p + a/2, with |a| held to 0.75 |p|.

Each iteration takes the smallest damping on a geometric ladder whose ratio of the true to the predicted decrease is at least ``ratio``: a
low target makes over-long steps and drives the damping down over ten orders of magnitude (Webb, Jerad & Cartis 2026, arXiv 2607.02194).

``factorisation`` says how the damped problem is solved (see ``pinnsine.linearised``): "cholesky" of J^T J, "dual", Cholesky of the smaller
J J^T where there are fewer rows than parameters, or "qr" of J itself, two to three times slower, but with singular values down to
machine precision, where the other two stop at its square root. "auto" takes the smaller of the first two, and "staged" begins so and goes
over to "qr" for good when the damping comes near the smallest of its form. It must not be later: on the Helmholtz problem the products led
into a valley, at a loss of 3e-17, that QR could not leave either; changed early it reached 7e-22. ``scaled`` damps every parameter in
proportion to the squared norm of its column of J (Marquardt 1963) instead of equally: it makes parameters of different units alike, but for
the weights of a network it was the worse choice (Helmholtz 4e-6 against 4e-9, Burgers 1e-2 against 5e-4 after as many seconds).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.linearised import FORMS, Linearised
from pinnsine.optim.step import Progress, Step

SLACK = 0.75  # the largest |a| / |p| for which the expansion in the step is trusted
FACTORISATIONS = (*FORMS, "auto", "staged")
NEAR = 100.0  # times the smallest damping of a form: from there on "staged" is "qr"


@dataclass(frozen=True)
class LevenbergMarquardt:
    """See the module's docstring. ``ratio``: the target; ``factor``: the ladder's spacing; ``probe``: h above."""

    iterations: int | None = None
    ratio: float = 0.1
    factor: float = 4.0
    damping: float = 1.0
    geodesic: bool = True
    probe: float = 0.1
    factorisation: str = "auto"
    scaled: bool = False

    uses = "residual"
    gathers_curvature = False

    def __post_init__(self):
        if not (0 < self.ratio < 1 and self.factor > 1 and self.damping > 0 and self.probe > 0):
            raise ProblemError(f"LevenbergMarquardt needs 0 < ratio < 1, factor > 1, damping > 0 and probe > 0, got {self}.")
        if self.factorisation not in FACTORISATIONS:
            known = ", ".join(map(repr, FACTORISATIONS))
            raise ProblemError(f"LevenbergMarquardt needs a factorisation that it knows, got {self.factorisation!r}: choose one of {known}.")

    def start(self, objective, theta: Tensor) -> dict:
        """The state between iterations: the damping and the form of the linear algebra."""
        return {"damping": self.damping, "form": "auto" if self.factorisation == "staged" else self.factorisation}

    def step(self, objective, theta: Tensor, state: dict) -> Step:
        """One iteration from theta (P,)."""
        model = objective.linearise(theta, state["form"], self.scaled)
        before = float(model.rows.square().sum())
        ladder = _Ladder(self, objective, theta, model, before)
        best = ladder.search(state["damping"])
        if best is None:
            return Step(theta, before, state, Progress.STALLED, ladder.evaluations)
        near = self.factorisation == "staged" and model.whole and best.damping <= NEAR * model.floor
        state = {"damping": best.damping, "form": "qr" if near else state["form"]}
        return Step(best.theta, best.loss, state, Progress.MOVED, ladder.evaluations)


@dataclass(frozen=True)
class _Trial:
    damping: float
    theta: Tensor
    loss: float
    ratio: float


class _Ladder:
    """The trial steps of one iteration."""

    REACH = 24  # rungs tried upwards at least, and up to the size of J^T J, before giving up: 4^24 is fourteen orders of magnitude

    def __init__(self, method: LevenbergMarquardt, objective, theta: Tensor, model: Linearised, before: float):
        self.method, self.objective, self.theta, self.model, self.before = method, objective, theta, model, before
        self.evaluations = 1  # the linearisation

    def search(self, damping: float) -> _Trial | None:
        """The trial with the smallest damping that reaches the target ratio."""
        # below the floor the damping is lost in rounding, and noise would choose the step
        factor, damping, floor = self.method.factor, max(damping, self.model.floor), self.model.floor
        trial = self.trial(damping)
        if self.passes(trial):
            while trial.damping / factor > floor and self.passes(lower := self.trial(trial.damping / factor)):
                trial = lower
            return trial
        rung = 0
        while rung < self.REACH or damping <= self.model.size < math.inf:
            damping, rung = damping * factor, rung + 1
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
        p = -factor.solve(self.model.projected)
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
        a = -factor.solve(self.model.project(curved))
        norm, limit = self.model.norm(a), SLACK * self.model.norm(p)
        if not math.isfinite(norm):
            return torch.zeros_like(p)
        return a if norm <= limit else a * (limit / norm)

    def _rows(self, theta: Tensor) -> Tensor:
        self.evaluations += 1
        return self.objective.rows(theta)
