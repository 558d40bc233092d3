"""Attempts: whether more frozen sines are worth their time."""

import math
from types import SimpleNamespace

import pytest
import torch

from pinnsine.attempts import ROUNDS, SHARE_OF_MORE, _gain, _worthwhile, iterated
from pinnsine.loop import Limits
from pinnsine.nets import FrozenSines, Siren
from pinnsine.optim import GaussNewton, LevenbergMarquardt
from pinnsine.policy import TRAINABLE, Attempt
from pinnsine.state import Result, State

CORNERS = ((0.0, 0.0, 1.0, 1.0, 0.0, 1.6),)
TRAINED = Attempt(Siren(20, 3), (LevenbergMarquardt(),), "sobol", "trained", above=TRAINABLE)
TRIAL = 2.0  # seconds


@pytest.fixture(autouse=True)
def no_unknowns(monkeypatch):
    monkeypatch.setattr("pinnsine.attempts.error_seconds", lambda objective, theta: 0.0)


def frozen(width, corners=(), **options):
    return Attempt(FrozenSines(width, corners=corners), (GaussNewton(),), "sobol", "frozen", **options)


def result(attempt, loss, gain=0.0):
    state = State(torch.zeros(1), SimpleNamespace(whole=None), torch.Generator(), best_held_out=loss)
    return Result(0, attempt, None, state, None, TRIAL, gain)


def limits(left):
    clock = SimpleNamespace(left=left, budget=left, elapsed=0.0)
    return Limits(clock, math.inf, None, 0.0)


MUCH = ROUNDS * 8 * TRIAL / SHARE_OF_MORE  # the time left of which twice the sines take just so much


@pytest.mark.parametrize(
    ("gain", "loss", "left", "worth"),
    [
        (0.2, 1e-5, 0.9 * MUCH, False),
        (0.2, 1e-5, 1.1 * MUCH, True),
        (0.2, 1e-5, math.inf, True),
        (1e-2, 1e-5, 0.9 * MUCH, True),
        (0.2, 1e-8, 0.9 * MUCH, True),
        (0.0, 1e-5, 0.9 * MUCH, True),
    ],
    ids=["slow and dear", "cheap", "no limit", "fast", "near", "nothing known"],
)
def test_more_sines_that_are_not_expected_to_come_near_leave_the_time_to_training(gain, loss, left, worth):
    before = result(frozen(700), loss, gain)
    assert _worthwhile([frozen(1400), TRAINED], before, limits(left)) is worth


@pytest.mark.parametrize("later", [[], [frozen(2800)], [Attempt(**{**vars(TRAINED), "below": 1e-6})]], ids=["none", "frozen", "another loss"])
def test_where_nothing_is_trained_after_them_they_take_what_time_there_is(later):
    before = result(frozen(700), 1e-5, gain=0.5)
    assert _worthwhile([frozen(1400), *later], before, limits(0.9 * MUCH))
    assert not _worthwhile([frozen(1400), *later], before, limits(0.9 * 8 * TRIAL))


def test_while_another_is_tried_time_is_kept_for_the_errors_of_the_best(monkeypatch):
    """Those of thousands of frozen sines may take long, and training that fails must not use it up."""
    seen = []
    monkeypatch.setattr("pinnsine.attempts.error_seconds", lambda objective, theta: 5.0 * len(theta))
    monkeypatch.setattr("pinnsine.attempts.Monitor", lambda *arguments: None)
    monkeypatch.setattr("pinnsine.attempts.run", lambda state, phases, adaptive, limits, *rest: seen.append(limits.reserve))
    best, current = result(frozen(700), 1e-5), result(TRAINED, math.inf)
    best.state.theta = torch.zeros(3)
    call = SimpleNamespace(problem=None, limits=limits(100.0), callbacks=(), checkpoints=SimpleNamespace(keeper=lambda *results: None))
    for before in (best, None):
        iterated(current, before, call)
    assert seen == [15.0, 5.0]


def test_an_attempt_is_for_some_losses_alone():
    assert not _worthwhile([frozen(1400, above=1e-4), TRAINED], result(frozen(700), 1e-5), limits(math.inf))
    assert not _worthwhile([frozen(1400, below=1e-6), TRAINED], result(frozen(700), 1e-5), limits(math.inf))
    assert _worthwhile([TRAINED], result(frozen(700), 1e-5, gain=0.9), limits(1.0))


def test_the_gain_is_that_of_more_sines_of_the_same_kind():
    few = result(frozen(350), 1e-3)
    assert _gain(few, result(frozen(700), 1e-5)) == pytest.approx(1e-2)
    assert _gain(few, result(frozen(700), 2e-3)) == pytest.approx(2.0)
    assert _gain(None, few) == 0.0
    assert _gain(few, result(frozen(700, CORNERS), 1e-5)) == 0.0
    assert _gain(few, result(TRAINED, 1e-5)) == 0.0
