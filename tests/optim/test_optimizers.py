"""Every method against every toy: what any optimizer must do, and the rates that theory gives."""

import itertools

import pytest
import torch

from pinnsine.errors import ProblemError
from pinnsine.least_squares import least_squares
from pinnsine.linearised import Linearised, require_finite
from pinnsine.optim import LBFGS, OPTIMIZERS, Adam, GaussNewton, LevenbergMarquardt
from pinnsine.optim.step import Progress


class Toy:
    """An objective |rows(theta)|^2 with as much interface as an optimizer may see."""

    def __init__(self, function):
        self.function = function

    def rows(self, theta):
        return self.function(theta)

    def loss_and_gradient(self, theta):
        theta = theta.detach().requires_grad_()
        loss = self.function(theta).square().sum()
        return float(loss.detach()), torch.autograd.grad(loss, theta)[0]

    def linearise(self, theta):
        return Linearised.dense(self.function(theta), torch.func.jacrev(self.function)(theta))

    def gauss_newton(self, theta, damping):
        rows = self.function(theta)
        require_finite(rows)
        return rows, least_squares(torch.func.jacrev(self.function)(theta), -rows, damping, -theta)


def linear(theta):
    matrix = torch.vander(torch.linspace(-1, 1, 12, dtype=torch.float64), 4)
    return matrix @ theta - torch.sin(torch.linspace(-1, 1, 12, dtype=torch.float64))


def rosenbrock(theta):
    return torch.stack([10 * (theta[1] - theta[0] ** 2), 1 - theta[0]])


def rank_deficient(theta):
    return torch.stack([theta[0] + theta[1] - 1, 2 * (theta[0] + theta[1] - 1), theta[2] - 2])


def domain_of_logarithm(theta):
    return torch.stack([torch.log(theta[0]), theta[1] - 1])


TOYS = {
    "linear least squares": (linear, torch.zeros(4, dtype=torch.float64)),
    "Rosenbrock": (rosenbrock, torch.tensor([-1.2, 1.0], dtype=torch.float64)),
    "rank-deficient Jacobian": (rank_deficient, torch.zeros(3, dtype=torch.float64)),
}
METHODS = {
    "lm": (LevenbergMarquardt(), 60),
    "lm without geodesic": (LevenbergMarquardt(geodesic=False), 60),
    "gn": (GaussNewton(), 60),
    "lbfgs": (LBFGS(), 200),
    "adam": (Adam(3_000, lr=0.1), 3_000),
}


def run(method, objective, theta, iterations):
    state, losses = method.start(objective, theta), []
    for _ in range(iterations):
        step = method.step(objective, theta, state)
        theta, state = step.theta, step.state
        losses.append(step.loss)
        if step.progress is not Progress.MOVED:
            break
    return theta, losses, step.progress


def smallest_loss(function, start):
    """The minimum found by scipy's own least squares."""
    from scipy.optimize import least_squares

    return 2 * least_squares(lambda x: function(torch.as_tensor(x)).numpy(), start.numpy(), xtol=1e-15, ftol=1e-15, gtol=1e-15).cost


@pytest.mark.parametrize("toy", TOYS)
@pytest.mark.parametrize("name", METHODS)
def test_every_method_reaches_the_minimum_of_every_toy(name, toy):
    method, iterations = METHODS[name]
    function, start = TOYS[toy]
    theta, _, _ = run(method, Toy(function), start, iterations)
    assert float(function(theta).square().sum()) <= smallest_loss(function, start) + 1e-9


@pytest.mark.parametrize("name", ["lm", "lm without geodesic", "gn", "lbfgs"])
def test_the_loss_never_rises(name):
    method, iterations = METHODS[name]
    _, losses, _ = run(method, Toy(rosenbrock), TOYS["Rosenbrock"][1], iterations)
    assert all(b <= a for a, b in itertools.pairwise(losses))


def exponential_fit(theta):
    x = torch.linspace(0, 2, 9, dtype=torch.float64)
    return theta[0] * torch.exp(theta[1] * x) - 2 * torch.exp(-1.5 * x)


@pytest.mark.parametrize("method", [LevenbergMarquardt(geodesic=False), GaussNewton()], ids=["lm", "gn"])
def test_gauss_newton_methods_converge_quadratically_where_the_residual_vanishes(method):
    start = torch.tensor([1.0, 0.0], dtype=torch.float64)
    _, losses, _ = run(method, Toy(exponential_fit), start, 20)
    errors = [loss**0.5 for loss in losses if 1e-13 < loss**0.5 < 0.1]
    assert len(errors) >= 3
    assert all(b <= a**1.6 for a, b in itertools.pairwise(errors))


def test_a_logarithm_of_a_negative_number_at_a_trial_step_is_survived():
    start = torch.tensor([20.0, -5.0], dtype=torch.float64)
    for method in (LevenbergMarquardt(), GaussNewton(), LBFGS()):
        theta, _, _ = run(method, Toy(domain_of_logarithm), start, 100)
        torch.testing.assert_close(theta, torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-5)


def test_a_zero_residual_stalls_without_harm():
    theta = torch.ones(2, dtype=torch.float64)
    for method in (LevenbergMarquardt(), GaussNewton(), LBFGS()):
        found, _, progress = run(method, Toy(rosenbrock), theta, 3)
        assert progress is Progress.STALLED
        assert torch.equal(found, theta)


def test_numbers_that_are_not_finite_end_a_gradient_method():
    broken = Toy(lambda theta: theta * float("nan"))
    assert run(Adam(), broken, torch.ones(2), 2)[2] is Progress.BROKEN
    assert run(LBFGS(), broken, torch.ones(2), 2)[2] is Progress.BROKEN


def test_geodesic_acceleration_saves_iterations_in_a_curved_valley():
    counts = []
    for geodesic in (True, False):
        _, losses, _ = run(LevenbergMarquardt(geodesic=geodesic), Toy(rosenbrock), TOYS["Rosenbrock"][1], 60)
        counts.append(next(i for i, loss in enumerate(losses) if loss < 1e-12))
    assert counts[0] <= counts[1]


@pytest.mark.parametrize(
    "make",
    [
        lambda: LevenbergMarquardt(ratio=2),
        lambda: GaussNewton(damping=0),
        lambda: GaussNewton(damping=1),
        lambda: Adam(lr=0),
        lambda: LBFGS(memory=0),
    ],
)
def test_impossible_settings_are_refused(make):
    with pytest.raises(ProblemError, match="needs"):
        make()


def test_every_registered_method_says_what_it_uses():
    assert {m.uses for m in OPTIMIZERS.values()} == {"residual", "gradient"}
