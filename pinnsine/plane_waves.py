"""Sines of affine functions of the coordinates, whose derivatives of all orders come from one sine and one cosine."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import linear

from pinnsine.index import Collapsed, Index
from pinnsine.jet import Context, Jet


def plane_waves(x, weight: Tensor, phase: Tensor):
    """sin(weight x + phase): (N, d) -> (N, F), on tensors and on jets; the fast way where a jet is affine in the coordinates."""
    slopes = _slopes(x) if isinstance(x, Jet) and x.context is not None and x.context.indices is not None else None
    if slopes is None:
        return torch.sin(linear(x, weight, phase))
    return PlaneWaves(x.values @ weight.T + phase, {n: weight @ slope for n, slope in slopes.items()}, x.context)


class PlaneWaves(Jet):
    """sin(z), z (N, F) with constant derivatives ``slopes`` (F,) by coordinate: d^n sin(z) = sin(z + n pi / 2) times n slopes."""

    def __init__(self, z: Tensor, slopes: Mapping[str, Tensor], context: Context):
        super().__init__(context)
        self.z, self.slopes = z, slopes

    @functools.cached_property
    def waves(self) -> tuple[Tensor, Tensor]:
        """sin(z) and cos(z)."""
        return torch.sin(self.z), torch.cos(self.z)

    @property
    def values(self) -> Tensor:
        return self.waves[0]

    def stacked(self) -> Tensor:
        if torch.is_grad_enabled() and self.z.requires_grad:  # torch's out= knows no differentiation
            return super().stacked()
        out = self.z.new_empty(len(self.context.indices), *self.z.shape)
        for k, index in enumerate(self.context.indices):
            wave, factor = self._parts(index)
            torch.mul(wave, factor, out=out[k])
        return out

    def _component(self, index):
        wave, factor = self._parts(index)
        return wave if index == () else wave * factor

    def _parts(self, index: Index) -> tuple[Tensor, Tensor]:
        """The sine or the cosine, and the factor (F,) in front of it."""
        if isinstance(index, Collapsed):
            return self.waves[0], -sum(self.slopes[n] ** 2 for n in index.names)
        sign = -1.0 if len(index) % 4 in (2, 3) else 1.0
        return self.waves[len(index) % 2], sign * math.prod((self.slopes[n] for n in index), start=torch.ones_like(self.z[0]))


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
