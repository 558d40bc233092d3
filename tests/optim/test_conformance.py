"""Every method against every toy: what any optimizer must do, and what it must survive."""

import itertools
import math

import pytest
import torch
from toys import Toy, linear, logarithm, nonlinear_poisson, poisson, rank_deficient, rosenbrock, run, saddle, vector

import pinnsine
from pinnsine.errors import ProblemError
from pinnsine.optim import ENGDW, LBFGS, OPTIMIZERS, SOAP, SPRING, SSBFGS, Adam, GaussNewton, LevenbergMarquardt, Muon, SSBroyden
from pinnsine.optim.step import Progress

TOYS = {
    "linear least squares": (linear, torch.zeros(4, dtype=torch.float64)),
    "Rosenbrock": (rosenbrock, vector(-1.2, 1.0)),
    "rank-deficient Jacobian": (rank_deficient, torch.zeros(3, dtype=torch.float64)),
}
METHODS = {  # and the iterations that suffice for every toy
    "lm": (LevenbergMarquardt(), 60),
    "lm without geodesic": (LevenbergMarquardt(geodesic=False), 60),
    "lm by qr": (LevenbergMarquardt(factorisation="qr"), 60),
    "lm by the dual": (LevenbergMarquardt(factorisation="dual"), 60),
    "lm scaled": (LevenbergMarquardt(scaled=True), 60),
    "gn": (GaussNewton(), 60),
    "adam": (Adam(2_000, lr=0.2), 2_000),
    "muon": (Muon(2_000, lr=0.2), 2_000),
    "soap": (SOAP(2_000, lr=0.2, beta1=0.9, beta2=0.999), 2_000),  # there is no matrix in the toys: Adam, with its betas
    "lbfgs": (LBFGS(), 200),
    "ssbfgs": (SSBFGS(), 200),
    "ssbroyden": (SSBroyden(), 200),
    "engdw": (ENGDW(), 60),
    "spring": (SPRING(rate=0.5, length=1.0), 100),
}
NETS = {  # by what factor the loss of a small network falls, in how many iterations
    "lm": (LevenbergMarquardt(), 15, 1e4),
    "lm by qr": (LevenbergMarquardt(factorisation="qr"), 15, 1e4),
    "lm by the dual": (LevenbergMarquardt(factorisation="dual"), 15, 1e4),
    "lm scaled": (LevenbergMarquardt(scaled=True), 15, 1e3),
    "gn": (GaussNewton(damping=1e-2), 15, 10),
    "adam": (Adam(150, lr=1e-2), 150, 10),
    "muon": (Muon(150, lr=1e-2), 150, 10),
    "soap": (SOAP(150, lr=1e-2), 150, 10),
    "lbfgs": (LBFGS(), 60, 1e2),
    "ssbfgs": (SSBFGS(), 60, 1e2),
    "ssbroyden": (SSBroyden(), 60, 1e2),
    "engdw": (ENGDW(damping=1e-6), 15, 1e3),
    "engdw on batches": (ENGDW(batch=20), 30, 1e2),
    "spring": (SPRING(batch=20), 60, 10),
}
DESCENT = [name for name in METHODS if name not in ("adam", "muon", "soap", "spring")]


def smallest_loss(function, start):
    """The minimum found by scipy's own least squares."""
    from scipy.optimize import least_squares

    return 2 * least_squares(lambda x: function(torch.as_tensor(x)).numpy(), start.numpy(), xtol=1e-15, ftol=1e-15, gtol=1e-15).cost


def test_every_registered_method_is_tested_public_and_says_what_it_uses():
    assert list(OPTIMIZERS) == ["lm", "gn", "adam", "muon", "soap", "lbfgs", "ssbfgs", "ssbroyden", "engdw", "spring"]
    for name, kind in OPTIMIZERS.items():
        assert isinstance(METHODS[name][0], kind)
        assert isinstance(NETS[name][0], kind)
        assert getattr(pinnsine.optim, kind.__name__) is kind
        assert kind.uses in ("residual", "gradient")
        assert hasattr(kind, "restart") or not kind.gathers_curvature


@pytest.mark.parametrize("toy", TOYS)
@pytest.mark.parametrize("name", METHODS)
def test_every_method_reaches_the_minimum_of_every_toy(name, toy):
    method, iterations = METHODS[name]
    function, start = TOYS[toy]
    theta, _, _ = run(method, Toy(function), start, iterations)
    assert float(function(theta).square().sum()) <= smallest_loss(function, start) + 1e-9


