"""Fits of images: the problem, the exact fit in function space, quality and pictures."""

import math

import numpy as np
import pytest

import pinnsine as ps
from pinnsine.fit.picture import render

RNG = np.random.default_rng(0)
NOISE = RNG.random((12, 10))
X, Y = np.meshgrid(np.arange(16) + 0.5, np.arange(12) + 0.5)
WAVE = 0.5 + 0.3 * np.sin(0.4 * X) * np.cos(0.3 * Y)
EXACT = ps.LevenbergMarquardt(factorisation="dual", damping=1e-3, factor=16)
QUICK = {"optimizer": EXACT, "iterations": 25, "progress": False}


@pytest.fixture(scope="module")
def smooth():
    return ps.solve(ps.fit.image(WAVE), net=ps.Siren(24, 3, omega=4.0), **QUICK)


def test_the_loss_is_the_mean_squared_error():
    for values in (NOISE, RNG.random((6, 7, 3))):
        solution = ps.solve(ps.fit.image(values), net=ps.Siren(8, 1), optimizer=ps.Adam(1), iterations=1, progress=False)
        start = ps.solve(ps.fit.image(values), net=ps.Siren(8, 1), optimizer=ps.Adam(1, lr=1e-300), iterations=1, progress=False)
        error = np.square(render(start) - values).mean()
        assert solution.history["loss"][0] == pytest.approx(error, rel=1e-12)


def test_noise_is_fitted_to_rounding_where_parameters_outnumber_pixels():
    pytest.importorskip("skimage")
    """697 parameters for 120 pixels: 9e-33."""
    solution = ps.solve(ps.fit.image(NOISE), net=ps.Siren(24, 2, omega=20.0), **QUICK)
    found = ps.fit.quality(solution, NOISE)
    assert found.mse < 3e-32
    assert found.psnr == pytest.approx(-10 * math.log10(found.mse))
    assert found.ssim == pytest.approx(1.0)
    assert found.parameters_per_pixel == solution.settings["parameters"] / 120


def test_a_smooth_image_is_known_between_its_pixels(smooth):
    pytest.importorskip("skimage")
    """A smooth function is recovered half a pixel off its samples, and so are its derivatives; measured 1.9e-3 and 5.0e-3, and 45.6 dB."""
    x, y = X[:-1, :-1] + 0.5, Y[:-1, :-1] + 0.5
    assert abs(smooth.predict("u", x=x, y=y) - (0.5 + 0.3 * np.sin(0.4 * x) * np.cos(0.3 * y))).max() < 6e-3
    assert abs(render(smooth, expression="u_x") - 0.12 * np.cos(0.4 * X) * np.cos(0.3 * Y)).max() < 1.5e-2
    assert ps.fit.quality(smooth, WAVE).between > 40


def test_rendering_at_the_own_resolution_gives_the_pixels_and_a_zoom_the_part(smooth):
    assert np.allclose(render(smooth), WAVE, atol=1e-6)
    assert render(smooth, (24, 32)).shape == (24, 32)
    part = render(smooth, (3, 4), window=(8, 12, 6, 9))
    assert np.allclose(part, WAVE[6:9, 8:12], atol=1e-6)
    assert np.isfinite(render(smooth, (8, 8), window=(-16, 32, -12, 24))).all()


def test_colour_has_three_fields_and_the_image_its_shape():
    values = RNG.random((6, 7, 3))
    solution = ps.solve(ps.fit.image(values), net=ps.Siren(24, 2, omega=20.0), **QUICK)
    assert solution.problem.names.fields == ("r", "g", "b")
    assert np.allclose(render(solution), values, atol=1e-6)


