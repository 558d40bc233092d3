"""Standard errors of unknown numbers against statistics and formulas; bounds; the warning of a trade-off."""

import warnings

import numpy as np
import pytest
import torch

import pinnsine as ps
from pinnsine.errors import ProblemError
from pinnsine.uncertainty import patches

LINE = ps.Interval("x", 0, 1)
NOISE = 0.01


def measured(function, seed, count=40, sigma=NOISE):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(count, generator=generator, dtype=torch.float64)
    return ps.Points({"x": x, "m": function(x) + sigma * torch.randn(count, generator=generator, dtype=torch.float64)})


def slope_problem(seed, weight=None, sigma=NOISE, bounds=None):
    """u_x = k, u(0) = 0, u measured: a straight line through the origin with slope k = 0.7."""
    return ps.Problem(
        LINE,
        "u",
        [
            ps.Residual("slope", lambda s: s.u_x - s.k, weight=weight),
            ps.Dirichlet("zero", u=0.0, on=LINE.side(x=0), weight=weight),
            ps.Data("line", measured(lambda x: 0.7 * x, seed), u="m", sigma=sigma),
        ],
        unknowns=[ps.Unknown("k", 0.5, bounds=bounds)],
    )


def solved(problem, **options):
    return ps.solve(problem, **{"net": ps.FrozenSines(12, omega=2.0), "points": 60, "iterations": 6, "progress": False, **options})


@pytest.mark.parametrize("weight", [None, 0.01, 1.0, 100.0])
def test_value_and_error_are_those_of_a_straight_line_whatever_the_equation_weighs(weight):
    data = slope_problem(0).constraints[2].on
    x, m = data["x"], data["m"]
    found = solved(slope_problem(0, weight=weight)).unknowns["k"]
    # measured: 6e-7 at most on one kind of processor, 3e-6 on another
    assert found.error == pytest.approx(NOISE / float(x.norm()), rel=1e-5)
    assert found.value == pytest.approx(float(x @ m) / float(x @ x), rel=1e-5)


@pytest.mark.parametrize("factor", [1.0, 100.0])
def test_an_error_without_sigma_is_never_below_that_of_the_best_use(factor):
    """A loss that lets the field follow the noise makes worse use of the data, and says so."""
    problem = slope_problem(0, weight=0.01 * factor, sigma=None)
    data, found = problem.constraints[2].on, solved(problem).unknowns["k"]
    scatter = float((data["m"] - 0.7 * data["x"]).square().mean().sqrt())
    assert found.error > (1.2 if factor == 1.0 else 0.8) * scatter / float(data["x"].norm())


def test_without_sigma_the_scatter_of_the_data_is_taken():
    problem = slope_problem(0, weight=100.0, sigma=None)
    data = problem.constraints[2].on
    solution = solved(problem)
    scatter = float((data["m"] - solution.unknowns["k"].value * data["x"]).square().mean().sqrt())
    assert solution.unknowns["k"].error == pytest.approx(scatter / float(data["x"].norm()), rel=0.15)


@pytest.mark.slow
def test_two_thirds_of_the_answers_lie_within_one_standard_error():
    found = [solved(slope_problem(seed)).unknowns["k"] for seed in range(40)]
    hits = np.mean([abs(k.value - 0.7) < k.error for k in found])
    assert 0.53 <= hits <= 0.83


def test_a_field_that_the_equations_leave_free_is_fitted_to_the_data():
    """Without a condition at 0 the intercept is free, and the error is that of a regression line."""
    problem = slope_problem(0, weight=100.0)
    free = ps.Problem(LINE, "u", [problem.constraints[0], problem.constraints[2]], unknowns=problem.unknowns)
    x = problem.constraints[2].on["x"]
    assert solved(free).unknowns["k"].error == pytest.approx(NOISE / float((x - x.mean()).norm()), rel=0.1)


def test_unknowns_that_trade_off_are_warned_of():
    problem = ps.Problem(
        LINE,
        "u",
        [
            ps.Residual("slope", lambda s: s.u_x - s.a - s.b * (1 + 1e-3 * s.x)),
            ps.Dirichlet("zero", u=0.0, on=LINE.side(x=0)),
            ps.Data("line", measured(lambda x: 0.7 * x, 0), u="m", sigma=NOISE),
        ],
        unknowns=[ps.Unknown("a", 0.3), ps.Unknown("b", 0.3)],
    )
    with pytest.warns(UserWarning, match="'a' and 'b' trade off"):
        solved(problem)


def test_patches_are_of_neighbours_and_hold_every_place_once():
    places = torch.rand(1000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 1e3])
    found = patches(places)
    assert sorted(np.concatenate(found).tolist()) == list(range(1000))
    assert max(map(len, found)) <= 100
    extents = np.array([np.ptp(places[patch].numpy() / [1.0, 1e3], axis=0) for patch in found])
    assert extents.max() < 0.3  # measured: 0.28
    assert [len(patch) for patch in patches(torch.zeros(7, 1))] == [7]


