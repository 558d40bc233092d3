"""Shapes translated, rotated and enlarged."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import torch
from torch import Tensor

from pinnsine.domain.ball import positive, vector
from pinnsine.domain.csg import as_shape
from pinnsine.domain.domain import Domain
from pinnsine.domain.implicit import Implicit
from pinnsine.domain.piece import Piece
from pinnsine.domain.shape import Shape
from pinnsine.errors import ProblemError


class Moved(Shape):
    """The image of a shape under x = factor R y + shift, R a rotation (d, d)."""

    def __init__(self, shape: Shape, turn: Tensor, shift: Tensor, factor: float):
        self.shape, self.turn, self.shift, self.factor = shape, turn, shift, factor
        ends = itertools.product(*((a.lower, a.upper) for a in shape.axes))
        corners = self._forth(torch.tensor(list(ends), dtype=torch.float64))
        super().__init__(shape.names, corners.amin(0).tolist(), corners.amax(0).tolist())

    def _forth(self, y: Tensor) -> Tensor:
        return self.factor * y @ self.turn.T + self.shift

    def signed(self, x):
        return self.factor * self.shape.signed((x - self.shift) @ self.turn / self.factor)

    def smooth(self, columns):
        return self.factor * self.shape.smooth(self.back(columns))

    def back(self, columns: Sequence) -> list:
        """The coordinates before the motion, of coordinates given as tensors or jets."""
        moved = [c - s for c, s in zip(columns, self.shift.tolist(), strict=True)]
        return [_combination(row, moved) for row in (self.turn.T / self.factor).tolist()]

    def _measure(self):
        grown = self.factor**self.dimension
        return grown * self.shape.measure, grown * self.shape.measure_error

    def _pieces(self):
        return tuple(self._moved(p) for p in self.shape.pieces)

    def _moved(self, piece: Piece) -> Piece:
        def place(unit: Tensor):
            x, n, keep = piece.place(unit)
            return self._forth(x), n @ self.turn.T, keep

        grown = self.factor ** (self.dimension - 1)
        return replace(piece, place=place, measure=grown * piece.measure, error=grown * piece.error)

    @property
    def corners(self):
        return self.shape.corners

    def words(self):
        return f"{self.shape.words()}, moved"


def _combination(row: Sequence[float], columns: Sequence):
    terms = [c * f for f, c in zip(row, columns, strict=True) if f != 0]
    return sum(terms[1:], start=terms[0])


def _moved(shape: Shape, turn: Tensor | None = None, shift: Tensor | None = None, factor: float = 1.0) -> Shape:
    d = shape.dimension
    turn = torch.eye(d, dtype=torch.float64) if turn is None else turn
    moved = Moved(shape, turn, torch.zeros(d, dtype=torch.float64) if shift is None else shift, factor)
    return _moved_function(shape, moved) if isinstance(shape, Implicit) else moved


def _moved_function(shape: Implicit, moved: Moved) -> Implicit:
    """An implicit shape keeps its kind, because its cutoff is scaled by the gradient with respect to the problem's coordinates."""

    def function(s):
        return shape.function(SimpleNamespace(**dict(zip(shape.names, moved.back([getattr(s, n) for n in shape.names]), strict=True))))

    return Implicit(function, **{a.name: (a.lower, a.upper) for a in moved.axes})


def translated(domain: Domain, shift: Sequence[float]) -> Shape:
    shape = as_shape(domain)
    return _moved(shape, shift=vector("A translation", shift, shape.dimension))


def scaled(domain: Domain, factor: float, about: Sequence[float] | None) -> Shape:
    shape = as_shape(domain)
    centre = vector("The centre of an enlargement", about if about is not None else (0,) * shape.dimension, shape.dimension)
    factor = positive("The factor of an enlargement", factor)
    return _moved(shape, shift=(1 - factor) * centre, factor=factor)


def rotated(domain: Domain, angle: float, axis: Sequence[float] | None, about: Sequence[float] | None) -> Shape:
    shape = as_shape(domain)
    d = shape.dimension
    if d not in (2, 3) or (d == 3) != (axis is not None):
        raise ProblemError(f"A rotation takes an angle in two dimensions, an angle and axis= in three; the shape has {d}, axis={axis!r}.")
    if not isinstance(angle, int | float) or not math.isfinite(angle):
        raise ProblemError(f"The angle of a rotation is a finite number of radians, got {angle!r}.")
    centre = vector("The centre of a rotation", about if about is not None else (0,) * d, d)
    turn = _turn_in_plane(angle) if d == 2 else _turn_about(vector("The axis of a rotation", axis, 3), angle)
    return _moved(shape, turn=turn, shift=centre - turn @ centre)


def _turn_in_plane(angle: float) -> Tensor:
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[c, -s], [s, c]], dtype=torch.float64)


def _turn_about(axis: Tensor, angle: float) -> Tensor:
    """Rodrigues' formula."""
    if not float(axis.norm()) > 0:
        raise ProblemError("The axis of a rotation is a direction, got the zero vector.")
    x, y, z = (axis / axis.norm()).tolist()
    cross = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]], dtype=torch.float64)
    return torch.eye(3, dtype=torch.float64) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
