"""Windows whose length is chosen: easy ones are long, hard ones short, and where time ends so does the answer."""

import itertools
import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_cost import Ticking

import pinnsine as ps
from pinnsine import stepping
from pinnsine.arguments import Arguments
from pinnsine.budget import Clock
from pinnsine.loop import Limits
from pinnsine.stepping import MOST, SINES, Stepper, sines

QUIET = {"progress": False}


def ode(rate, exact, until, **start):
    """One equation in time, with its exact solution."""
    constraints = [ps.Residual("ode", rate), ps.Initial("start", **start)]
    return ps.Problem(ps.Time(0, until), "u", constraints, reference=ps.Reference.exact(u=exact))


def logistic(until=10.0):
    """u' = u (1 - u), which Newton's method from rest does not solve at once."""
    return ode(lambda s: s.u_t - s.u * (1 - s.u), lambda s: 1 / (1 + 9 * torch.exp(-s.t)), until, u=0.1)


def fast_start(rate=100.0, until=2.0):
    """u' = rate (cos t - u): a layer of width 1/rate, then a slow oscillation."""

    def exact(s):
        return (rate**2 * torch.cos(s.t) + rate * torch.sin(s.t) - rate**2 * torch.exp(-rate * s.t)) / (1 + rate**2)

    return ode(lambda s: s.u_t + rate * (s.u - torch.cos(s.t)), exact, until, u=0.0)


def heat(until=0.4):
    """u_t = u_xx / 10 on [0, 1], exact solution exp(-pi^2 t / 10) sin(pi x)."""
    domain = ps.Interval("x", 0, 1) * ps.Time(0, until)
    return ps.Problem(
        domain,
        "u",
        [
            ps.Residual("pde", lambda s: s.u_t - 0.1 * s.u_xx),
            ps.Initial("start", u=lambda s: torch.sin(torch.pi * s.x)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary("x")),
        ],
        reference=ps.Reference.exact(u=lambda s: torch.exp(-0.1 * torch.pi**2 * s.t) * torch.sin(torch.pi * s.x)),
    )


@pytest.fixture(scope="module")
def grown():
    return ps.solve(logistic(), **QUIET)


def test_an_ordinary_differential_equation_is_solved_to_rounding_by_default(grown):
    assert grown.compare().relative_l2["u"] < 1e-13  # measured: 2.3e-14
    assert 0.3 < grown.estimate["u"] / grown.compare().relative_l2["u"] < 3  # measured: 0.8
    assert "windows of time, Newton's method on frozen sines" in grown.settings["reason"]
    assert grown.settings["parameters"] == grown.settings["windows"] * (SINES[1] + 1)


def test_a_window_that_fails_is_halved_and_the_windows_stand_in_order(grown):
    """The whole of [0, 10] is out of reach of Newton's method from rest; half of it is not."""
    assert grown.settings["edges"] == [0.0, 5.0, 10.0]
    assert grown.history["window"].tolist() == sorted(grown.history["window"])
    before, after = (grown.predict("u_t", t=5.0 + d) for d in (-1e-9, 1e-9))
    assert abs(before - after) < 1e-9


def test_an_equation_of_second_order_is_one_window_where_it_is_easy():
    spring = ode(lambda s: s.u_tt + s.u, lambda s: torch.sin(s.t), 20.0, u=0.0, u_t=1.0)
    solution = ps.solve(spring, **QUIET)
    assert solution.settings["windows"] == 1
    assert "least squares" in solution.settings["reason"]
    assert solution.compare().relative_l2["u"] < 1e-13  # measured: 1.1e-14


def test_windows_are_short_where_the_solution_is_fast_and_long_where_it_is_slow():
    solution = ps.solve(fast_start(), **QUIET)
    lengths = np.diff(solution.settings["edges"])
    assert solution.compare().relative_l2["u"] < 1e-11
    assert lengths[0] == 0.125
    assert lengths.max() > 1.4 * lengths[0]


def test_a_solution_that_grows_is_scaled_along():
    growth = ode(lambda s: s.u_t - s.u, lambda s: torch.exp(s.t), 20.0, u=1.0)
    assert ps.solve(growth, **QUIET).compare().relative_l2["u"] < 1e-11


def test_an_evolution_in_space_and_time_marches_on_request():
    solution = ps.march(heat(), net=ps.FrozenSines(100), **QUIET)
    assert solution.settings["edges"][-1] == 0.4
    assert solution.compare().relative_l2["u"] < 4e-8  # measured: 1.3e-8
    given = ps.march(heat(), "auto", net=ps.FrozenSines(100, (4.0, 6.0)), **QUIET)
    assert given.settings["net"] == "frozensines:width=100,omega=(4.0, 6.0)"


def test_a_target_is_enough():
    solution = ps.march(heat(), net=ps.FrozenSines(100), target=1e-3, **QUIET)
    assert solution.outcome is ps.Outcome.TARGET
    assert solution.settings["windows"] == 1
    assert solution.compare().relative_l2["u"] < 1e-3


