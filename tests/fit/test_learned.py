"""Inpainting that is learned, on images that are easy to know everything about: shaded planes."""

import numpy as np
import pytest
import torch

from pinnsine.errors import ProblemError
from pinnsine.fit.learned import Learning, learn_inpainting
from pinnsine.nets import Siren

SIDE = 6
SMALL = {"latent": 8, "width": 24, "steps": 250, "batch": 32, "lr": 5e-3}


def planes(count, seed, channels=1):
    """0.5 + a (x - 1/2) + b (y - 1/2), with a and b from U(-0.4, 0.4) for each channel."""
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE - 0.5
    a, b = rng.uniform(-0.4, 0.4, (2, count, 1, 1, channels))
    images = 0.5 + a * x[..., None] + b * y[..., None]
    return images[..., 0] if channels == 1 else images


def nearest(image, mask):
    i, j = np.nonzero(mask)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    first = ((y[..., None] - i) ** 2 + (x[..., None] - j) ** 2).argmin(axis=-1)
    return image[i[first], j[first]]


def squares(fill, images, masks):
    return np.mean([np.square(fill(image, mask) - image)[~mask].mean() for image, mask in zip(images, masks, strict=True)])


@pytest.mark.parametrize(
    ("settings", "channels"),
    [({"encoder": "set"}, 1), ({"encoder": "grid"}, 3), ({"encoder": "codes", "lr": 2e-2}, 1), ({"encoder": "set", "parts": "biases"}, 1)],
    ids=["set", "grid, colour", "codes", "set, conditional"],
)
def test_held_out_images_are_filled_in_better_than_by_their_mean_and_their_nearest_pixels(settings, channels):
    """Squared errors by those of the nearest pixels, and of the mean: 0.59 and 0.14, 0.60 and 0.12, 0.15 and 0.03, 0.84 and 0.19."""
    model = learn_inpainting(planes(300, 0, channels), Siren(12, 2, omega=2.0), Learning(**{**SMALL, **settings}))
    images, rng = planes(8, 1, channels), np.random.default_rng(2)
    masks = rng.random((8, SIDE, SIDE)) < 0.3
    masks[:, 2, 3] = True
    found = squares(model.fill, images, masks)
    by_mean = squares(lambda image, mask: image[mask].mean(axis=0), images, masks)
    assert found < squares(nearest, images, masks)
    assert found < 0.5 * by_mean


def test_the_same_seed_learns_the_same():
    short = Learning(latent=4, width=8, steps=3, batch=4)
    image, mask = planes(1, 5)[0], np.eye(SIDE, dtype=bool)
    a, b = (learn_inpainting(planes(9, 0), Siren(5, 2), short).fill(image, mask) for _ in range(2))
    assert np.array_equal(a, b)


def test_what_is_unknown_is_not_looked_at_and_may_be_nan():
    model = learn_inpainting(planes(9, 0), Siren(5, 2), Learning("grid", latent=4, width=8, steps=2, batch=4))
    image, mask = planes(1, 5)[0], np.eye(SIDE, dtype=bool)
    assert np.array_equal(model.fill(image, mask), model.fill(np.where(mask, image, np.nan), mask))


def test_a_budget_of_time_ends_the_learning():
    model = learn_inpainting(planes(9, 0), Siren(5, 2), Learning(latent=4, width=8, steps=10**9, batch=4, time=0.2))
    assert all(bool(torch.isfinite(p).all()) for p in model.parameters())


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Learning("tree"), "encoder= takes one of 'set', 'grid', 'codes', got 'tree'"),
        (lambda: Learning(known=(0.5, 0.2)), r"smallest and the largest part .* got \(0.5, 0.2\)"),
        (lambda: Learning(steps=0), "at least one step"),
        (lambda: learn_inpainting(planes(1, 0)), "at least two images of one shape"),
        (lambda: learn_inpainting([np.zeros((4, 4)), np.zeros((4, 5))]), "at least two images of one shape"),
    ],
)
def test_what_cannot_be_learned_is_refused(build, message):
    with pytest.raises(ProblemError, match=message):
        build()


def test_images_of_another_shape_are_refused():
    model = learn_inpainting(planes(9, 0), Siren(5, 2), Learning(latent=4, width=8, steps=1, batch=4))
    with pytest.raises(ProblemError, match=r"images of shape \(6, 6\), got \(5, 6\)"):
        model.fill(np.zeros((5, 6)), np.ones((5, 6), dtype=bool))
