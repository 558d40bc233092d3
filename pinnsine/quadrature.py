"""Gauss quadrature on boxes and their faces, Sobol points elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pinnsine.domain import Axis, Box, Face, Faces, Region
from pinnsine.errors import ProblemError
from pinnsine.points import Points, tensor_grid

MOST_DIMENSIONS = 3  # above, tensor rules need too many nodes
SOBOL_NODES = 2**16


def unit_rule(dimension: int, count: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Gauss-Legendre nodes (Q, d) on the unit cube, Q = count^d, and their weights (Q,), in the number type and on the device of ``like``."""
    axes = [Axis(f"x{k}", 0.0, 1.0) for k in range(dimension)]
    nodes, weights = tensor_rule(axes, count)
    return nodes.matrix([a.name for a in axes]).to(like), weights.to(like)


def tensor_rule(axes: Sequence[Axis], count: int) -> tuple[Points, Tensor]:
    """Gauss-Legendre nodes, ``count`` along each axis, and their weights (count^d,)."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    halves = {a.name: a.length / 2 for a in axes}
    grid = tensor_grid({a.name: torch.from_numpy(a.lower + halves[a.name] * (nodes + 1)) for a in axes})
    rule = tensor_grid({a.name: torch.from_numpy(halves[a.name] * weights) for a in axes})
    return grid, rule.matrix([a.name for a in axes]).prod(dim=1)


def nodes_and_weights(region: Region, count: int) -> tuple[Points, Tensor]:
    """Nodes and weights of an integral over a box, a face or several faces; Sobol points on shapes and in more than three dimensions.

    Raises ProblemError for what is no region.
    """
    if isinstance(region, Faces):
        parts = [nodes_and_weights(face, count) for face in region.faces]
        return Points.join([p for p, _ in parts]), torch.cat([w for _, w in parts])
    if not isinstance(region, Region):
        raise ProblemError(f"Integrals run over a domain or its sides, got {type(region).__name__}.")
    if not isinstance(region, Box | Face):
        return _sobol_rule(region)
    axes = list(region.axes) if isinstance(region, Box) else [a for a in region.box.axes if a.name != region.name]
    if len(axes) > MOST_DIMENSIONS:
        return _sobol_rule(region)
    if isinstance(region, Box):
        return tensor_rule(axes, count)
    points, weights = tensor_rule(axes, count) if axes else (Points({region.name: [0.0]}), torch.ones(1, dtype=torch.float64))
    columns = {**points.columns, region.name: torch.full((len(points),), region.value, dtype=torch.float64)}
    return Points({n: columns[n] for n in region.names}, region.normal_columns(len(points))), weights


def _sobol_rule(region: Region) -> tuple[Points, Tensor]:
    points = region.sample(SOBOL_NODES, "sobol", torch.Generator().manual_seed(0))
    return points, torch.full((len(points),), region.measure / len(points), dtype=torch.float64)
