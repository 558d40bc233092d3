"""Mini-batches: the points of an objective drawn or dealt out at random, each constraint with its share; coupled rows stay together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from pinnsine.points import Points

if TYPE_CHECKING:
    from pinnsine.objective import Objective


def drawn(objective: Objective, count: int, seed: int) -> dict[str, Points]:
    """The points of about ``count`` of the rows, drawn anew for every seed."""
    generator, chosen = torch.Generator().manual_seed(seed), {}
    for name in _divisible(objective):
        points = objective.points[name]
        index = torch.randperm(len(points), generator=generator)[: max(1, round(len(points) * count / objective.count))]
        chosen[name] = points.select(index)
    return chosen


def dealt(objective: Objective, count: int, seed: int) -> list[dict[str, Points]]:
    """The points in parts of about ``count`` rows that together hold each of them once, in a random order for every seed.

    A constraint with fewer points than there are parts, and rows that are coupled, stand in none: each batch has all of these.
    """
    parts, generator = math.ceil(objective.count / count), torch.Generator().manual_seed(seed)
    chosen: list[dict[str, Points]] = [{} for _ in range(parts)]
    for name in _divisible(objective):
        points = objective.points[name]
        if len(points) < parts:
            continue
        shuffled = points.select(torch.randperm(len(points), generator=generator))
        for k, part in enumerate(chosen):
            part[name] = shuffled.select(slice(k * len(points) // parts, (k + 1) * len(points) // parts))
    return chosen


def _divisible(objective: Objective) -> list[str]:
    """The constraints whose rows do not hang together."""
    return [t.constraint.name for t in objective.terms if t.route == "one backward"]
