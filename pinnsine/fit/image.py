"""Images and films as functions: values at the pixels' centres, with a prior where values are missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pinnsine.conditions import Samples
from pinnsine.constraint import Constraint, Residual
from pinnsine.domain import Time
from pinnsine.errors import ProblemError
from pinnsine.fit.pixels import as_image, centres, channels, frame, pixel_points
from pinnsine.fit.priors import curvature
from pinnsine.points import Points
from pinnsine.problem import Problem


def image(source: str | Path | np.ndarray, mask: np.ndarray | None = None, smooth: float = 0.0) -> Problem:
    """The problem of fitting an image: u(x_j, y_i) = f_ij at the centre of every pixel, or of those where ``mask`` (h, w) is True.

    The loss is the mean squared error of all values in [0, 1], over pixels and channels, plus ``smooth`` times the mean of
    u_xx^2 + 2 u_xy^2 + u_yy^2 over all pixels, the prior of inpainting. The field is u, of a colour image r, g and b.
    See ``pinnsine.fit.pixels`` for coordinates and for what ``source`` may be. Raises ProblemError for what is no image, for a mask of
    another shape or without any pixel, and for a negative ``smooth``.
    """
    if not 0 <= smooth < math.inf:
        raise ProblemError(f"smooth= is the weight of a prior, zero or above, got {smooth!r}.")
    values = as_image(source, mask)
    parts = channels(values)
    points = pixel_points(values.shape, mask, **{f"value_{name}": part for name, part in parts.items()})
    constraints: list[Constraint] = [Samples("pixels", {name: f"value_{name}" for name in parts}, on=points, weight=1.0 / len(parts))]
    if smooth:
        constraints.append(Residual("curvature", curvature(tuple(parts)), on=pixel_points(values.shape), weight=smooth / len(parts)))
    return Problem(frame(values.shape), list(parts), constraints, name="image")


def video(frames: Sequence[str | Path | np.ndarray]) -> Problem:
    """The problem of fitting a film: u(x_j, y_i, t_k) = f_kij, frame k at t = k + 1/2 of 0 <= t <= n.

    ``frames``: images of one shape, as ``image`` takes them. The loss is the mean squared error of all values.
    Raises ProblemError for frames of unequal shapes, and for none.
    """
    pictures = [as_image(source) for source in frames]
    if len({p.shape for p in pictures}) != 1:
        raise ProblemError(f"A film has frames of one shape, and at least one, got {sorted({p.shape for p in pictures})}.")
    film = np.stack(pictures)
    parts = [channels(picture) for picture in film]
    x, y = (np.broadcast_to(c, film.shape[:3]) for c in centres(film.shape[1:]))
    t = np.broadcast_to((np.arange(len(film)) + 0.5)[:, None, None], film.shape[:3])
    columns = {f"value_{n}": np.stack([part[n] for part in parts]) for n in parts[0]}
    points = Points({n: c.ravel() for n, c in {"x": x, "y": y, "t": t, **columns}.items()})
    pixels = Samples("pixels", {n: f"value_{n}" for n in parts[0]}, on=points, weight=1.0 / len(parts[0]))
    return Problem(frame(film.shape[1:]) * Time(0, len(film)), list(parts[0]), [pixels], name="video")