def test_neighbours_that_miss_the_solution_together_tell_less_than_as_many_that_do_not():
    """u_x = k with samples of k x + 0.02 sin(6 x): the misfit is no noise, and the number is off by many errors of independent samples."""

    def wavy(x):
        return 0.7 * x + 0.02 * torch.sin(6 * x)

    def fitted(data):
        constraints = [
            ps.Residual("slope", lambda s: s.u_x - s.k, weight=1e3),
            ps.Dirichlet("zero", u=0.0, on=LINE.side(x=0), weight=1e3),
            ps.Data("line", data, u="m"),
        ]
        return ps.Problem(LINE, "u", constraints, unknowns=[ps.Unknown("k", 0.5)])

    data = measured(wavy, 0, count=400, sigma=0.0)
    shuffled = ps.Points(
        {"x": data["x"], "m": 0.7 * data["x"] + (data["m"] - 0.7 * data["x"])[torch.randperm(400, generator=torch.Generator().manual_seed(0))]}
    )
    together, apart = (solved(fitted(d)).unknowns["k"] for d in (data, shuffled))
    assert 0.3 * abs(together.value - 0.7) < together.error < 3 * abs(together.value - 0.7)  # measured: 0.67
    assert together.error > 3 * apart.error  # measured: 4.7


def test_without_data_the_error_is_that_of_the_equations():
    problem = ps.Problem(
        LINE,
        "u",
        [
            ps.Residual("slope", lambda s: s.u_x - s.k),
            ps.Dirichlet("ends", u=lambda s: 0.7 * s.x, on=LINE.boundary()),
        ],
        unknowns=[ps.Unknown("k", 0.5)],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        k, unknown = (solved(problem, estimate=e).unknowns["k"] for e in (True, False))
    assert abs(k.value - 0.7) < 10 * k.error < 1e-12
    assert np.isnan(unknown.error)
    assert str(unknown) == "0.7"


def test_an_unknown_stays_within_its_bounds(tmp_path):
    inside, outside = (solved(slope_problem(0, bounds=b)) for b in ((0.1, 2.0), (0.1, 0.6)))
    assert inside.unknowns["k"].value == pytest.approx(0.7, abs=0.02)
    assert inside.unknowns["k"].error == pytest.approx(solved(slope_problem(0)).unknowns["k"].error, rel=1e-2)
    assert 0.1 < outside.unknowns["k"].value <= 0.6
    again = ps.load(inside.save(tmp_path / "run.h5"))
    assert again.unknowns["k"] == inside.unknowns["k"]
    assert "+-" in str(again.unknowns["k"])


@pytest.mark.parametrize("bounds", [(1.0, 2.0), (0.0, 0.5), (0.0, float("inf")), (0.0,), 3.0])
def test_bounds_that_do_not_hold_the_start_are_refused(bounds):
    with pytest.raises(ProblemError, match=r"bounds= are two finite numbers around the start 0\.5"):
        ps.Unknown("k", 0.5, bounds=bounds)


def with_prior(mean, deviation, seed=0, data=True, weight=1e6):
    """The line of ``slope_problem`` with a prior on its slope; the equation weighs so much that the field follows no noise."""
    problem = slope_problem(seed, weight=weight, sigma=0.1)
    constraints = problem.constraints if data else problem.constraints[:2]
    return ps.Problem(LINE, "u", constraints, unknowns=[ps.Unknown("k", 0.5, prior=(mean, deviation))])


@pytest.mark.parametrize(("mean", "deviation"), [(1.0, 0.03), (0.5, 0.02), (0.7, 10.0)])
def test_a_prior_is_one_more_measurement(mean, deviation):
    """The posterior of a line through the origin: precision sum x^2 / sigma^2 + 1 / deviation^2, mean weighted with the precisions."""
    problem = with_prior(mean, deviation)
    points = problem.constraints[2].on
    precision = float(points["x"].square().sum()) / 0.1**2 + deviation**-2
    best = (float(points["x"] @ points["m"]) / 0.1**2 + mean / deviation**2) / precision
    found = solved(problem).unknowns["k"]
    assert found.value == pytest.approx(best, abs=0.02 * precision**-0.5)
    assert found.error == pytest.approx(precision**-0.5, rel=0.02)


def test_without_data_the_prior_is_all_that_is_known():
    found = solved(with_prior(0.8, 0.3, data=False)).unknowns["k"]
    assert found.value == pytest.approx(0.8, rel=1e-9)
    assert found.error == pytest.approx(0.3, rel=1e-6)


def test_an_unknown_in_a_robin_condition():
    """-u_xx = 0 on (0, 1), u(0) = 1, u_n + k (u - 3) = 0 at x = 1, u(1) = 2 measured: the slope is 1 = k."""
    problem = ps.Problem(
        LINE,
        "u",
        [
            ps.Residual("line", lambda s: s.u_xx, weight=100.0),
            ps.Dirichlet("left", u=1.0, on=LINE.side(x=0), weight=100.0),
            ps.Robin("right", lambda s: s.u_n + s.k * (s.u - 3), on=LINE.side(x=1), weight=100.0),
            ps.Data("probe", ps.Points({"x": [1.0, 0.5], "m": [2.0, 1.5]}), u="m", sigma=0.01),
        ],
        unknowns=[ps.Unknown("k", 0.5, positive=True)],
    )
    found = solved(problem, iterations=30).unknowns["k"]
    assert found.value == pytest.approx(1.0, rel=1e-11)  # measured: 7e-14
    # u = 1 + 2 k x / (1 + k): du/dk = x / 2 at k = 1, so that the two probes tell k to 0.01 / sqrt(1/4 + 1/16)
    assert found.error == pytest.approx(0.01 / (5 / 16) ** 0.5, rel=1e-3)


@pytest.mark.parametrize("prior", [1.0, (1.0,), (1.0, 0.0), (float("nan"), 1.0)])
def test_a_prior_is_a_mean_and_a_deviation(prior):
    with pytest.raises(ProblemError, match="prior= is a mean and a standard deviation above zero"):
        ps.Unknown("k", 1.0, prior=prior)
