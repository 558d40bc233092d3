"""Levenberg-Marquardt: its rate, geodesic acceleration, and the forms of its linear algebra."""

import itertools

import pytest
import torch
from helpers import gap, rand
from toys import Toy, exponential_fit, nonlinear_poisson, poisson, rosenbrock, run, vector

from pinnsine.nets import Siren
from pinnsine.optim import LevenbergMarquardt
from pinnsine.optim.step import Progress

FORMS = ["cholesky", "qr", "dual"]


@pytest.mark.parametrize("form", FORMS)
def test_quadratic_convergence_where_the_residual_vanishes(form):
    method = LevenbergMarquardt(geodesic=False, factorisation=form)
    _, losses, _ = run(method, Toy(exponential_fit), vector(1.0, 0.0), 20)
    errors = [loss**0.5 for loss in losses if 1e-13 < loss**0.5 < 0.1]
    assert len(errors) >= 3
    assert all(b <= a**1.6 for a, b in itertools.pairwise(errors))


def test_geodesic_acceleration_saves_iterations_in_a_curved_valley():
    counts = []
    for geodesic in (True, False):
        _, losses, _ = run(LevenbergMarquardt(geodesic=geodesic), Toy(rosenbrock), vector(-1.2, 1.0), 60)
        counts.append(next(i for i, loss in enumerate(losses) if loss < 1e-12))
    assert counts[0] <= counts[1]


@pytest.mark.parametrize("geodesic", [True, False])
@pytest.mark.parametrize("net", [Siren(4, 2), Siren(12, 2)], ids=["more rows", "more parameters"])
def test_all_forms_take_the_same_steps(net, geodesic):
    """At a ratio that keeps the damping far above the rounding of every form."""
    objective, start = nonlinear_poisson(40, net)
    assert (objective.count < len(start)) == (net.width == 12)
    found = {}
    for form in [*FORMS, "auto"]:
        method = LevenbergMarquardt(factorisation=form, geodesic=geodesic, ratio=0.9)
        found[form] = run(method, objective, start, 4)
    for form in FORMS[1:]:
        assert gap(found[form][0] - start, found["cholesky"][0] - start) <= 1e-8
    chosen = "dual" if net.width == 12 else "cholesky"
    assert torch.equal(found["auto"][0], found[chosen][0])


@pytest.mark.parametrize("form", FORMS)
def test_scaled_damping_does_not_see_the_units_of_the_parameters(form):
    method, units = LevenbergMarquardt(factorisation=form, scaled=True), vector(1e-3, 50.0)
    plain, _, _ = run(method, Toy(exponential_fit), vector(1.0, 0.0), 6)
    other, _, _ = run(method, Toy(lambda theta: exponential_fit(theta * units)), vector(1.0, 0.0) / units, 6)
    assert gap(other * units, plain) <= 1e-7


def test_scaled_damping_solves_what_equal_damping_cannot():
    losses = {}
    for scaled in (True, False):
        toy = Toy(lambda theta: exponential_fit(theta * vector(1e3, 1e-5)))
        losses[scaled] = run(LevenbergMarquardt(scaled=scaled), toy, vector(1e-3, 0.0), 20)[1][-1]
    assert losses[True] < 1e-20
    assert losses[False] > 1e-3


def test_the_staged_form_goes_over_to_qr_when_the_damping_comes_near_rounding():
    method, (objective, theta) = LevenbergMarquardt(factorisation="staged"), poisson()
    state, plain, forms = method.start(objective, theta), LevenbergMarquardt(factorisation="dual"), []
    for _ in range(12):
        forms.append(state["form"])
        step = method.step(objective, theta, state)
        if state["form"] == "auto":
            assert torch.equal(step.theta, plain.step(objective, theta, state).theta)
        theta, state = step.theta, step.state
    assert forms == sorted(forms)
    assert set(forms) == {"auto", "qr"}


def test_the_staged_form_stays_with_products_where_the_jacobian_does_not_fit():
    method, (objective, theta) = LevenbergMarquardt(factorisation="staged"), poisson()
    objective.budget.bytes = 1.0
    state = method.start(objective, theta)
    for _ in range(8):
        step = method.step(objective, theta, state)
        theta, state = step.theta, step.state
        assert state["form"] == "auto"
    assert state["damping"] < 1e-12


def test_qr_solves_where_the_square_of_the_condition_number_is_beyond_machine_precision():
    """Rows A theta - b with singular values down to 1e-11, and b in the range of A."""
    u, v = (torch.linalg.qr(rand(60, 12, seed=s))[0][: 60 - 48 * s] for s in (0, 1))
    matrix = u @ torch.diag(10 ** torch.linspace(0, -11, 12, dtype=torch.float64)) @ v.T
    target = matrix @ torch.ones(12, dtype=torch.float64)
    losses = {}
    for form in FORMS:
        theta, _, _ = run(LevenbergMarquardt(factorisation=form), Toy(lambda t: matrix @ t - target), torch.zeros(12, dtype=torch.float64), 80)
        losses[form] = float((theta - 1).norm())
    assert losses["qr"] < 1e-3 * losses["cholesky"]


@pytest.mark.parametrize("form", FORMS)
def test_numbers_that_are_not_finite_in_the_jacobian_do_not_hang(form):
    start = torch.zeros(1, dtype=torch.float64)
    toy = Toy(lambda theta: torch.sqrt(theta) + 1)  # an infinite slope at zero
    if form == "qr":
        with pytest.raises(Exception, match="Jacobian is not finite"):
            run(LevenbergMarquardt(factorisation=form), toy, start, 2)
    else:
        assert run(LevenbergMarquardt(factorisation=form), toy, start, 2)[2] is Progress.STALLED