class Spent:
    """A clock that says that the time is up once it is told so."""

    def __init__(self, budget):
        self.budget, self.elapsed, self.earlier = budget, 0.0, 0.0

    up = False

    @property
    def left(self):
        return 0.0 if type(self).up else self.budget


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(sys.modules["pinnsine.solve"], "Clock", Spent)
    monkeypatch.setattr(Spent, "up", False)
    return Spent


def when(window, wish):
    """A callback that makes a wish in a window of the march, counted by its restarts of the iterations."""
    seen = []

    def callback(record):
        seen.append(record["iteration"] == 1)
        return wish() if sum(seen) > window else None

    return callback


def test_when_the_time_is_up_the_answer_is_what_was_solved_and_says_until_when(clock, tmp_path):
    solution = ps.solve(logistic(), **QUIET, callbacks=[when(0, lambda: setattr(clock, "up", True))], out=tmp_path / "a.h5")
    assert solution.outcome is ps.Outcome.TIME
    assert "solved until t = 5 of 10, and not known from there on" in solution.settings["reason"]
    t = np.array([1.0, 4.9, 5.1, 10.0])
    found = solution.predict(t=t)["u"]
    np.testing.assert_allclose(found[:2], 1 / (1 + 9 * np.exp(-t[:2])), rtol=1e-7)  # after one step of Newton's method
    assert np.isnan(found[2:]).all()
    assert math.isnan(solution.estimate["u"])
    np.testing.assert_array_equal(ps.load(tmp_path / "a.h5", problem=logistic()).predict(t=t)["u"], found)


def test_a_callback_ends_the_march_where_it_is():
    solution = ps.solve(logistic(), **QUIET, callbacks=[when(1, lambda: True)])
    assert solution.outcome is ps.Outcome.CALLBACK
    assert solution.settings["windows"] >= 1


def test_ctrl_c_keeps_the_windows_before():
    def interrupt():
        raise KeyboardInterrupt

    solution = ps.solve(logistic(), **QUIET, callbacks=[when(1, interrupt)])
    assert solution.outcome is ps.Outcome.INTERRUPTED
    assert solution.settings["edges"][1] == 5.0


def stepper(problem, budget=math.inf, iterations=math.inf):
    return Stepper(problem, Arguments(memory=2e9), Limits(Clock(budget), iterations, None, 0.0), [], problem.domain.axis("t").length)


def test_a_march_that_gets_nowhere_halts():
    """u' = u^2 ends at t = 1: windows become ever shorter before it."""
    march = stepper(ode(lambda s: s.u_t - s.u**2, lambda s: 1 / (1 - s.t), 2.0, u=1.0))
    march.shortest, march.most = 0.02, 0
    assert march.run() is ps.Outcome.HALTED
    assert march.chain.lower == pytest.approx(1.0, abs=0.1)
    assert not march.chain.whole


def test_no_window_is_tried_without_time_or_iterations():
    march = stepper(logistic(), iterations=1)
    assert march.run() is ps.Outcome.ITERATIONS
    assert stepper(logistic(), budget=1e-9).run() is ps.Outcome.TIME


def test_windows_are_cut_no_further_than_there_is_time_for():
    march = stepper(logistic())
    march.seconds = 10.0
    assert march._affords(5.0)  # without a budget everything is afforded
    march.limits = Limits(Clock(35.0), math.inf, None, 0.0)
    assert march._affords(5.0)
    assert not march._affords(2.5)


@pytest.mark.parametrize(("budget", "outcome"), [(100.0, ps.Outcome.TIME), (math.inf, ps.Outcome.HALTED)])
def test_more_sines_wait_for_the_time_of_all_windows_though_none_was_solved(monkeypatch, budget, outcome):
    """Each trial leaves too much and takes a second, by the cube of the sines: sixteen windows of twice as many would take 128."""
    clock, tried = Ticking(budget), []

    def begun(attempt, call, near, before):
        seconds = (attempt.net.width / SINES[2]) ** 3
        tried.append(attempt.net.width)
        clock.spend(seconds)
        return SimpleNamespace(trial_seconds=seconds), 1e-3

    monkeypatch.setattr(stepping, "begun_on_window", begun)
    march = Stepper(heat(), Arguments(memory=2e9), Limits(clock, math.inf, None, 0.0), [], 0.4)
    assert march.run() is outcome
    assert clock.elapsed < budget
    assert max(tried) == (SINES[2] if outcome is ps.Outcome.TIME else MOST * SINES[2])


def test_one_coordinate_has_its_own_number_of_sines():
    assert sines(logistic()) == SINES[1]
    assert sines(heat()) == SINES[2]


@pytest.mark.parametrize("options", [{"net": ps.Siren(8, 2)}, {"optimizer": ps.Adam(5)}, {"dtype": "float32"}])
def test_windows_are_chosen_for_frozen_sines_alone(options):
    with pytest.raises(ps.ProblemError, match="'auto' is for frozen sines"):
        ps.march(heat(), **options, **QUIET)


def test_windows_rise(grown):
    assert all(a < b for a, b in itertools.pairwise(grown.settings["edges"]))
