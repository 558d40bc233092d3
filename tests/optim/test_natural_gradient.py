"""ENGD-W and SPRING: their directions, batches and step lengths."""

import pytest
import torch
from helpers import gap, rand
from toys import Toy, linear, nonlinear_poisson, poisson, run, vector

from pinnsine.linearised import Linearised
from pinnsine.nets import Siren
from pinnsine.optim import ENGDW, SPRING
from pinnsine.optim.natural_gradient import pulled_back


@pytest.mark.parametrize("shape", [(9, 30), (30, 9)])
def test_the_pulled_back_rows_are_the_same_from_either_side_of_the_identity(shape):
    jacobian, v = rand(*shape, seed=1), rand(shape[0], seed=2)
    expected = jacobian.T @ torch.linalg.solve(jacobian @ jacobian.T + 1e-3 * torch.eye(shape[0], dtype=torch.float64), v)
    for form in ("cholesky", "dual", "qr", "auto"):
        assert gap(pulled_back(Linearised.dense(v, jacobian, form), v, 1e-3), expected) <= 1e-10


def test_damping_is_raised_until_the_kernel_can_be_factorised():
    jacobian = torch.ones(5, 8, dtype=torch.float64)
    found = pulled_back(Linearised.dense(jacobian[:, 0], jacobian, "dual"), jacobian[:, 0], 1e-300)
    assert gap(found, torch.full((8,), 1 / 8, dtype=torch.float64)) <= 1e-8
    endless = Linearised.dense(jacobian[:, 0], jacobian * float("inf"), "dual")
    assert pulled_back(endless, jacobian[:, 0], 1e-10) is None


def test_energy_natural_gradient_solves_a_linear_problem_in_one_step():
    start = torch.zeros(4, dtype=torch.float64)
    theta, _, _ = run(ENGDW(damping=1e-14), Toy(linear), start, 1)
    x = torch.linspace(-1, 1, 12, dtype=torch.float64)
    best = torch.linalg.lstsq(torch.vander(x, 4), torch.sin(x)[:, None]).solution[:, 0]
    assert gap(theta, best) <= 1e-10


def test_spring_follows_its_equations():
    """The second step from the first, by the formula with matrices."""
    method = SPRING(rate=0.1, momentum=0.8, damping=1e-3, length=100.0)
    objective, start = poisson()
    first = method.step(objective, start, method.start(objective, start))
    second = method.step(objective, first.theta, first.state)
    rows, jacobian = objective.jacobian(first.theta)
    phi = first.state["direction"]
    kernel = jacobian @ jacobian.T + 1e-3 * torch.eye(len(rows), dtype=torch.float64)
    expected = jacobian.T @ torch.linalg.solve(kernel, rows - 0.8 * jacobian @ phi) + 0.8 * phi
    assert gap(second.state["direction"], expected) <= 1e-9
    assert gap(first.theta - second.theta, 0.1 * expected / (1 - 0.8**4) ** 0.5) <= 1e-9
    short = SPRING(rate=1.0, length=0.01)
    assert float((short.step(objective, start, short.start(objective, start)).theta - start).norm()) == pytest.approx(0.01)


def test_spring_without_momentum_is_natural_gradient_descent():
    objective, start = poisson()
    spring = SPRING(rate=1.0, momentum=0.0, damping=1e-6, length=1e9)
    step = spring.step(objective, start, spring.start(objective, start))
    model = objective.linearise(start, "dual")
    assert gap(start - step.theta, pulled_back(model, model.rows, 1e-6)) <= 1e-10


@pytest.mark.parametrize("method", [ENGDW(batch=30), SPRING(batch=30)])
def test_batches_change_from_step_to_step_and_repeat_from_run_to_run(method):
    objective, start = nonlinear_poisson(60, Siren(12, 2))
    first, losses, _ = run(method, objective, start, 5)
    second, again, _ = run(method, objective, start, 5)
    assert torch.equal(first, second)
    assert losses == again
    whole, _, _ = run(type(method)(), objective, start, 5)
    assert not torch.equal(first, whole)


def test_momentum_remembers_what_a_batch_does_not_see():
    """Rows of a linear problem one at a time: the minimum of the batches' noise lies lower with memory."""
    matrix, target = rand(40, 20, seed=1), rand(20, seed=2)
    toy = Toy(lambda theta: matrix @ (theta - target))
    start = torch.zeros(20, dtype=torch.float64)
    errors = [float((run(SPRING(rate=0.3, momentum=m, length=10.0, batch=4), toy, start, 150)[0] - target).norm()) for m in (0.0, 0.8)]
    assert errors[1] < errors[0]


def test_a_toy_of_one_row_is_solved():
    toy = Toy(lambda theta: (theta.sum() - 1).reshape(1))
    theta, _, _ = run(ENGDW(), toy, vector(0.0, 0.0, 0.0), 3)
    assert gap(theta, torch.full((3,), 1 / 3, dtype=torch.float64)) <= 1e-6
