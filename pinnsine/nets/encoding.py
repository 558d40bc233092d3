"""Encodings: coordinates as sines and cosines of plane waves, on the thin shell.

Coordinates y (N, d) become sqrt(2) (sin k_j . y, cos k_j . y), j = 1 ... F: the squared length is 2 F, the number of features, at
every point, as the layers of a ``BSNN`` want it. An encoding is given to a network, as in ``BSNN(encoding=RotatedOctaves(5))``.

Wave numbers above the Nyquist limit of the data, pi over the distance of neighbouring samples in coordinates over [-1, 1], fit the samples
but say nothing between them: with octaves to 2^20 a fit of 125 dB at the pixels was measured at 10 dB half a pixel off. ``nyquist``
leaves them out.
"""

from __future__ import annotations

import itertools
import math
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pinnsine.errors import ProblemError
from pinnsine.plane_waves import plane_waves

QUARTER = math.pi / 2  # half a turn over [-1, 1]: the lowest octave that tells all points apart


class WaveEncoding(nn.Module):
    """y (N, d) -> sqrt(2) (sin K y, cos K y) (N, 2 F), for wave vectors K (F, d) that are held fixed."""

    def __init__(self, wave_vectors: Tensor):
        super().__init__()
        count = len(wave_vectors)
        self.register_buffer("weight", torch.cat([wave_vectors, wave_vectors]))
        self.register_buffer("phase", torch.tensor([0.0, math.pi / 2], dtype=wave_vectors.dtype).repeat_interleave(count))

    @property
    def width(self) -> int:
        return len(self.phase)

    def forward(self, y):
        return math.sqrt(2) * plane_waves(y, self.weight, self.phase)


@dataclass(frozen=True)
class RandomFourier:
    """``features`` plane waves with wave vectors from N(0, omega^2) (Rahimi & Recht 2007; Tancik et al. 2020)."""

    features: int = 64
    omega: float = 4.0

    def __post_init__(self):
        _require(self, self.features >= 1 and 0 < self.omega < math.inf, "at least 1 feature and omega above 0")

    def build(self, inputs: int, generator: torch.Generator) -> WaveEncoding:
        """A freshly drawn module (N, inputs) -> (N, width)."""
        return WaveEncoding(self.omega * torch.randn(self.features, inputs, generator=generator, dtype=torch.float64))


@dataclass(frozen=True)
class Fourier:
    """All plane waves with wave vectors ``base`` (m_1 ... m_d), |m_i| <= ``modes``, one of each pair +-m: ((2 modes + 1)^d - 1) / 2 of them.

    ``base`` is pi / 2 by default, a series on twice the domain; pi makes the network periodic over it.
    """

    modes: int = 4
    base: float = QUARTER
    nyquist: float | None = None

    def __post_init__(self):
        _require(self, self.modes >= 1 and 0 < self.base < math.inf, "at least 1 mode and base above 0")
        if self.nyquist is not None:
            _cap(self, "modes", int(self.nyquist / self.base * (1 + 1e-12)))

    def build(self, inputs: int, generator: torch.Generator) -> WaveEncoding:
        """The module (N, inputs) -> (N, width)."""
        numbers = itertools.product(range(-self.modes, self.modes + 1), repeat=inputs)
        half = [m for m in numbers if m > (0,) * inputs]
        return WaveEncoding(self.base * torch.tensor(half, dtype=torch.float64))


@dataclass(frozen=True)
class Octaves:
    """Sines and cosines of each coordinate at ``base`` 2^k, k = 0 ... ``octaves`` - 1 (Mildenhall et al. 2020, section 5.1).

    ``base`` is pi / 2 by default, NeRF's pi for coordinates in [0, 1]; pi makes the network periodic over [-1, 1].
    """

    octaves: int = 5
    base: float = QUARTER
    nyquist: float | None = None

    def __post_init__(self):
        _check_octaves(self)

    def build(self, inputs: int, generator: torch.Generator) -> WaveEncoding:
        """The module (N, inputs) -> (N, 2 octaves inputs)."""
        return WaveEncoding(_octaves(self, torch.eye(inputs, dtype=torch.float64)))


@dataclass(frozen=True)
class RotatedOctaves:
    """``Octaves`` of the coordinates and of ``rotations`` - 1 rotated copies, which takes away the artefacts along the axes.

    In the plane the axes of the copies share out a quarter turn evenly: three are, but for signs, the coordinates turned by none, one third
    and two thirds of a turn. In more dimensions the copies are Haar-distributed rotations; one coordinate has no copies.
    """

    octaves: int = 5
    rotations: int = 3
    base: float = QUARTER
    nyquist: float | None = None

    def __post_init__(self):
        _check_octaves(self)
        _require(self, self.rotations >= 1, "at least 1 rotation, the coordinates themselves")

    def build(self, inputs: int, generator: torch.Generator) -> WaveEncoding:
        """The module (N, inputs) -> (N, 2 octaves rotations inputs)."""
        return WaveEncoding(_octaves(self, _directions(inputs, self.rotations, generator)))


Encoding = RandomFourier | Fourier | Octaves | RotatedOctaves
ENCODINGS = {"randomfourier": RandomFourier, "fourier": Fourier, "octaves": Octaves, "rotatedoctaves": RotatedOctaves}


def _directions(inputs: int, rotations: int, generator: torch.Generator) -> Tensor:
    """The axes of all copies as unit vectors (rotations * inputs, inputs)."""
    copies = [torch.eye(inputs, dtype=torch.float64)]
    for j in range(1, rotations if inputs > 1 else 1):
        if inputs == 2:
            angle = math.pi / 2 * j / rotations
            copies.append(torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]], dtype=torch.float64))
        else:
            copies.append(nn.init.orthogonal_(torch.empty(inputs, inputs, dtype=torch.float64), generator=generator))
    return torch.cat(copies)


def _octaves(spec: Octaves | RotatedOctaves, directions: Tensor) -> Tensor:
    """Wave vectors (octaves * directions, d)."""
    numbers = spec.base * 2.0 ** torch.arange(spec.octaves, dtype=torch.float64)
    return (numbers[:, None, None] * directions).flatten(0, 1)


def _check_octaves(spec: Octaves | RotatedOctaves) -> None:
    _require(spec, spec.octaves >= 1 and 0 < spec.base < math.inf, "at least 1 octave and base above 0")
    if spec.nyquist is not None:
        _cap(spec, "octaves", int(math.log2(spec.nyquist / spec.base) + 1e-12) + 1 if spec.nyquist >= spec.base else 0)


def _require(spec, holds: bool, what: str) -> None:
    if not holds:
        raise ProblemError(f"{type(spec).__name__} needs {what}, got {spec}.")


def _cap(spec, name: str, most: int) -> None:
    """Lower a count to what the Nyquist limit allows, with a warning."""
    if most < 1:
        raise ProblemError(f"{type(spec).__name__}: the Nyquist limit {spec.nyquist:g} lies below the lowest wave number {spec.base:g}.")
    if getattr(spec, name) > most:
        warnings.warn(
            f"{type(spec).__name__}: only {most} of {getattr(spec, name)} {name} lie below the Nyquist limit {spec.nyquist:g} of the data; "
            "the others are left out.",
            stacklevel=4,
        )
        object.__setattr__(spec, name, most)
