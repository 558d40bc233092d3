"""Sines of what a trained network has learned: the same function at first, a smaller error after, and only where that can be told."""

import math
from dataclasses import replace

import pytest
import torch

from pinnsine import lift
from pinnsine.arguments import Arguments
from pinnsine.attempt import Call, begun
from pinnsine.attempts import answer, iterated
from pinnsine.budget import Clock
from pinnsine.checkpoint import Checkpoints
from pinnsine.estimate import estimate_error
from pinnsine.history import History
from pinnsine.loop import Limits
from pinnsine.nets import MLP, LiftedSines
from pinnsine.optim import Adam
from pinnsine.outcome import Outcome
from pinnsine.policy import attempts
from pinnsine.problem import load_problem
from pinnsine.scaling import field_scales

WIDTH = 120
GAIN = 10.0  # 31 measured: 1.0e-2 before, 3.3e-4 after


@pytest.fixture(scope="module")
def trained():
    """Burgers' equation at nu = 0.03 after 40 iterations of a small network, and the call; the clock has an hour left."""
    problem = load_problem("burgers", nu=0.03)
    call = Call(problem, field_scales(problem), Arguments(memory=2e9), Limits(Clock(3600.0), 40, None, 0.0), (), Checkpoints(None, bytes), None)
    [front] = attempts(problem, call.scales, 2e9)
    found = begun(0, replace(front, net=MLP(10, 2), points=400), call, History(), None)
    return replace(found, outcome=iterated(found, None, call)), call


def error(result, call):
    return answer(replace(result, outcome=Outcome.TIME), call).compare().relative_l2["u"]


def test_it_begins_as_the_function_that_was_trained(trained, monkeypatch):
    monkeypatch.setattr(lift, "WIDTH", WIDTH)
    found, call = lift._begun(*trained), trained[1]
    assert found.attempt.net == LiftedSines(MLP(10, 2), WIDTH)
    x, t = torch.linspace(-1, 1, 31, dtype=torch.float64), torch.linspace(0, 1, 31, dtype=torch.float64)
    both = (trained[0], trained[0].best), (found, found.state.theta)
    before, after = (answer(replace(r, outcome=Outcome.TIME), call, theta=theta).predict(x=x, t=t)["u"] for r, theta in both)
    assert abs(before).max() > 0.3
    assert abs(before - after).max() < 1e-14


def test_least_squares_on_them_lower_the_error(trained, monkeypatch):
    monkeypatch.setattr(lift, "WIDTH", WIDTH)
    result, call = trained
    found = lift.lifted(result, call)
    assert isinstance(found.attempt.net, LiftedSines)
    assert found.state.best_held_out < result.state.best_held_out
    assert found.outcome is result.outcome
    assert found.state.iteration == result.state.iteration
    assert error(found, call) < error(result, call) / GAIN
    assert 0.3 < estimate_error(found.held_out, found.best)["u"] / error(found, call) < 3  # 1.0 measured


def test_what_fits_the_points_and_not_those_held_out_is_left(trained, monkeypatch):
    monkeypatch.setattr(lift, "WIDTH", WIDTH)
    monkeypatch.setattr(lift, "HONEST", 0.0)
    monkeypatch.setattr(lift, "FALLEN", 0.0)
    assert lift.lifted(*trained) is trained[0]


def test_the_time_that_remains_is_used_as_before(trained, monkeypatch):
    monkeypatch.setattr(lift, "WIDTH", WIDTH)
    monkeypatch.setattr(lift, "HONEST", 0.0)
    monkeypatch.setattr(lift, "FALLEN", 0.0)
    result, call = trained
    cut = replace(result, state=result.state.snapshot(), outcome=Outcome.TIME)
    found = lift.lifted(cut, replace(call, limits=replace(call.limits, iterations=43)))
    assert (found.attempt.net, found.state.iteration, found.outcome) == (MLP(10, 2), 43, Outcome.ITERATIONS)


@pytest.mark.parametrize("left", [math.inf, 1.0])
def test_without_a_budget_or_without_time_it_is_not_begun(trained, left):
    result, call = trained
    assert lift.lifted(result, replace(call, limits=replace(call.limits, clock=Clock(left)))) is result


@pytest.mark.parametrize("outcome", [Outcome.INTERRUPTED, Outcome.CALLBACK, Outcome.TARGET])
def test_what_somebody_stopped_is_left(trained, outcome):
    stopped = replace(trained[0], outcome=outcome)
    assert lift.lifted(stopped, trained[1]) is stopped


def test_time_is_kept_for_it_where_a_front_is_all_that_is_tried():
    plans = {n: attempts(p := load_problem(n), field_scales(p), 2e9) for n in ("burgers", "fisher", "heat")}
    assert lift.lift_seconds(plans["burgers"], 120.0) == pytest.approx(lift.SHARE * 120.0)
    assert lift.lift_seconds(plans["burgers"], math.inf) == lift.lift_seconds(plans["burgers"], 60.0) == 0.0
    assert lift.lift_seconds(plans["fisher"], 120.0) == lift.lift_seconds(plans["heat"], 120.0) == 0.0
    assert lift.lift_seconds((replace(plans["burgers"][0], phases=(Adam(10),), lifted=False),), 120.0) == 0.0
