"""Checkpoints: a run that stops and goes on is, bit for bit, the run that never stopped."""

import contextlib
import io
import itertools
import math
import os
import resource
import signal
import sys
import warnings

import h5py
import numpy as np
import pytest
import torch

import pinnsine as ps
from pinnsine import durable, tree


@pytest.fixture
def every_iteration(monkeypatch):
    """A checkpoint at every iteration."""
    monkeypatch.setattr("pinnsine.checkpoint.INTERVAL", 0.0)
    monkeypatch.setattr("pinnsine.checkpoint.SHARE", math.inf)


def poisson(scale=1.0):
    """-u'' = pi^2 sin(pi x) on [0, 1]."""
    domain = ps.Interval("x", 0, 1)
    return ps.Problem(
        domain,
        "u",
        [
            ps.Residual("pde", lambda s: s.u_xx + scale * math.pi**2 * torch.sin(math.pi * s.x)),
            ps.Dirichlet("ends", u=0.0, on=domain.boundary("x")),
        ],
        reference=ps.Reference.exact(u=lambda s: scale * torch.sin(math.pi * s.x)),
    )


QUIET = {"progress": False, "estimate": False}  # the estimate takes longer than the runs, and nothing here depends on it
QUICK = {"net": ps.Siren(6, 2, omega=3.0), "points": 40, **QUIET}
THREE_PHASES = [ps.Adam(5, lr=1e-2, batch=30), ps.optim.SSBFGS(4), ps.LevenbergMarquardt(14)]
METHODS = {
    "levenberg-marquardt": {"optimizer": ps.LevenbergMarquardt(factorisation="staged")},
    "adam with mini-batches": {"optimizer": ps.Adam(40, batch=25)},
    "adam with weights of points in single precision": {
        "optimizer": ps.Adam(40, batch=25, dtype="float32", weights=ps.optim.SelfAdaptive(every=3))
    },
    "adam with random lookback": {"optimizer": ps.Adam(40, weights=ps.optim.ReLoBRaLo(every=2, lookback=0.5))},
    "adam with gradient norms, adaptive points": {"optimizer": ps.Adam(40, weights=ps.optim.GradientNorm(every=4)), "sampler": "rad"},
    "muon": {"optimizer": ps.optim.Muon(40, schedule=ps.optim.Steps(every=3))},
    "soap": {"optimizer": ps.optim.SOAP(40, every=3)},
    "l-bfgs with weights": {"optimizer": ps.LBFGS(40, weights=ps.optim.NTKTrace(every=4))},
    "l-bfgs": {"optimizer": ps.LBFGS(40, memory=6)},
    "self-scaled bfgs": {"optimizer": ps.optim.SSBFGS()},
    "self-scaled broyden": {"optimizer": ps.optim.SSBroyden()},
    "spring": {"optimizer": ps.optim.SPRING(batch=25)},
    "three phases, adaptive points": {"optimizer": THREE_PHASES, "sampler": "rad"},
}
CLOCK = {"seconds"}


def state_of(path):
    with h5py.File(io.BytesIO(durable.read(path))) as file:
        return tree.restore(file["state"])


def same(first, second, where="") -> list[str]:
    """The places where two trees differ."""
    if isinstance(first, torch.Tensor):
        return [] if first.dtype == second.dtype and torch.equal(first, second) else [where]
    if isinstance(first, dict):
        assert first.keys() == second.keys(), where
        return [w for k in first for w in same(first[k], second[k], f"{where}/{k}")]
    if isinstance(first, list):
        return [w for k, (a, b) in enumerate(zip(first, second, strict=True)) for w in same(a, b, f"{where}/{k}")]
    return [] if first == second or (first != first and second != second) else [where]


def assert_equal_runs(first, second):
    """Parameters and history of two solutions, bit for bit, clock columns excepted."""
    assert torch.equal(first.ansatz.flat(), second.ansatz.flat())
    assert first.outcome is second.outcome
    assert list(first.history) == list(second.history)
    for name in set(first.history) - CLOCK:
        np.testing.assert_array_equal(first.history[name], second.history[name], err_msg=name)


DEFAULT = (
    "adam with mini-batches",
    "adam with weights of points in single precision",
    "muon",
    "self-scaled bfgs",
    "three phases, adaptive points",
)  # the third ends with Levenberg-Marquardt


