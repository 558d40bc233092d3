"""Images composed in the gradient domain: weighted sums, mixed gradients and seamless cloning (Perez, Gangnet & Blake 2003)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pinnsine.constraint import Data
from pinnsine.errors import ProblemError
from pinnsine.fit.pixels import as_image, channels, frame, pixel_points, require_mask
from pinnsine.fit.poisson import poisson
from pinnsine.fit.stencil import gradient
from pinnsine.problem import Field, Problem

HELD = 1e6  # the weight of the target's values, which no pixel outside is to leave


def blend(images: Sequence, weights: Sequence[float] | None = None, mixed: bool = False) -> Problem:
    """The problem of an image whose gradient is sum_k w_k grad f_k, in forward differences.

    ``images`` of one shape, ``weights`` by default equal. ``mixed``: at every pixel the longest of the w_k grad f_k instead of their sum, so
    that texture of each shows. A constant is free. Raises ProblemError for images of unequal shapes or too few weights.
    """
    pixels = [as_image(source) for source in images]
    weights = [1 / max(1, len(pixels))] * len(pixels) if weights is None else [float(w) for w in weights]
    if not pixels or len({p.shape for p in pixels}) != 1 or len(weights) != len(pixels):
        raise ProblemError(f"blend() takes images of one shape and a weight for each, got {[p.shape for p in pixels]} and {weights}.")
    parts = np.stack([w * np.stack(gradient(p)) for w, p in zip(weights, pixels, strict=True)])  # (image, direction, h, w[, 3])
    longest = np.square(parts).sum(axis=1).argmax(axis=0)  # (h, w[, 3])
    slopes = np.take_along_axis(parts, longest[None, None], axis=0)[0] if mixed else parts.sum(axis=0)
    problem = poisson(tuple(slopes), stencil="forward")
    problem.name = "blend"
    return problem


def clone(source, target, mask: np.ndarray, mixed: bool = False) -> Problem:
    """The problem of laying ``source`` into ``target`` where ``mask`` (h, w) is True, without a seam.

    Differences of two pixels of which at least one lies inside the mask are those of the source; outside, values are those of the target,
    and count ``HELD`` times as much: what does not agree is spread inside. ``mixed``: inside, the longer of the two gradients.
    Raises ProblemError for images of unequal shapes and a mask that leaves nothing outside.
    """
    inner, outer = as_image(source), as_image(target)
    if inner.shape != outer.shape:
        raise ProblemError(f"clone() takes images of one shape, got {inner.shape} and {outer.shape}.")
    mask = require_mask(mask, outer.shape)
    if mask.all():
        raise ProblemError("clone() needs pixels outside the mask, where the target's values stand.")
    slopes, others = np.stack(gradient(inner)), np.stack(gradient(outer))
    if mixed:
        slopes = np.where(np.square(slopes).sum(axis=0) >= np.square(others).sum(axis=0), slopes, others)
    touched = np.stack([mask, mask])  # (direction, h, w): whether at least one of the two pixels of a difference lies inside
    touched[0, :, :-1] |= mask[:, 1:]
    touched[1, :-1] |= mask[1:]
    slopes = np.where(touched.reshape(2, *mask.shape, *(1,) * (outer.ndim - 2)), slopes, others)
    parts = channels(outer)
    inside = poisson(tuple(slopes), stencil="forward", mask=touched.any(axis=0)).constraints[0]
    outside = Data("outside", pixel_points(outer.shape, ~mask, **{f"value_{n}": part for n, part in parts.items()}), weight=HELD / len(parts),
                   **{n: f"value_{n}" for n in parts})  # fmt: skip
    return Problem(frame(outer.shape), [Field(n, range=(0.0, 1.0)) for n in parts], [inside, outside], name="clone")
