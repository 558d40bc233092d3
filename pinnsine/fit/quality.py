"""How well an image is fitted: at its pixels, between them, and for how many parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pinnsine.errors import ProblemError
from pinnsine.fit.picture import render
from pinnsine.fit.pixels import as_image, centres
from pinnsine.solution import Solution


def psnr(found: np.ndarray, truth: np.ndarray, offset: bool = False) -> float:
    """The peak signal-to-noise ratio 10 log10(1 / mean (found - truth)^2) of values in [0, 1], in decibels; infinite where they are equal.

    ``offset``: after the constant of every channel that is best, for images known up to a constant. Raises ProblemError for other shapes.
    """
    found, truth = np.asarray(found, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if found.shape != truth.shape:
        raise ProblemError(f"PSNR compares images of one shape, got {found.shape} and {truth.shape}.")
    error = found - truth
    if offset:
        error = error - error.mean(axis=(0, 1))
    square = float(np.square(error).mean())
    return -10 * math.log10(square) if square > 0 else math.inf


@dataclass(frozen=True)
class Quality:
    """The quality of a fit.

    ``mse`` and ``psnr`` at the pixels, of values in [0, 1]; ``ssim``: structural similarity (Wang, Bovik, Sheikh & Simoncelli 2004), NaN
    where a side is shorter than its window of 7 pixels; ``between``: the PSNR at the corners where four pixels meet, half a pixel off
    the grid, against the cubic spline through the image (scipy.ndimage, mirrored at the edges); ``parameters_per_pixel``: at one or above
    for each channel the fit is an interpolation.
    """

    mse: float
    psnr: float
    ssim: float
    between: float
    parameters_per_pixel: float

    def __str__(self) -> str:
        return (
            f"PSNR {self.psnr:.1f} dB (MSE {self.mse:.1e}), SSIM {self.ssim:.4f}, half a pixel off {self.between:.1f} dB against the cubic "
            f"spline, {self.parameters_per_pixel:.2f} parameters a pixel"
        )


def quality(solution: Solution, source) -> Quality:
    """The quality of a solution as a fit of an image. Raises ProblemError if the image is of another shape."""
    require_ssim()
    truth = as_image(source)
    found = render(solution)
    score = psnr(found, truth)
    square = float(np.square(found - truth).mean())
    return Quality(square, score, ssim(found, truth), _between(solution, truth), solution.ansatz.size / (truth.shape[0] * truth.shape[1]))


def require_ssim() -> Callable:
    """scikit-image's ``structural_similarity``. Raises ProblemError where it is missing: ask before a fit whose quality is to be measured."""
    try:
        from skimage.metrics import structural_similarity
    except ImportError as error:
        raise ProblemError("SSIM needs scikit-image: pip install 'pinnsine[images]'.") from error
    return structural_similarity


def ssim(found: np.ndarray, truth: np.ndarray) -> float:
    """The structural similarity of values in [0, 1], by scikit-image with its default window of 7 pixels; NaN for smaller images."""
    structural_similarity = require_ssim()
    if min(truth.shape[:2]) < 7:
        return math.nan
    return float(structural_similarity(found, truth, data_range=1.0, channel_axis=2 if truth.ndim == 3 else None))


def _between(solution: Solution, truth: np.ndarray) -> float:
    """The PSNR at the corners between pixels, against the cubic spline through the pixels; NaN where there are none."""
    from scipy.ndimage import map_coordinates

    if min(truth.shape[:2]) < 2:
        return math.nan
    x, y = (c[1:, 1:] - 0.5 for c in centres(truth.shape))
    parts = truth[..., None] if truth.ndim == 2 else truth
    spline = [map_coordinates(parts[..., k], [y - 0.5, x - 0.5], order=3, mode="mirror") for k in range(parts.shape[2])]
    found = solution.predict(x=x, y=y)
    return psnr(np.stack(list(found.values()), axis=-1), np.stack(spline, axis=-1))


def stop_at(psnr: float) -> Callable[[Mapping], bool]:
    """A callback for ``solve(callbacks=[...])`` that ends the fit of an image at a PSNR in decibels: its loss is the mean squared error."""
    if not math.isfinite(psnr):
        raise ProblemError(f"A fit stops at a finite number of decibels, got {psnr!r}.")
    return lambda record: record["loss"] <= 10 ** (-psnr / 10)
