"""The spectrum of data on a grid: up to which wave number a network must reach."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pinnsine.constraint import Prescribed
from pinnsine.domain import Domain
from pinnsine.points import Points
from pinnsine.problem import Problem

SHARE = 0.95  # of the energy
LEAST = 4  # points along an axis


def data_reach(problem: Problem, share: float = SHARE) -> float | None:
    """The wave number, for coordinates scaled to [-1, 1], below which ``share`` of the energy of a problem's gridded data lies.

    The largest over all data and coordinates; None where no values of fields are given on a grid.
    """
    reaches = [
        reach_along_axes(constraint.on, constraint.on[target], problem.domain, share)
        for constraint in problem.soft
        if isinstance(constraint, Prescribed) and isinstance(constraint.on, Points)
        for field, target in constraint.targets.items()
        if isinstance(target, str) and field in problem.names.fields
    ]
    return max((r for r in reaches if r is not None), default=None)


def reach_along_axes(points: Points, values: Tensor, domain: Domain, share: float = SHARE) -> float | None:
    """The largest over the coordinates of the wave number below which ``share`` of the energy of values (N,) lies; None off a grid."""
    found = on_grid(points, values, domain.names)
    if found is None:
        return None
    grid, steps = found
    reaches = [
        quantile(*power(grid, axis, steps[axis] / (domain.axis(n).length / 2)), share)
        for axis, n in enumerate(domain.names)
        if grid.shape[axis] >= LEAST
    ]
    return max(reaches, default=None)


def on_grid(points: Points, values: Tensor, names: Sequence[str]) -> tuple[Tensor, list[float]] | None:
    """Values (N,) as an array with one axis a coordinate, and the distances of its lines; None where the points fill no even grid."""
    lines, numbers = zip(*(torch.unique(points[n], return_inverse=True) for n in names), strict=True)
    shape = [len(line) for line in lines]
    if math.prod(shape) != len(points) or len(torch.unique(torch.stack(numbers), dim=1)[0]) != len(points):
        return None
    steps = [line.diff() for line in lines]
    if any(len(s) and float((s - s.mean()).abs().max()) > 1e-6 * float(s.mean()) for s in steps):
        return None
    grid = values.new_empty(shape)
    grid[numbers] = values
    return grid, [float(s.mean()) if len(s) else 1.0 for s in steps]


def power(grid: Tensor, axis: int, step: float) -> tuple[Tensor, Tensor]:
    """Wave numbers (F,) along an axis whose lines lie ``step`` apart, and the energy at each; Hann's window keeps the ends quiet."""
    lines = grid.movedim(axis, -1)
    count = lines.shape[-1]
    window = torch.hann_window(count, periodic=False, dtype=grid.dtype)
    lines = (lines - lines.mean()) * window
    energy = torch.fft.rfft(lines).abs().square().reshape(-1, count // 2 + 1).sum(dim=0)
    return 2 * math.pi * torch.fft.rfftfreq(count, step, dtype=grid.dtype), energy


def quantile(wave_numbers: Tensor, energy: Tensor, share: float) -> float:
    """The lowest wave number below which ``share`` of the energy lies."""
    below = energy.cumsum(0) >= share * energy.sum()
    return float(wave_numbers[int(below.to(torch.int8).argmax())])
