"""What of a plane shape's outline smooth functions on its bounding box do not follow: holes, and corners that point inwards."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.domain.piece import Piece
from pinnsine.domain.shape import Shape

SAMPLES = 128  # points on a smooth stretch of the boundary
INSET = 1e-6  # of a stretch
DIGITS = 13  # of a corner's place: beyond them it is rounding, which its root would show
MEETING = 1e-6  # of the size: ends of stretches that are one corner
NEAR = 1e-4  # of the size: the circle about a corner on which its side is looked at
DIRECTIONS = 64  # on that circle
BENT = 0.05  # radians from straight on, below which an edge is taken for smooth


@dataclass(frozen=True)
class Hole:
    """A closed curve of the boundary with the outside within: a centre, and its distances to the curve and to the farthest boundary."""

    centre: tuple[float, float]
    radius: float
    far: float


@dataclass(frozen=True)
class Corner:
    """A corner of ``opening`` > pi inside; ``bisector``: the direction halfway between its edges, as an angle from the first axis."""

    place: tuple[float, float]
    bisector: float
    opening: float
    far: float


def holes(shape: Shape) -> tuple[Hole, ...]:
    """The holes of a plane shape; none for others."""
    found, everything = [], [x for x, _ in _stretches(shape)]
    for loop in _loops(shape):
        x = torch.cat([(part[1:] + part[:-1]) / 2 for part, _ in loop])
        lengths = torch.cat([(part[1:] - part[:-1]).norm(dim=1) for part, _ in loop])
        inwards = sum(_flux(part, normal) for part, normal in loop) < 0
        centre = (lengths[:, None] * x).sum(dim=0) / lengths.sum()
        if inwards and not bool(shape.holds(centre[None])[0]):
            found.append(Hole(tuple(centre.tolist()), float((x - centre).norm(dim=1).min()), _farthest(everything, centre)))
    return tuple(found)


def inward_corners(shape: Shape) -> tuple[Corner, ...]:
    """The corners of more than a straight angle behind which, straight on, nothing of a plane shape is left."""
    found, stretches = [], _stretches(shape)
    ends = [(x[k], n[k]) for x, n in stretches for k in (0, -1)]
    for (place, first), (other, second) in itertools.combinations(ends, 2):
        if float((place - other).norm()) > MEETING * shape.size or float((first + second).norm()) < BENT:
            continue
        bend = math.acos(max(-1.0, min(1.0, float(first @ second))))
        outwards = (first + second) / (first + second).norm()
        if bend > BENT and _mostly_inside(shape, place) and not _returns(shape, place, outwards):
            bisector = math.atan2(-float(outwards[1]), -float(outwards[0]))
            exact = tuple(round(c / shape.size, DIGITS) * shape.size for c in place.tolist())
            found.append(Corner(exact, bisector, math.pi + bend, _farthest([x for x, _ in stretches], place)))
    return tuple(found)


def _stretches(shape: Shape) -> list[tuple[Tensor, Tensor]]:
    """Points (N, 2) and outward normals along every smooth stretch of the boundary, from end to end; none where it is no plane curve."""
    if shape.dimension != 2 or not all(p.curve for p in shape.pieces):
        return []
    return [_along(p, a, b) for p in shape.pieces for a, b in itertools.pairwise(p.breaks)]


def _along(piece: Piece, start: float, end: float) -> tuple[Tensor, Tensor]:
    inset = INSET * (end - start)  # at the very end point and normal may be those of the next stretch
    ends = torch.tensor([2 * inset, end - start - 2 * inset], dtype=torch.float64)
    unit = torch.cat([ends[:1], torch.linspace(inset, end - start - inset, SAMPLES, dtype=torch.float64), ends[1:]])
    x, n, _ = piece.place(start + unit[:, None])
    x[1], x[-2] = 2 * x[1] - x[0], 2 * x[-2] - x[-1]  # the ends themselves
    return x[1:-1], n[1:-1]


def _loops(shape: Shape) -> list[list[tuple[Tensor, Tensor]]]:
    """The stretches that hang together."""
    loops: list[list[tuple[Tensor, Tensor]]] = []
    for stretch in _stretches(shape):
        touching = [loop for loop in loops if any(_meet(stretch[0], other, shape.size) for other, _ in loop)]
        loops = [loop for loop in loops if not any(loop is t for t in touching)]
        loops.append([stretch, *(part for loop in touching for part in loop)])
    return loops


def _meet(x: Tensor, y: Tensor, size: float) -> bool:
    return any(float((a - b).norm()) < MEETING * size for a in (x[0], x[-1]) for b in (y[0], y[-1]))


def _flux(x: Tensor, normal: Tensor) -> float:
    """Twice the signed area that a stretch encloses with the origin, by the trapezoidal rule: of a hole it is negative."""
    lengths = (x[1:] - x[:-1]).norm(dim=1)
    through = (x * normal).sum(dim=1)
    return float((lengths * (through[1:] + through[:-1]) / 2).sum())


def _farthest(stretches: list[Tensor], place: Tensor) -> float:
    return max(float((x - place).norm(dim=1).max()) for x in stretches)


def _mostly_inside(shape: Shape, place: Tensor) -> bool:
    """Whether more than half of a small circle lies inside."""
    angle = 2 * math.pi * (torch.arange(DIRECTIONS, dtype=torch.float64) + 0.5) / DIRECTIONS
    circle = place + NEAR * shape.size * torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)
    return float((shape.signed(circle) < 0).double().mean()) > 0.5


def _returns(shape: Shape, place: Tensor, outwards: Tensor) -> bool:
    """Whether a ray out of a corner meets the shape again."""
    reach = 2 * shape.size * torch.linspace(NEAR, 1.0, 2048, dtype=torch.float64)
    return bool((shape.signed(place + reach[:, None] * outwards) < 0).any())
