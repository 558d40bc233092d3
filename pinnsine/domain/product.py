"""Products of a shape with time, parameters and further space."""

from __future__ import annotations

import torch
from torch import Tensor

from pinnsine.domain.box import Box
from pinnsine.domain.domain import Domain, fixed_generator, no_product
from pinnsine.domain.extrusion import Extrusion
from pinnsine.domain.part import Part
from pinnsine.domain.shape import Shape
from pinnsine.errors import ProblemError
from pinnsine.points import Points, grid_shape, tensor_grid


class Product(Domain):
    """A shape in space times a box of time and parameters: ``(rectangle - disk) * Time(0, 1)``."""

    def __init__(self, shape: Shape, rest: Box):
        self.shape, self.rest, self.axes = shape, rest, (*shape.axes, *rest.axes)
        twice = [n for n in rest.names if n in shape.names]
        if twice:
            raise ProblemError(f"The coordinate {twice[0]!r} stands twice in the domain: give the factors different names.")

    @property
    def measure(self) -> float:
        return self.shape.measure * self.rest.measure

    def inside(self) -> Part:
        """The interior as a part of itself."""
        return Part(self.shape, (self.shape.interior,), self.shape.describe(), rest=self.rest)

    def sample(self, count, sampler, generator) -> Points:
        return self.inside().sample(count, sampler, generator)

    def contains(self, points: Points) -> Tensor:
        return self.shape.contains(points) & self.rest.contains(points)

    def boundary(self, *names: str) -> Part:
        return self._of(self.shape.boundary(*names))

    def side(self, **place: float) -> Part:
        """A part of the shape's boundary at all times, ``side(x=1)``, or the whole shape at one end of time, ``side(t=0)``."""
        if len(place) == 1 and next(iter(place)) in self.rest.names:
            return Part(self.shape, (self.shape.interior,), self.shape.describe(), rest=self.rest.side(**place))
        return self._of(self.shape.side(**place))

    def on(self, other: Domain) -> Part:
        """The part of the boundary that belongs to another shape, at all times."""
        return self._of(self.shape.on(other))

    def _of(self, part: Part) -> Part:
        return Part(part.shape, part.pieces, part.label, part.member, self.rest)

    def cutoff(self, coordinates):
        """The cutoff of the shape."""
        return self.shape.cutoff(coordinates)

    def grid(self, total: int = 50_000) -> Points:
        if len(self.axes) > 3:
            return self.sample(total, "sobol", fixed_generator())
        shape = grid_shape(len(self.axes), int(total / self.shape.interior.share))
        grid = tensor_grid({a.name: torch.linspace(a.lower, a.upper, n, dtype=torch.float64) for a, n in zip(self.axes, shape, strict=True)})
        return grid.select(self.contains(grid))

    def describe(self) -> str:
        return f"{self.shape.describe()} x {self.rest.describe()}"

    def __mul__(self, other: Domain) -> Domain:
        if not isinstance(other, Domain):
            raise no_product(other)
        return product(self.shape, other, self.rest)


def product(shape: Shape, other: Domain, rest: Box | None = None) -> Domain:
    """A shape times a box: swept along space coordinates, multiplied by time and parameters.

    Raises ProblemError for a second shape.
    """
    if not isinstance(other, Box):
        raise ProblemError(f"A shape is multiplied by intervals, times and parameters, not by {other.describe()}.")
    for axis in other.axes:
        if axis.role == "space":
            shape = Extrusion(shape, axis.name, axis.lower, axis.upper)
    others = [*(rest.axes if rest else ()), *(a for a in other.axes if a.role != "space")]
    return Product(shape, Box(*others)) if others else shape
