"""Differences on the pixel grid, of arrays and of networks alike.

A stencil is a weighted sum of values at shifted pixels; a shift that leaves the image takes the pixel at its edge instead. As a constraint
it acts on the network at the shifted points, so that its rows vanish for the network that takes the image's values: the inverse is
consistent, whatever the order of the difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from pinnsine.constraint import Constraint
from pinnsine.domain import Box
from pinnsine.errors import ProblemError
from pinnsine.jet import values
from pinnsine.local import Local
from pinnsine.points import Points

Shift = tuple[int, int]  # in pixels, along x and y
Weights = Mapping[Shift, float]

SOBEL = {(i, j): i * (2 - abs(j)) / 8 for i in (-1, 1) for j in (-1, 0, 1)}
GRADIENTS: dict[str, dict[str, Weights]] = {
    "forward": {"x": {(0, 0): -1.0, (1, 0): 1.0}, "y": {(0, 0): -1.0, (0, 1): 1.0}},
    "central": {"x": {(-1, 0): -0.5, (1, 0): 0.5}, "y": {(0, -1): -0.5, (0, 1): 0.5}},
    "sobel": {"x": SOBEL, "y": {(j, i): weight for (i, j), weight in SOBEL.items()}},
}
FIVE_POINT: Weights = {(0, 0): -4.0, (-1, 0): 1.0, (1, 0): 1.0, (0, -1): 1.0, (0, 1): 1.0}
STENCILS = ("exact", *GRADIENTS)


def gradient_weights(stencil: str) -> dict[str, Weights]:
    """The weights along x and y. Raises ProblemError for an unknown stencil, and for "exact", which needs a function."""
    if stencil not in GRADIENTS:
        raise ProblemError(f"The differences of an array are {', '.join(map(repr, GRADIENTS))}, got {stencil!r}.")
    return GRADIENTS[stencil]


def gradient(image: np.ndarray, stencil: str = "forward") -> tuple[np.ndarray, np.ndarray]:
    """The differences along x and y of an image (h, w) or (h, w, 3), for one pixel: forward, central, or Sobel's over 8."""
    weights = gradient_weights(stencil)
    return apply(image, weights["x"]), apply(image, weights["y"])


def laplacian(image: np.ndarray) -> np.ndarray:
    """The sum over the four neighbours of their difference from a pixel, of an image (h, w) or (h, w, 3)."""
    return apply(image, FIVE_POINT)


def apply(image: np.ndarray, weights: Weights) -> np.ndarray:
    """The stencil at every pixel of an array (h, w) or (h, w, 3)."""
    image = np.asarray(image, dtype=np.float64)
    rows, columns = np.arange(image.shape[0]), np.arange(image.shape[1])
    total = np.zeros_like(image)
    for (i, j), weight in weights.items():
        at = np.ix_(np.clip(rows + j, 0, len(rows) - 1), np.clip(columns + i, 0, len(columns) - 1))
        total += weight * image[at]
    return total


@dataclass(frozen=True)
class Stencils(Constraint):
    """Stencils of fields that must equal data: ``rows`` maps a data column to the field and the weights whose sum it is."""

    rows: Mapping[str, tuple[str, Weights]]

    @property
    def shifts(self) -> tuple[Shift, ...]:
        """All shifts that occur, in a fixed order."""
        return tuple(sorted({shift for _, weights in self.rows.values() for shift in weights}))

    @property
    def nodes(self) -> int:
        return len(self.shifts)

    def expand(self, points: Points, domain: Box) -> Points:
        columns = {n: c.repeat_interleave(self.nodes) for n, c in points.columns.items()}
        for axis, name in enumerate(("x", "y")):
            moves = points[name].new_tensor([shift[axis] for shift in self.shifts]).repeat(len(points))
            columns[name] = (columns[name] + moves).clamp(domain.axis(name).lower + 0.5, domain.axis(name).upper - 0.5)
        return Points(columns)

    def residual(self, s: Local) -> dict[str, Tensor]:
        fields = {field: values(getattr(s, field)).view(-1, self.nodes) for field, _ in self.rows.values()}
        found = {}
        for column, (field, weights) in self.rows.items():
            factors = fields[field].new_tensor([weights.get(shift, 0.0) for shift in self.shifts])
            found[column] = fields[field] @ factors - values(getattr(s.data, column)).view(-1, self.nodes)[:, 0]
        return found
