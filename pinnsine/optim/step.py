"""What an optimizer returns from one iteration."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

from torch import Tensor


class Progress(Enum):
    """Whether an iteration moved."""

    MOVED = "moved"
    STALLED = "no step lowers the loss any further"
    BROKEN = "the loss is not finite"


@dataclass(frozen=True)
class Step:
    """The new parameters (P,), their loss, the optimizer's state for the next iteration, and the evaluations of all rows it took.

    ``expected``: the loss that the linearised rows left, where the method knows it.
    """

    theta: Tensor
    loss: float
    state: dict = field(default_factory=dict)
    progress: Progress = Progress.MOVED
    evaluations: int = 1
    expected: float = math.nan
