"""Shapes given by the sign of a function."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor

from pinnsine.calculus import grad
from pinnsine.domain.box import Box
from pinnsine.domain.piece import Piece, always
from pinnsine.domain.rfunctions import normalised
from pinnsine.domain.shape import Shape
from pinnsine.domain.triangles import areas_and_normals, triangulated
from pinnsine.errors import ProblemError

CELLS = {2: 400, 3: 64}  # along each side of the box, in which the boundary is looked for
NEWTON = 8  # steps onto the boundary


class Implicit(Shape):
    """The points of a box where a smooth function is negative: ``Implicit(lambda s: s.x**4 + s.y**4 - 1, x=(-1.1, 1.1), y=(-1.1, 1.1))``.

    ``distance`` is f / sqrt(|grad f|^2 + (f / size)^2): of the right sign, and of first order near the boundary. Boundary samples are
    found on a grid and moved onto the boundary by Newton's method (needs scikit-image); parts smaller than a cell of it are not seen. In two
    or three dimensions; the gradient must not vanish on the boundary. Raises ProblemError where the box cuts the shape.
    """

    corners = False

    def __init__(self, function: Callable, **intervals: tuple[float, float]):
        if not callable(function):
            raise ProblemError(f"An implicit shape is given by a function of s that is negative inside, got {function!r}.")
        self.function, self.axes = function, Box(**intervals).axes
        if self.dimension not in CELLS:
            raise ProblemError(f"An implicit shape has two or three coordinates, got {self.dimension}.")

    def _values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The function (N,) and its gradient (N, d)."""
        columns = [c.detach().clone().requires_grad_() for c in x.unbind(1)]
        with torch.enable_grad():
            value = self.function(SimpleNamespace(**dict(zip(self.names, columns, strict=True))))
            if not isinstance(value, Tensor) or value.shape != columns[0].shape:
                raise ProblemError("The function of an implicit shape must return values of shape (N,): write it in terms of s.")
            slopes = torch.autograd.grad(value.sum(), columns, allow_unused=True, materialize_grads=True)
        return value.detach(), torch.stack(slopes, dim=1)

    def signed(self, x):
        value, slope = self._values(x)
        return value / torch.sqrt(slope.square().sum(dim=1) + (value / self.size).square()).clamp(min=1e-300)

    def smooth(self, columns):
        if isinstance(columns[0], Tensor):
            value, slope = self._values(torch.stack(list(columns), dim=1))
            return normalised(-value, slope.unbind(1))
        value = self.function(SimpleNamespace(**dict(zip(self.names, columns, strict=True))))
        return normalised(-value, list(grad(value)))

    def _onto(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Points near the boundary moved onto it, with their normals."""
        for _ in range(NEWTON):
            value, slope = self._values(x)
            x = x - (value / slope.square().sum(dim=1))[:, None] * slope
        slope = self._values(x)[1]
        return x, slope / slope.norm(dim=1, keepdim=True)

    @cached_property
    def _found(self) -> list[np.ndarray]:
        """Closed polylines (M, 2), or triangles (F, 3, 3), close to the boundary."""
        try:
            from skimage.measure import find_contours, marching_cubes
        except ImportError as error:
            raise ProblemError("The boundary of an implicit shape needs scikit-image: pip install 'pinnsine[geometry]'.") from error
        count = CELLS[self.dimension] + 1
        grid = Box(*self.axes).grid(count**self.dimension)
        field = self._values(grid.matrix(self.names))[0].numpy().reshape((round(len(grid) ** (1 / self.dimension)),) * self.dimension)
        rim = np.ones(field.shape, dtype=bool)
        rim[(slice(1, -1),) * self.dimension] = False
        if (field[rim] <= 0).any() or not (field < 0).any():
            raise ProblemError("An implicit shape must lie inside its box and not be empty: enlarge the box, or turn the sign of the function.")
        lower, step = np.array([a.lower for a in self.axes]), np.array([a.length for a in self.axes]) / (np.array(field.shape) - 1)
        if self.dimension == 2:
            return [lower + step * line for line in find_contours(field, 0.0)]
        vertices, faces, *_ = marching_cubes(field, 0.0, spacing=tuple(step))
        return [(lower + vertices)[faces]]

    def _pieces(self):
        return tuple(map(self._curve if self.dimension == 2 else self._surface, self._found))

    def _curve(self, line: np.ndarray) -> Piece:
        x = self._onto(torch.from_numpy(line[:-1]))[0]
        length, error = _extrapolated(*(float((v.roll(-1, 0) - v).norm(dim=1).sum()) for v in (x, x[::2])))
        x = torch.cat([x, x[:1]])
        ends = torch.cat([torch.zeros(1, dtype=torch.float64), (x[1:] - x[:-1]).norm(dim=1).cumsum(0)])

        def place(unit: Tensor):
            along = unit[:, 0] * ends[-1]
            k = (torch.searchsorted(ends, along) - 1).clamp(0, len(ends) - 2)
            share = (along - ends[k]) / (ends[k + 1] - ends[k]).clamp(min=1e-300)
            return *self._onto(x[k] + share[:, None] * (x[k + 1] - x[k])), always(len(unit))

        return Piece(1, length, place, error=error, breaks=tuple(np.linspace(0, 1, 33)))

    def _surface(self, triangles: np.ndarray) -> Piece:
        corners = torch.from_numpy(triangles.astype(np.float64))
        flat = self._onto(corners.reshape(-1, 3))[0].view(-1, 3, 3)
        middles = self._onto((flat + flat.roll(-1, 1)).reshape(-1, 3) / 2)[0].view(-1, 3, 3)
        finer = torch.cat([middles, *(torch.stack([flat[:, k], middles[:, k], middles[:, k - 1]], dim=1) for k in range(3))])
        area, error = _extrapolated(*(float(areas_and_normals(c)[0].sum()) for c in (finer, flat)))
        large = areas_and_normals(flat)[0] > 1e-12 * area / len(flat)
        piece = triangulated(flat[large], lambda x, n: self._onto(x))
        return Piece(2, area, piece.place, error=error)

    def _measure(self):
        if self.dimension == 3:
            return super()._measure()
        lines = [self._onto(torch.from_numpy(line[:-1]))[0] for line in self._found]
        area, error = _extrapolated(*(abs(sum(self._inner_area(x) for x in part)) for part in (lines, [x[::2] for x in lines])))
        return area, error

    def _inner_area(self, x: Tensor) -> float:
        """The area inside a polyline (M, 2), negative around a hole."""
        following = x.roll(-1, 0)
        doubled = float((x[:, 0] * following[:, 1] - x[:, 1] * following[:, 0]).sum())
        edge = following - x
        outward = (self._values(x)[1] * torch.stack([edge[:, 1], -edge[:, 0]], dim=1)).sum()
        return doubled / 2 * math.copysign(1, float(outward))

    def words(self):
        return "the points where a function is negative"


def _extrapolated(fine: float, coarse: float) -> tuple[float, float]:
    """Richardson's extrapolation of a figure with an error in proportion to the square of the spacing, and the size of the correction."""
    correction = (fine - coarse) / 3
    return fine + correction, abs(correction)
