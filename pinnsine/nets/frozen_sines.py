"""One layer of sines that is drawn once and kept; only its output layer is found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pinnsine.errors import ProblemError
from pinnsine.jet import Jet
from pinnsine.lattice_sum import Lattice
from pinnsine.nets.polar import functions_about
from pinnsine.plane_waves import plane_waves, waves_on_grid

OVERSAMPLED = 10.0  # sines along one coordinate for each unit of their bandwidth
REACH, LEAST_REACH, MOST_REACH = 28.0, 1.5, 4.0  # the period of a lattice over the extent: see ``lattice_step``


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

    ``lattice``: in place of random ones the wave vectors (+-k_1 step_1, ..., +-k_d step_d), k_i = 0 ... n_i for ``lattice`` (n_1, ..., n_d), in
    whole periods along a periodic coordinate and a little more slowly than that along another. Two phases for each span the products of
    {1, cos k step y, sin k step y} of the coordinates, prod (2 n_i + 1) functions with the constant, which sets the width: a Fourier
    extension (D. Huybrechs 2010, SIAM J. Numer. Anal. 47) that converges geometrically for analytic functions. Products resolve space and
    time independently, for which random sines are three to four times as many.

    ``mirrored``: for each coordinate of a lattice 0, or where all functions are to be odd about both of its ends -1, and 1 where even: the
    solutions between two walls at which they vanish, or their slopes do. The period is then twice the extent.

    ``holes`` and ``corners`` of a domain in the plane: points about which a part of the functions stand (``pinnsine.nets.polar``), as
    (y_1, y_2, s_1, s_2, reach), the logarithm of the distance ranging over [-reach, reach], and (y_1, y_2, s_1, s_2, bisector, opening); the
    distance is that of the coordinates times s_1 and s_2.
    """

    width: int = 800
    omega: float | tuple[float, ...] | None = None
    alone: float = 0.0
    lattice: tuple[int, ...] | None = None
    holes: tuple[tuple[float, ...], ...] = ()
    corners: tuple[tuple[float, ...], ...] = ()
    mirrored: tuple[int, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "mirrored", tuple(self.mirrored))
        if self.lattice is not None:
            self._set_lattice()
        if isinstance(self.omega, Sequence):
            object.__setattr__(self, "omega", tuple(float(o) for o in self.omega))
        for name in ("holes", "corners"):
            object.__setattr__(self, name, tuple(tuple(float(v) for v in place) for place in getattr(self, name)))
        omega = (1.0,) if self.omega is None else self.bandwidths(1)
        if self.width < 1 or not omega or not all(0 < o < math.inf for o in omega):
            raise ProblemError(f"FrozenSines needs a width of at least 1 and every omega above 0, got {self}.")
        if self.mirrored and self.lattice is None:
            raise ProblemError(f"FrozenSines has mirrored= for a lattice= alone, got {self}.")
        if not 0 <= self.alone < 1:
            raise ProblemError(f"FrozenSines needs 0 <= alone < 1, the part of the sines along one coordinate each, got {self.alone}.")

    def _set_lattice(self):
        """Width and bandwidth follow from the lattice."""
        counts = tuple(self.lattice) if isinstance(self.lattice, Sequence) else ()
        if not counts or self.alone or self.holes or self.corners or not all(isinstance(n, int) and n >= 0 for n in counts) or not any(counts):
            raise ProblemError(
                f"FrozenSines needs for lattice= a wave number of at least 0 for each coordinate and no other parts, got {self.lattice}."
            )
        mirrored = self.mirrored or (0,) * len(counts)
        if len(mirrored) != len(counts) or any(sign not in (-1, 0, 1) for sign in mirrored):
            raise ProblemError(f"FrozenSines needs for mirrored= one of -1, 0 and 1 for each coordinate of its lattice, got {self.mirrored}.")
        object.__setattr__(self, "lattice", counts)
        object.__setattr__(self, "mirrored", mirrored if any(mirrored) else ())
        object.__setattr__(self, "width", math.prod(2 * n + 1 for n in counts) - 1)
        if self.omega is None:
            object.__setattr__(self, "omega", tuple(max(n, 1) * lattice_step(n) for n in counts))

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
        if self.lattice is not None:
            return self._on_lattice(omega, periodic, outputs, generator)
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
            periods = torch.round(weight[:, i] / omega[i] * (round(omega[i] / math.pi) + 0.5))
            weight[:, i] = torch.pi * periods
        phase = 2 * torch.pi * torch.rand(width, generator=generator, dtype=torch.float64)
        return SineLayer(weight, phase, outputs, generator, each > 0, about)

    def _on_lattice(self, omega: Sequence[float], periodic: Sequence[bool], outputs: int, generator: torch.Generator) -> SineLayer:
        """Wave vectors (width, d), of each pair +-w one, and phases (width,): first all sines, then all cosines."""
        whole = [*periodic, *(False for _ in omega[len(periodic) :])]
        mirrored = self.mirrored or (0,) * len(whole)
        steps = [
            math.pi if wrapped else math.pi / 2 if sign else o / max(n, 1)
            for o, n, wrapped, sign in zip(omega, self.lattice, whole, mirrored, strict=True)
        ]
        axes = [step * torch.arange(-n, n + 1, dtype=torch.float64) for step, n in zip(steps, self.lattice, strict=True)]
        vectors = torch.cartesian_prod(*axes).reshape(-1, len(axes))[self.width // 2 + 1 :]
        phase = torch.zeros(len(vectors), dtype=torch.float64)
        layer = SineLayer(vectors.repeat(2, 1), torch.cat([phase, phase + torch.pi / 2]), outputs, generator)
        layer.lattice = Lattice(self.lattice, tuple(steps), mirrored)
        if any(mirrored):
            with torch.no_grad():
                products = layer.lattice.products(layer.output.weight, layer.output.bias) * layer.lattice.used()
                for parameter, value in zip((layer.output.weight, layer.output.bias), layer.lattice.layer(products), strict=True):
                    parameter.copy_(value)
        return layer


def lattice_step(count: int) -> float:
    """The wave number of which ``count`` multiples are taken on [-1, 1], so that the period is 1.5 to 4 times the extent.

    Few functions are best nearly polynomials, many nearly as dense as Fourier's: with 5 wave numbers exp(2 y) is approximated to 8e-4 and 5e-6
    with periods of 2 and 4 extents, with 32 sin(60 y) + y to 3e-2 and 5e-9 with 2 and 1.5.
    """
    return torch.pi / min(max(REACH / max(count, 1), LEAST_REACH), MOST_REACH)


class SineLayer(nn.Module):
    """x (N, d) -> output(sin(weight x + phase)) (N, m), with weight (width, d) and phase (width,) held fixed; ``about``: further functions."""

    sums_waves = True  # nothing follows the sines but the output layer: see ``Context.wanted``

    def __init__(
        self, weight: Tensor, phase: Tensor, outputs: int, generator: torch.Generator, alone: bool = False, about: nn.Module | None = None
    ):
        super().__init__()
        self.alone = alone  # whether some of the sines vary along one coordinate each
        self.lattice: Lattice | None = None  # that the wave vectors fill
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
        if self.lattice is not None and isinstance(x, Jet):
            out = waves_on_grid(x, self.weight, self.phase, self.lattice, self.output)
            if out is not None:
                return out
        out = self.output(plane_waves(x, self.weight, self.phase, last=True))
        return out if self.about is None else out + self.beside(self.about(x))
