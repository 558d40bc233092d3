"""Disks, balls and rings."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from pinnsine.domain.piece import Piece, always
from pinnsine.domain.rfunctions import conjunction
from pinnsine.domain.shape import NAMES, Shape
from pinnsine.errors import ProblemError


def vector(what: str, values: Sequence[float], length: int) -> torch.Tensor:
    """``length`` finite numbers as a tensor. Raises ProblemError for anything else."""
    try:
        found = torch.tensor([float(v) for v in values], dtype=torch.float64)
    except (TypeError, ValueError) as error:
        raise ProblemError(f"{what} is a sequence of {length} numbers, got {values!r}.") from error
    if len(found) != length or not bool(torch.isfinite(found).all()):
        raise ProblemError(f"{what} is a sequence of {length} finite numbers, got {values!r}.")
    return found


def positive(what: str, value: float) -> float:
    """A positive finite number. Raises ProblemError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ProblemError(f"{what} is a positive number, got {value!r}.")
    return float(value)


class Ball(Shape):
    """The disk or ball |x - centre| < radius, in two or three dimensions: ``Ball((0, 0, 0), 1)``."""

    corners = False

    def __init__(self, centre: Sequence[float] = (0, 0, 0), radius: float = 1.0, names: Sequence[str] | None = None):
        count = len(centre) if isinstance(centre, Sequence) and len(centre) in (2, 3) else 3
        self.centre, self.radius = vector("The centre of a ball", centre, count), positive("The radius of a ball", radius)
        super().__init__(names or NAMES[:count], (self.centre - radius).tolist(), (self.centre + radius).tolist())

    def signed(self, x):
        return (x - self.centre).norm(dim=1) - self.radius

    def smooth(self, columns):
        square = sum((c - m) * (c - m) for c, m in zip(columns, self.centre.tolist(), strict=True))
        return (self.radius**2 - square) * (0.5 / self.radius)

    def _measure(self):
        return (math.pi * self.radius**2, 0.0) if self.dimension == 2 else (4 / 3 * math.pi * self.radius**3, 0.0)

    def _pieces(self):
        return (sphere(self.centre, self.radius),)

    def words(self):
        return f"the {'disk' if self.dimension == 2 else 'ball'} of radius {self.radius:g} at {_listed(self.centre)}"


def Disk(centre: Sequence[float] = (0, 0), radius: float = 1.0, names: Sequence[str] | None = None) -> Ball:
    """The disk |x - centre| < radius: ``Disk((0.2, 0.2), 0.05)``, in coordinates x and y unless ``names`` says otherwise."""
    return Ball(vector("The centre of a disk", centre, 2).tolist(), radius, names)


class Ring(Shape):
    """The ring or spherical shell inner < |x - centre| < outer: ``Ring((0, 0), 1, 2)``."""

    corners = False

    def __init__(self, centre: Sequence[float] = (0, 0), inner: float = 0.5, outer: float = 1.0, names: Sequence[str] | None = None):
        self.small, self.large = Ball(centre, inner, names), Ball(centre, outer, names)
        if not inner < outer:
            raise ProblemError(f"The inner radius of a ring is below the outer one, got {inner:g} and {outer:g}.")
        self.axes = self.large.axes

    def signed(self, x):
        middle, half = (self.large.radius + self.small.radius) / 2, (self.large.radius - self.small.radius) / 2
        return ((x - self.large.centre).norm(dim=1) - middle).abs() - half

    def smooth(self, columns):
        return conjunction(self.large.smooth(columns), -self.small.smooth(columns))

    def _measure(self):
        return self.large.measure - self.small.measure, 0.0

    def _pieces(self):
        return sphere(self.large.centre, self.large.radius), sphere(self.small.centre, self.small.radius, -1.0)

    def words(self):
        return f"the ring of radii {self.small.radius:g} and {self.large.radius:g} at {_listed(self.large.centre)}"


def sphere(centre: torch.Tensor, radius: float, sign: float = 1.0) -> Piece:
    """A circle by its angle, or a sphere by its height and angle (Archimedes); the normals point outwards times ``sign``."""

    def circle(unit):
        angle = 2 * math.pi * unit[:, 0]
        n = torch.stack([angle.cos(), angle.sin()], dim=1)
        return centre + radius * n, sign * n, always(len(unit))

    def surface(unit):
        height, angle = 2 * unit[:, 0] - 1, 2 * math.pi * unit[:, 1]
        flat = (1 - height * height).clamp(min=0).sqrt()
        n = torch.stack([flat * angle.cos(), flat * angle.sin(), height], dim=1)
        return centre + radius * n, sign * n, always(len(unit))

    if len(centre) == 2:
        return Piece(1, 2 * math.pi * radius, circle)
    return Piece(2, 4 * math.pi * radius**2, surface)


def _listed(numbers: torch.Tensor) -> str:
    return "(" + ", ".join(f"{v:g}" for v in numbers.tolist()) + ")"
