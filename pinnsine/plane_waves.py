"""Sines of affine functions of the coordinates, whose derivatives of all orders come from one sine and one cosine."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from pinnsine.index import Collapsed, Index
from pinnsine.jet import Context, Jet, Stack
from pinnsine.lattice_sum import Lattice, LatticeGrid, grid_of

CACHED = 2**18  # values of the waves made at a time, so that they stay in the cache


def plane_waves(x, weight: Tensor, phase: Tensor, last: bool = False):
    """sin(weight x + phase): (N, d) -> (N, F), on tensors and on jets; the fast way where a jet is affine in the coordinates.

    ``last``: nothing but an affine layer follows, so that of the derivatives only those wanted of its result are made: of a Laplacian in d
    dimensions two, not d + 2.
    """
    slopes = _slopes(x) if isinstance(x, Jet) and x.context is not None and x.context.indices is not None else None
    if slopes is None:
        return torch.sin(linear(x, weight, phase))
    context = replace(x.context, indices=x.context.wanted) if last and x.context.wanted else x.context
    return PlaneWaves(x.values, weight, phase, {n: weight @ slope for n, slope in slopes.items()}, context)


def waves_on_grid(x: Jet, weight: Tensor, phase: Tensor, lattice: Lattice, output: nn.Linear) -> Stack | None:
    """An affine layer ``output`` of the waves of a lattice, made coordinate by coordinate; None where the points do not form a grid."""
    slopes = _slopes(x) if x.context is not None and x.context.indices is not None else None
    found = grid_of(x.values) if slopes is not None else None
    if found is None:
        return None
    context = replace(x.context, indices=x.context.wanted or x.context.indices)
    grid = LatticeGrid(lattice, *found, *_by_input(slopes, x.values.shape[1]), context.indices)
    taped = context.tape is not None  # slopes by the outputs are all that is asked for then
    outputs = grid.components(lattice.products(*(t.detach() if taped else t for t in (output.weight, output.bias)))).mT
    if taped:
        inputs = WavesOnGrid(x.values, weight, phase, {n: weight @ slope for n, slope in slopes.items()}, context, grid)
        context.tape.append((output.weight, output.bias, inputs, outputs.requires_grad_()))
    return Stack(outputs, context)


def _by_input(slopes: Mapping[str, Tensor], inputs: int) -> tuple[list[str], list[float]]:
    """The coordinate that each of the inputs is, and the input's slope along it; none where no derivative by it is asked for."""
    names, sizes = [""] * inputs, [0.0] * inputs
    for name, slope in slopes.items():
        [own] = slope.nonzero()[:, 0].tolist()
        names[own], sizes[own] = name, float(slope[own])
    return names, sizes


class PlaneWaves(Jet):
    """sin(z), z = weight x + phase (N, F) with constant ``slopes`` (F,) by coordinate: its nth derivative is sin(z + n pi / 2) times n slopes.

    As the input of a linear layer they are never held for all derivatives, nor for all points at a time.
    """

    def __init__(self, x: Tensor, weight: Tensor, phase: Tensor, slopes: Mapping[str, Tensor], context: Context):
        super().__init__(context)
        self.x, self.weight, self.phase, self.slopes = x, weight, phase, slopes

    @functools.cached_property
    def waves(self) -> tuple[Tensor, Tensor]:
        """sin(z) and cos(z)."""
        z = torch.addmm(self.phase, self.x, self.weight.T)
        return torch.sin(z), torch.cos(z)

    def _component(self, index):
        wave, factor = self.waves[_kind(index)], self._factor(index)
        return wave if index == () else wave * factor

    def _factor(self, index: Index) -> Tensor:
        """What stands in front of the sine or the cosine (F,)."""
        if isinstance(index, Collapsed):
            return -sum(self.slopes[n] ** 2 for n in index.names)
        sign = -1.0 if len(index) % 4 in (2, 3) else 1.0
        return sign * math.prod((self.slopes[n] for n in index), start=torch.ones_like(self.phase))

    def layer_input(self):
        """Themselves; where the waves depend on parameters the general way is taken."""
        fixed = not any(t.requires_grad for t in (self.x, self.weight, self.phase))
        return self if fixed else super().layer_input()

    def times(self, weight: Tensor) -> Tensor:
        """The layer's outputs (K, N, out) without bias, for weight (out, F)."""
        if self.context.tape is not None:  # slopes by the outputs are all that is asked for then
            weight = weight.detach()
        step = max(1, CACHED // len(self.phase))
        return torch.cat([self._times(slice(start, start + step), weight) for start in range(0, len(self.x), step)], dim=1)

    def outer(self, slopes: Tensor, nodes: int, rows: slice) -> Tensor:
        """sum over derivatives and a row's nodes of slopes (x) inputs: (rows, out, F), for slopes (K, N, out), N = rows times nodes."""
        part = slice(rows.start * nodes, rows.stop * nodes)
        if nodes == 1:
            return sum(wave[:, None] * torch.einsum("kno,kf->nof", slopes[own, part], factors) for own, wave, factors in self._split(part))
        total = 0.0
        for own, wave, factors in self._split(part):  # the nodes first: nothing is then held for every one of them but the waves
            summed = torch.einsum("knqo,nqf->knof", slopes[own, part].unflatten(1, (-1, nodes)), wave.unflatten(0, (-1, nodes)))
            total = total + torch.einsum("knof,kf->nof", summed, factors)
        return total

    def _times(self, part: slice, weight: Tensor) -> Tensor:
        """The layer's outputs at some of the points: sines and cosines times the weights with all factors, in one matrix product each."""
        order, found = [], []
        for own, wave, factors in self._split(part):
            scaled = (factors[:, None] * weight).flatten(0, 1)
            found.append((wave @ scaled.T).view(len(wave), len(own), -1).transpose(0, 1))
            order += own
        return torch.cat(found)[torch.tensor(order).argsort()]

    def _split(self, part: slice) -> Iterator[tuple[list[int], Tensor, Tensor]]:
        """For the sine, then for the cosine: the components that have it, its values (n, F) at some of the points, its factors."""
        z = torch.addmm(self.phase, self.x[part], self.weight.T)
        for kind, function in enumerate((torch.sin, torch.cos)):
            own = [k for k, index in enumerate(self.context.indices) if _kind(index) == kind]
            if own:
                yield own, function(z), torch.stack([self._factor(self.context.indices[k]) for k in own])


class WavesOnGrid(PlaneWaves):
    """The waves of a lattice at points that form a grid, which ``grid`` sums."""

    def __init__(self, x: Tensor, weight: Tensor, phase: Tensor, slopes: Mapping[str, Tensor], context: Context, grid: LatticeGrid):
        super().__init__(x, weight, phase, slopes, context)
        self.grid = grid


def _kind(index: Index) -> int:
    """0 where a derivative of a sine is a sine, 1 where it is a cosine."""
    return 0 if isinstance(index, Collapsed) else len(index) % 2


def _slopes(x: Jet) -> dict[str, Tensor] | None:
    """The derivatives (d,) of an affine jet by coordinate; None for any other jet."""
    slopes = {}
    for index in x.context.indices:
        component = x.at(index) if index else None
        if component is None:
            continue
        constant = bool((component == component[0]).all()) if len(component) else False
        if not constant or (len(index) > 1 and bool(component[0].any())):
            return None
        if not isinstance(index, Collapsed) and len(index) == 1:
            slopes[index[0]] = component[0]
    wanted = {n for index in x.context.indices for n in (index.names if isinstance(index, Collapsed) else index)}
    return slopes if wanted <= slopes.keys() else None