def test_a_single_pixel_and_a_masked_image_are_fitted():
    pytest.importorskip("skimage")
    single = ps.solve(ps.fit.image(np.array([[0.3]])), net=ps.Siren(4, 1), **QUICK)
    assert render(single) == pytest.approx(0.3, abs=1e-8)
    assert math.isnan(ps.fit.quality(single, np.array([[0.3]])).between)
    known = RNG.random(WAVE.shape) < 0.6
    solution = ps.solve(ps.fit.image(np.where(known, WAVE, np.nan), mask=known), net=ps.Siren(16, 2, omega=3.0), **QUICK)
    assert np.allclose(render(solution)[known], WAVE[known], atol=1e-6)
    assert abs(render(solution) - WAVE).max() < 0.1


def test_a_prior_fills_a_hole_with_the_least_curved_surface():
    """A plane has no curvature: the hole is filled with it, though nothing else is known there; measured 6e-9."""
    plane = 0.1 + 0.05 * X + 0.02 * Y
    known = np.ones(plane.shape, dtype=bool)
    known[4:9, 5:12] = False
    solution = ps.solve(ps.fit.image(plane, mask=known, smooth=1.0), net=ps.Siren(10, 2, omega=2.0), **QUICK)
    assert abs(render(solution) - plane).max() < 2e-8
    with pytest.raises(ps.ProblemError, match="zero or above"):
        ps.fit.image(plane, smooth=-1.0)


def test_a_film_has_a_row_for_every_value_of_every_frame():
    film = RNG.random((3, 4, 5, 3))
    problem = ps.fit.video(film)
    [pixels] = problem.constraints
    assert problem.domain.describe() == "x in [0, 5] x y in [0, 4] x t in [0, 3]"
    where = {n: pixels.on[n].numpy() for n in pixels.on.names}
    k, i, j = ((where[n] - 0.5).astype(int) for n in "tyx")
    for c, name in enumerate("rgb"):
        assert np.array_equal(where[f"value_{name}"], film[k, i, j, c])
    with pytest.raises(ps.ProblemError, match="frames of one shape"):
        ps.fit.video([film[0], film[0, :2]])
    with pytest.raises(ps.ProblemError, match="at least one"):
        ps.fit.video([])


@pytest.mark.parametrize(
    ("mask", "message"),
    [(np.ones((2, 2)), "array of booleans"), (np.ones((3, 2), dtype=bool), r"\(3, 2\)"), (np.zeros((2, 2), dtype=bool), "leaves out every")],
)
def test_a_mask_of_another_kind_is_refused(mask, message):
    with pytest.raises(ps.ProblemError, match=message):
        ps.fit.image(np.zeros((2, 2)), mask=mask)


def test_a_fit_stops_at_a_psnr():
    solution = ps.solve(ps.fit.image(NOISE), net=ps.Siren(24, 2, omega=20.0), callbacks=[ps.fit.stop_at(psnr=50)], **QUICK)
    assert solution.outcome is ps.Outcome.CALLBACK
    assert ps.fit.psnr(render(solution), NOISE) >= 50
    assert (-10 * np.log10(solution.history["loss"]) >= 50).sum() == 1


def test_psnr_is_that_of_its_definition():
    assert ps.fit.psnr(np.full((2, 2), 0.6), np.full((2, 2), 0.5)) == pytest.approx(20.0)
    assert ps.fit.psnr(NOISE + 0.3, NOISE, offset=True) > 300
    assert ps.fit.psnr(NOISE, NOISE) == math.inf
    with pytest.raises(ps.ProblemError, match="one shape"):
        ps.fit.psnr(NOISE, NOISE.T)


def test_mini_batches_of_adam_reach_the_smooth_image():
    pytest.importorskip("skimage")
    """48.5 dB after 150 passes."""
    solution = ps.solve(ps.fit.image(WAVE), net=ps.Siren(24, 2), optimizer=ps.Adam(150, lr=5e-3, batch=32), iterations=150, progress=False)
    assert ps.fit.quality(solution, WAVE).psnr > 39


def test_the_picture_is_drawn(smooth, tmp_path):
    path = ps.fit.plot_image(smooth, tmp_path / "wave.png", WAVE)
    assert path.stat().st_size > 20_000
