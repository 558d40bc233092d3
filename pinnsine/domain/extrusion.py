"""Shapes swept straight along one more coordinate."""

from __future__ import annotations

import torch
from torch import Tensor

from pinnsine.domain.axis import Axis
from pinnsine.domain.piece import Piece
from pinnsine.domain.rfunctions import conjunction
from pinnsine.domain.shape import Shape
from pinnsine.errors import ProblemError


class Extrusion(Shape):
    """A shape swept straight along one more coordinate: ``Extrusion(Disk(), "z", 0, 1)`` is the same as ``Disk() * Interval("z", 0, 1)``."""

    def __init__(self, profile: Shape, name: str, lower: float, upper: float):
        if name in profile.names:
            raise ProblemError(f"The coordinate {name!r} stands twice in the domain: give the factors different names.")
        self.profile, self.along = profile, Axis(name, lower, upper)
        self.axes = (*profile.axes, self.along)

    def signed(self, x):
        flat, axis = self.profile.signed(x[:, :-1]), self.along
        ends = (x[:, -1] - (axis.lower + axis.upper) / 2).abs() - axis.length / 2
        outside = torch.hypot(flat.clamp(min=0), ends.clamp(min=0))
        return outside + torch.maximum(flat, ends).clamp(max=0)

    def smooth(self, columns):
        z, axis = columns[-1], self.along
        return conjunction(self.profile.smooth(columns[:-1]), (z - axis.lower) * (axis.upper - z) * (1 / axis.length))

    def _measure(self):
        return self.profile.measure * self.along.length, self.profile.measure_error * self.along.length

    def _pieces(self):
        axis = self.along
        caps = [self._cap(end, sign) for end, sign in ((axis.lower, -1.0), (axis.upper, 1.0))]
        return (*(self._side(p) for p in self.profile.pieces), *caps)

    def _side(self, piece: Piece) -> Piece:
        def place(unit: Tensor):
            x, n, keep = piece.place(unit[:, :-1])
            z = self.along.lower + self.along.length * unit[:, -1:]
            return torch.cat([x, z], dim=1), torch.cat([n, torch.zeros_like(z)], dim=1), keep

        length = self.along.length
        return Piece(piece.dimension + 1, piece.measure * length, place, piece.share, piece.error * length)

    def _cap(self, end: float, sign: float) -> Piece:
        inner = self.profile.interior

        def place(unit: Tensor):
            x, _, keep = inner.place(unit)
            z = torch.full_like(x[:, :1], end)
            return torch.cat([x, z], dim=1), torch.cat([torch.zeros_like(x), torch.full_like(z, sign)], dim=1), keep

        return Piece(inner.dimension, inner.measure, place, inner.share, inner.error)

    def words(self):
        return f"{self.profile.words()} swept along {self.along.name} in [{self.along.lower:g}, {self.along.upper:g}]"