@pytest.mark.parametrize("method", [m if m in DEFAULT else pytest.param(m, marks=pytest.mark.slow) for m in METHODS])
def test_a_run_that_went_on_is_the_run_that_never_stopped(method, tmp_path):
    arguments = {**QUICK, **METHODS[method]}
    whole = ps.solve(poisson(), **arguments, iterations=16, out=tmp_path / "whole.h5")
    for stop in (3, 7, 11):
        ps.solve(poisson(), **arguments, iterations=stop, out=tmp_path / "parts.h5", resume=True)
    parts = ps.solve(poisson(), **arguments, iterations=16, out=tmp_path / "parts.h5", resume=True)
    assert whole.history.rows == 16
    assert_equal_runs(whole, parts)
    first, second = (state_of(tmp_path / f"{name}.h5")["current"] for name in ("whole", "parts"))
    assert len(first["theta"]) == len(second["theta"]) > 10
    assert same(first, second) == []
    assert not durable.previous(tmp_path / "parts.h5").exists()


def test_the_comparison_of_states_above_sees_a_last_bit():
    a = {"x": [torch.tensor([1.0, 2.0]), {"damping": 1.0}]}
    assert same(a, {"x": [torch.tensor([1.0, np.nextafter(np.float32(2), np.float32(3))]), {"damping": math.nan}]}) == ["/x/0", "/x/1/damping"]


