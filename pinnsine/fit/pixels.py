"""Images as arrays and as points: pixel centres at half-integers, one pixel as the unit, x along columns, y down the rows.

An image of h rows and w columns fills the rectangle 0 <= x <= w, 0 <= y <= h, and the centre of pixel (i, j) is x = j + 1/2, y = i + 1/2.
Values lie in [0, 1].
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pinnsine.domain import Box, Rectangle
from pinnsine.errors import ProblemError
from pinnsine.points import Points

CHANNELS = {1: ("u",), 3: ("r", "g", "b")}  # fields by number of channels
DEPTHS = {"uint8": 255.0, "uint16": 65535.0, "bool": 1.0}
SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def as_image(source: str | Path | np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
    """An image as float64 values in [0, 1], of shape (h, w) or (h, w, 3), from a file or an array.

    Integers of 8 and 16 bits are divided by their largest value, floating-point values are taken as they stand; palettes are resolved, and
    transparent pixels are laid over white. Raises ProblemError for a file that is no image, for any other shape or type, and for values
    that are not finite, unless the mask ``known`` (h, w) leaves them out: they are then zero.
    """
    pixels = _read(Path(source)) if isinstance(source, str | Path) else np.asarray(source)
    if pixels.dtype.name in DEPTHS:
        pixels = pixels.astype(np.float64) / DEPTHS[pixels.dtype.name]
    elif not np.issubdtype(pixels.dtype, np.floating):
        raise ProblemError(
            f"An image holds floating-point values or integers of 8 or 16 bits, got {pixels.dtype}: divide by the largest value."
        )
    pixels = pixels.astype(np.float64)
    if pixels.ndim not in (2, 3) or 0 in pixels.shape or (pixels.ndim == 3 and pixels.shape[2] not in (1, 2, 3, 4)):
        raise ProblemError(f"An image has the shape (h, w), (h, w, 3) or, with transparency, (h, w, 2) or (h, w, 4), got {pixels.shape}.")
    if known is not None:
        known = require_mask(known, pixels.shape)
        pixels = np.where(known if pixels.ndim == 2 else known[..., None], pixels, 0.0)
    if not np.isfinite(pixels).all():
        count = int((~np.isfinite(pixels)).sum())
        raise ProblemError(f"The image holds {count} values that are not finite: give a mask= that is False there.")
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        alpha = pixels[..., -1:]
        pixels = alpha * pixels[..., :-1] + (1 - alpha)
    return pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels


def _read(path: Path) -> np.ndarray:
    """The pixels of a file in its own depth: (h, w) or (h, w, channels)."""
    if not path.exists():
        raise ProblemError(f"There is no file {str(path)!r} to read an image from.")
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise ProblemError("Reading an image file needs Pillow: pip install 'pinnsine[images]', or give the image as an array.") from error
    try:
        with Image.open(path) as image:
            if image.mode in SIXTEEN_BITS:
                return np.asarray(image).astype(np.uint16)
            if image.mode == "F":
                return np.asarray(image)
            clear = image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info
            grey = image.mode in ("1", "L", "LA", "La")
            return np.asarray(image.convert(("L" if grey else "RGB") + ("A" if clear else "")))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ProblemError(f"{path.name} is no image that can be read: {error}") from error


def channels(image: np.ndarray) -> dict[str, np.ndarray]:
    """The channels (h, w) of an image by the names of their fields."""
    parts = image[..., None] if image.ndim == 2 else image
    return {name: parts[..., k] for k, name in enumerate(CHANNELS[parts.shape[2]])}


def frame(shape: tuple[int, ...]) -> Box:
    """The rectangle that an image of h rows and w columns fills."""
    return Rectangle(x=(0, shape[1]), y=(0, shape[0]))


def centres(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """x and y (h, w) of the pixels' centres."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    return x, y


def pixel_points(shape: tuple[int, ...], where: np.ndarray | None = None, **columns: np.ndarray) -> Points:
    """The centres of all pixels, or of those in the mask ``where`` (h, w), with further columns (h, w) of data, row by row."""
    chosen = np.ones(shape[:2], dtype=bool) if where is None else where
    x, y = centres(shape)
    return Points({name: column[chosen] for name, column in {"x": x, "y": y, **columns}.items()})


def require_mask(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A mask of an image's shape with at least one pixel in it."""
    mask = np.asarray(mask)
    if mask.shape != tuple(shape[:2]) or mask.dtype != bool:
        raise ProblemError(f"A mask is an array of booleans of the shape {tuple(shape[:2])}, got {mask.dtype} of shape {mask.shape}.")
    if not mask.any():
        raise ProblemError("The mask leaves out every pixel: mark those that are known with True.")
    return mask
