"""Callbacks: when they end a run, and what they write down."""

import csv
import json
import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import pinnsine as ps
from pinnsine.callbacks import EarlyStopping, Log, TensorBoard, below, every, flat


def record(iteration=1, held_out=math.nan, **others):
    numbers = {"seconds": 0.5, "loss": 0.25, "error": math.nan, "damping": 1e-3, "phase": "Adam", "losses": {"pde": 0.1, "start, u": 0.2}}
    return {"iteration": iteration, "held_out": held_out, **numbers, **others}


def test_every_calls_one_time_in_so_many():
    called = []
    callback = every(3, lambda r: called.append(r["iteration"]) or True)
    assert [callback(record(k)) for k in range(1, 8)] == [None, None, True, None, None, True, None]
    assert called == [3, 6]


def test_below_ends_a_run_at_the_value_and_not_before_it_is_known():
    callback = below(1e-3)
    assert [bool(callback(record(held_out=v))) for v in (math.nan, 1e-2, 1e-3, 1e-4)] == [False, False, True, True]
    assert below(0.3, "loss")(record()) is True


def test_early_stopping_counts_from_the_last_gain():
    callback, losses = EarlyStopping(3, gain=0.5), [8, 5, 3, 2.9, 2.8, 2.7, 1]
    assert [callback(record(k + 1, v)) for k, v in enumerate(losses)] == [False] * 5 + [True, False]
    never = EarlyStopping(2)
    assert [never(record(k)) for k in (11, 12, 13)] == [False, False, True]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: every(0, print), "at least one iteration, got 0"),
        (lambda: below(1.0, "lost"), "no column 'lost': it has iteration, seconds, loss"),
        (lambda: EarlyStopping(0), "patience >= 1 and 0 < gain <= 1, got 0"),
        (lambda: EarlyStopping(5, "phase"), "no column 'phase'"),
        (lambda: Log("a.txt"), "something.jsonl or something.csv, got 'a.txt'"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ps.ProblemError, match=message):
        make()


def rows_of(path):
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_a_log_holds_every_record_and_goes_on_with_the_run(tmp_path, suffix):
    path = tmp_path / "logs" / f"a{suffix}"
    first = Log(path)
    for k in range(1, 5):
        first(record(k, 1 / k))
    with open(path, "a") as file:
        file.write("cut in the mid")
    second = Log(path)
    for k in (3, 4, 5):
        second(record(k, 10.0 * k))
    rows = rows_of(path)
    assert [int(float(r["iteration"])) for r in rows] == [1, 2, 3, 4, 5]
    assert [float(r["held_out"]) for r in rows] == [1.0, 0.5, 30.0, 40.0, 50.0]
    assert list(rows[0]) == list(flat(record()))
    assert rows[0]["error"] in (None, "nan")
    Log(path)(record(1))
    assert len(rows_of(path)) == 1


def test_the_log_of_a_run_is_its_history(tmp_path):
    domain = ps.Interval("x", 0, 1)
    problem = ps.Problem(domain, "u", [ps.Residual("pde", lambda s: s.u_xx + 1), ps.Dirichlet("ends", u=0.0, on=domain.boundary("x"))])
    options = {"net": ps.Siren(4, 1), "points": 20, "optimizer": ps.Adam(12), "progress": False}
    solution = ps.solve(problem, **options, callbacks=[Log(tmp_path / "a.csv")])
    rows = rows_of(tmp_path / "a.csv")
    np.testing.assert_array_equal([float(r["loss"]) for r in rows], solution.history["loss"])
    stopped = ps.solve(problem, **options, callbacks=[EarlyStopping(3, "iteration")])
    assert stopped.outcome is ps.Outcome.CALLBACK
    assert stopped.history.rows == 4


def test_tensorboard_gets_the_finite_numbers(monkeypatch, tmp_path):
    written = []

    class SummaryWriter:
        def __init__(self, folder):
            self.folder = folder

        def add_scalar(self, name, value, step):
            written.append((name, value, step))

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=SummaryWriter))
    board = TensorBoard(tmp_path)
    board(record(7))
    assert board.writer.folder == str(tmp_path)
    assert ("loss/pde", 0.1, 7) in written
    assert {name for name, _, _ in written} == {"seconds", "loss", "damping", "loss/pde", "loss/start, u"}
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ps.ProblemError, match=r"pip install 'pinnsine\[tensorboard\]'"):
        TensorBoard(tmp_path)
