"""Sines under overlapping windows: a local cosine basis, whose coefficients alone are found."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pinnsine.errors import ProblemError
from pinnsine.jet import values
from pinnsine.local_sum import local_sum
from pinnsine.plane_waves import plane_waves


@dataclass(frozen=True)
class LocalSines:
    """u = sum over windows j and modes k of beta_jk w_k prod_i b(z_i) sqrt(2) cos((k_i + 1/2) pi (z_i + 1/2)), z = (y - y_j) / h.

    y are the coordinates in [-1, 1], y_j the corners of ``cells`` cells of side h along each of them, and the bell
    b(z) = sin(pi/2 cos(pi z/2)^2) vanishes for |z| >= 1, so that two windows overlap at every point along every coordinate. On the whole
    space these functions are orthogonal: the local cosine bases of Coifman & Meyer (1991), and the lapped transform of Malvar (1990).
    ``cells`` and ``modes``: one number, or one for each coordinate; the wave numbers reach pi modes / h.

    The unknowns enter linearly, and each row of a problem sees 2^d windows: its least-squares problem is sparse (``pinnsine.sparse``), and
    takes signals of tens of thousands of points in seconds. Second derivatives jump at the windows' edges. The weights
    w_k = 1 / sqrt(1 + |k + 1/2|^2) make low wave numbers cheap: where there are fewer rows than unknowns the solution of least norm is a smooth
    one (the astronaut in 128 x 128 pixels half a pixel off the grid 38.7 dB, without them 36.6; sin 5x cos 4y 54 and 40).
    """

    cells: int | tuple[int, ...] = 8
    modes: int | tuple[int, ...] = 8

    def __post_init__(self):
        for name in ("cells", "modes"):
            value = getattr(self, name)
            if isinstance(value, Sequence):
                object.__setattr__(self, name, tuple(int(v) for v in value))
            if min(self.along(name, 1)) < 1:
                raise ProblemError(f"LocalSines needs at least one of its {name} along every coordinate, got {self}.")

    def along(self, name: str, inputs: int) -> tuple[int, ...]:
        """``cells`` or ``modes`` for each of the inputs."""
        value = getattr(self, name)
        return value if isinstance(value, tuple) else (value,) * inputs

    def build(self, inputs: int, outputs: int, generator: torch.Generator) -> nn.Module:
        """A freshly drawn module (N, inputs) -> (N, outputs)."""
        cells, modes = self.along("cells", inputs), self.along("modes", inputs)
        if not len(cells) == len(modes) == inputs:
            raise ProblemError(f"{self} is not for {inputs} inputs: give one number, or one for each.")
        return LocalSineLayer(cells, modes, outputs, generator)


class LocalSineLayer(nn.Module):
    """x (N, d) -> (N, m): see ``LocalSines``; ``weight`` (m, windows times modes) alone is to be found."""

    def __init__(self, cells: Sequence[int], modes: Sequence[int], outputs: int, generator: torch.Generator):
        super().__init__()
        numbers = torch.tensor(list(itertools.product(*map(range, modes))), dtype=torch.float64) + 0.5  # (F, d)
        self.register_buffer("cells", torch.tensor(cells, dtype=torch.float64))
        self.register_buffer("wave_numbers", math.pi * numbers)
        windows = math.prod(c + 1 for c in cells)
        self.weight = nn.Parameter(torch.zeros(outputs, windows * len(numbers), dtype=torch.float64))
        with torch.no_grad():  # near zero, but off the saddle that zero is for an equation without linear terms
            self.weight.normal_(0, 1e-3 / math.sqrt(len(numbers)), generator=generator)

    def forward(self, x):
        place = (x + 1) * (self.cells / 2)  # in cells from the first corner
        first = values(place).detach().floor().clamp(min=0).minimum(self.cells - 1)
        parts, columns = [], []
        for corner in itertools.product((0.0, 1.0), repeat=len(self.cells)):
            node = first + first.new_tensor(corner)
            parts.append(self._under_window(place - node))
            columns.append(self._columns(node))
        return local_sum(torch.cat(parts, dim=1), self.weight, torch.cat(columns, dim=1))

    def _under_window(self, z):
        """All functions (N, F) of one window, z (N, d) in cells from its middle."""
        found = 1.0
        for i in range(len(self.cells)):
            along = torch.zeros_like(self.wave_numbers)
            along[:, i] = self.wave_numbers[:, i]
            bell = torch.sin(math.pi / 2 * torch.cos(math.pi / 2 * z[:, i : i + 1]) ** 2)
            found = found * (math.sqrt(2) * plane_waves(z, along, self.wave_numbers[:, i] / 2 + math.pi / 2) * bell)
        return found / (1 + (self.wave_numbers / math.pi).square().sum(dim=1)).sqrt()

    def _columns(self, node: Tensor) -> Tensor:
        """The columns (N, F) of the functions of the windows at ``node`` (N, d), counted in cells."""
        window = torch.zeros(len(node), dtype=torch.int64, device=node.device)
        for i, count in enumerate(self.cells.tolist()):
            window = window * (int(count) + 1) + node[:, i].long()
        functions = len(self.wave_numbers)
        return window[:, None] * functions + torch.arange(functions, device=node.device)
