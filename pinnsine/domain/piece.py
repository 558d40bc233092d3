"""Pieces of a shape: images of the unit cube under maps that keep proportions, so that even points stay even."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pinnsine.domain.domain import fixed_generator
from pinnsine.sampling import sample_cube

CELLS = 4096  # of a curve, in each of which at most one change between kept and dropped is looked for
BISECTIONS = 50
REPLICATES, DRAWS = 16, 2**13  # scrambled Sobol sequences, and points of each, that measure what has no formula
NODES = 64  # Gauss nodes on a smooth stretch of a curve

Place = Callable[[Tensor], tuple[Tensor, Tensor | None, Tensor]]


@dataclass(frozen=True)
class Piece:
    """A curve, a surface or an interior as the image of the unit cube: equal volumes go to equal measures.

    ``place``: points of the cube (N, dimension) -> points (N, d), outward unit normals (N, d) or None for an interior, and which of
    them count (N,). ``share``: the part of the cube that counts; ``measure`` is of that part, with standard error ``error``. ``breaks``: the
    parameters between which a curve is smooth.
    """

    dimension: int
    measure: float
    place: Place
    share: float = 1.0
    error: float = 0.0
    breaks: tuple[float, ...] = (0.0, 1.0)

    @property
    def curve(self) -> bool:
        """Whether the piece is a whole curve."""
        return self.dimension == 1 and self.share == 1.0


def always(count: int) -> Tensor:
    """The mask that keeps every point."""
    return torch.ones(count, dtype=torch.bool)


def accepted_share(keep: Callable[[Tensor], Tensor], dimension: int) -> tuple[float, float]:
    """The part of the unit cube for which ``keep`` (N, dimension) -> (N,) holds, and its standard error over scrambled Sobol sequences."""
    return _sampled_share(keep, dimension, lambda unit: always(len(unit)))


def _sampled_share(keep, dimension: int, among) -> tuple[float, float]:
    """The part of the points that count ``among`` all for which ``keep`` holds, and its standard error."""
    generator, shares = fixed_generator(), []
    for _ in range(REPLICATES):
        unit = sample_cube("sobol", DRAWS, dimension, generator)
        shares.append(int(keep(unit).sum()) / max(1, int(among(unit).sum())))
    return float(np.mean(shares)), float(np.std(shares, ddof=1) / REPLICATES**0.5)


def trimmed(piece: Piece, sign: Callable[[Tensor, Tensor], Tensor]) -> Piece | None:
    """The part of a boundary piece where ``sign`` (points, normals) -> (N,) is not zero, its normals times the sign; None where it is empty.

    On a curve the ends of that part are bisected, so that its length is exact up to stretches shorter than 1 / CELLS of the curve; on
    a surface its share is measured by quasi-Monte Carlo.
    """
    if piece.curve:
        return _trimmed_curve(piece, sign)

    def place(unit: Tensor):
        x, n, keep = piece.place(unit)
        s = sign(x, n)
        return x, n * s[:, None], keep & (s != 0)

    part, error = _sampled_share(lambda unit: place(unit)[2], piece.dimension, lambda unit: piece.place(unit)[2])
    if part == 0:
        return None
    error = math.hypot(part * piece.error, error * piece.measure)
    return replace(piece, measure=part * piece.measure, place=place, share=part * piece.share, error=error)


def _trimmed_curve(piece: Piece, sign) -> Piece | None:
    def at(u: Tensor) -> Tensor:
        x, n, _ = piece.place(u[:, None])
        return sign(x, n)

    samples = (torch.arange(CELLS, dtype=torch.float64) + 0.5) / CELLS
    known = at(samples)
    change = (known[1:] != known[:-1]).nonzero()[:, 0]
    low, high, left = samples[change], samples[change + 1], known[change]
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        same = at(middle) == left
        low, high = torch.where(same, middle, low), torch.where(same, high, middle)
    edges = torch.cat([torch.zeros(1, dtype=torch.float64), (low + high) / 2, torch.ones(1, dtype=torch.float64)])
    signs = torch.cat([known[:1], known[change + 1]])
    kept = (signs != 0).nonzero()[:, 0]
    start, length, signs = edges[kept], edges[kept + 1] - edges[kept], signs[kept]
    total = float(length.sum())
    if total == 0:
        return None
    ends = length.cumsum(0)

    def place(unit: Tensor):
        along = unit[:, 0] * total
        k = torch.searchsorted(ends, along).clamp(max=len(ends) - 1)
        x, n, keep = piece.place((start[k] + (along - ends[k] + length[k]).clamp(min=0).minimum(length[k]))[:, None])
        return x, n * signs[k, None], keep

    breaks = {0.0, 1.0, *(float(e) / total for e in ends)}
    for inner in piece.breaks:
        for a, size, end in zip(start.tolist(), length.tolist(), ends.tolist(), strict=True):
            if a < inner < a + size:
                breaks.add((end - size + inner - a) / total)
    return replace(piece, measure=piece.measure * total, place=place, breaks=tuple(sorted(b for b in breaks if b <= 1)))


def curve_integral(piece: Piece, function: Callable[[Tensor, Tensor], Tensor]) -> float:
    """The integral of ``function`` (points, normals) -> (N,) along a curve, by Gauss quadrature on its smooth stretches."""
    nodes, weights = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(NODES))
    ends = torch.tensor(piece.breaks, dtype=torch.float64)
    half = (ends[1:] - ends[:-1])[:, None] / 2
    u = (ends[:-1, None] + half * (nodes + 1)).reshape(-1, 1)
    x, n, _ = piece.place(u)
    return piece.measure * float(((half * weights).reshape(-1) * function(x, n)).sum())


def enclosed_area(pieces: Sequence[Piece]) -> float:
    """The area inside closed curves, by the divergence theorem: half the integral of x . n."""
    return sum(curve_integral(p, lambda x, n: (x * n).sum(dim=1)) for p in pieces) / 2
