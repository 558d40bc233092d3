"""Everything a run carries from one iteration to the next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from pinnsine.ansatz import Ansatz
from pinnsine.history import History
from pinnsine.objective import Objective
from pinnsine.outcome import Outcome
from pinnsine.policy import Attempt


@dataclass(frozen=True)
class Look:
    """What was seen at an iteration: the held-out loss, its parts by constraint, and the error against the reference."""

    iteration: int
    held_out: float
    losses: Mapping[str, float]
    error: float


@dataclass
class State:
    """Parameters, points, random numbers, the optimizer's own state, the place in the phases, the best so far and the history.

    Between two iterations it says all that those to come depend on. No tensor in it is ever written to.
    """

    theta: Tensor
    objective: Objective
    generator: torch.Generator
    phase: int = 0
    since: int = 0  # the iteration at which the phase began
    memory: dict | None = None  # the optimizer's own; None before the first iteration of a phase
    weights: dict | None = None  # those of the constraints' losses that the method adapts, see ``pinnsine.weighting``
    iteration: int = 0
    evaluations: int = 0
    best: Tensor | None = None
    best_held_out: float = math.inf
    merit: float = math.inf  # of the best: see ``pinnsine.monitor.merit``
    stale: int = 0  # looks since the last gain
    converged: bool = False  # the phase has nothing more to gain
    seen: Look | None = None
    estimated: float = math.inf  # the held-out loss at which the error was last estimated
    ended: Outcome | None = None  # how the phase before ended
    history: History = field(default_factory=History)

    def snapshot(self) -> State:
        """The state as it is now; of the history, which goes on, the first ``iteration`` rows count."""
        return replace(self, generator=self.generator.clone_state())


@dataclass(frozen=True)
class Result:
    """An attempt, its ``number`` in the plan, and what has come of it; no outcome yet where it is still being made.

    ``gain``: the part of the held-out loss that the last attempt left, if it was one of more frozen sines than the one before.
    """

    number: int
    attempt: Attempt
    ansatz: Ansatz
    state: State
    held_out: Objective
    trial_seconds: float = 0.0
    gain: float = 0.0
    outcome: Outcome | None = None

    @property
    def best(self) -> Tensor:
        """The best parameters (P,) by held-out rows."""
        return self.state.theta if self.state.best is None else self.state.best
