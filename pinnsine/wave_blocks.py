"""The rows of a sum over a lattice of sines to first order, and the small problems that its periodic coordinates divide them into.

Where the slopes of the rows are replaced by their means along the periodic coordinates, coefficients of different wave numbers do not meet in
any row: each wave number has a least-squares problem of its own, of the functions of the other coordinates (``separable`` makes use of it).
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.lattice_sum import Lattice, LatticeGrid


@dataclass(frozen=True)
class GridTerm:
    """One constraint's rows (C, N) to first order: their slopes (C, K, m, N) by the derivatives of the fields on a grid."""

    grid: LatticeGrid
    slopes: Tensor

    @functools.cached_property
    def factors(self) -> list[tuple[int, int, int, Tensor | float]]:
        """The slopes (N,) that do not vanish, a number for one that is the same everywhere, with their row, derivative and field."""
        found = []
        for place in itertools.product(*map(range, self.slopes.shape[:3])):
            slope = self.slopes[place]
            first = float(slope[0])
            constant = bool((slope == first).all())
            if not constant or first != 0.0:
                found.append((*place, first if constant else slope))
        return found

    def apply(self, products: Tensor) -> Tensor:
        """The change of the rows (C, N) with the coefficients."""
        components = self.grid.components(products)
        rows = self.slopes.new_zeros(len(self.slopes), self.slopes.shape[3])
        for c, k, f, slope in self.factors:
            _add(rows[c], components[k, f], slope)
        return rows

    def adjoint(self, values: Tensor) -> Tensor:
        """The transpose: from (C, N) to coefficients."""
        components = self.slopes.new_zeros(self.slopes.shape[1:])
        for c, k, f, slope in self.factors:
            _add(components[k, f], values[c], slope)
        return self.grid.adjoint(components)


def _add(to: Tensor, values: Tensor, factor: Tensor | float) -> None:
    """Add values times a factor."""
    if isinstance(factor, float):
        to.add_(values, alpha=factor)
    else:
        to.addcmul_(values, factor)


@dataclass(frozen=True)
class Blocks:
    """The triangles (B, L, L) of the coefficients that share a wave number along the periodic coordinates, in the order of ``place`` (B, S, L).

    Cosines and sines that do not meet, S combinations of them, have the same triangle. A place that there is not, the sine of wave number zero,
    is the one after the last coefficient. ``norms``: of the columns, in the shape of the coefficients; ``shift``: the damping.
    """

    triangles: Tensor
    place: Tensor
    norms: Tensor
    shift: Tensor

    @staticmethod
    def of(lattice: Lattice, periodic: Sequence[bool], parts: Sequence[GridTerm], fields: int, damping: float) -> Blocks:
        shape = (fields, *(2 * n + 1 for n in lattice.counts))
        turns = [Turn.of(lattice, i, parts) if wrapped else None for i, wrapped in enumerate(periodic)]
        place = _places(lattice, turns, shape)
        inner = [part for part in parts if all(len(n) > t.waves.numel() for n, t in zip(part.grid.nodes, turns, strict=True) if t)]
        matrix = torch.cat([_block_rows(lattice, turns, part) for part in inner], dim=1)  # of walls mirrored functions keep the conditions
        squares = matrix.square().sum(dim=1)
        norms = torch.where(squares > 0, squares.sqrt(), 1.0)
        shifted = torch.cat([matrix, torch.diag_embed(damping * norms)], dim=1)
        place = place.to(matrix.device)
        triangles = torch.linalg.qr(shifted, mode="r").R
        spread = norms.new_ones(math.prod(shape) + 1)
        spread[place.flatten()] = norms[:, None].expand(place.shape).flatten()
        spread = spread[:-1].view(shape)
        return Blocks(triangles, place, spread, damping * spread)

    @property
    def size(self) -> int:
        return self.place.numel()

    def solve(self, q: Tensor) -> Tensor:
        """R^-1 q as coefficients, for q (B S L,)."""
        found = torch.linalg.solve_triangular(self.triangles, q.view(self.place.shape).mT, upper=True)
        out = q.new_zeros(self.norms.numel() + 1)
        out[self.place.flatten()] = found.mT.flatten()
        return out[:-1].view_as(self.norms)

    def solve_transposed(self, products: Tensor) -> Tensor:
        """R^-T (B S L,) of coefficients."""
        padded = torch.nn.functional.pad(products.flatten(), (0, 1))
        return torch.linalg.solve_triangular(self.triangles.mT, padded[self.place].mT, upper=False).mT.flatten()


