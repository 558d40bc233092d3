"""The Gauss-Newton method with a factorisation of the Jacobian and a line search.

Minimises |r(theta)|^2 by steps p = argmin |r + J p|, shortened until the loss falls as it should (Armijo's rule; Nocedal & Wright 2006,
section 10.3). A full step on curved rows may be followed by others with the same factors of the Jacobian, the chord method, as long as
each takes away nine tenths of the loss (V. E. Shamanskii 1967): they cost an evaluation of the rows and no factorisation. Rows that are
affine in the parameters are solved in one step; a second one takes away the rounding of the first. The run ends where the linearised rows
leave nothing to gain, or what is left is rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.optim.step import Progress, Step

HALVINGS = 12
SUFFICIENT = 1e-4
LITTLE = 1e-6  # of the loss: no gain worth a step
GAIN, SMALL = 0.5, 1e-6  # near the end a step takes away nearly all that it can: a loss below SMALL that keeps more than GAIN is left as it is
CLOSE = 1.1  # times the linearised loss: the rows are as good as straight
STEEP = 0.1  # the part of the loss that a chord must leave at most for another
NOISE = 3.0  # rounding errors of the rows, below which they are taken for zero
SINGLE = 5e-6  # the least damping in float32: as many of its rounding errors as 1e-14 is in float64


@dataclass(frozen=True)
class GaussNewton:
    """For few parameters, or such as enter linearly (``FrozenSines``). ``damping``: see ``least_squares``; in float32 at least 5e-6.

    ``chords``: the most steps with the same factors after a full one. Windows of time on lattices take them, which start near their solution;
    of a point source's eikonal equation, started from afar, they left 2e-6 on random sines where steps without them left 8e-10. ``enough``: a
    loss below which no further step is made.
    """

    iterations: int | None = None
    damping: float = 1e-14
    chords: int = 0
    enough: float = 0.0

    uses = "residual"
    gathers_curvature = False

    def __post_init__(self):
        if not 0 < self.damping < 1:
            raise ProblemError(f"GaussNewton needs 0 < damping < 1, got {self}.")

    def start(self, objective, theta: Tensor) -> dict:
        """Nothing is carried from one iteration to the next."""
        return {}

    def step(self, objective, theta: Tensor, state: dict) -> Step:
        """One iteration from theta (P,)."""
        if objective.least is not None and torch.equal(theta, objective.least):
            return Step(theta, float(objective.rows(theta).square().sum()), state, Progress.STALLED)
        damping = self.damping if theta.dtype == torch.float64 else max(self.damping, SINGLE)
        found, length = objective.gauss_newton(theta, damping), 1.0
        before, expected = float(found.rows.square().sum()), float(found.left.square().sum())
        if before < (NOISE * found.rounding) ** 2 or not expected < (1 - LITTLE) * before:
            return Step(theta, before, state, Progress.STALLED)
        for tried in range(HALVINGS):
            new = theta + length * found.step
            rows = objective.rows(new)
            loss = float(rows.square().sum())
            if math.isfinite(loss) and loss < (1 - SUFFICIENT * length) * before:
                least = found.settled and loss < CLOSE * expected  # what the next step finds as well
                settled, chords = loss < SMALL and (GAIN * before < loss or least), 0
                if self.chords and length == 1.0 and not settled and found.again is not None and GAIN * loss > expected:  # the rows are curved
                    new, loss, settled, chords = _chords(objective, found.again, new, rows, self.chords)
                progress = Progress.STALLED if settled or loss < self.enough else Progress.MOVED
                return Step(new, loss, state, progress, tried + 2 + chords, expected)
            length /= 2
        return Step(theta, before, state, Progress.STALLED, HALVINGS + 1)


def _chords(objective, again, theta: Tensor, rows: Tensor, most: int) -> tuple[Tensor, float, bool, int]:
    """Parameters (P,) after steps with the same factors, their loss, whether it is settled, and the evaluations of all rows it took.

    ``rows``: those at theta (P,). ``most``: of the steps.
    """
    loss = float(rows.square().sum())
    for tried in range(most):
        new = theta + again(rows, theta)
        rows = objective.rows(new)
        lower = float(rows.square().sum())
        left = lower / loss if loss > 0 else 1.0
        theta, loss = (new, lower) if left < 1 else (theta, loss)
        if not left < STEEP:
            return theta, loss, left > GAIN and loss < SMALL, tried + 1
    return theta, loss, False, most
