"""The choice for signals: rows at given points."""

import numpy as np
import pytest

import pinnsine as ps
from pinnsine.ansatz import build_ansatz
from pinnsine.nets import BSNN
from pinnsine.optim import Adam, LevenbergMarquardt
from pinnsine.scaling import field_scales
from pinnsine.signals import EXACT, SHARE, is_signal, octaves_below, signal_choice

NOISE = np.random.default_rng(0).random((24, 24))


def test_many_given_points_are_a_signal_and_equations_on_a_region_are_none():
    assert is_signal(ps.fit.image(NOISE))
    assert is_signal(ps.fit.poisson((NOISE, NOISE)))
    assert not is_signal(ps.fit.image(NOISE[:4, :4]))
    assert not is_signal(ps.load_problem("poisson"))


@pytest.mark.parametrize("fields", [1, 3])
def test_few_rows_are_fitted_exactly_with_twice_as_many_parameters(fields):
    import torch

    problem = ps.fit.image(NOISE if fields == 1 else np.stack([NOISE] * 3, axis=-1))
    scales = field_scales(problem)
    net, [method], reason = signal_choice(problem, scales)
    assert isinstance(net, BSNN)
    assert isinstance(method, LevenbergMarquardt)
    assert "Gauss-Newton" in reason
    size = build_ansatz(problem, net, scales, torch.Generator().manual_seed(0)).size
    assert SHARE <= size / (24 * 24 * fields) < 1.1 * SHARE
    assert net.encoding.octaves == 4  # pi/2 ... 4 pi, below half of 12 pi


def test_many_rows_are_passed_over_in_mini_batches():
    problem = ps.fit.image(np.zeros((100, 100)) + 0.1 * np.eye(100))
    assert EXACT < 100 * 100
    _, [method], _ = signal_choice(problem, field_scales(problem))
    assert isinstance(method, Adam)
    assert method.batch is not None


@pytest.mark.parametrize(("samples", "octaves"), [(1, 1), (2, 1), (4, 2), (64, 6), (65, 6), (127, 6), (128, 7)])
def test_the_highest_octave_stays_below_half_the_nyquist_limit(samples, octaves):
    assert octaves_below(samples) == octaves
    assert samples < 2 or np.pi / 2 * 2 ** (octaves - 1) <= np.pi * samples / 4 * (1 + 1e-9)


def test_an_image_is_fitted_without_a_choice_of_the_user():
    solution = ps.solve(ps.fit.image(NOISE), iterations=20, callbacks=[ps.fit.stop_at(70)], progress=False)
    assert solution.outcome is ps.Outcome.CALLBACK
    assert "signal" in solution.settings["reason"]
