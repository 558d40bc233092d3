"""The inside or some of the boundary of a shape, alone or times a box of time and parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pinnsine.domain.box import Box, Face
from pinnsine.domain.piece import Piece
from pinnsine.domain.region import Region
from pinnsine.errors import ProblemError
from pinnsine.points import Points
from pinnsine.sampling import sample_cube

if TYPE_CHECKING:
    from pinnsine.domain.shape import Shape

MARGIN = 1.05  # points drawn per point wanted, beyond what the accepted share asks for
ROUNDS = 20


@dataclass(frozen=True, eq=False)
class Part(Region):
    """Pieces of a shape times ``rest``, if there is one; samples are shared out by measure, at least one to each piece.

    ``member`` tells which points of the boundary (N, d) are meant, by default all of it.
    """

    shape: Shape
    pieces: tuple[Piece, ...]
    label: str
    member: Callable[[Tensor], Tensor] | None = None
    rest: Box | Face | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.shape.names, *(self.rest.names if self.rest else ()))

    @property
    def is_inside(self) -> bool:
        """Whether this is the inside of the shape, and no part of its boundary."""
        return self.pieces == (self.shape.interior,)

    @property
    def measure(self) -> float:
        return sum(p.measure for p in self.pieces) * (self.rest.measure if self.rest else 1.0)

    @property
    def measure_error(self) -> float:
        """The standard error of ``measure``; 0 where it is exact up to rounding."""
        return math.hypot(*(p.error for p in self.pieces)) * (self.rest.measure if self.rest else 1.0)

    def sample(self, count, sampler, generator) -> Points:
        total = sum(p.measure for p in self.pieces)
        shares = [max(1, round(count * p.measure / total)) for p in self.pieces]
        return Points.join([self._sample(p, n, sampler, generator) for p, n in zip(self.pieces, shares, strict=True)])

    def _sample(self, piece: Piece, count: int, sampler: str, generator: torch.Generator) -> Points:
        """``count`` accepted points of one piece; a grid gives as many as it has."""
        others = (len(self.rest.axes) if isinstance(self.rest, Box) else len(self.rest.names) - 1) if self.rest else 0
        found: list[Points] = []
        for _ in range(ROUNDS):
            missing = count - sum(map(len, found))
            drawn = missing if piece.share == 1 else math.ceil(MARGIN * missing / piece.share) + 8
            unit = sample_cube(sampler, drawn, piece.dimension + others, generator)
            x, n, keep = piece.place(unit[:, : piece.dimension])
            columns = dict(zip(self.shape.names, x.unbind(1), strict=True))
            rest = self.rest.place(unit[:, piece.dimension :].expand(len(unit), others)) if self.rest else {}
            normal = {} if n is None else dict(zip(self.shape.names, n.unbind(1), strict=True))
            found.append(Points({**columns, **rest}, normal).select(keep))
            if sum(map(len, found)) >= count or (sampler == "grid" and len(found[-1])):
                return Points.join(found).select(slice(0, None if sampler == "grid" else count))
        raise ProblemError(f"No points were found in {self.describe()} in {ROUNDS} rounds: it is too thin to be sampled.")

    def contains(self, points: Points) -> Tensor:
        x = points.matrix(self.shape.names).to("cpu", torch.float64)
        distance, slack = self.shape.signed(x), 1e-9 * self.shape.size
        there = distance <= slack if self.is_inside else distance.abs() <= slack
        if self.member is not None:
            there = there & self.member(x)
        there = there.to(points[self.names[0]].device)
        return there & self.rest.contains(points) if self.rest else there

    def describe(self) -> str:
        return f"{self.label} x {self.rest.describe()}" if self.rest else self.label
