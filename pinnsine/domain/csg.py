"""Constructive solid geometry: unions, intersections and differences of shapes."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from pinnsine.domain.box import Box
from pinnsine.domain.cuboid import Cuboid
from pinnsine.domain.domain import Domain
from pinnsine.domain.piece import Piece, trimmed
from pinnsine.domain.rfunctions import conjunction, disjunction
from pinnsine.domain.shape import Shape
from pinnsine.errors import ProblemError

Operation = Literal["union", "intersection", "difference"]
TOUCHING = 1e-10  # of the size: surfaces this close lie on each other
STEP = 1e-6  # of the size: how far to either side of such a surface the other shape is asked


class Combination(Shape):
    """The union, intersection or difference of two shapes; made by ``a | b``, ``a & b``, ``a - b``.

    ``distance`` is the minimum of the two, or the maximum of one and the other or its negative: its sign is exact and its size never above
    the true distance, which it is wherever the nearest point of the parts' boundaries belongs to the whole. ``cutoff`` joins theirs by
    R-functions. Where boundaries of the parts coincide (faces in common), the cutoff of their union vanishes between them: let parts overlap.
    """

    def __init__(self, operation: Operation, a: Shape, b: Shape):
        self.operation, self.a, self.b = operation, a, b
        self.order = column_order(a, b)
        own, other = a.axes, tuple(b.axes[b.names.index(n)] if n in b.names else b.axes[i] for i, n in enumerate(a.names))
        pairs = [((p.lower, q.lower), (p.upper, q.upper)) for p, q in zip(own, other, strict=True)]
        if operation == "union":
            ends = [(min(low), max(high)) for low, high in pairs]
        elif operation == "intersection":
            ends = [(max(low), min(high)) for low, high in pairs]
        else:
            ends = [(low[0], high[0]) for low, high in pairs]
        if any(low >= high for low, high in ends):
            raise ProblemError(f"The intersection of {a.words()} and {b.words()} is empty: they do not meet.")
        super().__init__(a.names, [e[0] for e in ends], [e[1] for e in ends])

    def signed(self, x):
        a, b = self.a.signed(x), self.b.signed(x[:, self.order])
        return {"union": torch.minimum, "intersection": torch.maximum}[self.operation](a, b) if self._plain else torch.maximum(a, -b)

    @property
    def _plain(self) -> bool:
        return self.operation != "difference"

    def smooth(self, columns):
        a, b = self.a.smooth(columns), self.b.smooth([columns[i] for i in self.order])
        return disjunction(a, b) if self.operation == "union" else conjunction(a, b if self._plain else -b)

    def _pieces(self):
        return tuple(p for _, p in self._trimmed if p is not None)

    @cached_property
    def _trimmed(self) -> list[tuple[Piece, Piece | None]]:
        """Every piece of the parts, and what is left of it."""
        back = [self.order.index(i) for i in range(len(self.order))]
        ours = [(p, trimmed(p, self._sign_of_first)) for p in self.a.pieces]
        theirs = [(p, trimmed(_reordered(p, back), self._sign_of_second)) for p in self.b.pieces]
        return ours + theirs

    @property
    def corners(self):
        cut = (left is not None and left.measure < (1 - 1e-9) * whole.measure for whole, left in self._trimmed)
        return self.a.corners or self.b.corners or any(cut)

    def _sign_of_first(self, x: Tensor, n: Tensor) -> Tensor:
        """1 where the boundary of ``a`` bounds the whole; where the boundaries coincide it stands for both of them."""
        distance, slack = self.b.signed(x[:, self.order]), TOUCHING * self.size
        kept = distance < -slack if self.operation == "intersection" else distance > slack
        touching = distance.abs() <= slack
        if bool(touching.any()):
            step = STEP * self.size * n[touching]
            outwards = self.b.signed((x[touching] + step)[:, self.order]) - self.b.signed((x[touching] - step)[:, self.order])
            kept[touching] = (outwards > 0) == self._plain
        return kept.double()

    def _sign_of_second(self, x: Tensor, n: Tensor) -> Tensor:
        """1, or -1 for a hole, where the boundary of ``b`` bounds the whole."""
        distance, slack = self.a.signed(x), TOUCHING * self.size
        kept = distance > slack if self.operation == "union" else distance < -slack
        return kept.double() * (1.0 if self._plain else -1.0)

    def words(self):
        sign = {"union": "with", "intersection": "within", "difference": "without"}[self.operation]
        return f"{self.a.words()} {sign} {self.b.words()}"


def combined(operation: Operation, a: Domain, b: Domain) -> Combination:
    """Two domains of space combined. Raises ProblemError for domains of time, or of other coordinates."""
    return Combination(operation, as_shape(a), as_shape(b))


def as_shape(domain: Domain) -> Shape:
    """A domain as a shape. Raises ProblemError where it has time or parameters."""
    if isinstance(domain, Shape):
        return domain
    if not isinstance(domain, Box) or len(domain.space) < len(domain.axes):
        got = domain.describe() if isinstance(domain, Domain) else type(domain).__name__
        raise ProblemError(f"Shapes of space are combined, and time and parameters multiplied last, as in (a - b) * Time(0, 1); got {got}.")
    return Cuboid(domain)


def column_order(a: Shape, b: Shape) -> list[int]:
    """For each coordinate of ``b`` the column of ``a`` that it is: by name if the names are the same, else by order.

    Raises ProblemError for different numbers of coordinates, and for names of which only some agree.
    """
    if set(a.names) == set(b.names):
        return [a.names.index(n) for n in b.names]
    if a.dimension != b.dimension or set(a.names) & set(b.names):
        raise ProblemError(f"Shapes in {', '.join(a.names)} and in {', '.join(b.names)} cannot be combined: give both the same names.")
    return list(range(a.dimension))


def _reordered(piece: Piece, columns: list[int]) -> Piece:
    """A piece with its coordinates in another order."""

    def place(unit: Tensor):
        x, n, keep = piece.place(unit)
        return x[:, columns], n[:, columns], keep

    return replace(piece, place=place)
