"""What an image does not show: pixels that are missing, and detail below a pixel, filled in as a prior has it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from pinnsine.constraint import Constraint, Data
from pinnsine.domain import Axis, Box
from pinnsine.errors import ProblemError
from pinnsine.fit.pixels import as_image, channels, frame, pixel_points
from pinnsine.fit.priors import prior_of
from pinnsine.jet import values
from pinnsine.local import Local
from pinnsine.points import Points
from pinnsine.problem import Problem
from pinnsine.quadrature import tensor_rule

DENSITY = 2  # points of the prior along a pixel: at one alone it does not see waves that bend between the points
SQUARE = (Axis("x", -0.5, 0.5), Axis("y", -0.5, 0.5))  # a pixel around its centre


def inpaint(source: str | Path | np.ndarray, mask: np.ndarray, prior: str = "hessian", weight: float | None = None) -> Problem:
    """The problem of an image known where ``mask`` (h, w) is True: u(x_j, y_i) = f_ij there, and a small prior everywhere.

    prior: "tv", the mean of |grad u|^2 / sqrt(|grad u|^2 + 0.02^2) over the image, the total variation of Rudin, Osher & Fatemi (1992) made
        smooth, which keeps edges; "hessian", the mean of |H|^2 = u_xx^2 + 2 u_xy^2 + u_yy^2, which is linear; or "bending", the mean of
        |H|^2 / sqrt(|H|^2 + 0.02^2), which keeps creases between smooth parts.
    weight: of the prior against the mean squared error of the known values; 1e-3 by default, more for noisy ones.

    Raises ProblemError for an unknown prior, a weight that is not above zero, and what ``pinnsine.fit.image`` refuses.
    """
    image = as_image(source, mask)
    parts = channels(image)
    known = pixel_points(image.shape, np.asarray(mask), **{f"value_{n}": part for n, part in parts.items()})
    data = Data("pixels", known, weight=1.0 / len(parts), **{n: f"value_{n}" for n in parts})
    return Problem(
        frame(image.shape), list(parts), [data, prior_of(prior, weight, tuple(parts), _within(image.shape, DENSITY))], name="inpainting"
    )


def super_resolve(source: str | Path | np.ndarray, factor: int, prior: str = "hessian", weight: float | None = None) -> Problem:
    """The problem of an image ``factor`` times as fine: the mean of u over every pixel is its value, and a prior is small.

    The means are taken by Gauss quadrature with factor + 1 nodes along each side; the prior, as in ``inpaint``, at four points of every fine
    pixel, in values for one of the given ones. ``render(solution, (factor * h, factor * w))`` is the fine image.
    Raises ProblemError for a factor below 1, and what ``inpaint`` refuses.
    """
    if not (isinstance(factor, int) and factor >= 1):
        raise ProblemError(f"super_resolve() takes a whole factor of at least 1, got {factor!r}.")
    image = as_image(source)
    parts = channels(image)
    points = pixel_points(image.shape, **{f"value_{n}": part for n, part in parts.items()})
    means = PixelMeans("pixels", tuple(parts), factor + 1, on=points, weight=1.0 / len(parts))
    return Problem(
        frame(image.shape),
        list(parts),
        [means, prior_of(prior, weight, tuple(parts), _within(image.shape, DENSITY * factor))],
        name="super-resolution",
    )


def _within(shape: tuple[int, ...], count: int) -> Points:
    """``count`` x ``count`` even points in every pixel."""
    fine = pixel_points((shape[0] * count, shape[1] * count))
    return Points({n: column / count for n, column in fine.columns.items()})


@dataclass(frozen=True)
class PixelMeans(Constraint):
    """The mean of every one of ``fields`` over the pixels around the points is the data column value_field; ``order`` Gauss nodes a side."""

    fields: tuple[str, ...]
    order: int

    @property
    def nodes(self) -> int:
        return self.order**2

    def expand(self, points: Points, domain: Box) -> Points:
        columns = {n: c.repeat_interleave(self.nodes) for n, c in points.columns.items()}
        for name, offsets in tensor_rule(SQUARE, self.order)[0].columns.items():
            columns[name] = columns[name] + offsets.to(columns[name]).repeat(len(points))
        return Points(columns)

    def residual(self, s: Local) -> dict[str, Tensor]:
        weights, found = tensor_rule(SQUARE, self.order)[1], {}
        for field in self.fields:
            nodes = values(getattr(s, field)).view(-1, self.nodes)
            found[field] = nodes @ weights.to(nodes) - values(getattr(s.data, f"value_{field}")).view(-1, self.nodes)[:, 0]
        return found
