"""Sweeps: each solution starts from the one before, a step that fails is halved, and what cannot be reached is said."""

import math
from types import SimpleNamespace

import pytest
import torch
from helpers import gap

import pinnsine as ps
from pinnsine.objective import bind
from pinnsine.outcome import Outcome
from pinnsine.points import Points
from pinnsine.rest import from_solution
from pinnsine.sweep import _reached

QUICK = {"progress": False, "estimate": False, "iterations": 8}


def bratu(lam):
    """u'' + lam exp(u) = 0 with two solutions below lam = 3.51 and none above (G. Bratu 1914)."""
    domain = ps.Interval("x", 0, 1)
    equation = ps.Residual("bratu", lambda s: s.u_xx + lam * torch.exp(s.u))
    return ps.Problem(domain, "u", [equation, ps.Dirichlet("ends", u=0.0, on=domain.boundary(), hard=True)])


def top_of_bratu(lam):
    """u(1/2) = 2 log cosh(theta / 4), theta the smaller root of theta = sqrt(2 lam) cosh(theta / 4)."""
    theta = 0.0
    for _ in range(5000):
        theta = math.sqrt(2 * lam) * math.cosh(theta / 4)
    return 2 * math.log(math.cosh(theta / 4))


def test_bratu_is_followed_almost_to_its_fold():
    """Measured: 1e-8 at 3.5, next to the fold, where u answers to lam with a slope of 10."""
    lams = [1, 3, 3.5]
    solutions = ps.sweep(bratu, {"lam": lams}, net=ps.FrozenSines(40, omega=3.0), **QUICK)
    assert len(solutions) == 3
    for lam, solution in zip(lams, solutions, strict=True):
        assert float(solution.predict(x=0.5)["u"]) == pytest.approx(top_of_bratu(lam), abs=3e-8)


def test_where_there_is_no_solution_the_sweep_says_so():
    with pytest.warns(UserWarning, match="did not reach lam = 5: its rows are left at"):
        solutions = ps.sweep(bratu, {"lam": [3, 5]}, halvings=0, net=ps.FrozenSines(30, omega=3.0), **QUICK)
    assert solutions[1].settings["held_out"] > 1e-4


def test_a_sweep_reaches_what_newton_does_not_reach_from_rest():
    """Measured: 4e-16 by the sweep; from rest the same network stays at 0.8."""
    net = ps.FrozenSines(80, omega=12.0)
    swept = ps.sweep("steady_burgers", {"nu": [0.1, 0.003], "hard": [True, True]}, net=net, **QUICK)[-1]
    cold = ps.solve(ps.load_problem("steady_burgers", nu=0.003), net=net, **QUICK)
    assert swept.compare().relative_l2["u"] < 1e-12
    assert cold.compare().relative_l2["u"] > 0.1


def fake(at, held_out):
    net = ps.FrozenSines(2800, omega=1.0)
    ansatz = SimpleNamespace(net=net)
    problem = SimpleNamespace(fields=("u",))
    return SimpleNamespace(at=at, ansatz=ansatz, problem=problem, settings={"held_out": held_out}, outcome=Outcome.CONVERGED)


@pytest.mark.parametrize(
    ("origin", "place", "path"),
    [
        ({"nu": 1.0}, {"nu": 1 / 16}, [0.0625, 0.25, 0.5, 0.25, 0.0625, 0.125, 0.0625]),
        ({"nu": 1.0}, {"nu": 0.6}, [0.6]),
    ],
)
def test_a_step_that_is_too_long_is_halved(origin, place, path):
    """A step succeeds where nu falls to a half at most: 1 -> 1/16 takes four."""
    visited = []

    def solved(at, start, net):
        visited.append(at["nu"])
        return fake(at, 1e-9 if start.at["nu"] / at["nu"] < 2.001 else 1.0)

    reached = _reached(solved, origin, fake(origin, 1e-9), place, halvings=4)
    assert reached.at == place
    assert reached.settings["held_out"] == 1e-9
    assert visited == pytest.approx(path)


def test_halving_ends():
    visited = []

    def solved(at, start, net):
        visited.append(at["nu"])
        return fake(at, 1.0)

    assert _reached(solved, {"nu": 1.0}, fake({"nu": 1.0}, 1e-9), {"nu": 0.1}, halvings=3).settings["held_out"] == 1.0
    assert len(visited) == 4


def test_frozen_sines_start_from_a_solution_of_another_network():
    problem = ps.load_problem("steady_burgers")
    before = ps.solve(problem, net=ps.FrozenSines(60, omega=8.0), **QUICK)
    found = ps.solve(problem, net=ps.FrozenSines(90, omega=10.0), start=before, progress=False, estimate=False, iterations=1)
    assert found.ansatz.net.width == 90
    x = torch.linspace(0, 1, 50, dtype=torch.float64)
    rows = bind(found.ansatz, {c.name: Points({"x": x}) for c in problem.soft})
    theta = from_solution(rows, torch.zeros(found.ansatz.size, dtype=torch.float64), before.ansatz)
    there = found.ansatz.local(found.ansatz.views(theta), Points({"x": x}), {"u": {()}}).u.values
    assert gap(there, torch.as_tensor(before.predict(x=x)["u"])) < 1e-6


def test_another_network_than_frozen_sines_does_not_start_from_a_solution():
    problem = ps.load_problem("steady_burgers")
    before = ps.solve(problem, net=ps.FrozenSines(20, omega=8.0), **QUICK)
    with pytest.raises(ps.ProblemError, match="start= brings its own network"):
        ps.solve(problem, net=ps.MLP(5, 2), start=before, **QUICK)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ({}, {}, "as many values of each coefficient"),
        ({"lam": []}, {}, "as many values of each coefficient"),
        ({"lam": [1, 2], "hard": [True]}, {}, "as many values of each coefficient"),
        ([1, 2], {}, "as many values of each coefficient"),
        ({"lam": [1]}, {"start": None}, "A sweep takes no start="),
        ({"lam": [1]}, {"out": "run.h5"}, "A sweep takes no out="),
    ],
)
def test_wrong_arguments_are_refused(values, options, message):
    with pytest.raises(ps.ProblemError, match=message):
        ps.sweep(bratu, values, **options)
