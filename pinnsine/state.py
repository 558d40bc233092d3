"""Everything a run carries from one iteration to the next."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pinnsine.history import History
from pinnsine.objective import Objective


@dataclass
class State:
    """Parameters, points, random numbers, the optimizer's own state, the best so far and the history."""

    theta: Tensor
    objective: Objective
    generator: torch.Generator
    memory: dict = field(default_factory=dict)  # the optimizer's own
    iteration: int = 0
    evaluations: int = 0
    best: Tensor | None = None
    best_held_out: float = math.inf
    stale: int = 0  # looks since the last gain
    history: History = field(default_factory=History)
