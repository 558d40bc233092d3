"""Surfaces made of triangles."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pinnsine.domain.piece import Piece, always


def areas_and_normals(corners: Tensor) -> tuple[Tensor, Tensor]:
    """Areas (F,) and unit normals (F, 3) of triangles (F, 3, 3), by the right-hand rule."""
    cross = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    doubled = cross.norm(dim=1)
    return doubled / 2, cross / doubled.clamp(min=1e-300)[:, None]


def triangulated(corners: Tensor, finish: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = lambda x, n: (x, n)) -> Piece:
    """Triangles (F, 3, 3) as one surface; ``finish`` moves its points and normals to where they belong."""
    areas, normals = areas_and_normals(corners)
    ends = areas.cumsum(0)

    def place(unit: Tensor):
        along = unit[:, 0] * ends[-1]
        k = torch.searchsorted(ends, along).clamp(max=len(ends) - 1)
        # where within the share of its triangle the first number falls is as even as the number itself
        first, second = (1 + (along - ends[k]) / areas[k]).clamp(0, 1).sqrt(), unit[:, 1]
        weights = torch.stack([1 - first, first * (1 - second), first * second], dim=1)
        x, n = finish((weights[..., None] * corners[k]).sum(dim=1), normals[k])
        return x, n, always(len(unit))

    return Piece(2, float(ends[-1]), place)
