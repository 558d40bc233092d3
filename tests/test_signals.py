"""The choice for signals: rows at given points."""

import numpy as np
import pytest
import torch

import pinnsine as ps
from pinnsine import signals
from pinnsine.ansatz import build_ansatz
from pinnsine.nets import BSNN, LocalSines
from pinnsine.optim import Adam, GaussNewton, LevenbergMarquardt
from pinnsine.scaling import field_scales
from pinnsine.signals import EXACT, SHARE, is_signal, octaves_below, samples_along, signal_choice

NOISE = np.random.default_rng(0).random((24, 24))


def test_many_given_points_are_a_signal_and_equations_on_a_region_are_none():
    assert is_signal(ps.fit.image(NOISE))
    assert is_signal(ps.fit.poisson((NOISE, NOISE)))
    assert not is_signal(ps.fit.image(NOISE[:4, :4]))
    assert not is_signal(ps.load_problem("poisson"))


@pytest.mark.parametrize("fields", [1, 3])
def test_few_rows_are_fitted_exactly_with_twice_as_many_parameters(fields):
    problem = ps.fit.image(NOISE if fields == 1 else np.stack([NOISE] * 3, axis=-1))
    scales = field_scales(problem)
    net, [method], reason = signal_choice(problem, scales, linear=True)
    assert isinstance(net, BSNN)
    assert isinstance(method, LevenbergMarquardt)
    assert "Gauss-Newton" in reason
    size = build_ansatz(problem, net, scales, torch.Generator().manual_seed(0)).size
    assert SHARE <= size / (24 * 24 * fields) < 1.1 * SHARE
    assert net.encoding.octaves == 4  # pi/2 ... 4 pi, below half of 12 pi


def test_many_linear_rows_are_solved_for_on_sines_under_windows():
    problem = ps.fit.image(np.zeros((100, 120)) + 0.1)
    assert EXACT < 100 * 120
    scales = field_scales(problem)
    net, [method], reason = signal_choice(problem, scales, linear=True)
    assert net == LocalSines((15, 13), 8)
    assert isinstance(method, GaussNewton)
    assert "sparse least squares" in reason
    size = build_ansatz(problem, net, scales, torch.Generator().manual_seed(0)).size
    assert size == 16 * 14 * 64
    smooth = ps.fit.image(np.zeros((100, 120)) + 0.1, smooth=1.0)
    assert signal_choice(smooth, field_scales(smooth), linear=True)[0] == LocalSines((15, 13), 5)


def test_many_rows_in_space_that_are_not_linear_are_passed_over_in_mini_batches():
    points = np.random.default_rng(0).standard_normal((1200, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    problem = ps.fit.sdf(np.hstack([points, points]), points=1500)
    net, [method], _ = signal_choice(problem, field_scales(problem), linear=False)
    assert isinstance(net, BSNN)
    assert isinstance(method, Adam)
    assert method.batch is not None


def test_scattered_points_are_counted_by_the_sides_of_the_domain():
    points = ps.Points({"x": np.random.default_rng(0).random(800) * 4, "y": np.random.default_rng(1).random(800) * 2})
    assert samples_along(points, ps.Rectangle(x=(0, 4), y=(0, 2))) == pytest.approx((40, 20))


def test_linear_rows_at_all_points_of_a_grid_are_solved_for_on_windows_where_the_network_would_take_minutes():
    """An image of 48 x 48 pixels, 2,304 rows; not where some of the pixels are left out, rows are derivatives or not known to be linear."""
    image = np.random.default_rng(0).random((48, 48))
    whole, exact = ps.fit.image(image), ps.fit.poisson((image, image))
    part = ps.fit.poisson((image, image), stencil="forward", mask=image > 0.05)
    assert isinstance(signal_choice(whole, field_scales(whole), linear=True)[0], LocalSines)
    assert isinstance(signal_choice(whole, field_scales(whole), linear=False)[0], BSNN)
    assert isinstance(signal_choice(part, field_scales(part), linear=True)[0], BSNN)
    assert isinstance(signal_choice(exact, field_scales(exact), linear=True)[0], BSNN)


def test_windows_are_as_fine_as_the_points_of_all_constraints_together():
    """A clone has the target's values outside of a mask and the source's gradients inside: together those of all pixels."""
    image = np.random.default_rng(0).random((48, 40))
    problem = ps.fit.clone(image, image, np.arange(40) > np.full((48, 1), 12))
    net, [method], _ = signal_choice(problem, field_scales(problem), linear=True)
    assert net == LocalSines((5, 6), 8)
    assert isinstance(method, GaussNewton)


def test_an_image_a_sound_and_a_film_are_interpolated(monkeypatch):
    """Measured: 246, 214 and 255 dB."""
    monkeypatch.setattr(signals, "EXACT", 500)
    rng = np.random.default_rng(0)
    image, samples, film = rng.random((24, 32)), rng.random(900) - 0.5, rng.random((8, 12, 12))
    fits = {"image": ps.fit.image(image), "sound": ps.fit.audio(samples, 8000.0), "film": ps.fit.video(list(film))}
    found = {name: ps.solve(problem, time=60, progress=False, estimate=False) for name, problem in fits.items()}
    assert all("sparse least squares" in s.settings["reason"] for s in found.values())
    assert ps.fit.psnr(ps.fit.render(found["image"]), image) > 230
    assert ps.fit.snr(ps.fit.sound(found["sound"], 8000.0)[:, 0], samples) > 200
    assert ps.fit.psnr(ps.fit.film(found["film"]), film) > 240


@pytest.mark.parametrize(("samples", "octaves"), [(1, 1), (2, 1), (4, 2), (64, 6), (65, 6), (127, 6), (128, 7)])
def test_the_highest_octave_stays_below_half_the_nyquist_limit(samples, octaves):
    assert octaves_below(samples) == octaves
    assert samples < 2 or np.pi / 2 * 2 ** (octaves - 1) <= np.pi * samples / 4 * (1 + 1e-9)


def test_an_image_is_fitted_without_a_choice_of_the_user():
    solution = ps.solve(ps.fit.image(NOISE), iterations=20, callbacks=[ps.fit.stop_at(70)], progress=False)
    assert solution.outcome is ps.Outcome.CALLBACK
    assert "signal" in solution.settings["reason"]


def test_sines_under_windows_are_solved_for_whatever_the_number_of_rows():
    solution = ps.solve(ps.fit.image(NOISE), net=LocalSines(3, 8), progress=False, iterations=3, estimate=False)
    assert solution.settings["optimizer"] == "GaussNewton"
    assert ps.fit.psnr(ps.fit.render(solution), NOISE) > 200  # 253
