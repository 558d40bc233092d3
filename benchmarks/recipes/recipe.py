"""What every recipe says of itself, and what it hands back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

import pinnsine as ps

Columns = Mapping[str, np.ndarray]  # coordinates by name, (N,) each


@dataclass(frozen=True)
class Answer:
    """A trained peer: the iterations it took, and its fields at points or the numbers that it found."""

    iterations: int
    fields: Callable[[Columns], dict[str, np.ndarray]] | None = None
    unknowns: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """How a peer is trained on one of the statements of peer_problems.py.

    Args:
        statement: the problem as that script poses it.
        source: the published script whose settings are used.
        train: builds and trains on a problem, from a seed, with a share of the iterations.
        remark: what differs from the script, empty where nothing does.
    """

    statement: str
    source: str
    train: Callable[[ps.Problem, int, float], Answer]
    remark: str = ""
