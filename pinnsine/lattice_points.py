"""Where the rows of a problem are asked for on a lattice of sines."""

from __future__ import annotations

import torch

from pinnsine.constraint import Periodic
from pinnsine.domain import Region
from pinnsine.nets import FrozenSines
from pinnsine.points import Points
from pinnsine.problem import Problem
from pinnsine.tensor_points import tensor_points


def lattice_points(problem: Problem, net: FrozenSines, seed: int | None = None) -> dict[str, Points]:
    """Tensor grids by constraint, where its region has some; none for a lattice of other coordinates. ``seed``: of points that are drawn."""
    if len(net.lattice) != len(problem.domain.names):
        return {}
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    found = {c.name: points_on(problem, c.region(problem.domain), net, generator) for c in problem.soft}
    return {n: p for n, p in found.items() if p is not None}


def points_on(problem: Problem, region: Region | Points, net: FrozenSines, generator: torch.Generator | None = None) -> Points | None:
    """The same of one region."""
    names = problem.domain.names
    mirrored = dict(zip(names, net.mirrored or (0,) * len(names), strict=True))
    waves = {n: (count + 1) // 2 if mirrored[n] else count for n, count in zip(names, net.lattice, strict=True)}  # of half a period
    periodic = {c.coordinate for c in problem.constraints if isinstance(c, Periodic) and c.hard} | {n for n in names if mirrored[n]}
    return tensor_points(region, waves, periodic, generator)
