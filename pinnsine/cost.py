"""What least squares are expected to take, so that nothing is begun that the time does not suffice for.

Where a piece of work has been done before, the last of its kind tells what the next one takes. The first of its kind is told by small ones: a
factorisation, and the Jacobian at a few of its points.
"""

from __future__ import annotations

import time

import torch
from torch import Tensor

from pinnsine.budget import Clock
from pinnsine.distributed import agreed
from pinnsine.least_squares import Factors
from pinnsine.objective import Objective

SAFETY = 1.5  # times what is predicted
SHAPE = (1024, 256)  # of the small factorisation, of some ten milliseconds
FEW = 16  # the part of the points that the Jacobian is timed at


class OutOfTime(Exception):
    """Work that is left out because the time does not suffice for it; the message says which."""


class Kept:
    """A clock by which some of the time is kept for what follows."""

    def __init__(self, clock: Clock, seconds: float):
        self.clock, self.seconds = clock, seconds

    @property
    def elapsed(self) -> float:
        return self.clock.elapsed

    @property
    def left(self) -> float:
        return self.clock.left - self.seconds


def factorisation_seconds(rows: int, columns: int, like: Tensor) -> float:
    """Of a damped QR factorisation of (R, P), by a small one on the same device."""
    matrix = torch.rand(SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(like)
    work = (rows + 2 * columns) * columns**2 / ((SHAPE[0] + 2 * SHAPE[1]) * SHAPE[1] ** 2)
    return agreed(work * min(_seconds(lambda: float(Factors.of(matrix, 1e-10).scale.sum())) for _ in range(2)))


def jacobian_seconds(objective: Objective, theta: Tensor) -> float:
    """Of the rows and their Jacobian, by those at some of the points."""
    few = objective.thinned(1 / FEW)
    return agreed(objective.count / few.count * _seconds(lambda: float(few.jacobian(theta)[0].sum())))


def _seconds(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
