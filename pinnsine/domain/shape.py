"""Shapes: sets in space given by a signed distance, a smooth cutoff and the pieces of their boundary."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor

from pinnsine.domain.axis import Axis
from pinnsine.domain.box import Box
from pinnsine.domain.domain import Domain, fixed_generator, no_product
from pinnsine.domain.part import Part
from pinnsine.domain.piece import Piece, accepted_share, enclosed_area, trimmed
from pinnsine.errors import ProblemError
from pinnsine.points import Points, grid_shape, tensor_grid

NAMES = ("x", "y", "z")
DEPTH_POINTS = 1024
SLACK = 1e-9  # of the longest side of the bounding box: points this close to the boundary lie on it


class Shape(Domain):
    """A set in space. Points are rows (N, d) of a matrix with columns in the order of ``names``.

    A final class gives ``signed``, ``smooth``, ``_pieces``, ``words``, ``_measure`` where there is a formula, and whether it has ``corners`` or
    edges, where the cutoff has no derivatives.
    """

    corners = True

    def __init__(self, names: Sequence[str], lower: Sequence[float], upper: Sequence[float]):
        self.axes = tuple(Axis(n, a, b) for n, a, b in zip(names, lower, upper, strict=True))

    @abstractmethod
    def signed(self, x: Tensor) -> Tensor:
        """The signed distance (N,) to the boundary, negative inside: exact, or as the class says."""

    @abstractmethod
    def smooth(self, columns: Sequence):
        """The cutoff of coordinates given as tensors or jets: positive inside, zero with slope one at the boundary."""

    @abstractmethod
    def _pieces(self) -> tuple[Piece, ...]:
        """The pieces of the boundary."""

    @abstractmethod
    def words(self) -> str:
        """The shape in words, without its coordinates."""

    @property
    def dimension(self) -> int:
        return len(self.axes)

    @property
    def size(self) -> float:
        """The longest side of the bounding box."""
        return max(a.length for a in self.axes)

    def _measure(self) -> tuple[float, float]:
        """The measure and its standard error: area by the divergence theorem in two dimensions, volume by quasi-Monte Carlo."""
        if self.dimension == 2 and all(p.curve for p in self.pieces):
            return enclosed_area(self.pieces), 0.0
        share, error = accepted_share(lambda unit: self.signed(self._spread(unit)) <= 0, self.dimension)
        return share * self._box_measure, error * self._box_measure

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The pieces of the boundary."""
        return self._pieces()

    @cached_property
    def _measured(self) -> tuple[float, float]:
        return self._measure()

    @property
    def measure(self) -> float:
        return self._measured[0]

    @property
    def measure_error(self) -> float:
        """The standard error of ``measure``; 0 where it is exact up to rounding."""
        return self._measured[1]

    @property
    def _box_measure(self) -> float:
        return math.prod(a.length for a in self.axes)

    @cached_property
    def interior(self) -> Piece:
        """The inside, by rejection from the bounding box. Raises ProblemError if there is nothing inside."""
        if not self.measure > 0:
            raise ProblemError(f"{self.describe()} is empty: its parts do not meet, or nothing is left of them.")

        def place(unit: Tensor):
            x = self._spread(unit)
            return x, None, self.signed(x) < 0

        return Piece(self.dimension, self.measure, place, self.measure / self._box_measure, self.measure_error)

    @cached_property
    def depth(self) -> float:
        """The largest distance to the boundary found at sample points inside."""
        return -float(self.distance(self.sample(DEPTH_POINTS, "sobol", fixed_generator())).min())

    def _spread(self, unit: Tensor) -> Tensor:
        lower = torch.tensor([a.lower for a in self.axes], dtype=torch.float64)
        return lower + unit * torch.tensor([a.length for a in self.axes], dtype=torch.float64)

    def distance(self, points: Points) -> Tensor:
        """The signed distance (N,) to the boundary, negative inside."""
        matrix = points.matrix(self.names)
        return self.signed(matrix.to("cpu", torch.float64)).to(matrix)

    def cutoff(self, coordinates: Mapping):
        """A smooth function that vanishes on the boundary with unit slope and is positive inside, of coordinates by name.

        It takes tensors and jets, and has derivatives of all orders inside; corners are the exception, where it is continuous only.
        """
        return self.smooth([coordinates[n] for n in self.names])

    def contains(self, points: Points) -> Tensor:
        matrix = points.matrix(self.names)
        return self.holds(matrix.detach().to("cpu", torch.float64)).to(matrix.device)

    def holds(self, x: Tensor) -> Tensor:
        """Which of the points (N, d) lie in the closed shape, up to rounding."""
        return self.signed(x) <= SLACK * self.size

    def sample(self, count, sampler, generator) -> Points:
        return self.inside().sample(count, sampler, generator)

    def inside(self) -> Part:
        """The interior as a part of itself."""
        return Part(self, (self.interior,), self.describe())

    def boundary(self, *names: str) -> Part:
        """The whole boundary; ``names`` can only be all space coordinates, because a curved boundary lies across all of them."""
        if names and set(names) != set(self.names):
            raise ProblemError(f"The boundary of a shape lies across {', '.join(self.names)} together: write boundary(), or name a side.")
        return Part(self, self.pieces, f"the boundary of {self.words()}")

    def side(self, **place: float) -> Part:
        """The part of the boundary where one coordinate has a value: ``side(x=0)``. Raises ProblemError where there is none."""
        if len(place) != 1:
            raise ProblemError(f"A side is named by one coordinate, as in side(x=1), got {place or 'none'}.")
        [(name, value)] = place.items()
        if not isinstance(value, int | float):
            raise ProblemError(f"A side is where a coordinate has a value, as in side(x=1), got {name}={value!r}.")
        k = self.axes.index(self.axis(name))
        return self._selected(lambda x: (x[:, k] - value).abs() <= SLACK * self.size, f"the side {name} = {value:g}")

    def on(self, other: Shape | Box) -> Part:
        """The part of the boundary that belongs to the boundary of another shape: ``(square - disk).on(disk)``.

        Raises ProblemError where there is none.
        """
        from pinnsine.domain.csg import as_shape, column_order  # which builds on this module

        other = as_shape(other)
        order = column_order(self, other)
        return self._selected(lambda x: other.signed(x[:, order]).abs() <= SLACK * self.size, f"the boundary shared with {other.words()}")

    def _selected(self, member: Callable[[Tensor], Tensor], words: str) -> Part:
        pieces = tuple(p for p in (trimmed(piece, lambda x, n: member(x).double()) for piece in self.pieces) if p is not None)
        if not pieces:
            raise ProblemError(f"{self.describe()} has no boundary on {words}.")
        return Part(self, pieces, words, member)

    def grid(self, total: int = 50_000) -> Points:
        """The points of a tensor grid over the bounding box that lie in the shape, about ``total`` of them; Sobol points above 3 dimensions."""
        if self.dimension > 3:
            return self.sample(total, "sobol", fixed_generator())
        shape = grid_shape(self.dimension, int(total / self.interior.share))
        grid = tensor_grid({a.name: torch.linspace(a.lower, a.upper, n, dtype=torch.float64) for a, n in zip(self.axes, shape, strict=True)})
        return grid.select(self.contains(grid))

    def describe(self) -> str:
        return f"{self.words()} in {', '.join(self.names)}"

    def __mul__(self, other: Domain) -> Domain:
        from pinnsine.domain.product import product  # which builds on this module

        if not isinstance(other, Domain):
            raise no_product(other)
        return product(self, other)
