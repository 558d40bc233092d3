"""The tangent kernel J J^T (R, R) layer by layer, without the Jacobian.

Row i of the Jacobian by the weights of a layer is sum over s of G[s, i] (x) A[s, i], slopes (x) inputs, s its derivatives and nodes. An inner
product of outer products is a product of inner products, so that the layer adds

    K_ij = sum over s, t of (G[s, i] . G[t, j]) (A[s, i] . A[t, j])

at a cost of S^2 (in + out) for each entry, where the explicit rows cost in * out and must be kept. A bias, or an unknown number, adds the
ordinary product of its columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

TILE = 1024  # rows of a block of the kernel, so that the products of a layer stay in the cache


@dataclass(frozen=True)
class Columns:
    """Columns (N, p) of the Jacobian as they are."""

    columns: Tensor

    def select(self, part: slice) -> Columns:
        return Columns(self.columns[part])

    def against(self, other: Columns) -> Tensor:
        """The inner products (N, M) with the rows of another block."""
        return self.columns @ other.columns.T

    def work(self) -> tuple[int, int]:
        """Multiplications for an entry of the kernel, this way and with explicit rows."""
        return self.columns.shape[1], self.columns.shape[1]

    @staticmethod
    def join(parts: Sequence[Columns]) -> Columns:
        return Columns(torch.cat([p.columns for p in parts]))


@dataclass(frozen=True)
class Outer:
    """The columns of a layer's weights: sums over s of ``slopes`` (S, N, out) (x) ``inputs`` (S, N, in)."""

    slopes: Tensor
    inputs: Tensor

    def select(self, part: slice) -> Outer:
        return Outer(self.slopes[:, part], self.inputs[:, part])

    def against(self, other: Outer) -> Tensor:
        """The inner products (N, M) with the rows of another block."""
        total = self.slopes.new_zeros(self.slopes.shape[1], other.slopes.shape[1])
        for g, a in zip(self.slopes, self.inputs, strict=True):
            for h, b in zip(other.slopes, other.inputs, strict=True):
                total.addcmul_(g @ h.T, a @ b.T)
        return total

    def work(self) -> tuple[int, int]:
        """Multiplications for an entry of the kernel, this way and with explicit rows."""
        outputs, inputs = self.slopes.shape[2], self.inputs.shape[2]
        return len(self.slopes) ** 2 * (inputs + outputs), inputs * outputs

    @staticmethod
    def join(parts: Sequence[Outer]) -> Outer:
        return Outer(torch.cat([p.slopes for p in parts], dim=1), torch.cat([p.inputs for p in parts], dim=1))


@dataclass(frozen=True)
class RowBlock:
    """Consecutive rows of the Jacobian, as factors by the name of their parameter; a parameter that is missing does not act on them."""

    count: int
    factors: Mapping[str, Columns | Outer]

    def select(self, part: slice) -> RowBlock:
        return RowBlock(len(range(self.count)[part]), {n: f.select(part) for n, f in self.factors.items()})

    def against(self, other: RowBlock, out: Tensor) -> None:
        """The inner products with the rows of another block, into ``out``."""
        out.zero_()
        for name, factor in self.factors.items():
            if name in other.factors:
                out += factor.against(other.factors[name])

    @staticmethod
    def join(parts: Sequence[RowBlock]) -> RowBlock:
        """The blocks one below the other; they have the same parameters."""
        factors = {n: f.join([p.factors[n] for p in parts]) for n, f in parts[0].factors.items()}
        return RowBlock(sum(p.count for p in parts), factors)


def is_cheaper(blocks: Sequence[RowBlock]) -> bool:
    """Whether the kernel layer by layer takes fewer multiplications than from explicit rows."""
    work = [factor.work() for block in blocks for factor in block.factors.values()]
    return sum(layered for layered, _ in work) < sum(explicit for _, explicit in work)


def tangent_kernel(blocks: Sequence[RowBlock], like: Tensor) -> Tensor:
    """J J^T (R, R) from the row blocks in their order, in the number type of ``like``; its upper half is computed and mirrored."""
    tiles = [block.select(slice(start, start + TILE)) for block in blocks for start in range(0, block.count, TILE)]
    ends = torch.tensor([tile.count for tile in tiles]).cumsum(0).tolist()
    places = [slice(end - tile.count, end) for end, tile in zip(ends, tiles, strict=True)]
    kernel = like.new_empty(ends[-1], ends[-1])
    for i, (above, rows) in enumerate(zip(tiles, places, strict=True)):
        for beside, columns in zip(tiles[i:], places[i:], strict=True):
            above.against(beside, kernel[rows, columns])
            if rows != columns:
                kernel[columns, rows] = kernel[rows, columns].T
    return kernel
