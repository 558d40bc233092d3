"""Adaptive resampling: new points where the equation is violated most and where the solution is steep.

RAD (Wu, Zhu, Tan, Kartha & Lu 2023) chooses points from uniform candidates with probability p ~ |r| / mean |r| + 1. Between two draws
Levenberg-Marquardt drives the residual at a front's few points far below the residual between them, after which RAD looks elsewhere. Here the
size of the gradient is added, p ~ |r| / mean |r| + |grad u| / mean |grad u| + 1 in scaled coordinates and values, so that a front
keeps its points, and the candidates are chosen evenly and moved within their cells, so that a front may hold more points than candidates. On
Burgers at nu = 0.01/pi the held-out loss then stays near the training loss, where independent draws left it up to ten times larger. The
rows' weights are not corrected for the density.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pinnsine.constraint import Residual
from pinnsine.domain import Region
from pinnsine.memory import bytes_per_point
from pinnsine.objective import Objective
from pinnsine.points import Points

CANDIDATES = 5  # times the number of points


def resample(objective: Objective, theta: Tensor, generator: torch.Generator) -> Objective:
    """The objective with new points for every residual on a region."""
    chosen = {}
    for term in objective.terms:
        constraint = term.constraint
        place = constraint.region(objective.ansatz.problem.domain)
        if not isinstance(constraint, Residual) or constraint.loss is not None or isinstance(place, Points):
            continue
        old = objective.points[constraint.name]
        candidates = along_curve(place.sample(CANDIDATES * len(old), "sobol", generator)).to(theta.dtype, theta.device)
        density = 1 + sum(
            _relative(size) for size in (objective.magnitudes(theta, constraint.name, candidates), steepness(objective, theta, candidates))
        )
        if len(candidates) > len(old) and bool(torch.isfinite(density).all()):
            index = systematic(density, len(old), generator)
            chosen[constraint.name] = scattered(candidates.select(index), len(candidates), place, generator)
    return objective.with_points(chosen)


def systematic(density: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """``count`` indices whose frequency is proportional to ``density`` (N,), at equal steps of its running sum.

    On candidates in the order of a space-filling curve the sample is as even as the density allows; independent draws of as many points
    scatter the minimiser of the loss from one resampling to the next.
    """
    running = density.double().cumsum(0)
    offset = torch.rand((), generator=generator, dtype=torch.float64).to(density.device)
    steps = (torch.arange(count, device=density.device, dtype=torch.float64) + offset) * (running[-1] / count)
    return torch.searchsorted(running, steps).clamp(max=len(density) - 1)


def scattered(points: Points, candidates: int, place: Region, generator: torch.Generator) -> Points:
    """The points moved within their candidates' cells, so that one chosen several times becomes several points; those that leave stay."""
    moved = {}
    for name, column in points.columns.items():
        width = float(column.max() - column.min()) / candidates ** (1 / len(points.columns))
        noise = torch.rand(len(column), generator=generator, dtype=torch.float64).to(column)
        moved[name] = column + width * (noise - 0.5)
    inside = place.contains(Points(moved))
    return Points({n: torch.where(inside, moved[n], c) for n, c in points.columns.items()}, points.normal)


def along_curve(points: Points) -> Points:
    """The points in the order of Morton's space-filling curve (G. M. Morton 1966), by interleaving the bits of their coordinates."""
    matrix = points.matrix(points.names)
    low, high = matrix.amin(dim=0), matrix.amax(dim=0)
    bits = 62 // matrix.shape[1]
    cells = ((matrix - low) / (high - low).clamp(min=1e-300) * (2 ** min(bits, 20) - 1)).long()
    key = torch.zeros(len(points), dtype=torch.long)
    for bit in range(min(bits, 20)):
        for axis in range(matrix.shape[1]):
            key |= ((cells[:, axis] >> bit) & 1) << (bit * matrix.shape[1] + axis)
    return points.select(key.argsort())


def steepness(objective: Objective, theta: Tensor, points: Points) -> Tensor:
    """The norm (N,) of the gradients of all fields, in coordinates and values scaled to order one."""
    ansatz = objective.ansatz
    need = {f.name: {(), *((n,) for n in f.of)} for f in ansatz.problem.fields}
    half = {a.name: a.length / 2 for a in ansatz.problem.domain.axes}

    def slopes(part: Points, _: slice) -> Tensor:
        local = ansatz.local(objective.views(theta), part, need)
        return torch.stack(
            [getattr(local, f.name).at((n,)) * (half[n] / ansatz.scales[f.name].scale) for f in ansatz.problem.fields for n in f.of]
        )

    with torch.no_grad():
        found = objective.whole.budget.pieces(points, bytes_per_point(ansatz, set().union(*need.values())), slopes)
        return torch.cat(list(found), dim=1).norm(dim=0)


def _relative(size: Tensor) -> Tensor:
    mean = size.mean()
    return size / mean if float(mean) > 0 else torch.zeros_like(size)
