"""What is known of a signed distance off the surface: a shape's own where it is sure, and of an oriented cloud bounds from the nearest of
its points, and the side from its winding number."""

from __future__ import annotations

import math

import numpy as np
import torch

from pinnsine.domain import Mesh, Shape
from pinnsine.fit.cloud import Cloud

NEIGHBOURS = 12  # whose circle around a point of the cloud is taken for covered: no point of the surface is further from the cloud
SURE = 0.25  # how near to 0 or 1 the winding number must be to tell the side
CHUNK = 2**22  # pairs of points looked at together
STEP, FOOT = 1e-6, 1e-4  # of the size: that of differences, and how near to the boundary the nearest point has to be


def sure_distance(shape: Shape, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The signed distance d (N,) of points x (N, 3) by the shape, and where it is sure (N,).

    A shape made of others gives a |d| that the true distance is not below. Where x - d grad d lies on the boundary, it is not above it either.
    So it is outside a union; inside, the nearest point of a part's boundary may lie within the other part.
    """
    x = torch.from_numpy(points)
    distance = shape.signed(x)
    if isinstance(shape, Mesh):
        return distance.numpy(), np.ones(len(points), dtype=bool)
    step = STEP * shape.size
    ahead = [shape.signed(x + step * axis) for axis in torch.eye(3, dtype=x.dtype)]
    foot = x - distance[:, None] * torch.stack([(a - distance) / step for a in ahead], dim=1)
    return distance.numpy(), (shape.signed(foot).abs() < FOOT * shape.size).numpy()


def bounds(cloud: Cloud, points: np.ndarray) -> dict[str, np.ndarray]:
    """``lower`` and ``upper`` (N,) of the signed distance at points (N, 3).

    |u| is at most the distance d to the nearest point of the cloud, and at least d - delta, delta the radius within which that point has
    its neighbours. Where d > delta the winding number tells the sign; outside the box around the cloud u is at least the distance to the box.
    """
    from scipy.spatial import cKDTree

    tree, count = cKDTree(cloud.points), min(NEIGHBOURS + 1, len(cloud.points))
    reach = tree.query(cloud.points, k=count)[0][:, -1]
    distance, nearest = tree.query(points)
    outside_box = _outside_box(cloud, points)
    least = np.maximum(distance - reach[nearest], 0)
    winding = winding_number(cloud, math.pi * reach**2 / (count - 1), points)
    inside, outside = (winding > 1 - SURE) & (least > 0), ((winding < SURE) & (least > 0)) | (outside_box > 0)
    lower = np.where(outside, np.maximum(least, outside_box), -distance)
    return {"lower": lower, "upper": np.where(inside & ~outside, -least, distance)}


def unsided_bounds(cloud: Cloud, points: np.ndarray) -> dict[str, np.ndarray]:
    """The same without normals: |u| is at most the distance d to the nearest point, and outside the box u is at least that to the box."""
    from scipy.spatial import cKDTree

    distance, outside_box = cKDTree(cloud.points).query(points)[0], _outside_box(cloud, points)
    return {"lower": np.where(outside_box > 0, outside_box, -distance), "upper": distance}


def _outside_box(cloud: Cloud, points: np.ndarray) -> np.ndarray:
    """The distance (N,) to the box around the cloud; zero inside."""
    low, high = cloud.points.min(axis=0), cloud.points.max(axis=0)
    return np.linalg.norm(np.maximum(np.maximum(low - points, points - high), 0), axis=1)


def winding_number(cloud: Cloud, areas: np.ndarray, points: np.ndarray) -> np.ndarray:
    """sum_i a_i n_i . (p_i - x) / (4 pi |p_i - x|^3) at points x (N, 3): one inside, zero outside.

    ``areas`` a (M,): the part of the surface that every point of the cloud stands for. Barill, Dickson, Schmidt, Levin & Jacobson (2018).
    """
    found = np.empty(len(points))
    dipoles, moments = areas[:, None] * cloud.normals, areas * np.einsum("md,md->m", cloud.normals, cloud.points)
    squares = np.square(cloud.points).sum(axis=1)
    step = max(1, CHUNK // len(cloud.points))
    for start in range(0, len(points), step):
        x = points[start : start + step]
        away = np.maximum(np.square(x).sum(axis=1)[:, None] - 2 * x @ cloud.points.T + squares, 1e-30)  # |p - x|^2
        found[start : start + step] = ((moments - x @ dipoles.T) / (away * np.sqrt(away))).sum(axis=1) / (4 * math.pi)
    return found
