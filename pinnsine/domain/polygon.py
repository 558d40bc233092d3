"""Triangles and polygons, with or without holes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pinnsine.domain.piece import Piece, always
from pinnsine.domain.rfunctions import all_of, any_of
from pinnsine.domain.shape import NAMES, Shape
from pinnsine.errors import ProblemError

CHUNK = 2**22  # pairs of a point and an edge looked at together


class Polygon(Shape):
    """A polygon, convex or not, with holes: ``Polygon([(0, 0), (2, 0), (2, 1), (0, 1)], holes=[[(0.5, 0.4), (0.7, 0.4), (0.6, 0.6)]])``.

    ``vertices`` (N, 2) in either direction, or any object with ``exterior`` and ``interiors``, as shapely's polygons have. Raises
    ProblemError for fewer than three vertices, edges of no length, and edges that cross.
    """

    def __init__(self, vertices, holes: Sequence = (), names: Sequence[str] | None = None):
        if hasattr(vertices, "exterior"):
            vertices, holes = vertices.exterior.coords, [ring.coords for ring in vertices.interiors]
        self.rings = [_ring(vertices, 1.0), *(_ring(hole, -1.0) for hole in holes)]
        self.start = torch.cat(self.rings)
        self.end = torch.cat([ring.roll(-1, 0) for ring in self.rings])
        self.edge = self.end - self.start
        super().__init__(names or NAMES[:2], self.rings[0].amin(0).tolist(), self.rings[0].amax(0).tolist())
        if _crossing(self.start, self.end):
            raise ProblemError("The edges of a polygon must not cross or touch, but two of them do: give its vertices in order around it.")

    def signed(self, x):
        return torch.cat([self._signed(part) for part in x.split(max(1, CHUNK // len(self.start)))])

    def _signed(self, x: Tensor) -> Tensor:
        to = x[:, None] - self.start  # (N, E, 2)
        along = ((to * self.edge).sum(-1) / self.edge.square().sum(-1)).clamp(0, 1)
        distance = (to - along[..., None] * self.edge).norm(dim=-1).amin(dim=1)
        above, above_end = to[..., 1] < 0, to[..., 1] < self.edge[:, 1]
        left = (to[..., 0] * self.edge[:, 1] < to[..., 1] * self.edge[:, 0]) == (self.edge[:, 1] > 0)
        inside = ((above != above_end) & left).sum(dim=1) % 2 == 1
        return torch.where(inside, -distance, distance)

    def smooth(self, columns):
        outer, *holes = (_formula(ring, columns) for ring in self.rings)
        return all_of([outer, *holes])

    def _pieces(self):
        lengths = self.edge.norm(dim=1)
        ends, total = lengths.cumsum(0), float(lengths.sum())
        normal = torch.stack([self.edge[:, 1], -self.edge[:, 0]], dim=1) / lengths[:, None]

        def place(unit: Tensor):
            along = unit[:, 0] * total
            k = torch.searchsorted(ends, along).clamp(max=len(ends) - 1)
            share = ((along - ends[k]) / lengths[k] + 1).clamp(0, 1)
            return self.start[k] + share[:, None] * self.edge[k], normal[k], always(len(unit))

        return (Piece(1, total, place, breaks=(0.0, *(ends[:-1] / total).tolist(), 1.0)),)

    def _measure(self):
        return float((self.start[:, 0] * self.end[:, 1] - self.start[:, 1] * self.end[:, 0]).sum()) / 2, 0.0

    def words(self):
        holes = f" and {len(self.rings) - 1} holes" if len(self.rings) > 1 else ""
        return f"the polygon of {len(self.rings[0])} vertices{holes}"


def Triangle(a: Sequence[float], b: Sequence[float], c: Sequence[float], names: Sequence[str] | None = None) -> Polygon:
    """The triangle of three corners: ``Triangle((0, 0), (1, 0), (0, 1))``."""
    return Polygon([a, b, c], names=names)


def _ring(vertices, sign: float) -> Tensor:
    """Vertices (N, 2), counter-clockwise for ``sign`` 1 and clockwise for -1, without the first one repeated."""
    try:
        ring = torch.from_numpy(np.array([tuple(v) for v in vertices], dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise ProblemError(f"A polygon is given by its vertices, pairs of numbers, got {vertices!r}.") from error
    if len(ring) > 1 and torch.equal(ring[0], ring[-1]):
        ring = ring[:-1]
    if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < 3 or not bool(torch.isfinite(ring).all()):
        raise ProblemError(f"A polygon has at least three vertices of two finite coordinates, got shape {tuple(ring.shape)}.")
    following = ring.roll(-1, 0)
    if bool((following == ring).all(dim=1).any()):
        raise ProblemError("A polygon has two equal vertices in a row: remove one of them.")
    area = float((ring[:, 0] * following[:, 1] - ring[:, 1] * following[:, 0]).sum())
    if area == 0:
        raise ProblemError("A polygon encloses an area, but these vertices enclose none: they lie on a line, or the sides cross.")
    return ring if area * sign > 0 else ring.flip(0)


def _crossing(start: Tensor, end: Tensor) -> bool:
    """Whether two edges that share no vertex meet."""
    edge = end - start

    def side(p: Tensor, k: Tensor) -> Tensor:
        return torch.sign(edge[k, 0] * (p[:, 1] - start[k, 1]) - edge[k, 1] * (p[:, 0] - start[k, 0]))

    i, j = torch.triu_indices(len(start), len(start), 1)
    apart = ~((end[i] == start[j]).all(dim=1) | (end[j] == start[i]).all(dim=1))
    i, j = i[apart], j[apart]
    overlap = (torch.maximum(start[i], end[i]) >= torch.minimum(start[j], end[j])).all(dim=1)
    overlap &= (torch.maximum(start[j], end[j]) >= torch.minimum(start[i], end[i])).all(dim=1)
    return bool((overlap & (side(start[j], i) * side(end[j], i) <= 0) & (side(start[i], j) * side(end[i], j) <= 0)).any())


def _formula(ring: Tensor, columns):
    """The polygon as a Boolean formula of the half-planes of its edges, each once, in R-functions; positive to the left of every edge.

    The convex corners of the hull join their chains by "and", the hull of each chain that turns inwards joins its parts by "or", and
    so on (D. Dobkin, L. Guibas, J. Hershberger & J. Snoeyink 1993, Algorithmica 10).
    """
    points = ring.tolist()
    area = sum(p[0] * q[1] - p[1] * q[0] for p, q in zip(points, points[1:] + points[:1], strict=True))
    corners = sorted(_hull(points, range(len(points))))
    closed = [*range(corners[0], len(points)), *range(corners[0] + 1)]
    stops = [closed.index(c) for c in corners] + [len(closed) - 1]
    parts = [_chain(points, closed[a : b + 1], area < 0, columns) for a, b in itertools.pairwise(stops)]
    return all_of(parts) if area > 0 else any_of(parts)


def _chain(points, chain: list[int], conjunctive: bool, columns):
    """The formula of a chain of vertices between two neighbours on the hull of what holds it."""
    if len(chain) == 2:
        (ax, ay), (bx, by) = points[chain[0]], points[chain[1]]
        length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
        return (columns[1] - ay) * ((bx - ax) / length) - (columns[0] - ax) * ((by - ay) / length)
    corners = {chain[0], chain[-1], *_hull(points, chain)}
    stops = [k for k, index in enumerate(chain) if index in corners]
    parts = [_chain(points, chain[a : b + 1], not conjunctive, columns) for a, b in itertools.pairwise(stops)]
    return all_of(parts) if conjunctive else any_of(parts)


def _hull(points, indices) -> list[int]:
    """The vertices of the convex hull among ``indices``, without those inside its edges (A. M. Andrew 1979)."""
    order = sorted(indices, key=lambda i: points[i])
    found: list[int] = []
    for line in (order, order[::-1]):
        half: list[int] = []
        for i in line:
            while len(half) > 1 and _turn(points[half[-2]], points[half[-1]], points[i]) <= 0:
                half.pop()
            half.append(i)
        found += half[:-1]
    return found


def _turn(a, b, c) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
