"""What is expected of the clock: work is predicted from small pieces of it, and left out, with a note, where it does not fit."""

import math

import numpy as np
import pytest
import torch

import pinnsine as ps
from pinnsine import cost, estimate
from pinnsine.chain import Chain, correct
from pinnsine.cost import FEW, SHAPE, Kept, factorisation_seconds, jacobian_seconds
from pinnsine.loop import Limits
from pinnsine.objective import bind
from pinnsine.outcome import Outcome

LIKE = torch.zeros(1, dtype=torch.float64)
QUIET = {"progress": False, "threads": 1}


class Ticking:
    """A clock that stands still but for ``spend``."""

    def __init__(self, budget=math.inf):
        self.budget, self.elapsed, self.earlier = budget, 0.0, 0.0

    @property
    def left(self):
        return self.budget - self.elapsed

    def spend(self, seconds):
        self.elapsed += seconds


def test_what_is_kept_for_later_is_not_left():
    clock = Ticking(10.0)
    clock.spend(2.0)
    kept = Kept(clock, 3.0)
    assert (kept.left, kept.elapsed) == (5.0, 2.0)


def test_a_factorisation_costs_what_a_small_one_does_times_the_operations(monkeypatch):
    monkeypatch.setattr(cost, "_seconds", lambda work: (work(), 0.01)[1])
    rows, columns = SHAPE
    assert factorisation_seconds(rows, columns, LIKE) == pytest.approx(0.01)
    assert factorisation_seconds(2 * rows, 2 * columns, LIKE) == pytest.approx(0.08)


def decay(unknown=False):
    domain = ps.Time(0, 2)
    constraints = [ps.Residual("decay", lambda s: s.u_t + (s.k if unknown else 1.0) * s.u), ps.Initial("start", u=1.0)]
    if unknown:
        t = torch.linspace(0, 2, 20, dtype=torch.float64)
        constraints.append(ps.Data("seen", ps.Points({"t": t, "m": torch.exp(-t)}), u="m", sigma=1e-3))
    return ps.Problem(domain, "u", constraints, unknowns=[ps.Unknown("k", 0.8)] if unknown else [])


def solved(problem, **options):
    return ps.solve(problem, **{**QUIET, "net": ps.FrozenSines(20, omega=2.0), "points": 80, "iterations": 3, "estimate": False, **options})


def test_a_jacobian_costs_what_a_few_of_its_rows_do_times_the_rows(monkeypatch):
    solution = solved(decay())
    points = {"decay": ps.Points({"t": torch.linspace(0, 2, 10 * FEW, dtype=torch.float64)}), "start": ps.Points({"t": torch.zeros(FEW)})}
    objective = bind(solution.ansatz, {n: p.to(torch.float64, torch.device("cpu")) for n, p in points.items()})
    monkeypatch.setattr(cost, "_seconds", lambda work: (work(), 0.5)[1])
    assert jacobian_seconds(objective, solution.ansatz.flat()) == pytest.approx(0.5 * FEW)


def slow(monkeypatch, *modules):
    """Factorisations seem to take an hour where these modules ask."""
    for module in modules:
        monkeypatch.setattr(f"pinnsine.{module}.factorisation_seconds", lambda rows, columns, like: 3600.0)


def test_an_estimate_and_standard_errors_that_do_not_fit_are_left_out_and_said_to_be(monkeypatch):
    options = {"time": 60.0, "iterations": 3, "estimate": True}
    found = solved(decay(unknown=True), **options)
    slow(monkeypatch, "estimate", "uncertainty", "constrained")
    cut = solved(decay(unknown=True), **options)
    assert found.unknowns["k"].value == pytest.approx(cut.unknowns["k"].value, abs=1e-3)
    assert math.isfinite(found.unknowns["k"].error)
    assert found.estimate["u"] < 1e-2
    assert math.isnan(cut.unknowns["k"].error)
    assert math.isnan(cut.estimate["u"])
    assert "no time was left for the error estimate and the standard errors of the unknown numbers" in cut.settings["reason"]
    assert "no time" not in found.settings["reason"]


def test_an_estimate_is_made_at_as_many_points_as_fit(monkeypatch):
    counts = []
    full = solved(decay(), iterations=3, time=60.0, estimate=True)
    monkeypatch.setattr(estimate, "factorisation_seconds", lambda rows, columns, like: counts.append((rows, columns)) or 30.0)
    monkeypatch.setattr(estimate, "LEAST_ROWS", 0.0)
    seen = []
    monkeypatch.setattr(estimate, "correct", lambda objective, *rest: seen.append(objective.count) or correct(objective, *rest))
    half = solved(decay(), iterations=3, time=60.0, estimate=True)
    assert seen[0] == pytest.approx(60.0 / (estimate.CORRECTION * 30.0) * counts[0][0], rel=0.1)
    assert half.estimate["u"] == pytest.approx(full.estimate["u"], rel=0.5)


def windows(problem, width):
    chain = Chain(problem)
    for upper in (0.5, 1.0, 2.0):
        chain.append(solved(chain.part(upper), net=ps.FrozenSines(width, omega=2.0)), upper)
    return chain


@pytest.mark.parametrize(("budget", "fits"), [(35.0, True), (25.0, False)])
def test_a_march_without_time_for_its_estimate_takes_it_from_the_difference_to_the_one_before(monkeypatch, budget, fits):
    """Three windows, of which each takes ten seconds to estimate."""
    clock, chain = Ticking(budget), windows(decay(), 12)

    def ticking(*arguments):
        clock.spend(10.0)
        return correct(*arguments)

    monkeypatch.setattr("pinnsine.chain.correct", ticking)
    limits = Limits(clock, math.inf, None, 0.0)
    solution = chain.joined(limits, Outcome.CONVERGED, "windows")
    assert math.isfinite(solution.estimate["u"]) is fits
    assert clock.elapsed <= budget
    assert ("no time was left to estimate the error" in solution.settings["reason"]) is not fits
    if not fits:
        clock.elapsed, chain.coarser = 0.0, windows(decay(), 5)
        shown = chain.joined(limits, Outcome.CONVERGED, "windows")
        t = torch.linspace(0, 2, 2001, dtype=torch.float64).numpy()
        coarse = chain.coarser.joined(limits, Outcome.CONVERGED, "windows", estimate=False).predict(t=t)["u"]
        fine = solution.predict(t=t)["u"]
        difference = float(((fine - coarse) ** 2).sum() / (fine**2).sum()) ** 0.5
        assert shown.estimate["u"] == pytest.approx(difference * (chain.held_out / chain.coarser.held_out) ** 0.5, rel=1e-2)
        assert "times the difference from a march" in shown.settings["reason"]
        error = float(((fine - np.exp(-t)) ** 2).sum() / (fine**2).sum()) ** 0.5
        assert 1 / 3 < shown.estimate["u"] / error < 10  # 6.3e-14 and 2.5e-14