@pytest.mark.parametrize("make", [poisson, nonlinear_poisson])
@pytest.mark.parametrize("name", NETS)
def test_every_method_lowers_the_loss_of_a_network(name, make):
    method, iterations, factor = NETS[name]
    objective, start = make()
    theta, losses, _ = run(method, objective, start, iterations)
    assert objective.loss(theta) * factor <= objective.loss(start)
    assert all(math.isfinite(loss) for loss in losses)


@pytest.mark.parametrize("name", DESCENT)
def test_the_loss_never_rises(name):
    method, iterations = METHODS[name]
    _, losses, _ = run(method, Toy(rosenbrock), TOYS["Rosenbrock"][1], iterations)
    assert all(b <= a for a, b in itertools.pairwise(losses))


@pytest.mark.parametrize("name", METHODS)
def test_a_trial_step_to_where_the_rows_are_no_numbers_is_survived(name):
    method, iterations = METHODS[name]
    if isinstance(method, SPRING):
        method = SPRING(rate=1.0, length=100.0)  # long enough to leave the domain
    theta, _, progress = run(method, Toy(logarithm), vector(20.0, -5.0), iterations)
    assert progress is not Progress.BROKEN
    torch.testing.assert_close(theta, torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(("function", "start"), [(rosenbrock, vector(1.0, 1.0)), (saddle, vector(0.0, 0.0))])
def test_where_the_gradient_vanishes_a_method_stays_and_says_so(name, function, start):
    """At a zero residual, and at a saddle."""
    theta, losses, progress = run(METHODS[name][0], Toy(function), start, 3)
    assert progress is Progress.STALLED
    assert torch.equal(theta, start)
    assert losses == [float(function(start).square().sum())]


@pytest.mark.parametrize("name", METHODS)
def test_beside_a_saddle_the_way_down_is_found(name):
    method, iterations = METHODS[name]
    theta, _, _ = run(method, Toy(saddle), vector(1e-3, 2e-3), iterations)
    assert float(saddle(theta).square()) <= 1e-9


@pytest.mark.parametrize("method", [Adam(), Muon(), SOAP(), LBFGS(), SSBFGS(), SSBroyden()])
def test_a_loss_that_is_no_number_ends_a_gradient_method(method):
    assert run(method, Toy(lambda theta: theta * float("nan")), torch.ones(2), 2)[2] is Progress.BROKEN


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", METHODS)
def test_the_precision_of_the_parameters_is_kept(name, dtype):
    theta, _, _ = run(METHODS[name][0], Toy(rosenbrock), vector(-1.2, 1.0).to(dtype), 5)
    assert theta.dtype is dtype


@pytest.mark.parametrize("name", METHODS)
def test_a_step_is_a_pure_function_of_parameters_and_state(name):
    method, objective, start = METHODS[name][0], Toy(rosenbrock), vector(-1.2, 1.0)
    first = method.step(objective, start, method.start(objective, start))
    copy = {k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in first.state.items()}
    second = method.step(objective, first.theta, first.state)
    again = method.step(objective, first.theta, copy)
    assert torch.equal(second.theta, again.theta)
    assert torch.equal(start, vector(-1.2, 1.0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LevenbergMarquardt(ratio=2), "LevenbergMarquardt needs 0 < ratio < 1"),
        (lambda: LevenbergMarquardt(factorisation="lu"), "got 'lu': choose one of 'cholesky', 'qr', 'dual', 'auto', 'staged'"),
        (lambda: Adam(lr=0), "Adam needs lr > 0"),
        (lambda: LBFGS(memory=0), "LBFGS needs a memory"),
        (lambda: ENGDW(damping=0), "ENGDW needs damping > 0"),
        (lambda: ENGDW(batch=0), "ENGDW needs .* a batch of at least one row"),
        (lambda: SPRING(batch=0), "SPRING needs .* a batch of at least one row"),
        (lambda: SPRING(momentum=1), "SPRING needs rate > 0, 0 <= momentum < 1"),
    ],
)
def test_impossible_settings_are_refused(make, message):
    with pytest.raises(ProblemError, match=message):
        make()
