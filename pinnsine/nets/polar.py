"""Functions about points of the plane, for domains on which plane waves alone converge slowly: sines around holes, powers at corners."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

AROUND = 0.4  # of the sines, around holes
SHARE = 0.25  # of all functions, at most, at corners
OVERSAMPLED = 3.0  # sines around a hole for each function that they resolve
POWERS = 8  # exponents at a corner, each with and without the square of the distance
DEGREE = 4  # of the polynomials in front of log r and the angle
WHOLE = 1e-9  # from a whole number
CLOSEST = 1e-8  # the distance from a corner below which log r goes no further
Place = Sequence[float]


def functions_about(holes: Sequence[Place], corners: Sequence[Place], width: int, omega: Sequence[float], seed: int) -> nn.Module | None:
    """The functions of a layer of ``width`` in all that stand about ``holes`` and ``corners``, or None where there are none."""
    parts: list[nn.Module] = []
    each = int(AROUND * width) // len(holes) if holes else 0
    if each:
        parts += [PolarSines(hole, each, omega[2:], seed + k) for k, hole in enumerate(holes)]
    parts += [_at_corner(corner, int(SHARE * width) // len(corners)) for corner in corners]
    parts = [p for p in parts if p.count]
    return Beside(parts) if parts else None


class Beside(nn.Module):
    """(N, d) -> (N, count): the functions of several modules one beside the other."""

    def __init__(self, parts: Sequence[nn.Module]):
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.count = sum(p.count for p in parts)

    def redrawn(self, seed: int) -> Beside:
        """Others about the same places."""
        return Beside([p.redrawn(seed + k) for k, p in enumerate(self.parts)])

    def forward(self, x):
        return torch.cat([part(x) for part in self.parts], dim=-1)


class PolarSines(nn.Module):
    """sin(a q + m angle + w . z + b), q the logarithm of the distance from a hole's centre over its range, m whole, z the further inputs.

    As solutions outside a hole are smooth in these coordinates down to its edge, where plane waves have to resolve what a continuation would
    do inside. The bandwidth A of a and m follows from their number n, which resolves about 4 reach A^2 / pi functions.
    """

    def __init__(self, hole: Place, count: int, others: Sequence[float], seed: int):
        super().__init__()
        *place, reach = hole
        self.hole, self.others = hole, others
        self.count, bandwidth = count, math.sqrt(math.pi * count / (4 * OVERSAMPLED * reach))
        inputs = 2 + len(others)
        unit = 2 * torch.quasirandom.SobolEngine(inputs, scramble=True, seed=seed).draw(count, dtype=torch.float64) - 1
        around = torch.round(unit[:, 1:2] * (round(bandwidth) + 0.5))
        further = unit[:, 2:] * torch.tensor(others, dtype=torch.float64)
        self.register_buffer("place", torch.tensor(place, dtype=torch.float64))
        self.register_buffer("weight", torch.cat([unit[:, :1] * bandwidth, around, further], dim=1))
        phase = torch.rand(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        self.register_buffer("phase", 2 * math.pi * phase)

    def redrawn(self, seed: int) -> PolarSines:
        """As many around the same hole."""
        return PolarSines(self.hole, self.count, self.others, seed)

    def forward(self, x):
        q, angle = polar(x, self.place)
        z = q * self.weight[:, 0] + angle * self.weight[:, 1] + self.phase
        for i in range(2, self.weight.shape[1]):
            z = z + x[..., i : i + 1] * self.weight[:, i]
        return torch.sin(z)


class CornerPowers(nn.Module):
    """r^(k + 2 j) sin(k theta) and cos, k = pi / (2 opening), 2 pi / (2 opening), ..., without those that are smooth.

    They are what solutions of equations whose leading term is the Laplacian have at a corner where values, slopes or one of each on either
    side are given (P. Grisvard 1985, Elliptic Problems in Nonsmooth Domains); added to other trial functions as by G. J. Fix, S. Gulati and
    G. I. Wakoff (1973, J. Comput. Phys. 13).
    """

    def __init__(self, corner: Place, most: int):
        super().__init__()
        *place, bisector, opening = corner
        steps = [k * math.pi / (2 * opening) for k in range(1, POWERS + 1)]
        singular = [k for k in steps if abs(k - round(k)) > WHOLE]
        found = [(k + 2 * j, k, turn) for k in singular for j in (0, 1) for turn in (0.0, math.pi / 2)][:most]
        self.count, self.bisector = len(found), bisector
        self.register_buffer("place", torch.tensor(place, dtype=torch.float64))
        self.register_buffer("powers", torch.tensor(found, dtype=torch.float64).reshape(-1, 3).T)

    def redrawn(self, seed: int) -> CornerPowers:
        """The same: nothing of them is drawn."""
        return self

    def forward(self, x):
        q, angle = polar(x, self.place, self.bisector)
        power, number, turn = self.powers
        return torch.exp(q * power) * torch.sin(angle * number + turn)


class CornerLogs(nn.Module):
    """x^a y^b log r and x^a y^b theta, a + b <= 4, for a corner at which all powers are whole, as at a right angle.

    They are what solutions have there whose data do not fit each other: r^2 log r where a membrane under pressure is fixed, and in
    a cavity under a moving lid log r in the pressure and y theta in the velocity. Written r^n q sin(m theta + b), q = log r or theta.
    """

    def __init__(self, corner: Place, most: int):
        super().__init__()
        *place, bisector, _ = corner
        turns = (math.pi / 2, 0.0)
        found = [(n, m, turn) for n in range(DEGREE + 1) for m in range(n, -1, -2) for turn in turns[: 2 if m else 1]][: most // 2]
        self.count, self.bisector = 2 * len(found), bisector
        self.register_buffer("place", torch.tensor(place, dtype=torch.float64))
        self.register_buffer("powers", torch.tensor(found, dtype=torch.float64).reshape(-1, 3).T)

    def redrawn(self, seed: int) -> CornerLogs:
        """The same: nothing of them is drawn."""
        return self

    def forward(self, x):
        q, angle = polar(x, self.place, self.bisector, CLOSEST)
        power, number, turn = self.powers
        smooth = torch.exp(q * power) * torch.sin(angle * number + turn)
        return torch.cat([smooth * q, smooth * angle], dim=-1)


def _at_corner(corner: Place, most: int) -> nn.Module:
    """Logarithms where the powers are whole, else the powers."""
    step = math.pi / (2 * corner[-1])
    return CornerLogs(corner, most) if abs(step - round(step)) < WHOLE else CornerPowers(corner, most)


def polar(x, place: Tensor, towards: float = 0.0, closest: float = 0.0):
    """log r and the angle (N, 1) of the first two of the inputs (N, d) about ``place`` (y_1, y_2, s_1, s_2), in lengths s along each.

    The distance is hypot(r, closest). The angle is counted from the direction ``towards`` and jumps on the other side of the place.
    """
    first = (x[..., :1] - place[0]) * place[2]
    second = (x[..., 1:2] - place[1]) * place[3]
    along = first * math.cos(towards) + second * math.sin(towards)
    across = second * math.cos(towards) - first * math.sin(towards)
    return torch.log(first * first + second * second + closest**2) / 2, torch.atan2(across, along)