def test_attempts_go_on_where_they_were(tmp_path, monkeypatch):
    """Two attempts on frozen sines and then training; stopped in each of them."""
    monkeypatch.setattr("pinnsine.bandwidth.OMEGAS", (8.0, 35.0))
    monkeypatch.setattr("pinnsine.attempts._gain", lambda before, result: 0.25)
    domain = ps.Interval("x", 0, 1)
    steep = ps.Problem(
        domain,
        "u",
        [
            ps.Residual("pde", lambda s: 1e-3 * s.u_xx + s.u_x + 0.2 * s.u**3),
            ps.Dirichlet("left", u=0.0, on=domain.side(x=0)),
            ps.Dirichlet("right", u=1.0, on=domain.side(x=1)),
        ],
    )
    whole = ps.solve(steep, points=60, **QUIET, iterations=9)
    for stop in range(1, 10):
        parts = ps.solve(steep, points=60, **QUIET, iterations=stop, out=tmp_path / "a.h5", resume=True)
    assert state_of(tmp_path / "a.h5")["current"]["number"] > 0
    assert state_of(tmp_path / "a.h5")["best"]["gain"] == 0.25
    assert_equal_runs(whole, parts)
    assert whole.settings["net"] == parts.settings["net"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_saved_and_goes_on(number, tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background of a shell

    def interrupt(record):
        if record["iteration"] == 8:
            os.kill(os.getpid(), number)

    whole = ps.solve(poisson(), **QUICK, iterations=14)
    handler = signal.getsignal(signal.SIGTERM)
    stopped = ps.solve(poisson(), **QUICK, iterations=14, out=tmp_path / "a.h5", callbacks=[interrupt])
    signal.signal(signal.SIGINT, before)
    assert stopped.outcome is ps.Outcome.INTERRUPTED
    assert signal.getsignal(signal.SIGTERM) is handler
    assert state_of(tmp_path / "a.h5")["current"]["iteration"] == 7  # the last whole one
    assert_equal_runs(whole, ps.solve(poisson(), **QUICK, iterations=14, out=tmp_path / "a.h5", resume=True))


def test_a_callback_that_stops_the_run_does_not_change_how_it_goes_on(tmp_path):
    whole = ps.solve(poisson(), **QUICK, sampler="rad", iterations=24)
    for stop in (10, 13):
        ps.solve(poisson(), **QUICK, sampler="rad", out=tmp_path / "a.h5", resume=True, callbacks=[lambda r, k=stop: r["iteration"] == k])
    assert_equal_runs(whole, ps.solve(poisson(), **QUICK, sampler="rad", iterations=24, out=tmp_path / "a.h5", resume=True))


def test_a_finished_run_has_nothing_left_to_do(tmp_path):
    arguments = {**QUICK, "optimizer": [ps.Adam(6), ps.LBFGS(5)]}
    first = ps.solve(poisson(), **arguments, out=tmp_path / "a.h5")
    again = ps.solve(poisson(), **arguments, out=tmp_path / "a.h5", resume=True)
    assert first.history.rows == 11
    assert_equal_runs(first, again)


def test_a_checkpoint_is_a_run_file_of_the_best_so_far(tmp_path, every_iteration):
    seen = []

    def look(record):
        if record["iteration"] == 11:
            seen.append(ps.load(tmp_path / "a.h5", problem=poisson()))

    ps.solve(poisson(), **QUICK, iterations=12, out=tmp_path / "a.h5", callbacks=[look])
    [middle] = seen
    assert middle.outcome is ps.Outcome.INTERRUPTED
    assert middle.settings["held_out"] == pytest.approx(np.nanmin(middle.history["held_out"]))
    assert middle.compare().relative_l2["u"] < 0.5


def test_a_checkpoint_of_something_else_is_refused_with_the_difference_named(tmp_path, monkeypatch):
    out = tmp_path / "a.h5"
    ps.solve(poisson(), **QUICK, iterations=3, out=out)
    changes = {
        r"constraint 'pde' gives other rows": (poisson(2.0), {}),
        r"net={'kind': 'siren'.*'width': 6.*'width': 7": (poisson(), {"net": ps.Siren(7, 2, omega=3.0)}),
        r"optimizer=\[\].*'kind': 'lbfgs'": (poisson(), {"optimizer": ps.LBFGS()}),
        r"points=40, and this call has points=61": (poisson(), {"points": 61}),
        r"seed=0, and this call has seed=1": (poisson(), {"seed": 1}),
    }
    for message, (problem, change) in changes.items():
        with pytest.raises(ps.ProblemError, match=message):
            ps.solve(problem, **{**QUICK, **change}, iterations=6, out=out, resume=True)
    monkeypatch.setattr("pinnsine.checkpoint.VERSION", "99.0")
    with pytest.raises(ps.ProblemError, match=r"this is 99\.0"):
        ps.solve(poisson(), **QUICK, iterations=6, out=out, resume=True)


def test_a_solution_without_a_state_and_a_resume_without_a_file_say_so(tmp_path):
    solution = ps.solve(poisson(), **QUICK, iterations=2)
    solution.save(tmp_path / "a.h5")
    with pytest.raises(ps.ProblemError, match=r"no state to go on from: start from it, start="):
        ps.solve(poisson(), **QUICK, iterations=4, out=tmp_path / "a.h5", resume=True)
    with pytest.raises(ps.ProblemError, match="resume=True goes on with a run file"):
        ps.solve(poisson(), **QUICK, iterations=4, resume=True)
    with pytest.raises(ps.ProblemError, match="There is no run file"):
        ps.resume(tmp_path / "none.h5")


def test_a_run_goes_on_from_its_file_alone(tmp_path):
    arguments = {"net": ps.FrozenSines(20, (5.0, 6.0)), "optimizer": [ps.Adam(9, batch=50), ps.LBFGS(9)], "points": {"poisson": 80}, "seed": 2}
    problem = ps.load_problem("poisson", hard=False)
    whole = ps.solve(problem, **arguments, iterations=16, **QUIET)
    ps.solve(problem, **arguments, iterations=5, **QUIET, out=tmp_path / "a.h5")
    assert_equal_runs(whole, ps.resume(tmp_path / "a.h5", iterations=16, **QUIET))


def test_what_a_file_cannot_hold_is_asked_for(tmp_path):
    module = torch.nn.Sequential(torch.nn.Linear(1, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1))
    ps.solve(poisson(), net=module, points=30, iterations=2, **QUIET, out=tmp_path / "a.h5")
    with pytest.raises(ps.ProblemError, match="a problem of your own: give it again"):
        ps.resume(tmp_path / "a.h5")
    with pytest.raises(ps.ProblemError, match=r"cannot hold: call solve\(..., out=.*resume=True"):
        ps.resume(tmp_path / "a.h5", poisson())


def test_a_module_of_the_users_own_goes_on_too(tmp_path):
    def module():
        torch.manual_seed(0)
        return torch.nn.Sequential(torch.nn.Linear(1, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1))

    arguments = {"points": 30, **QUIET, "optimizer": ps.LevenbergMarquardt()}
    whole = ps.solve(poisson(), net=module(), **arguments, iterations=12)
    ps.solve(poisson(), net=module(), **arguments, iterations=5, out=tmp_path / "a.h5")
    assert_equal_runs(whole, ps.solve(poisson(), net=module(), **arguments, iterations=12, out=tmp_path / "a.h5", resume=True))


def test_the_seconds_of_all_sittings_add_up(tmp_path):
    times = itertools.count(step=1.0)
    first = ps.solve(poisson(), **QUICK, iterations=5, out=tmp_path / "a.h5")
    both = ps.solve(poisson(), **QUICK, iterations=10, out=tmp_path / "a.h5", resume=True)
    assert (np.diff(both.history["seconds"]) > 0).all()
    assert both.settings["seconds"] > first.settings["seconds"] > next(times)


@pytest.mark.parametrize("damage", ["byte", "tail", "missing"])
def test_where_the_newest_checkpoint_is_damaged_the_one_before_serves(damage, tmp_path, every_iteration):
    out = tmp_path / "a.h5"

    def stop(record):
        if record["iteration"] == 9:
            raise SystemError  # as a crash: nothing is tidied up

    whole = ps.solve(poisson(), **QUICK, iterations=14)
    with pytest.raises(SystemError):
        ps.solve(poisson(), **QUICK, iterations=14, out=out, callbacks=[stop])
    assert state_of(out)["current"]["iteration"] == 8
    content = bytearray(out.read_bytes())
    content[len(content) // 2] ^= 4
    if damage == "missing":  # killed between two renames, on a system without hard links
        out.unlink()
        warned = contextlib.nullcontext()
    else:
        out.write_bytes(content if damage == "byte" else content[:-100])
        warned = pytest.warns(UserWarning, match=r"goes on from the checkpoint before, .*a\.h5\.previous")
    with warned:
        parts = ps.solve(poisson(), **QUICK, iterations=14, out=out, resume=True)
    assert_equal_runs(whole, parts)


def test_where_both_are_damaged_the_error_says_so(tmp_path):
    out = tmp_path / "a.h5"
    ps.solve(poisson(), **QUICK, iterations=2, out=out)
    out.write_bytes(out.read_bytes()[:-1])
    with pytest.raises(ps.ProblemError, match=r"a\.h5 is damaged or truncated"):
        ps.solve(poisson(), **QUICK, iterations=4, out=out, resume=True)


def test_a_disk_that_fills_up_does_not_end_the_run(tmp_path, every_iteration):
    out, (soft, hard) = tmp_path / "a.h5", resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(record):
        limit = 100 if 4 <= record["iteration"] < 9 else soft
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))

    whole = ps.solve(poisson(), **QUICK, iterations=12)
    with pytest.warns(UserWarning, match=r"checkpoint .* cannot be written .*File too large.*goes on without") as told:
        filled = ps.solve(poisson(), **QUICK, iterations=12, out=out, callbacks=[fill])
    assert len([w for w in told if "cannot be written" in str(w.message)]) == 1
    assert_equal_runs(whole, filled)
    assert_equal_runs(whole, ps.load(out, problem=poisson()))


def test_a_place_that_cannot_be_written_to_is_refused_before_any_work_and_later_only_warned_of(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ps.ProblemError, match="cannot be written"):
        ps.solve(poisson(), **QUICK, iterations=2, out=tmp_path / "file" / "a.h5")

    folder = tmp_path / "folder"

    def remove(record):
        if record["iteration"] == 2:
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
            folder.write_text("no folder any more")

    with pytest.warns(UserWarning, match="cannot be written"):
        solution = ps.solve(poisson(), **QUICK, iterations=5, out=folder / "a.h5", callbacks=[remove])
    assert solution.history.rows == 5


@contextlib.contextmanager
def read_only(folder):
    """A folder that cannot be written to: not by root either, who writes everywhere and is nobody meanwhile."""
    root, mode = os.geteuid() == 0, folder.stat().st_mode
    folder.chmod(0o555)
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(mode)


def test_a_folder_that_becomes_read_only_neither_ends_a_run_nor_harms_what_it_holds(tmp_path, monkeypatch, every_iteration):
    monkeypatch.chdir(tmp_path)  # the folders above are closed to others
    arguments = {**QUICK, "iterations": 12}
    whole = ps.solve(poisson(), **arguments)
    with contextlib.ExitStack() as stack:

        def lock(record):
            if record["iteration"] == 4:
                stack.enter_context(read_only(tmp_path))

        with pytest.warns(UserWarning, match="Permission denied") as told:
            locked = ps.solve(poisson(), **arguments, out="a.h5", callbacks=[lock])
    assert [" ".join(str(w.message).split()[:3]) for w in told] == ["The checkpoint 'a.h5'", "The run file"]
    assert "the run goes on without" in str(told[0].message)
    assert "save it elsewhere" in str(told[1].message)
    assert_equal_runs(whole, locked)
    assert state_of(tmp_path / "a.h5")["current"]["iteration"] == 3  # the last that was written
    with read_only(tmp_path), pytest.raises(ps.ProblemError, match="cannot be written"):
        ps.solve(poisson(), **arguments, out="a.h5", resume=True)
    assert_equal_runs(whole, ps.solve(poisson(), **arguments, out="a.h5", resume=True))


def test_without_a_file_nothing_is_kept_and_nothing_said():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ps.solve(poisson(), **QUICK, iterations=2).history.rows == 2
    assert sys.modules["pinnsine.checkpoint"].durable is durable
