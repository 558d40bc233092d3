"""The loop alone, on methods and a monitor made for the purpose: when it looks, what it keeps, and why it ends."""

import itertools
import math
from types import SimpleNamespace

import pytest
import torch

from pinnsine.errors import EvaluationError
from pinnsine.loop import MONITOR, PATIENCE, Limits
from pinnsine.loop import run as run_keeping
from pinnsine.optim.step import Progress, Step
from pinnsine.outcome import Outcome
from pinnsine.state import Look, State


class Method:
    """theta -> theta / 2, or whatever ``script`` says iteration by iteration."""

    uses, gathers_curvature = "residual", False

    def __init__(self, iterations=None, script=()):
        self.iterations, self.script, self.starts = iterations, iter(script), []

    def start(self, objective, theta):
        self.starts.append(float(theta))
        return {}

    def step(self, objective, theta, state):
        told = next(self.script, Progress.MOVED)
        if isinstance(told, BaseException):
            raise told
        return Step(theta / 2, float(theta / 2) ** 2, {}, told, 3)


class Monitor:
    """The held-out loss is a function of the iteration, by default that of the parameters squared."""

    def __init__(self, loss=None):
        self.loss, self.looks = loss, []

    def look(self, state):
        self.looks.append(state.iteration)
        held_out = self.loss(state.iteration) if self.loss else float(state.theta) ** 2
        state.seen = Look(state.iteration, held_out, {}, math.nan)
        state.stale = 0 if held_out < 0.95 * state.best_held_out else state.stale + 1
        if held_out < state.best_held_out:
            state.best, state.best_held_out = state.theta, held_out

    def reached(self, state, target):
        return state.seen.iteration == state.iteration and state.best_held_out <= target


def run(*arguments, keep=lambda state: None):
    return run_keeping(*arguments, keep)


def fresh(iteration=0):
    return State(torch.tensor(1.0, dtype=torch.float64), None, torch.Generator(), since=iteration, iteration=iteration)


def limits(iterations=math.inf, target=None, left=lambda: math.inf, reserve=0.0):
    """Limits with a clock that shows ``left()``."""
    clock = type("Clock", (), {"left": property(lambda self: left()), "elapsed": 0.0})()
    return Limits(clock, iterations, target, reserve)


def test_it_looks_at_the_start_every_few_iterations_and_at_the_last():
    monitor = Monitor()
    assert run(fresh(), [Method()], False, limits(iterations=12), monitor, []) is Outcome.ITERATIONS
    assert monitor.looks == [0, MONITOR, 2 * MONITOR, 12]


def test_the_best_by_held_out_rows_is_kept_not_the_last():
    state = fresh()
    run(state, [Method()], False, limits(iterations=30), Monitor(lambda i: abs(i - 10) + 1.0), [])
    assert float(state.best) == 2.0**-10
    assert state.best_held_out == 1.0
    assert float(state.theta) == 2.0**-30
    assert state.evaluations == 90


def test_patience_ends_a_run_without_gain():
    state = fresh()
    assert run(state, [Method()], False, limits(), Monitor(lambda i: 1.0), []) is Outcome.CONVERGED
    assert state.iteration == MONITOR * PATIENCE


def test_a_patient_method_goes_on_without_gain():
    method, state = Method(iterations=100), fresh()
    method.patient = True
    assert run(state, [method], False, limits(), Monitor(lambda i: 1.0), []) is Outcome.ITERATIONS
    assert state.iteration == 100


def test_a_stalled_step_is_looked_at_and_ends_a_run():
    monitor, state = Monitor(), fresh()
    assert run(state, [Method(script=[Progress.MOVED, Progress.STALLED])], False, limits(), monitor, []) is Outcome.CONVERGED
    assert monitor.looks == [0, 2]


def test_phases_start_from_the_best_of_those_before():
    first, second = Method(iterations=10), Method(iterations=5)
    state = fresh()
    run(state, [first, second], False, limits(), Monitor(lambda i: abs(i - 5) + 1.0), [])
    assert first.starts == [1.0]
    assert second.starts == [2.0**-5]
    assert state.iteration == 15


