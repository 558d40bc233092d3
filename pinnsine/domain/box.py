"""Boxes in any number of named coordinates, their faces, and the products that make space-time of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.domain.axis import Axis
from pinnsine.domain.domain import Domain, fixed_generator, no_product
from pinnsine.domain.region import Region
from pinnsine.errors import ProblemError
from pinnsine.points import Points, grid_shape, tensor_grid
from pinnsine.sampling import sample_cube

FEW_FACES = 12  # those of a box in six dimensions


class Box(Domain):
    """The product of intervals, one a coordinate: ``Box(x=(0, 1), y=(0, 2), z=(0, 3))``, or ``Box(dim=10)`` for x1 ... x10 in [0, 1].

    ``*`` multiplies boxes of different coordinates. Raises ProblemError for a coordinate named twice.
    """

    def __init__(self, *axes: Axis, dim: int | None = None, **intervals: tuple[float, float]):
        unit = [Axis(f"x{i + 1}", 0.0, 1.0) for i in range(dim or 0)]
        self.axes = (*axes, *unit, *(Axis(n, *_ends(n, interval)) for n, interval in intervals.items()))
        names = self.names
        if not names:
            raise ProblemError("A box needs at least one coordinate: Box(x=(0, 1)) or Box(dim=3).")
        twice = [n for n in names if names.count(n) > 1]
        if twice:
            raise ProblemError(f"The coordinate {twice[0]!r} stands twice in the domain: give the factors different names.")

    @property
    def measure(self) -> float:
        return math.prod(a.length for a in self.axes)

    def __mul__(self, other: Domain) -> Domain:
        if isinstance(other, Box):
            return Box(*self.axes, *other.axes)
        if isinstance(other, Domain):
            return other * self
        raise no_product(other)

    def sample(self, count, sampler, generator) -> Points:
        return Points(self.place(sample_cube(sampler, count, len(self.axes), generator)))

    def place(self, unit: Tensor) -> dict[str, Tensor]:
        """Points of the unit cube (N, d) moved into the box, as columns."""
        return {a.name: a.lower + a.length * unit[:, i] for i, a in enumerate(self.axes)}

    def contains(self, points: Points) -> Tensor:
        inside = [_within(points[a.name], a.lower, a.upper, a.length) for a in self.axes]
        return torch.stack(inside).all(dim=0)

    def describe(self) -> str:
        return " x ".join(f"{a.name} in [{a.lower:g}, {a.upper:g}]" for a in self.axes)

    def side(self, **place: float) -> Face:
        """The face where one coordinate has one of its end values: ``domain.side(x=1)``.

        Raises ProblemError unless exactly one coordinate is named and the value is an end of its range.
        """
        if len(place) != 1:
            raise ProblemError(f"A side is named by one coordinate, as in side(x=1), got {place or 'none'}.")
        [(name, value)] = place.items()
        axis = self.axis(name)
        if not isinstance(value, int | float):
            raise ProblemError(f"A side is where a coordinate has a value, as in side(x=1), got {name}={value!r}.")
        for end, sign in ((axis.lower, -1), (axis.upper, 1)):
            if math.isclose(value, end, rel_tol=1e-12, abs_tol=1e-12 * axis.length):
                return Face(self, name, end, sign)
        raise ProblemError(f"side({name}={value:g}) is no end of {name} in [{axis.lower:g}, {axis.upper:g}].")

    def boundary(self, *names: str) -> Faces:
        """The faces across the named coordinates, by default across all space coordinates (times everything else)."""
        axes = [self.axis(n) for n in names or self.space]
        if not axes:
            raise ProblemError("This domain has no space coordinate, so no boundary: name the side, as in side(t=0).")
        return Faces(tuple(Face(self, a.name, end, sign) for a in axes for end, sign in ((a.lower, -1), (a.upper, 1))))

    def grid(self, total: int = 50_000) -> Points:
        """A tensor grid with the end points, for comparisons and pictures: 513 x 101 for one space coordinate and time.

        Above three dimensions, where a grid is hopeless, the same number of Sobol points of a fixed seed.
        """
        if len(self.axes) > 3:
            return self.sample(total, "sobol", fixed_generator())
        shape = (513, 101) if len(self.space) == 1 and len(self.axes) == 2 and self.time else grid_shape(len(self.axes), total)
        return tensor_grid({a.name: torch.linspace(a.lower, a.upper, n, dtype=torch.float64) for a, n in zip(self.axes, shape, strict=True)})


@dataclass(frozen=True)
class Face(Region):
    """One face of a box, with the outward normal where its coordinate is of space."""

    box: Box
    name: str
    value: float
    sign: int

    @property
    def names(self) -> tuple[str, ...]:
        return self.box.names

    @property
    def _others(self) -> list[Axis]:
        return [a for a in self.box.axes if a.name != self.name]

    @property
    def measure(self) -> float:
        return math.prod(a.length for a in self._others)

    def sample(self, count, sampler, generator) -> Points:
        unit = sample_cube(sampler, count, len(self._others), generator)
        return Points(self.place(unit), self.normal_columns(len(unit)))

    def place(self, unit: Tensor) -> dict[str, Tensor]:
        """Points of the unit cube (N, d - 1) moved onto the face, as columns."""
        columns = {a.name: a.lower + a.length * unit[:, i] for i, a in enumerate(self._others)}
        columns[self.name] = torch.full((len(unit),), self.value, dtype=torch.float64)
        return {n: columns[n] for n in self.names}

    def normal_columns(self, count: int) -> dict[str, Tensor]:
        """The outward unit normal at ``count`` points, by space coordinate; none across time or a parameter."""
        if self.name not in self.box.space:
            return {}
        return {n: torch.full((count,), float(self.sign) * (n == self.name), dtype=torch.float64) for n in self.box.space}

    def contains(self, points: Points) -> Tensor:
        return self.box.contains(points) & _within(points[self.name], self.value, self.value, self.box.axis(self.name).length)

    def describe(self) -> str:
        return f"the side {self.name} = {self.value:g}"


@dataclass(frozen=True)
class Faces(Region):
    """A union of faces; samples are shared out by measure, at least one to each."""

    faces: tuple[Face, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.faces[0].names

    @property
    def measure(self) -> float:
        return sum(f.measure for f in self.faces)

    def sample(self, count, sampler, generator) -> Points:
        shares = [max(1, round(count * f.measure / self.measure)) for f in self.faces]
        if len(self.faces) > FEW_FACES and sampler != "grid":
            return self._dealt(shares, sampler, generator)
        return Points.join([f.sample(n, sampler, generator) for f, n in zip(self.faces, shares, strict=True)])

    def _dealt(self, shares: list[int], sampler: str, generator: torch.Generator) -> Points:
        """One sequence for all faces, dealt out at random: sequences of a few points each would not be even, and take longest to set up."""
        unit = sample_cube(sampler, sum(shares), len(self.faces[0].box.axes) - 1, generator)
        parts = unit[torch.randperm(len(unit), generator=generator)].split(shares)
        return Points.join([Points(f.place(u), f.normal_columns(len(u))) for f, u in zip(self.faces, parts, strict=True)])

    def contains(self, points: Points) -> Tensor:
        return torch.stack([f.contains(points) for f in self.faces]).any(dim=0)

    def describe(self) -> str:
        return "the sides " + ", ".join(f"{f.name} = {f.value:g}" for f in self.faces)


def _within(column: Tensor, lower: float, upper: float, length: float) -> Tensor:
    slack = 1e-9 * length
    return (column >= lower - slack) & (column <= upper + slack)


def _ends(name: str, interval) -> tuple:
    """The two ends of an interval."""
    if not isinstance(interval, tuple | list) or len(interval) != 2:
        raise ProblemError(f"Coordinate {name!r}: a range is a pair of numbers, as in {name}=(0, 1), got {interval!r}.")
    return tuple(interval)