@dataclass(frozen=True)
class Turn:
    """What derivatives make of cosine and sine of each wave number along a periodic coordinate.

    ``waves`` (n + 1,); ``odd``: whether a derivative of odd order makes one of the other, so that both belong to one block. ``cosines``: where
    the coordinate is mirrored and has one function for each wave number, whether that is the cosine (``Lattice.cosines``).
    """

    waves: Tensor
    odd: bool
    cosines: Tensor | None = None

    @staticmethod
    def of(lattice: Lattice, axis: int, parts: Sequence[GridTerm]) -> Turn:
        orders = [orders[axis] for part in parts for terms in part.grid.orders for orders in terms]
        waves = lattice.steps[axis] * torch.arange(lattice.counts[axis] + 1, dtype=torch.float64)
        if lattice.mirrored[axis]:
            return Turn(waves, False, lattice.cosines(axis))
        return Turn(waves, any(r % 2 for r in orders))

    def matrices(self, order: int, slope: float) -> Tensor:
        """The matrices (B, o, i) of a derivative: (n + 1, 2, 2), or where cosine and sine do not meet (n + 1, 1, 1), of either.

        Where there is one function for each wave number (n + 1, 1, 1), and zero for odd orders: their slopes are odd there, of mean zero.
        """
        size = (slope * self.waves) ** order
        if self.cosines is not None:
            return (size * (0.0 if order % 2 else (-1) ** (order // 2)))[:, None, None]
        if not self.odd:
            return (size * (-1) ** (order // 2))[:, None, None]
        quarter = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)  # cos' = -sin, sin' = cos
        turn = size[:, None, None] * torch.linalg.matrix_power(quarter, order)
        turn[0, :, 1] = turn[0, 1, :] = 0.0  # there is no sine of wave number zero
        return turn

    @property
    def sizes(self) -> Tensor:
        """The mean squares of the functions of each block (B,)."""
        each = torch.full_like(self.waves, 0.5)
        each[0] = 1.0
        return each


def _places(lattice: Lattice, turns: Sequence[Turn | None], shape: tuple[int, ...]) -> Tensor:
    """Where the coefficients of each block lie (B, S, L): by wave number, then field, cosine or sine, and function of the other coordinates."""
    table, missing = torch.arange(math.prod(shape)).view(shape), math.prod(shape)
    batch, alike, inside, axis = [], [], [], 1
    for n, turn in zip(lattice.counts, turns, strict=True):
        if turn is not None:  # the axis becomes two: the wave number, and cosine or sine
            one, cosines, sines = table.split([1, n, n], dim=axis)
            cosines, sines = (torch.cat([first, rest], dim=axis) for first, rest in ((one, cosines), (torch.full_like(one, missing), sines)))
            batch.append(axis)
            if turn.cosines is not None:
                table = torch.where(turn.cosines.view([-1 if i == axis else 1 for i in range(table.ndim)]), cosines, sines)
            else:
                table = torch.stack([cosines, sines], dim=axis + 1)
                axis += 1
                (inside if turn.odd else alike).append(axis)
        axis += 1
    rest = [i for i in range(1, table.ndim) if i not in (*batch, *alike, *inside)]
    ordered = table.permute(*batch, *alike, 0, *inside, *rest)
    several = len(batch) + len(alike)
    return ordered.reshape(math.prod(ordered.shape[: len(batch)]), math.prod(ordered.shape[len(batch) : several]), -1)


def _block_rows(lattice: Lattice, turns: Sequence[Turn | None], part: GridTerm) -> Tensor:
    """The rows of one constraint in every block (B, rows, L), with the means of their slopes along the periodic coordinates."""
    grid = part.grid
    across = [i for i, turn in enumerate(turns) if turn is None]
    group, nodes = _groups(grid, across)
    count = torch.bincount(group).to(part.slopes)
    means = part.slopes.new_zeros(*part.slopes.shape[:3], len(count)).index_add_(3, group, part.slopes) / count
    total = 0.0
    for k, terms in enumerate(grid.orders):
        for orders in terms:
            around = [t.matrices(r, slope) for t, r, slope in zip(turns, orders, grid.slopes, strict=True) if t is not None]
            functions = [lattice.along(i, nodes[i], orders[i], grid.slopes[i]) for i in across]
            other = functools.reduce(_crossed, functions) if functions else means.new_ones(len(count), 1)
            total = total + torch.einsum("cfg,boi,gm->bcgofim", means[:, k], functools.reduce(_kron, around).to(means), other)
    sizes = functools.reduce(torch.kron, [t.sizes for t in turns if t is not None]).to(total)
    weighted = total * count.sqrt()[:, None, None, None, None] * sizes.sqrt()[:, None, None, None, None, None, None]
    return weighted.flatten(4).flatten(1, 3)


def _crossed(first: Tensor, second: Tensor) -> Tensor:
    """The products (G, A B) of functions (G, A) and (G, B)."""
    return (first[:, :, None] * second[:, None, :]).flatten(1)


def _kron(first: Tensor, second: Tensor) -> Tensor:
    """The Kronecker products of all pairs of matrices (A, o, i) and (B, p, j)."""
    found = torch.einsum("aoi,bpj->abopij", first, second)
    return found.flatten(0, 1).flatten(1, 2).flatten(2, 3)


def _groups(grid: LatticeGrid, across: Sequence[int]) -> tuple[Tensor, dict[int, Tensor]]:
    """The points by their values of the coordinates ``across`` (N,), and these values."""
    place, found = grid.place, {}
    for i in reversed(range(len(grid.nodes))):
        found[i], place = place % len(grid.nodes[i]), place // len(grid.nodes[i])
    joint = torch.zeros_like(grid.place)
    for i in across:
        joint = joint * len(grid.nodes[i]) + found[i]
    _, group = torch.unique(joint, return_inverse=True)
    first = torch.zeros(int(group.max()) + 1, dtype=torch.long, device=group.device).scatter_(
        0, group, torch.arange(len(group), device=group.device)
    )
    return group, {i: grid.nodes[i][found[i][first]] for i in across}
