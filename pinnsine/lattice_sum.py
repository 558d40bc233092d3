"""Sums of all products of sines and cosines of the coordinates, made one coordinate after the other where the points form a grid.

    f(y) = sum over (j_1, ..., j_d) of c[j_1, ..., j_d] phi_{j_1}(y_1) ... phi_{j_d}(y_d),   phi = 1, cos k s y, sin k s y,   k = 1 ... n

On a grid of U points along each coordinate that takes F^d U + ... + F U^d multiplications, F = 2 n + 1, in place of (F U)^d
(S. A. Orszag 1980, J. Comput. Phys. 37).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.index import Collapsed, Index

# Waves, from which fast Fourier transforms are faster than products of matrices: on a line and time, and where more coordinates share the work,
# so that these products are large (up to 100 waves in a plane they took half the time).
MANY, MANY_IN_PLANE = 48, 120
EVEN = 1e-14  # of a period: nodes are evenly spaced to rounding
MOST = 2  # points of the grid for each of those asked for


@dataclass(frozen=True)
class Lattice:
    """The wave numbers of a sum: multiples up to ``counts`` of ``steps``, by coordinate.

    ``mirrored``: 0 for a coordinate with all of the functions; where the period is twice the extent, -1 for one with those alone that are odd
    about both ends, sin k s (y + 1), and 1 for those that are even, cos k s (y + 1).
    """

    counts: tuple[int, ...]
    steps: tuple[float, ...]
    mirrored: tuple[int, ...]

    def cosines(self, axis: int) -> Tensor:
        """Whether of each wave number (n + 1,) of a mirrored coordinate it is the cosine of k s y that is used, else the sine."""
        odd = torch.arange(self.counts[axis] + 1) % 2 == 1
        return odd if self.mirrored[axis] < 0 else ~odd

    def used(self) -> Tensor:
        """Which coefficients (F_1, ..., F_d) may differ from zero."""
        found = torch.ones([2 * n + 1 for n in self.counts], dtype=torch.bool)
        for axis in (i for i, sign in enumerate(self.mirrored) if sign):
            chosen = self.cosines(axis)
            along = torch.cat([chosen, ~chosen[1:]])
            found &= along.view([-1 if i == axis else 1 for i in range(found.ndim)])
        return found

    def products(self, weight: Tensor, bias: Tensor) -> Tensor:
        """The coefficients (m, F_1, ..., F_d) of the sum that a layer computes of plane waves, for weight (m, width) and bias (m,).

        The waves are those of ``FrozenSines(lattice=)``: of each pair of wave vectors +-w one, sines of all of them, then cosines.
        """
        half = weight.shape[1] // 2
        waves = torch.complex(weight[:, half:], -weight[:, :half]) / 2
        spectrum = torch.cat([waves.conj().flip(1), torch.complex(bias, torch.zeros_like(bias))[:, None], waves], dim=1)
        spectrum = spectrum.view(-1, *(2 * n + 1 for n in self.counts))
        for axis, n in enumerate(self.counts, start=1):
            below, middle, above = spectrum.split([n, 1, n], dim=axis)
            below = below.flip(axis)
            spectrum = torch.cat([middle, above + below, 1j * (above - below)], dim=axis)
        return spectrum.real

    def layer(self, products: Tensor) -> tuple[Tensor, Tensor]:
        """Weight (m, width) and bias (m,) from coefficients (m, F_1, ..., F_d)."""
        spectrum = products.to(torch.complex128)
        for axis, n in enumerate(self.counts, start=1):
            middle, cosines, sines = spectrum.split([1, n, n], dim=axis)
            above, below = (cosines - 1j * sines) / 2, (cosines + 1j * sines) / 2
            spectrum = torch.cat([below.flip(axis), middle, above], dim=axis)
        flat = spectrum.flatten(1)
        half = flat.shape[1] // 2
        waves = 2 * flat[:, half + 1 :]
        return torch.cat([-waves.imag, waves.real], dim=1), flat[:, half].real

    def along(self, axis: int, nodes: Tensor, order: int, slope: float = 1.0) -> Tensor:
        """A derivative of the functions of one coordinate at nodes (U,): (U, F); ``slope``: of y by what is differentiated by."""
        wave = self.steps[axis] * torch.arange(1, self.counts[axis] + 1, dtype=nodes.dtype, device=nodes.device)
        angles = nodes[:, None] * wave + order % 4 * (torch.pi / 2)
        size = (wave * slope) ** order
        one = torch.full_like(nodes[:, None], 0.0 if order else 1.0)
        return torch.cat([one, size * torch.cos(angles), size * torch.sin(angles)], dim=1)


class LatticeGrid:
    """Points (N, d) that lie on a grid, and derivatives of sums over a lattice there.

    ``slopes`` (d,): of the lattice's coordinates by those called ``names``; ``indices``: the derivatives.
    """

    def __init__(self, lattice: Lattice, nodes: Sequence[Tensor], place: Tensor, names: Sequence[str], slopes: Sequence[float], indices):
        self.nodes, self.place, self.slopes = nodes, place, slopes
        self.sizes = [len(n) for n in nodes]
        self.ordered = len(place) == math.prod(self.sizes) and bool((place == torch.arange(len(place), device=place.device)).all())
        self.orders = [orders_of(index, names) for index in indices]
        wanted = {(i, r) for parts in self.orders for orders in parts for i, r in enumerate(orders)}
        self.maps = {(i, r): _map_along(lattice, i, nodes[i], r, slopes[i]) for i, r in wanted}

    def components(self, products: Tensor) -> Tensor:
        """The derivatives (K, m, N) of sums with coefficients (m, F_1, ..., F_d)."""
        found: dict[tuple[int, ...], Tensor] = {(): products}

        def made(orders: tuple[int, ...]) -> Tensor:
            """The sum over the last coordinates, differentiated by ``orders``, of which the first may be missing."""
            if orders not in found:
                axis = len(self.nodes) - len(orders)
                found[orders] = self.maps[axis, orders[0]].apply(made(orders[1:]), axis + 1)
            return found[orders]

        grids = torch.stack([sum(made(orders) for orders in parts).flatten(1) for parts in self.orders])
        return grids if self.ordered else grids[:, :, self.place]

    def adjoint(self, slopes: Tensor) -> Tensor:
        """What a function of the derivatives changes by with each coefficient (m, F_1, ..., F_d), from its ``slopes`` (K, m, N)."""
        gathered: dict[tuple[int, ...], Tensor] = {}
        for part, own in zip(slopes, self.orders, strict=True):
            if not self.ordered:
                part = part.new_zeros(len(part), math.prod(self.sizes)).index_add_(1, self.place, part)
            grid = part.view(-1, *self.sizes)
            for orders in own:
                gathered[orders] = gathered[orders] + grid if orders in gathered else grid
        for axis in range(len(self.sizes)):
            summed: dict[tuple[int, ...], Tensor] = {}
            for orders, grid in gathered.items():
                part = self.maps[axis, orders[0]].adjoint(grid, axis + 1)
                summed[orders[1:]] = summed[orders[1:]] + part if orders[1:] in summed else part
            gathered = summed
        return gathered[()]


@dataclass(frozen=True)
class Table:
    """The functions of a coordinate, or a derivative of them, at nodes: ``values`` (U, F)."""

    values: Tensor

    def apply(self, tensor: Tensor, axis: int) -> Tensor:
        """Sums (U) in place of coefficients (F) along an axis."""
        return _along_axis(tensor, self.values, axis)

    def adjoint(self, tensor: Tensor, axis: int) -> Tensor:
        """The transpose: coefficients (F) in place of (U)."""
        return _along_axis(tensor, self.values.T, axis)


@dataclass(frozen=True)
class Fourier:
    """The same where ``count`` nodes are evenly spaced, ``whole`` of them over a period, by fast Fourier transforms.

    ``factors`` (n + 1,): what a derivative and the place of the first node make of each wave.
    """

    factors: Tensor
    count: int
    whole: int

    def apply(self, tensor: Tensor, axis: int) -> Tensor:
        """Sums (U) in place of coefficients (F) along an axis."""
        one, cosines, sines = tensor.movedim(axis, -1).split([1, len(self.factors) - 1, len(self.factors) - 1], dim=-1)
        spectrum = torch.cat([torch.complex(one, torch.zeros_like(one)), torch.complex(cosines, -sines) / 2], dim=-1)
        return torch.fft.irfft(spectrum * self.factors, n=self.whole, norm="forward")[..., : self.count].movedim(-1, axis)

    def adjoint(self, tensor: Tensor, axis: int) -> Tensor:
        """The transpose: coefficients (F) in place of (U)."""
        spectrum = torch.fft.rfft(tensor.movedim(axis, -1), n=self.whole)[..., : len(self.factors)] * self.factors.conj()
        return torch.cat([spectrum.real, -spectrum.imag[..., 1:]], dim=-1).movedim(-1, axis)


def _map_along(lattice: Lattice, axis: int, nodes: Tensor, order: int, slope: float) -> Table | Fourier:
    """The way from the coefficients of one coordinate to sums at nodes (U,)."""
    waves, step = lattice.counts[axis], lattice.steps[axis]
    period, gaps = 2 * math.pi / step, nodes.diff()
    many = MANY if len(lattice.counts) <= 2 else MANY_IN_PLANE
    whole = round(period / float(gaps.mean())) if waves >= many and len(nodes) > waves else 0
    if not len(nodes) <= whole or not whole > 2 * waves or float((gaps - period / whole).abs().max()) > EVEN * period:
        return Table(lattice.along(axis, nodes, order, slope))
    wave = step * torch.arange(waves + 1, dtype=nodes.dtype, device=nodes.device)
    return Fourier((1j * wave * slope) ** order * torch.exp(1j * wave * nodes[0]), len(nodes), whole)


def grid_of(points: Tensor) -> tuple[list[Tensor], Tensor] | None:
    """The values of each coordinate of points (N, d) and the place (N,) of each among all their combinations; None where those are many."""
    found = [torch.unique(column, return_inverse=True) for column in points.unbind(1)]
    if math.prod(len(nodes) for nodes, _ in found) > MOST * len(points):
        return None
    place = torch.zeros_like(found[0][1])
    for nodes, inverse in found:
        place = place * len(nodes) + inverse
    return [nodes for nodes, _ in found], place


def orders_of(index: Index, names: Sequence[str]) -> list[tuple[int, ...]]:
    """How often is differentiated by each of the coordinates ``names``, for each of the terms that are summed."""
    terms = [(n, n) for n in index.names] if isinstance(index, Collapsed) else [index]
    return [tuple(term.count(n) for n in names) for term in terms]


def _along_axis(tensor: Tensor, matrix: Tensor, axis: int) -> Tensor:
    """The product of a matrix (U, F) with an axis (F) of a tensor."""
    if axis == tensor.ndim - 1:
        return tensor @ matrix.T
    shape = tensor.shape
    merged = matrix @ tensor.reshape(math.prod(shape[:axis]), shape[axis], -1)
    return merged.view(*shape[:axis], len(matrix), *shape[axis + 1 :])
