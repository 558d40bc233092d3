"""Boxes as shapes, to be combined with others."""

from __future__ import annotations

import torch
from torch import Tensor

from pinnsine.domain.box import Box, Face
from pinnsine.domain.piece import Piece, always
from pinnsine.domain.rfunctions import all_of
from pinnsine.domain.shape import Shape


class Cuboid(Shape):
    """A box of space as a shape; boxes become one when they are combined with shapes."""

    def __init__(self, box: Box):
        self.box, self.axes = box, box.axes

    def signed(self, x):
        beyond = torch.stack([(x[:, i] - (a.lower + a.upper) / 2).abs() - a.length / 2 for i, a in enumerate(self.axes)], dim=1)
        return beyond.clamp(min=0).norm(dim=1) + beyond.amax(dim=1).clamp(max=0)

    def smooth(self, columns):
        return all_of([(c - a.lower) * (a.upper - c) * (1 / a.length) for c, a in zip(columns, self.axes, strict=True)])

    def _measure(self):
        return self.box.measure, 0.0

    def _pieces(self):
        return tuple(self._face(face) for face in self.box.boundary().faces)

    def _face(self, face: Face) -> Piece:
        def place(unit: Tensor):
            normal = face.normal_columns(len(unit))
            columns = face.place(unit)
            return torch.stack([columns[n] for n in self.names], 1), torch.stack([normal[n] for n in self.names], 1), always(len(unit))

        return Piece(self.dimension - 1, face.measure, place)

    def words(self):
        return f"the box {self.box.describe()}"
