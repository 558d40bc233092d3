"""Windows of time in more than three coordinates: more sines on each than the whole of time could be given."""

import itertools
import math
from types import SimpleNamespace

import pytest
import torch
from test_checkpoint import assert_equal_runs

import pinnsine as ps
from pinnsine import dense_windows, policy

QUIET = {"progress": False, "estimate": False, "time": 1000.0}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Few sines, and windows of no more than three times as many."""
    monkeypatch.setattr(policy, "FROZEN_DENSE", (50, 100))
    monkeypatch.setattr(dense_windows, "SINES", 150)
    monkeypatch.setattr(dense_windows, "MOST", 3)


def decaying():
    """u_t = lap u + u^3 - v^3 whose solution v = exp((x - t) / 4) cos(y / 2 + z / 4) is one of the heat equation."""
    domain = ps.Box(x=(-1, 1), y=(-1, 1), z=(-1, 1)) * ps.Time(0, 1)

    def exact(s):
        return torch.exp((s.x - s.t) / 4) * torch.cos(s.y / 2 + s.z / 4)

    cubic = ps.Residual("cubic", lambda s: s.u_t - ps.laplacian(s.u) - s.u**3 + exact(s) ** 3)
    constraints = [cubic, ps.Initial("start", u=exact), ps.Dirichlet("walls", u=exact, on=domain.boundary())]
    return ps.Problem(domain, "u", constraints, reference=ps.Reference.exact(u=exact))


def test_windows_of_many_sines_follow_few_on_the_whole_of_time():
    solution = ps.solve(decaying(), **QUIET)
    assert solution.settings["windows"] == 3
    assert {len(p.module[1].phase) for p in solution.ansatz.pieces} == {150}
    assert solution.compare().relative_l2["u"] < 1e-4


def test_the_sines_are_as_dense_in_space_and_the_same_waves_in_time():
    net = dense_windows._grown(ps.FrozenSines(81, (2.0, 1.0, 1.0, 0.5)), 1000, decaying())
    assert net.width == 1000
    assert net.omega == pytest.approx((20 / 3, 10 / 3, 10 / 3, 0.5))


def test_a_parameter_shares_the_sines_with_space():
    domain = ps.Interval("x", -1, 1) * ps.Interval("y", -1, 1) * ps.Time(0, 1) * ps.Parameter("nu", 0.1, 1)
    heat = ps.Residual("heat", lambda s: s.u_t - s.nu * ps.laplacian(s.u) + s.u**2)
    net = dense_windows._grown(ps.FrozenSines(81, (2.0, 1.0, 0.5, 0.3)), 1000, ps.Problem(domain, "u", [heat]))
    assert net.omega == pytest.approx((20 / 3, 10 / 3, 0.5, 1.0))


def test_no_more_sines_are_taken_than_the_memory_holds():
    solution = ps.solve(decaying(), **QUIET, memory=8 * 4 * 90**2)
    assert {len(p.module[1].phase) for p in solution.ansatz.pieces} == {90}


def test_windows_are_for_the_time_of_two_and_for_what_few_sines_come_near():
    net, few = ps.FrozenSines(20, 1.0), ps.FrozenSines(10, 1.0)

    def affordable(left, held_out, net=net):
        best = SimpleNamespace(attempt=SimpleNamespace(net=few), trial_seconds=1.0, state=SimpleNamespace(best_held_out=held_out))
        return dense_windows._is_affordable(best, net, SimpleNamespace(left=lambda: left))

    assert affordable(16.1, 1e-6)
    assert not affordable(15.9, 1e-6)
    assert not affordable(math.inf, 1e-2)
    assert not affordable(math.inf, 1e-6, few)


@pytest.mark.slow
def test_a_march_of_many_sines_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr("pinnsine.checkpoint.INTERVAL", 0.0)
    monkeypatch.setattr("pinnsine.checkpoint.SHARE", math.inf)
    seen, calls = [], itertools.count(1)
    whole = ps.solve(decaying(), **QUIET, callbacks=[lambda record: seen.append(record)])
    few = len(seen) - whole.history.rows  # iterations on the whole of time, before the windows

    def interrupt(record):
        if next(calls) == whole.history.rows + few:  # in the last window
            raise KeyboardInterrupt

    stopped = ps.solve(decaying(), **QUIET, out=tmp_path / "a.h5", callbacks=[interrupt])
    assert stopped.outcome is ps.Outcome.INTERRUPTED
    assert_equal_runs(whole, ps.resume(tmp_path / "a.h5", decaying(), **QUIET))
