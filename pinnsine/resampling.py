"""Adaptive resampling: new points where the equation is violated most and where the solution is steep.

RAD (Wu, Zhu, Tan, Kartha & Lu 2023) chooses points from uniform candidates with probability p ~ |r| / mean |r| + 1. Between two draws
Levenberg-Marquardt drives the residual at a front's few points far below the residual between them, after which RAD looks elsewhere. Here the
size of the gradient is added, p ~ |r| / mean |r| + |grad u| / mean |grad u| + 1 in scaled coordinates and values, so that a front
keeps its points: on Burgers at nu = 0.01/pi the held-out loss then stays within twice the training loss, against tenfold before. The rows'
weights are not corrected for the density.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pinnsine.constraint import Residual
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
        candidates = place.sample(CANDIDATES * len(old), "uniform", generator).to(theta.dtype, theta.device)
        density = 1 + sum(
            _relative(size) for size in (objective.magnitudes(theta, constraint.name, candidates), steepness(objective, theta, candidates))
        )
        if len(candidates) > len(old) and bool(torch.isfinite(density).all()):
            index = torch.multinomial(density.cpu(), len(old), generator=generator).to(theta.device)
            chosen[constraint.name] = candidates.select(index)
    return objective.with_points(chosen)


def steepness(objective: Objective, theta: Tensor, points: Points) -> Tensor:
    """The norm (N,) of the gradients of all fields, in coordinates and values scaled to order one."""
    ansatz = objective.ansatz
    need = {f.name: {(), *((n,) for n in f.of)} for f in ansatz.problem.fields}
    half = {a.name: a.length / 2 for a in ansatz.problem.domain.axes}
    with torch.no_grad():
        local = ansatz.local(objective.views(theta), points, need)
        slopes = [getattr(local, f.name).at((n,)) * (half[n] / ansatz.scales[f.name].scale) for f in ansatz.problem.fields for n in f.of]
    return torch.stack(slopes).norm(dim=0)


def _relative(size: Tensor) -> Tensor:
    mean = size.mean()
    return size / mean if float(mean) > 0 else torch.zeros_like(size)
