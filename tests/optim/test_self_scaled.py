"""Self-scaled BFGS and Broyden: the secant equation, positive definiteness, the rate, and what a change of points keeps."""

import itertools

import pytest
import torch
from helpers import gap, rand
from toys import Toy, rosenbrock, run, vector

import pinnsine as ps
from pinnsine import loop
from pinnsine.errors import ProblemError
from pinnsine.optim import SSBFGS, SSBroyden
from pinnsine.optim.self_scaled import LARGEST, SelfScaled

KINDS = [SSBFGS(), SSBroyden()]
SIZE = 7


def positive(seed, spread=1.0):
    """A random symmetric positive definite matrix."""
    q = torch.linalg.qr(rand(SIZE, SIZE, seed=seed))[0]
    return q @ torch.diag(10 ** rand(SIZE, seed=seed + 1, low=-spread, high=spread)) @ q.T


def pairs(count=40):
    """(H, s, y) with s^T y > 0, of all sizes of b and h."""
    for seed in range(0, 3 * count, 3):
        s = rand(SIZE, seed=seed)
        y = positive(seed + 1) @ s * 10 ** float(rand(1, seed=seed + 2, low=-2, high=2))
        yield positive(seed + 2), s, y


def updated(method, inverse, s, y):
    return method.updated(inverse, s, y, float(s @ torch.linalg.solve(inverse, s)))


@pytest.mark.parametrize("method", KINDS)
def test_the_update_satisfies_the_secant_equation_and_stays_positive_definite(method):
    for inverse, s, y in pairs():
        new = updated(method, inverse, s, y)
        assert float((new @ y - s).norm()) <= 1e-13 * float(new.norm() * y.norm())
        assert gap(new, new.T) <= 1e-12
        assert float(torch.linalg.eigvalsh((new + new.T) / 2)[0]) > 0


def test_bfgs_is_the_self_scaled_update_where_nothing_needs_scaling():
    """H+ = (I - s y^T / y^T s) H (I - y s^T / y^T s) + s s^T / y^T s (Nocedal & Wright 2006, equation 6.17), for b <= 1."""
    seen = 0
    for inverse, s, y in pairs():
        product, eye = s @ y, torch.eye(SIZE, dtype=torch.float64)
        b = float(s @ torch.linalg.solve(inverse, s) / product)
        left = eye - torch.outer(s, y) / product
        if b <= 1:
            seen += 1
            assert gap(updated(SSBFGS(), inverse, s, y), left @ inverse @ left.T + torch.outer(s, s) / product) <= 1e-10
        else:
            scaled = b * (left @ inverse @ left.T) + torch.outer(s, s) / product
            assert gap(updated(SSBFGS(), inverse, s, y), scaled) <= 1e-10
    assert 3 <= seen <= 37


def test_the_broyden_parameter_inverts_to_that_of_the_direct_update():
    """phi = (1 - theta)/(1 + a theta): the inverse of H+ is tau (B - B s s^T B / s^T B s + theta w w^T) + y y^T / y^T s."""
    for inverse, s, y in pairs(10):
        direct, product = torch.linalg.inv(inverse), float(s @ y)
        image = direct @ s
        square = float(s @ image)
        b, h = square / product, float(y @ inverse @ y) / product
        tau, phi = SSBroyden().coefficients(b, h, SIZE)
        theta = (1 - phi) / (1 + (h * b - 1) * phi)
        w = square**0.5 * (y / product - image / square)
        expected = tau * (direct - torch.outer(image, image) / square + theta * torch.outer(w, w)) + torch.outer(y, y) / product
        assert gap(torch.linalg.inv(updated(SSBroyden(), inverse, s, y)), expected) <= 1e-6


@pytest.mark.parametrize("method", KINDS)
def test_a_step_along_the_image_of_the_change_leaves_nothing_undefined(method):
    inverse = positive(3)
    y = rand(SIZE, seed=5)
    new = updated(method, inverse, 0.3 * inverse @ y, y)
    assert gap(new @ y, 0.3 * inverse @ y) <= 1e-9
    assert float(torch.linalg.eigvalsh(new)[0]) > 0
    assert method.coefficients(0.5, 2.0, 1)[0] > 0


@pytest.mark.parametrize("method", KINDS)
def test_a_pair_without_curvature_changes_nothing(method):
    inverse, s = positive(3), rand(SIZE, seed=4)
    assert updated(method, inverse, s, -s) is inverse


@pytest.mark.parametrize("method", KINDS)
def test_a_quadratic_of_n_variables_is_minimised_superlinearly(method):
    matrix = torch.linalg.cholesky(positive(11)).T
    target = rand(SIZE, seed=12)
    _, losses, _ = run(method, Toy(lambda theta: matrix @ (theta - target)), torch.zeros(SIZE, dtype=torch.float64), 60)
    first = next(k for k, loss in enumerate(losses) if loss < 1e-16 * losses[0])
    assert first <= 4 * SIZE
    ratios = [(b / a) ** 0.5 for a, b in itertools.pairwise(losses[: first + 1])]
    assert ratios[-1] < 0.1 < max(ratios[:SIZE])


@pytest.mark.parametrize("method", KINDS)
def test_a_change_of_points_keeps_the_curvature_made_symmetric(method):
    toy, theta = Toy(rosenbrock), vector(-1.2, 1.0)
    state = method.start(toy, theta)
    assert method.restart(toy, theta, state)["inverse"] is None
    for _ in range(5):
        step = method.step(toy, theta, state)
        theta, state = step.theta, step.state
    skew = torch.tensor([[0.0, 1e-9], [-1e-9, 0.0]], dtype=torch.float64)
    other = Toy(lambda theta: rosenbrock(theta) + 0.1)
    moved = method.restart(other, theta, {**state, "inverse": state["inverse"] + skew})
    assert torch.equal(moved["inverse"], moved["inverse"].T)
    assert gap(moved["inverse"], state["inverse"]) <= 1e-12
    assert moved["loss"] == other.loss(theta) != state["loss"]
    assert method.restart(other, theta, {**state, "inverse": -state["inverse"]})["inverse"] is None


def test_the_loop_hands_the_curvature_on_when_it_draws_new_points(monkeypatch):
    handed = []

    def restart(self, objective, theta, state):
        handed.append(state["inverse"])
        return SelfScaled.restart(self, objective, theta, state)

    monkeypatch.setitem(loop.RESAMPLE, "gradient", 10)
    monkeypatch.setattr(SSBroyden, "restart", restart)
    line = ps.Interval("x", 0, 1)
    pieces = [ps.Residual("pde", lambda s: s.u_xx + torch.sin(3 * s.x)), ps.Dirichlet("ends", u=0.0, on=line.boundary())]
    solution = ps.solve(
        ps.Problem(line, "u", pieces), net=ps.Siren(4, 1), optimizer=SSBroyden(), points=50, sampler="rad", iterations=35, progress=False
    )
    assert len(handed) == 3
    assert all(inverse.shape == (solution.settings["parameters"],) * 2 for inverse in handed)


@pytest.mark.parametrize("method", KINDS)
def test_too_many_parameters_are_refused_before_the_matrix_is_made(method):
    with pytest.raises(ProblemError, match=rf"{type(method).__name__} keeps a matrix .* at most 20,000 of them, got 20,001: choose LBFGS"):
        method.start(None, torch.zeros(LARGEST + 1))
