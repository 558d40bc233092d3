"""One layer of sines that is drawn once and kept; only its output layer is found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pinnsine.errors import ProblemError
from pinnsine.nets.polar import functions_about
from pinnsine.plane_waves import plane_waves

OVERSAMPLED = 10.0  # sines along one coordinate for each unit of their bandwidth


@dataclass(frozen=True)
class FrozenSines:
    """u = c + sum_j beta_j sin(w_j . y + b_j), with w_j in [-omega, omega]^d and b_j drawn once, y the coordinates in [-1, 1].

    The unknowns beta enter linearly, so that a linear equation is solved by one linear least-squares problem and a nonlinear one by
    Newton's method on it: random features (Rahimi & Recht 2007), collocated (Dong & Li 2021). Wave numbers spread evenly over a box, as a
    scrambled Sobol sequence, were measured one to four digits better than normal ones of the same variance (Helmholtz, wave,
    multi-scale Poisson). ``omega`` is the bandwidth, one for all coordinates or one for each; None lets ``solve`` find it
    (``pinnsine.bandwidth``). Along an exactly periodic coordinate wave numbers are rounded to whole periods.

    ``alone`` is the part of the sines that vary along one coordinate each, for the many coordinates of a function that is nearly a sum of
    functions of few of them (sparse random features: Hashemi et al. 2021, arXiv 2103.03191). As n sines along one coordinate resolve
    n times what one does, their bandwidth is n / 10 and not omega. With 0.3 the five-dimensional Poisson problem was solved to 7e-16 by 700
    sines, which without it leave 4e-4.

    ``holes`` and ``corners`` of a domain in the plane: points about which a part of the functions stand (``pinnsine.nets.polar``), as
    (y_1, y_2, s_1, s_2, reach), the logarithm of the distance ranging over [-reach, reach], and (y_1, y_2, s_1, s_2, bisector, opening); the
    distance is that of the coordinates times s_1 and s_2.
    """

    width: int = 800
    omega: float | tuple[float, ...] | None = None
    alone: float = 0.0
    holes: tuple[tuple[float, ...], ...] = ()
    corners: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self):
        if isinstance(self.omega, Sequence):
            object.__setattr__(self, "omega", tuple(float(o) for o in self.omega))
        for name in ("holes", "corners"):
            object.__setattr__(self, name, tuple(tuple(float(v) for v in place) for place in getattr(self, name)))
        omega = (1.0,) if self.omega is None else self.bandwidths(1)
        if self.width < 1 or not omega or not all(0 < o < math.inf for o in omega):
            raise ProblemError(f"FrozenSines needs a width of at least 1 and every omega above 0, got {self}.")
        if not 0 <= self.alone < 1:
            raise ProblemError(f"FrozenSines needs 0 <= alone < 1, the part of the sines along one coordinate each, got {self.alone}.")

    def bandwidths(self, inputs: int) -> tuple[float, ...]:
        """omega for each of the inputs."""
        return self.omega if isinstance(self.omega, tuple) else (float(self.omega),) * inputs

    def build(self, inputs: int, outputs: int, generator: torch.Generator, periodic: Sequence[bool] = ()) -> nn.Module:
        """A freshly drawn module (N, inputs) -> (N, outputs); ``periodic`` marks the inputs whose period is the range [-1, 1]."""
        if self.omega is None:
            raise ProblemError("FrozenSines can be built only with a bandwidth: give omega=, or let solve() find it.")
        omega = self.bandwidths(inputs)
        if len(omega) != inputs:
            raise ProblemError(
                f"FrozenSines has {len(omega)} bandwidths, but the network has {inputs} inputs: give one number, or one for each."
            )
        seed = int(torch.randint(2**31, (), generator=generator))
        about = functions_about(self.holes, self.corners, self.width, omega, seed)
        width = self.width - (about.count if about is not None else 0)
        unit = torch.quasirandom.SobolEngine(inputs, scramble=True, seed=seed).draw(width, dtype=torch.float64)
        weight = (2 * unit - 1) * torch.tensor(omega, dtype=torch.float64)
        each = int(self.alone * width) // inputs
        for i in range(inputs):
            rows = slice(i * each, (i + 1) * each)
            weight[rows] = 0.0
            weight[rows, i] = (2 * unit[rows, i] - 1) * (each / OVERSAMPLED)
        for i in (i for i, wrapped in enumerate(periodic) if wrapped):
            periods = torch.round(weight[:, i] / omega[i] * (round(omega[i] / math.pi - 0.5) + 0.5))
            weight[:, i] = torch.pi * periods
        phase = 2 * torch.pi * torch.rand(width, generator=generator, dtype=torch.float64)
        return SineLayer(weight, phase, outputs, generator, each > 0, about)


class SineLayer(nn.Module):
    """x (N, d) -> output(sin(weight x + phase)) (N, m), with weight (width, d) and phase (width,) held fixed; ``about``: further functions."""

    sums_waves = True  # nothing follows the sines but the output layer: see ``Context.wanted``

    def __init__(
        self, weight: Tensor, phase: Tensor, outputs: int, generator: torch.Generator, alone: bool = False, about: nn.Module | None = None
    ):
        super().__init__()
        self.alone = alone  # whether some of the sines vary along one coordinate each
        self.register_buffer("weight", weight)
        self.register_buffer("phase", phase)
        self.output = nn.Linear(len(phase), outputs, dtype=weight.dtype)
        nn.init.zeros_(self.output.bias)
        with torch.no_grad():  # near zero, but off the saddle that zero is for an equation without linear terms
            self.output.weight.normal_(0, 1e-3 / math.sqrt(len(phase)), generator=generator)
        self.about = about
        if about is not None:
            self.beside = nn.Linear(about.count, outputs, bias=False, dtype=weight.dtype)
            nn.init.zeros_(self.beside.weight)

    def forward(self, x):
        out = self.output(plane_waves(x, self.weight, self.phase, last=True))
        return out if self.about is None else out + self.beside(self.about(x))
