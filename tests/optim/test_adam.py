"""Adam in mini-batches: passes over all rows."""

import itertools
import math

import pytest
import torch
from helpers import bound, gap
from optim.toys import Toy

from pinnsine.constraint import Data, Dirichlet, Residual
from pinnsine.domain import Rectangle
from pinnsine.optim import Adam
from pinnsine.points import Points
from pinnsine.problem import Problem

SQUARE = Rectangle(x=(0, 1), y=(0, 1))


def objective(count=50):
    def problem():
        wall = Dirichlet("wall", u=0.0, on=SQUARE.side(x=0))
        return Problem(SQUARE, "u", [Residual("pde", lambda s: s.u_xx + s.u_yy - s.x), wall])

    bound_objective, theta = bound(problem(), count=count)
    return bound_objective, theta


@pytest.mark.parametrize("count", [1, 7, 30, 99, 100, 1000])
def test_the_batches_of_a_pass_hold_every_point_once(count):
    whole, _ = objective()
    parts = whole.batches(count, seed=3)
    assert len(parts) == math.ceil(100 / count)
    for name, points in whole.points.items():
        if len(parts) > len(points):
            assert all(part.points[name] is points for part in parts)
            continue
        columns = torch.cat([part.points[name].matrix(("x", "y")) for part in parts])
        assert torch.equal(columns.unique(dim=0), points.matrix(("x", "y")).unique(dim=0))
        assert len(columns) == len(points)
        assert max(part.count for part in parts) <= count + 2 or count < 2


def test_the_losses_of_equal_batches_have_the_mean_of_the_whole():
    whole, theta = objective()
    parts = whole.batches(20, seed=1)
    assert sum(part.loss(theta) for part in parts) / len(parts) == pytest.approx(whole.loss(theta), rel=1e-13)
    gradient = sum(part.loss_and_gradient(theta)[1] for part in parts) / len(parts)
    assert gap(gradient, whole.loss_and_gradient(theta)[1]) <= 1e-12


def test_the_order_is_that_of_the_seed():
    whole, theta = objective()
    first, again, other = (whole.batches(20, seed=seed)[0].loss(theta) for seed in (1, 1, 2))
    assert first == again != other


def test_a_pass_takes_a_step_for_every_batch():
    whole, theta = objective()
    method = Adam(batch=10)
    step = method.step(whole, theta, method.start(whole, theta))
    assert step.evaluations == step.state["count"] == 10
    assert step.state["passes"] == 1
    by_hand, memory = theta, {"mean": torch.zeros_like(theta), "square": torch.zeros_like(theta), "count": 0}
    for part in whole.batches(10, seed=0):
        by_hand = by_hand - 1e-3 * method.direction(whole, part.loss_and_gradient(by_hand)[1], memory)
    assert torch.equal(step.theta, by_hand)


def test_without_batches_the_first_step_has_the_length_of_the_rate():
    """m / sqrt(v) is the sign of the gradient in the first step."""
    toy, theta = Toy(lambda t: t * torch.tensor([1.0, -3.0], dtype=torch.float64)), torch.ones(2, dtype=torch.float64)
    method = Adam(lr=0.1)
    step = method.step(toy, theta, method.start(toy, theta))
    assert gap(theta - step.theta, torch.full((2,), 0.1, dtype=torch.float64)) <= 1e-10
    assert step.loss == 10.0


def test_the_rate_is_halved_where_the_loss_stands_still():
    problem = Problem(SQUARE, "u", [Data("noise", Points({"x": [0.5, 0.5], "y": [0.5, 0.5], "v": [-1.0, 1.0]}), u="v")])
    whole, theta = bound(problem)
    method, rates = Adam(batch=2, lr=1e-2, patience=3), []
    state = method.start(whole, theta)
    for _ in range(300):
        step = method.step(whole, theta, state)
        theta, state = step.theta, step.state
        rates.append(state["rate"])
    assert rates[0] == 1.0
    assert rates[-1] < 0.1
    assert all(b in (a, a / 2) for a, b in itertools.pairwise(rates))


def test_with_a_number_of_passes_the_rate_falls_by_a_cosine():
    method = Adam(iterations=4, batch=2)
    assert method._rate({"passes": 4, "rate": 1.0}) == pytest.approx(1e-2 * method.lr)
    assert method._rate({"passes": 2, "rate": 1.0}) == pytest.approx(0.505 * method.lr)
