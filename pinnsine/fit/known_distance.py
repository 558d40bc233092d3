"""What is known of a signed distance off the surface: a shape's own, and of an oriented cloud bounds from the nearest of
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
DRAWN, TRIED, BISECTIONS = 2**17, 16, 20  # points of a boundary that is searched, those next to a point, halvings of the way to the foot


def exact_distance(shape: Shape, points: np.ndarray, seed: int = 0) -> np.ndarray:
    """The signed distance (N,) of points (N, 3) to a shape's boundary, negative inside; ``seed``: of the boundary's points.

    A shape made of others has a ``signed`` of the right sign, but inside a union, where the nearest point of a part's boundary may lie within
    the other part, it is too short. Where it is not sure the boundary itself is searched.
    """
    x = torch.from_numpy(points)
    distance = shape.signed(x)
    if not isinstance(shape, Mesh):
        unsure = ~_sure(shape, x, distance)
        distance[unsure] = distance[unsure].sign() * _to_boundary(shape, x[unsure], seed)
    return distance.numpy()


def _sure(shape: Shape, x: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
    """Where a shape's distance d is the true one: that is not below |d|, and not above it where x - d grad d lies on the boundary."""
    step = STEP * shape.size
    ahead = [shape.signed(x + step * axis) for axis in torch.eye(3, dtype=x.dtype)]
    foot = x - distance[:, None] * torch.stack([(a - distance) / step for a in ahead], dim=1)
    return shape.signed(foot).abs() < FOOT * shape.size


def _to_boundary(shape: Shape, x: torch.Tensor, seed: int) -> torch.Tensor:
    """The distance (N,) of x (N, 3) to the boundary: from the nearest of many points on it towards the feet on their planes, as far as that
    way lies on the boundary.

    It is exact for planes, and of second order in the points' distance from each other, ``size`` / 100, for edges and what is curved.
    """
    from scipy.spatial import cKDTree

    drawn = shape.boundary().sample(DRAWN, "sobol", torch.Generator().manual_seed(seed))
    on, normals = drawn.matrix("xyz"), torch.stack([drawn.normal[n] for n in "xyz"], dim=1)
    nearest = torch.from_numpy(cKDTree(on.numpy()).query(x.numpy(), k=TRIED)[1]).reshape(-1)
    start, normals, x = on[nearest], normals[nearest], x.repeat_interleave(TRIED, dim=0)
    way = x - start - ((x - start) * normals).sum(dim=1, keepdim=True) * normals
    part, step = torch.zeros(len(x), 1, dtype=x.dtype), 0.5
    for _ in range(BISECTIONS):
        part = torch.where((shape.signed(start + (part + step) * way).abs() < FOOT * shape.size)[:, None], part + step, part)
        step /= 2
    return (x - start - part * way).norm(dim=1).view(-1, TRIED).amin(dim=1)


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
