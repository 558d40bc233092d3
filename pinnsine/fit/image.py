"""An image as a function: values at the pixels' centres."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pinnsine.constraint import Data
from pinnsine.fit.pixels import as_image, channels, frame, pixel_points
from pinnsine.problem import Problem


def image(source: str | Path | np.ndarray, mask: np.ndarray | None = None) -> Problem:
    """The problem of fitting an image: u(x_j, y_i) = f_ij at the centre of every pixel, or of those where ``mask`` (h, w) is True.

    The loss is the mean squared error of all values in [0, 1], over pixels and channels. The field is u, of a colour image r, g and b.
    See ``pinnsine.fit.pixels`` for coordinates and for what ``source`` may be. Raises ProblemError for what is no image, and for a mask
    of another shape or without any pixel.
    """
    values = as_image(source, mask)
    parts = channels(values)
    points = pixel_points(values.shape, mask, **{f"value_{name}": part for name, part in parts.items()})
    pixels = Data("pixels", points, weight=1.0 / len(parts), **{name: f"value_{name}" for name in parts})
    return Problem(frame(values.shape), list(parts), [pixels], name="image")
