"""A fit to measurements ends among the solutions of the equations: weights do not enter the unknown numbers, nor their errors."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import pinnsine as ps
from pinnsine.budget import Clock
from pinnsine.constrained import constrained_fit
from pinnsine.constraint import row_points
from pinnsine.objective import bind
from pinnsine.scaling import field_scales, row_scales


def noisy(domain, function, count, sigma, seed):
    """Random points of a domain with noisy values ``m`` of a function."""
    generator = torch.Generator().manual_seed(seed)
    points = domain.sample(count, "uniform", generator)
    noise = sigma * torch.randn(count, generator=generator, dtype=torch.float64)
    return ps.Points({**points.columns, "m": function(SimpleNamespace(**points.columns)) + noise})


def rates(seed, weight=None, sigma=0.02):
    """u_t = -k u, v_t = k u - m v from noisy v; see ``problems/inverse_reaction.py``."""
    domain, k, m = ps.Time(0, 4), 1.3, 0.4
    points = noisy(domain, lambda s: k * (torch.exp(-m * s.t) - torch.exp(-k * s.t)) / (k - m), 40, 0.02, seed)
    return ps.Problem(
        domain,
        ("u", "v"),
        [
            ps.Residual("kinetics", lambda s: (s.u_t + s.k * s.u, s.v_t - s.k * s.u + s.m * s.v), weight=weight),
            ps.Initial("start", u=1.0, v=0.0),
            ps.Data("samples", points, v="m", sigma=sigma),
        ],
        unknowns=[ps.Unknown("k", 1.0, positive=True), ps.Unknown("m", 1.0, positive=True)],
    )


def heating(seed, weight=None):
    """u_t = D u_xx + q(x), D = 0.1 and q = sin(2 pi x) unknown, from noisy u."""
    domain, D, pi = ps.Interval("x", 0, 1) * ps.Time(0, 1), 0.1, math.pi
    rate = 4 * pi**2 * D

    def u(s):
        return torch.exp(-D * pi**2 * s.t) * torch.sin(pi * s.x) + (1 - torch.exp(-rate * s.t)) / rate * torch.sin(2 * pi * s.x)

    return ps.Problem(
        domain,
        ["u", ps.Field("q", of="x")],
        [
            ps.Residual("heat", lambda s: s.u_t - s.D * s.u_xx - s.q, weight=weight),
            ps.Initial("start", u=lambda s: torch.sin(pi * s.x)),
            ps.Dirichlet("ends", u=0.0, on=domain.boundary("x")),
            ps.Data("probe", noisy(domain, u, 100, 0.01, seed), u="m", sigma=0.01),
        ],
        unknowns=[ps.Unknown("D", 0.3, positive=True)],
    )


def solved(problem, width=20, omega=4.0, points=120):
    return ps.solve(problem, ps.FrozenSines(width, omega=omega), points=points, iterations=12, progress=False, estimate=False)


HEATING = {"width": 100, "omega": 6.0, "points": 800}


def default_weight(problem):
    """The weight that the equation has by default."""
    return max(row_scales(problem, problem.constraints[0], field_scales(problem)).values()) ** 2


@pytest.mark.parametrize("factor", [0.01, 100.0])
def test_the_weight_of_the_equation_changes_neither_values_nor_errors(factor):
    plain = solved(rates(0)).unknowns
    other = solved(rates(0, weight=factor * default_weight(rates(0)))).unknowns
    for name in plain:
        assert other[name].value == pytest.approx(plain[name].value, abs=0.02 * plain[name].error)
        assert other[name].error == pytest.approx(plain[name].error, rel=0.02)


@pytest.mark.slow
def test_beside_an_unknown_field_a_hundred_times_the_weight_changes_no_error_either():
    """The diffusivity beside a source, each of 4 draws of the noise. With a hundredth of the weight the run itself ends at D = 0."""
    for seed in range(4):
        plain, other = (solved(heating(seed, weight), **HEATING).unknowns["D"] for weight in (None, 100 * default_weight(heating(seed))))
        assert other.value == pytest.approx(plain.value, abs=4e-3 * plain.error)  # measured: 1.5e-3
        assert other.error == pytest.approx(plain.error, rel=5e-4)  # measured: 1.6e-4


def test_two_rates_and_their_errors_are_those_of_least_squares_on_the_exact_solution():
    from scipy.optimize import curve_fit

    problem = rates(0)
    data, found = problem.constraints[2].on, solved(problem).unknowns

    def exact(t, k, m):
        return k * (np.exp(-m * t) - np.exp(-k * t)) / (k - m)

    best, covariance = curve_fit(exact, data["t"].numpy(), data["m"].numpy(), (1.2, 0.5), sigma=np.full(40, 0.02), absolute_sigma=True)
    for value, error, unknown in zip(best, np.sqrt(np.diag(covariance)), found.values(), strict=True):
        assert unknown.value == pytest.approx(value, abs=0.02 * error)
        assert unknown.error == pytest.approx(error, rel=0.02)


def test_nothing_is_moved_where_the_data_have_no_sigma_or_the_network_cannot_satisfy_the_equations():
    for problem, width in ((rates(0, sigma=None), 20), (rates(0), 2)):
        ansatz = solved(problem, width).ansatz
        points = {c.name: row_points(c, problem.domain, 60, "sobol", torch.Generator().manual_seed(0)) for c in problem.constraints}
        objective, theta = bind(ansatz, points), ansatz.flat()
        found, same = constrained_fit(objective, theta, Clock(math.inf))
        assert found is objective
        assert same is theta


@pytest.mark.slow
@pytest.mark.parametrize("make", [rates, heating])
def test_two_thirds_of_the_answers_lie_within_one_standard_error(make):
    options = {} if make is rates else HEATING
    truth = {"k": 1.3, "m": 0.4, "D": 0.1}
    found = [solved(make(seed), **options).unknowns for seed in range(40)]
    for name in found[0]:
        hits = np.mean([abs(u[name].value - truth[name]) < u[name].error for u in found])
        assert 0.53 <= hits <= 0.83
