"""A march that stops, between windows or in the midst of one, and goes on is, bit for bit, the march that never stopped."""

import itertools
import math
import random
import time
from dataclasses import replace

import killed_run
import pytest
import torch
from test_checkpoint import assert_equal_runs
from test_kill import child
from test_march import heat
from test_stepping import heat as short_heat
from test_stepping import logistic

import pinnsine as ps
from pinnsine import escalation

QUIET = {"progress": False, "estimate": False}
TRAINED = {"net": ps.Siren(4, 1, omega=2.0), "points": 20, "iterations": 5, **QUIET}


@pytest.fixture(autouse=True)
def every_iteration(monkeypatch):
    """A checkpoint at every iteration and between any two windows."""
    monkeypatch.setattr("pinnsine.checkpoint.INTERVAL", 0.0)
    monkeypatch.setattr("pinnsine.checkpoint.SHARE", math.inf)


def interrupted(number):
    """A callback that is Ctrl-C at its ``number``-th call."""
    calls = itertools.count(1)

    def callback(record):
        if next(calls) == number:
            raise KeyboardInterrupt

    return callback


def test_a_march_in_given_windows_goes_on_in_the_midst_of_one_and_between_two(tmp_path):
    whole = ps.march(heat(hard=False), 2, **TRAINED)
    solved = []
    for number in (3, 3, 3):  # in the first window; at the end of it, as one iteration is made again; in the second
        parts = ps.march(heat(hard=False), 2, **TRAINED, out=tmp_path / "a.h5", resume=True, callbacks=[interrupted(number)])
        assert parts.outcome is ps.Outcome.INTERRUPTED
        solved.append((parts.settings["windows"], parts.history.rows))
    assert solved == [(1, 3), (1, 5), (2, 7)]
    parts = ps.resume(tmp_path / "a.h5", heat(hard=False), **QUIET)
    assert whole.history.rows == 10
    assert whole.settings["edges"] == parts.settings["edges"]
    assert_equal_runs(whole, parts)


def test_every_window_has_a_module_of_its_own_after_it_went_on(tmp_path):
    """A module of the user's own, which a file does not hold: it is given again, to go on and to load."""
    net, options = torch.nn.Sequential(torch.nn.Linear(2, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1)).double(), {**TRAINED, "iterations": 3}
    whole = ps.march(heat(hard=False), 2, **{**options, "net": net})
    ps.march(heat(hard=False), 2, **{**options, "net": net}, out=tmp_path / "a.h5", callbacks=[interrupted(5)])
    parts = ps.march(heat(hard=False), 2, **{**options, "net": net}, out=tmp_path / "a.h5", resume=True)
    assert_equal_runs(whole, parts)
    assert torch.equal(ps.load(tmp_path / "a.h5", problem=heat(hard=False), net=net).ansatz.flat(), whole.ansatz.flat())


def test_windows_that_solve_chose_go_on(tmp_path):
    whole = ps.solve(logistic(), **QUIET)
    assert whole.settings["windows"] == 2
    for number in (1, 2):  # in the first window, in the second
        parts = ps.solve(logistic(), **QUIET, out=tmp_path / "a.h5", resume=True, callbacks=[interrupted(number)])
        assert parts.outcome is ps.Outcome.INTERRUPTED
    assert_equal_runs(whole, ps.resume(tmp_path / "a.h5", logistic(), **QUIET))


def test_a_march_that_ran_out_of_time_goes_on(tmp_path):
    """The window that was cut short is made again."""
    options = {"net": ps.FrozenSines(60, 6.0), **QUIET}
    whole = ps.march(logistic(), **options)
    assert whole.settings["windows"] > 1
    first = ps.march(logistic(), **options, iterations=whole.history.rows - 1, out=tmp_path / "a.h5")
    assert first.outcome is ps.Outcome.ITERATIONS
    assert_equal_runs(whole, ps.march(logistic(), **options, out=tmp_path / "a.h5", resume=True))


def test_another_march_is_refused_with_the_difference(tmp_path):
    out = tmp_path / "a.h5"
    ps.march(heat(hard=False), 2, **{**TRAINED, "iterations": 1}, out=out)
    for change, message in (
        (lambda: ps.march(heat(hard=False), 3, **TRAINED, out=out, resume=True), r"a run with windows=\[0.0, 1.0, 2.0\], and this call has"),
        (lambda: ps.march(heat(hard=False), **TRAINED, out=out, resume=True), "and this call has windows='auto'"),
        (lambda: ps.solve(heat(hard=False), **TRAINED, out=out, resume=True), "and this call has windows=None"),
        (lambda: ps.march(heat(hard=False), 2, **{**TRAINED, "net": ps.Siren(5, 1)}, out=out, resume=True), "a run with net="),
        (lambda: ps.march(logistic(), 2, **TRAINED, out=out, resume=True), "run of another problem: its domain differs"),
    ):
        with pytest.raises(ps.ProblemError, match=message):
            change()


@pytest.mark.slow
def test_what_is_tried_after_a_march_goes_on_as_well(tmp_path, monkeypatch):
    """Frozen sines on the whole domain, windows of time, then training, stopped in each of them."""
    plan = ps.policy.plan

    def short(*arguments):
        frozen, *_, trained = plan(*arguments)
        trained = replace(trained, net=ps.Siren(6, 1), phases=(ps.LevenbergMarquardt(5),), points=100, above=0.0)
        return replace(frozen, net=replace(frozen.net, width=100), points=300), trained

    monkeypatch.setattr(ps.policy, "plan", short)
    monkeypatch.setattr(escalation, "WELL", 0.0)
    monkeypatch.setattr(escalation, "SURE", 0.0)
    options = {"points": 300, "time": "400s", **QUIET}
    whole = ps.solve(short_heat(), **options)
    assert whole.outcome is ps.Outcome.ITERATIONS
    for number in (1, 2, 3, 2, 4, 2, 1):
        ps.solve(short_heat(), **options, out=tmp_path / "a.h5", resume=True, callbacks=[interrupted(number)])
    assert_equal_runs(whole, ps.solve(short_heat(), **options, out=tmp_path / "a.h5", resume=True))


@pytest.mark.slow
def test_a_march_that_is_killed_twenty_times_loses_nothing(tmp_path):
    """SIGKILL after one to four iterations and up to a twentieth of a second, of three windows of twenty-five."""
    whole, out, draw = killed_run.solve("march"), tmp_path / "a.h5", random.Random(3)
    for _ in range(20):
        with child("march", out) as process:
            for _ in range(draw.randint(1, 4)):
                assert process.stdout.readline().strip().isdigit()
            time.sleep(draw.uniform(0, 0.05))
            process.kill()
            assert process.wait(60) == -9
    parts = killed_run.solve("march", out=out, resume=True)
    assert whole.history.rows == 75
    assert_equal_runs(whole, parts)