def test_the_limit_of_iterations_holds_for_all_phases_and_attempts_together():
    state = fresh(iteration=20)  # of an attempt before
    assert run(state, [Method(4), Method(4), Method(4)], False, limits(iterations=26), Monitor(), []) is Outcome.ITERATIONS
    assert state.iteration == 26
    assert state.history["iteration"].tolist() == [21, 22, 23, 24, 25, 26]
    assert run(state, [Method()], False, limits(iterations=26), Monitor(), []) is Outcome.ITERATIONS
    assert state.iteration == 26


def test_the_reserve_is_left_when_the_time_is_up():
    state = fresh()
    ending = limits(left=lambda: 11.0 - state.iteration, reserve=8.0)
    assert run(state, [Method(), Method()], False, ending, Monitor(), []) is Outcome.TIME
    assert state.iteration == 3
    assert ending.left() <= 0
    assert limits(left=lambda: 8.01, reserve=8.0).left() > 0


def test_a_target_ends_a_run_at_the_look_that_finds_it_reached():
    state = fresh()
    assert run(state, [Method()], False, limits(target=1e-4), Monitor(), []) is Outcome.TARGET
    assert state.iteration == 2 * MONITOR


def test_a_callback_gets_a_record_of_each_iteration_and_may_end_the_run():
    records = []

    def callback(record):
        records.append(record)
        return record["iteration"] == 7

    assert run(fresh(), [Method()], False, limits(), Monitor(), [callback]) is Outcome.CALLBACK
    assert [r["iteration"] for r in records] == list(range(1, 8))
    assert {r["phase"] for r in records} == {"Method"}
    assert all(b["loss"] < a["loss"] for a, b in itertools.pairwise(records))


@pytest.mark.parametrize(("told", "outcome"), [(KeyboardInterrupt(), Outcome.INTERRUPTED), (EvaluationError("inf"), Outcome.BROKEN)])
def test_what_was_found_before_an_interruption_is_kept(told, outcome):
    state = fresh()
    script = [Progress.MOVED] * 6 + [told]
    assert run(state, [Method(script=script)], False, limits(), Monitor(), []) is outcome
    assert float(state.best) == 2.0**-5


def test_numbers_that_are_not_finite_from_the_start_are_an_error():
    with pytest.raises(EvaluationError, match="starting network is not finite"):
        run(fresh(), [Method()], False, limits(), Monitor(lambda i: math.nan), [])
    with pytest.raises(EvaluationError, match="inf"):
        run(fresh(iteration=20), [Method(script=[EvaluationError("inf")])], False, limits(), Monitor(), [])


def test_a_broken_step_ends_the_run():
    assert run(fresh(), [Method(script=[Progress.BROKEN]), Method()], False, limits(), Monitor(), []) is Outcome.BROKEN


def test_adaptive_points_are_drawn_anew_every_few_iterations_and_where_a_step_stalls(monkeypatch):
    drawn = []
    monkeypatch.setattr("pinnsine.loop.resample", lambda objective, theta, generator: drawn.append(state.iteration) or SimpleNamespace())
    state, script = fresh(), [Progress.MOVED] * 12 + [Progress.STALLED]
    assert run(state, [Method(script=script)], True, limits(iterations=21), Monitor(), []) is Outcome.ITERATIONS
    assert drawn == [10, 13, 20]


@pytest.mark.parametrize(("uses", "iterations"), [("residual", 3), ("gradient", 4)])
def test_no_iteration_is_begun_that_would_end_late_if_it_took_as_long_as_the_last(uses, iterations):
    """Ten seconds each of thirty-five; those of first-order methods are short, but for the first, in which they may be compiled."""
    state, method = fresh(), Method()
    method.uses = uses
    assert run(state, [method], False, limits(left=lambda: 35.0 - 10.0 * state.iteration), Monitor(), []) is Outcome.TIME
    assert state.iteration == iterations
