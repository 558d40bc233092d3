"""How near two surfaces are, and how near a function is to a signed distance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pinnsine.solution import Solution


@dataclass(frozen=True)
class SurfaceGap:
    """The gap between two samples of surfaces.

    ``chamfer``: half the sum of both mean distances to the nearest point of the other; ``hausdorff``: the largest such distance; ``angle``:
    the mean angle between the normals of a point and its nearest, in degrees, both ways; NaN without normals.
    """

    chamfer: float
    hausdorff: float
    angle: float


def surface_gap(a: np.ndarray, b: np.ndarray, normals: tuple[np.ndarray, np.ndarray] | None = None) -> SurfaceGap:
    """The gap between points a (N, 3) and b (M, 3), with their unit normals if they are given."""
    from scipy.spatial import cKDTree

    to_b, nearest_b = cKDTree(b).query(a)
    to_a, nearest_a = cKDTree(a).query(b)
    angle = float("nan")
    if normals is not None:
        cosines = np.einsum("nd,nd->n", normals[0], normals[1][nearest_b]), np.einsum("nd,nd->n", normals[1], normals[0][nearest_a])
        angle = float(np.mean([np.degrees(np.arccos(np.clip(c, -1, 1))).mean() for c in cosines]))
    return SurfaceGap(float(to_b.mean() + to_a.mean()) / 2, float(max(to_b.max(), to_a.max())), angle)


@dataclass(frozen=True)
class DistanceError:
    """The error of a signed distance over the whole domain: root mean square, the same over the domain's diagonal, and the overlap
    |A and B| / |A or B| of the two insides."""

    rms: float
    relative: float
    iou: float


def distance_error(solution: Solution, distance: Callable[[np.ndarray], np.ndarray], count: int = 20_000, seed: int = 0) -> DistanceError:
    """The error against an exact ``distance``, points (N, 3) -> (N,), at ``count`` random points of the domain."""
    axes = solution.problem.domain.axes
    points = np.random.default_rng(seed).uniform([a.lower for a in axes], [a.upper for a in axes], (count, len(axes)))
    found = next(iter(solution.predict(**{a.name: points[:, i] for i, a in enumerate(axes)}).values()))
    truth = distance(points)
    rms = float(np.sqrt(np.square(found - truth).mean()))
    diagonal = float(np.linalg.norm([a.length for a in axes]))
    either = int(((found < 0) | (truth < 0)).sum())
    return DistanceError(rms, rms / diagonal, float(((found < 0) & (truth < 0)).sum() / either) if either else float("nan"))
