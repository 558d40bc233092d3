"""Sines of what a trained network has learned: the same function at first, a smaller error after, and only where that can be told."""

import math
from dataclasses import replace

import pytest
import torch

from pinnsine import lift
from pinnsine.arguments import Arguments
from pinnsine.attempt import Call, begun
from pinnsine.attempts import SHARE, answer, iterated, lift_seconds
from pinnsine.budget import Clock
from pinnsine.checkpoint import Checkpoints
from pinnsine.estimate import estimate_error
from pinnsine.history import History
from pinnsine.loop import Limits
from pinnsine.nets import MLP, LiftedSines
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
    assert 0.3 < estimate_error(found.held_out, found.best).fields["u"] / error(found, call) < 3  # 1.0 measured


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


@pytest.mark.parametrize(("name", "fronts"), [("burgers", 1), ("inverse_burgers", 1), ("heat", 0)])
def test_time_is_kept_for_it_by_the_attempts_on_fronts_alone(name, fronts):
    problem = load_problem(name)
    plan = attempts(problem, field_scales(problem), 2e9)
    kept = [lift_seconds(a, 120.0) for a in plan]
    assert kept == [0.0] * (len(plan) - fronts) + [pytest.approx(SHARE * 120.0)] * fronts
    assert all(lift_seconds(a, math.inf) == lift_seconds(a, 60.0) == 0.0 for a in plan)


def inverse(noise, iterations):
    """The inverse problem at nu = 0.05 with 300 noisy measurements, after iterations of a small network, and the call."""
    problem = load_problem("inverse_burgers", nu=0.05, samples=300)
    [data] = [c for c in problem.constraints if c.name == "samples"]
    data.on.columns["measured"] += noise * torch.randn(300, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    limits = Limits(Clock(3600.0), iterations, None, 0.0)
    call = Call(problem, field_scales(problem), Arguments(memory=2e9), limits, (), Checkpoints(None, bytes), None)
    front = replace(attempts(problem, call.scales, 2e9)[-1], net=MLP(10, 2), points=400)
    found = begun(0, front, call, History(), None)
    return replace(found, outcome=iterated(found, None, call)), call


def missed(result):
    """The largest relative error of the unknown numbers."""
    found = result.ansatz.unknown_values(result.best)
    return max(abs(found["nu"] / 0.05 - 1), abs(found["convection"] - 1))


def test_measurements_are_held_out_and_unknown_numbers_carried_along(monkeypatch):
    monkeypatch.setattr(lift, "WIDTH", WIDTH)
    result, call = inverse(0.0, 2)
    found = lift._begun(result, call)
    assert found.ansatz.unknown_values(found.state.theta) == result.ansatz.unknown_values(result.best)
    fitted, held_out = (o.points["samples"] for o in (found.state.objective, found.held_out))
    assert (len(fitted), len(held_out)) == (240, 60)
    assert len(torch.cat([fitted.matrix(("x", "t")), held_out.matrix(("x", "t"))]).unique(dim=0)) == 300
    assert found.attempt.net.width == WIDTH * 3 // 2  # no conditions share the points
    assert len(found.state.objective.points["burgers"]) == 8 * WIDTH


@pytest.mark.slow
@pytest.mark.parametrize(("noise", "gain"), [(0.0, 70.0), (0.01, None)])
def test_unknown_numbers_gain_and_noise_is_not_followed(noise, gain, monkeypatch):
    monkeypatch.setattr(lift, "WIDTH", 400)
    result, call = inverse(noise, 80)
    found = lift.lifted(result, call)
    if gain is None:
        assert found is result
    else:
        assert isinstance(found.attempt.net, LiftedSines)
        assert missed(found) < missed(result) / gain
