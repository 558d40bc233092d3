"""Ellipses."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pinnsine.domain.ball import positive, vector
from pinnsine.domain.piece import Piece, always
from pinnsine.domain.rfunctions import normalised
from pinnsine.domain.shape import NAMES, Shape

TABLE = 4097  # angles whose arc lengths are tabulated, as starts of Newton's method
NEWTON = 4
BISECTIONS = 80  # of the parameter of the foot of a perpendicular


class Ellipse(Shape):
    """The ellipse (x / a)^2 + (y / b)^2 < 1 about a centre: ``Ellipse((0, 0), (2, 1))``; ``rotate`` turns it."""

    corners = False

    def __init__(self, centre: Sequence[float] = (0, 0), axes: Sequence[float] = (2, 1), names: Sequence[str] | None = None):
        self.centre, self.halves = vector("The centre of an ellipse", centre, 2), vector("The half-axes of an ellipse", axes, 2)
        self.a, self.b = (positive("The half-axis of an ellipse", h) for h in self.halves.tolist())
        super().__init__(names or NAMES[:2], (self.centre - self.halves).tolist(), (self.centre + self.halves).tolist())

    def signed(self, x):
        """Exact, by the foot of the perpendicular (D. Eberly 2013, Distance from a Point to an Ellipse, section 2)."""
        y = (x - self.centre).abs()
        order = [0, 1] if self.a >= self.b else [1, 0]
        foot = _foot(y[:, order], self.halves[order])
        distance = (y[:, order] - foot).norm(dim=1)
        return torch.where((y / self.halves).square().sum(dim=1) < 1, -distance, distance)

    def smooth(self, columns):
        moved = [(c - m) * (1 / h) for c, m, h in zip(columns, self.centre.tolist(), (self.a, self.b), strict=True)]
        inside = 1 - moved[0] * moved[0] - moved[1] * moved[1]
        return normalised(inside, [m * (2 / h) for m, h in zip(moved, (self.a, self.b), strict=True)])

    def _measure(self):
        return math.pi * self.a * self.b, 0.0

    def _pieces(self):
        from scipy.special import ellipe, ellipeinc

        a, b = self.a, self.b
        modulus = 1 - (a / b) ** 2  # the arc from (a, 0) to (a cos t, b sin t) has the length b E(t | modulus)
        length = 4 * b * float(ellipe(modulus))
        table = np.linspace(0, 2 * math.pi, TABLE)
        known = b * ellipeinc(table, modulus)

        def place(unit: Tensor):
            wanted = length * unit[:, 0].numpy()
            t = np.interp(wanted, known, table)
            for _ in range(NEWTON):
                t = t - (b * ellipeinc(t, modulus) - wanted) / np.hypot(a * np.sin(t), b * np.cos(t))
            cosine, sine = torch.from_numpy(np.cos(t)), torch.from_numpy(np.sin(t))
            normal = torch.stack([b * cosine, a * sine], dim=1)
            x = self.centre + torch.stack([a * cosine, b * sine], dim=1)
            return x, normal / normal.norm(dim=1, keepdim=True), always(len(unit))

        return (Piece(1, length, place),)

    def words(self):
        return f"the ellipse of half-axes {self.a:g} and {self.b:g} at ({self.centre[0]:g}, {self.centre[1]:g})"


def _foot(y: Tensor, halves: Tensor) -> Tensor:
    """The nearest point of the ellipse to points y (N, 2) of the first quadrant, the first half-axis the longer one."""
    (p, q), (long, short) = (y / halves).unbind(1), halves.tolist()
    ratio = (long / short) ** 2
    low, high = q - 1, torch.hypot(ratio * p, q) - 1
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        beyond = (ratio * p / (middle + ratio)).square() + (q / (middle + 1)).square() > 1
        low, high = torch.where(beyond, middle, low), torch.where(beyond, high, middle)
    s = (low + high) / 2
    foot = torch.stack([ratio * y[:, 0] / (s + ratio), y[:, 1] / (s + 1)], dim=1)
    across = long * p / (1 - 1 / ratio) if ratio > 1 else torch.full_like(p, math.inf)  # on the long axis the equation degenerates
    on_axis = torch.where(across < long, across, torch.full_like(p, long))
    there = torch.stack([on_axis, short * (1 - (on_axis / long).square()).clamp(min=0).sqrt()], dim=1)
    return torch.where((y[:, 1:] <= 1e-14 * short), there, foot)
