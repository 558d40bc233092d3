"""The Gauss-Newton method: one step where rows are affine, backtracking where they are not, and an honest end."""

import math

import numpy as np
import pytest
import torch
from toys import Toy, linear, logarithm, rosenbrock, smallest_loss, vector

from pinnsine.errors import EvaluationError
from pinnsine.optim import GaussNewton
from pinnsine.optim.step import Progress

METHOD = GaussNewton()


def stepped(function, theta, count=1, method=METHOD):
    steps = []
    for _ in range(count):
        steps.append(method.step(Toy(function), theta, {}))
        theta = steps[-1].theta
    return steps


def test_a_linear_problem_is_solved_in_one_step_from_anywhere():
    matrix = torch.func.jacrev(linear)(vector(0, 0, 0, 0))
    expected = np.linalg.lstsq(matrix.numpy(), -linear(vector(0, 0, 0, 0)).numpy(), rcond=None)[0]
    for start in (vector(0, 0, 0, 0), vector(100, -30, 0, 1e4)):
        [step] = stepped(linear, start)
        assert step.progress is Progress.MOVED
        assert step.evaluations == 2
        torch.testing.assert_close(step.theta, torch.from_numpy(expected), rtol=0, atol=1e-9)
        assert step.loss == pytest.approx(float(linear(step.theta).square().sum()))


@pytest.mark.parametrize(("function", "straight"), [(linear, True), (rosenbrock, False)])
def test_a_step_tells_what_the_linearised_rows_left(function, straight):
    theta = vector(1, 1, 1, 1) if straight else vector(-1.2, 1)
    [step] = stepped(function, theta)
    matrix, rows = torch.func.jacrev(function)(theta).numpy(), function(theta).numpy()
    move = np.linalg.lstsq(matrix, -rows, rcond=None)[0]
    assert step.expected == pytest.approx(float(np.square(rows + matrix @ move).sum()), abs=1e-12)
    assert (step.loss < 2 * step.expected) is straight


def test_a_second_step_finds_nothing_left_and_the_run_ends():
    first, second = stepped(linear, vector(1, 1, 1, 1), 2)
    assert second.progress is Progress.STALLED
    assert second.loss <= first.loss


def test_an_exact_linear_problem_loses_its_rounding_in_the_second_step():
    matrix = torch.vander(torch.linspace(-1, 1, 30, dtype=torch.float64), 12)
    truth = torch.sin(torch.arange(12.0, dtype=torch.float64))
    first, second = stepped(lambda theta: matrix @ (theta - truth), 1e6 * torch.ones(12, dtype=torch.float64), 2)
    assert second.loss <= 1e-2 * first.loss
    assert second.loss <= 1e-26


def test_on_curved_rows_a_step_is_followed_by_chords_with_the_same_factors():
    """Newton's first step leaves the square of its error, and each chord about a twentieth of what is left; measured 4e-25 after one step."""
    matrix = torch.vander(torch.linspace(-1, 1, 9, dtype=torch.float64), 4)

    def rows(theta):
        return matrix @ (theta + 0.02 * theta**2 - 1)

    [step] = stepped(rows, torch.zeros(4, dtype=torch.float64), method=GaussNewton(chords=8))
    assert step.evaluations > 4
    assert step.loss < 1e-23
    assert float(rows(torch.ones(4, dtype=torch.float64)).square().sum()) > 1e-3


def test_a_step_that_overshoots_a_curved_valley_is_shortened():
    steps = stepped(rosenbrock, vector(-1.2, 1.0), 30)
    losses = [float(rosenbrock(vector(-1.2, 1.0)).square().sum()), *(s.loss for s in steps)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 1e-28
    assert any(s.evaluations > 2 for s in steps)


def test_a_step_into_numbers_that_are_not_finite_is_shortened_until_they_are():
    [step] = stepped(logarithm, vector(20.0, -5.0))  # Newton's step for log at 20 leads to -40
    assert step.progress is Progress.MOVED
    assert step.evaluations > 2
    assert math.isfinite(step.loss)
    assert 0 < float(step.theta[0]) < 20


def test_a_minimum_that_is_not_zero_is_reached_and_kept():
    x = torch.linspace(0, 2, 9, dtype=torch.float64)

    def rows(theta):
        return theta[0] * torch.exp(theta[1] * x) - 2 * torch.exp(-1.5 * x) - 0.1 * torch.cos(9 * x)

    *_, last = stepped(rows, vector(1.0, 0.0), 12)
    assert last.progress is Progress.STALLED
    assert last.loss == pytest.approx(smallest_loss(rows, vector(1.0, 0.0)), rel=1e-5)
    for again in stepped(rows, last.theta, 20):
        assert again.progress is Progress.STALLED
        assert again.loss <= last.loss
    torch.testing.assert_close(METHOD.step(Toy(rows), again.theta, {}).theta, again.theta, rtol=0, atol=1e-7)


def test_a_jacobian_that_is_not_finite_stalls_without_moving():
    start = vector(0.0, 1.0)
    step = METHOD.step(Toy(lambda theta: torch.stack([torch.sqrt(theta[0]) - 1, theta[1]])), start, {})
    assert step.progress is Progress.STALLED
    assert torch.equal(step.theta, start)


def test_rows_that_are_not_finite_are_an_error():
    with pytest.raises(EvaluationError, match="rows are not finite"):
        METHOD.step(Toy(torch.log), vector(-1.0), {})


def test_the_damping_of_single_precision_is_that_of_its_rounding():
    asked = []

    class Asked(Toy):
        def gauss_newton(self, theta, damping):
            asked.append(damping)
            return super().gauss_newton(theta, damping)

    for dtype in (torch.float64, torch.float32):
        METHOD.step(Asked(lambda theta: theta - 1), torch.zeros(2, dtype=dtype), {})
    assert asked == [1e-14, 5e-6]


def test_equal_columns_are_no_hindrance_in_either_number_type():
    for dtype, tolerance in ((torch.float64, 1e-6), (torch.float32, 1e-4)):
        x = torch.linspace(-1, 1, 40, dtype=dtype)
        matrix = torch.stack([torch.sin(k * x) for k in (1, 2, 3)], 1).repeat(1, 20)

        def rows(theta, matrix=matrix, x=x):
            return matrix @ theta - torch.exp(x)

        best = np.linalg.lstsq(matrix[:, :3].double().numpy(), np.exp(x.double().numpy()), rcond=None)[1][0]
        *_, last = stepped(rows, torch.zeros(60, dtype=dtype), 2)
        assert last.loss <= best * (1 + tolerance)
