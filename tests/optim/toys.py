"""Small objectives with as much interface as an optimizer may see, and a loop without monitor or budget."""

import math

import torch
from helpers import bound

from pinnsine.calculus import laplacian
from pinnsine.constraint import Dirichlet, Residual
from pinnsine.domain import Interval, Rectangle
from pinnsine.least_squares import GaussNewtonStep
from pinnsine.linearised import Linearised, require_finite
from pinnsine.nets import Siren
from pinnsine.optim.step import Progress
from pinnsine.problem import Problem


class Toy:
    """|rows(theta)|^2 for a function theta (P,) -> rows (R,)."""

    least = None

    def __init__(self, function):
        self.function = function

    def rows(self, theta):
        return self.function(theta)

    def loss(self, theta):
        return float(self.function(theta).square().sum())

    def loss_and_gradient(self, theta):
        theta = theta.detach().requires_grad_()
        loss = self.function(theta).square().sum()
        return float(loss.detach()), torch.autograd.grad(loss, theta)[0]

    def views(self, theta):
        return {"theta": theta}

    def linearise(self, theta, form="cholesky", scaled=False):
        return Linearised.dense(self.function(theta), torch.func.jacrev(self.function)(theta), form, scaled)

    def gauss_newton(self, theta, damping):
        rows, jacobian = self.function(theta), torch.func.jacrev(self.function)(theta)
        require_finite(rows)
        return GaussNewtonStep.of(rows, jacobian, theta, damping)

    def batch(self, count, seed):
        def some(theta):
            rows = self.function(theta)
            return rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))[:count]] * math.sqrt(len(rows) / count)

        return self if count is None else Toy(some)


def vector(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def linear(theta):
    x = torch.linspace(-1, 1, 12, dtype=torch.float64)
    return torch.vander(x, 4) @ theta - torch.sin(x)


def rosenbrock(theta):
    return torch.stack([10 * (theta[1] - theta[0] ** 2), 1 - theta[0]])


def rank_deficient(theta):
    return torch.stack([theta[0] + theta[1] - 1, 2 * (theta[0] + theta[1] - 1), theta[2] - 2])


def logarithm(theta):
    """Not a number left of zero, where a full Gauss-Newton step from (20, -5) leads."""
    return torch.stack([torch.log(theta[0]), theta[1] - 1])


def saddle(theta):
    """The gradient of (x y - 1)^2 vanishes at the origin, and so does the Jacobian."""
    return (theta[0] * theta[1] - 1).reshape(1)


def exponential_fit(theta):
    x = torch.linspace(0, 2, 9, dtype=torch.float64)
    return theta[0] * torch.exp(theta[1] * x) - 2 * torch.exp(-1.5 * x)


def poisson(count=24):
    """-u'' = pi^2 sin(pi x) with u = 0 at both ends; the solution is sin(pi x)."""
    line = Interval("x", 0, 1)
    equation = Residual("pde", lambda s: s.u_xx + math.pi**2 * torch.sin(math.pi * s.x), weight=1e-2)
    return bound(Problem(line, "u", [equation, Dirichlet("ends", u=0.0, on=line.boundary())]), Siren(6, 2, omega=2.0), count)


def nonlinear_poisson(count=40, net=None):
    """lap u - u^3 = f in the unit square with u = sin(pi x) sin(pi y)."""
    square = Rectangle(x=(0, 1), y=(0, 1))

    def exact(s):
        return torch.sin(math.pi * s.x) * torch.sin(math.pi * s.y)

    equation = Residual("pde", lambda s: laplacian(s.u) - s.u**3 + 2 * math.pi**2 * exact(s) + exact(s) ** 3, weight=1e-2)
    return bound(Problem(square, "u", [equation, Dirichlet("walls", u=0.0, on=square.boundary())]), net or Siren(6, 2, omega=2.0), count)


def smallest_loss(function, start):
    """The minimum found by scipy's own least squares."""
    from scipy.optimize import least_squares

    return 2 * least_squares(lambda x: function(torch.as_tensor(x)).numpy(), start.numpy(), xtol=1e-15, ftol=1e-15, gtol=1e-15).cost


def run(method, objective, theta, iterations):
    """Parameters, losses and the last progress of at most so many iterations."""
    state, losses = method.start(objective, theta), []
    for _ in range(iterations):
        step = method.step(objective, theta, state)
        theta, state = step.theta, step.state
        losses.append(step.loss)
        if step.progress is not Progress.MOVED:
            break
    return theta, losses, step.progress
