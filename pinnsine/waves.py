"""How many waves of a lattice of sines the values on a grid have."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import torch
from torch import Tensor

from pinnsine.nets.frozen_sines import lattice_step

LEAST = {True: 8, False: 20}  # waves along space, where it is periodic and where not: the step of a lattice is the same from 20 on
MOST = 400
NODES = 3  # points along a coordinate for each of the most waves


def nodes(count: int, periodic: bool) -> Tensor:
    """Points of [-1, 1]: evenly spaced, or Chebyshev's."""
    unit = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return 2 * unit - 1 if periodic else -torch.cos(torch.pi * unit)


def waves_needed(values: Tensor, mirrored: Mapping[str, int] | None, tail: float) -> list[int]:
    """The least number of waves along each axis that approximate values at ``nodes`` to a root mean square of ``tail``, at least ``LEAST``.

    ``mirrored``: by periodic coordinate whether the values go on beyond the ends as they are, 0, or as odd, -1, or even functions, 1; None on a
    line of no period.
    """
    if mirrored is None:
        return [_enough(_parts_on_line(values), False, tail)]
    return [_enough(_parts(values, axis, sign), True, tail) for axis, sign in enumerate(mirrored.values())]


def _enough(parts: Tensor, periodic: bool, tail: float) -> int:
    left = parts.flip(0).cumsum(0).flip(0)[1:]  # by the functions up to each wave number
    enough = (left <= tail**2).nonzero()
    return max(LEAST[periodic], int(enough[0]) if len(enough) else len(left))


def _parts(values: Tensor, axis: int, sign: int) -> Tensor:
    """What each wave number along a periodic axis adds to the mean square."""
    values = torch.cat([values, sign * values.flip(axis)], dim=axis) if sign else values
    amplitudes = torch.fft.rfft(values, dim=axis, norm="forward").abs().square().movedim(axis, 0)
    parts = amplitudes.reshape(len(amplitudes), -1).mean(dim=1)
    return torch.cat([parts[:1], 2 * parts[1:]])


def _parts_on_line(values: Tensor) -> Tensor:
    """The same of the waves of a lattice, which the values are projected on one after the other."""
    packed, tau = _factors()
    parts = torch.ormqr(packed, tau, values[:, None], transpose=True)[:, 0].square() / len(values)
    return torch.cat([parts[:1], parts[1 : packed.shape[1]].view(-1, 2).sum(dim=1), parts[packed.shape[1] :].sum()[None]])


@functools.lru_cache(1)
def _factors() -> tuple[Tensor, Tensor]:
    """Householder factors of {1, sin k y, cos k y} at Chebyshev's points, by wave number."""
    unit = nodes(NODES * MOST, periodic=False)
    angles = unit[:, None] * lattice_step(MOST) * torch.arange(1, MOST + 1, dtype=torch.float64)
    waves = torch.stack([torch.sin(angles), torch.cos(angles)], dim=2).flatten(1)
    return torch.geqrf(torch.cat([torch.ones(len(angles), 1, dtype=torch.float64), waves], dim=1))
