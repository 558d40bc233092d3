"""Row points on tensor grids: as many along each coordinate as a lattice of sines asks for."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from pinnsine.domain import Axis, Box, Face, Faces, Region
from pinnsine.points import Points, tensor_grid

OVER = 1.2  # points along a coordinate for each function of it: 1.0 was measured ten times worse on sech(20 y), 1.6 no better
OTHERS = 1.4  # the same of points that are held out


def tensor_points(
    region: Region, waves: Mapping[str, int], periodic: Collection[str], generator: torch.Generator | None = None
) -> Points | None:
    """Points for products of {1, cos k y, sin k y}, k to ``waves`` along each coordinate; None for a region that is no box or faces of one.

    Evenly spaced along periodic coordinates, at Chebyshev's points along the others; with a ``generator`` others: evenly spaced from a random
    place on, and random ones.
    """
    if isinstance(region, Faces):
        parts = [tensor_points(face, waves, periodic, generator) for face in region.faces]
        return None if any(p is None for p in parts) else Points.join(parts)
    if not isinstance(region, Box | Face):
        return None
    box = region if isinstance(region, Box) else region.box
    columns = {a.name: _along(a, waves[a.name], a.name in periodic, generator) for a in box.axes}
    if isinstance(region, Box):
        return tensor_grid(columns)
    columns[region.name] = torch.full((1,), region.value, dtype=torch.float64)
    grid = tensor_grid(columns)
    return Points(grid.columns, region.normal_columns(len(grid)))


def _along(axis: Axis, waves: int, periodic: bool, generator: torch.Generator | None) -> Tensor:
    count = math.ceil((OVER if generator is None else OTHERS) * (2 * waves + 1))
    first = 0.5 if generator is None else float(torch.rand(1, generator=generator, dtype=torch.float64))
    if generator is not None and not periodic:
        return axis.lower + axis.length * torch.rand(count, generator=generator, dtype=torch.float64)
    unit = (torch.arange(count, dtype=torch.float64) + first) / count
    return axis.lower + axis.length * (unit if periodic else (1 - torch.cos(torch.pi * unit)) / 2)
