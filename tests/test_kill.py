"""SIGKILL from another process at moments drawn uniformly over the run and over the bytes of a write; then the run goes on."""

import io
import random
import subprocess
import sys
import time
from pathlib import Path

import h5py
import killed_run
import numpy as np
import pytest
import torch

from pinnsine import durable, tree

ITERATIONS = 60
JITTER = 0.05  # seconds from the iteration drawn to the kill, at most


def child(*arguments):
    script = Path(killed_run.__file__)
    return subprocess.Popen(
        [sys.executable, "-W", "error", script, *map(str, arguments)],
        env={"PYTHONPATH": str(script.parent.parent), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )


def killed_at_an_iteration(method, out, iteration, delay):
    """Whether the run was killed, some time after an iteration."""
    with child(method, out) as process:
        for line in process.stdout:
            if line.strip() == "done":
                return False
            if int(line) >= iteration:
                time.sleep(delay)
                process.kill()
                break
        return process.wait(60) == -9


def killed_inside_a_write(method, out, number, share):
    """Whether the run was killed inside its checkpoint of that number."""
    out.with_name("killed.h5.part").unlink(missing_ok=True)
    with child(method, out, number, share) as process:
        for line in process.stdout:
            if line.strip() == "inside":
                process.kill()
                break
        return process.wait(60) == -9


def state_of(path):
    with h5py.File(io.BytesIO(durable.read(path))) as file:
        return tree.restore(file["state"])["current"]


def assert_same_bits(first, second, where=""):
    if isinstance(first, dict):
        assert first.keys() == second.keys(), where
        for key in first:
            assert_same_bits(first[key], second[key], f"{where}/{key}")
    elif isinstance(first, list):
        for k, (a, b) in enumerate(zip(first, second, strict=True)):
            assert_same_bits(a, b, f"{where}/{k}")
    elif isinstance(first, torch.Tensor):
        assert first.dtype == second.dtype, where
        assert torch.equal(first, second), where
    else:
        assert first == second or (first != first and second != second), where


def survives(method, folder, kills, inside, seed):
    """Kill the run so often, some of the times inside a write, let it go on, and compare it with one that nobody killed."""
    whole = killed_run.solve(method, out=folder / "whole.h5")
    draw, out = random.Random(seed), folder / "killed.h5"
    moments = sorted(draw.uniform(0, ITERATIONS - 5) for _ in range(kills))
    inner = set(draw.sample(range(kills), inside))
    killed = 0
    for k, moment in enumerate(moments):
        if k in inner:
            killed += killed_inside_a_write(method, out, draw.randint(1, 5), draw.uniform(0, 1))
            assert out.with_name("killed.h5.part").exists()
        else:
            killed += killed_at_an_iteration(method, out, moment, draw.uniform(0, JITTER))
    assert killed == kills
    before = [state_of(path)["iteration"] for path in (out, durable.previous(out)) if path.exists()]
    assert max(before, default=0) < ITERATIONS
    parts = killed_run.solve(method, out=out, resume=True)
    assert torch.equal(whole.ansatz.flat(), parts.ansatz.flat())
    assert list(whole.history) == list(parts.history)
    for name in set(whole.history) - {"seconds"}:
        np.testing.assert_array_equal(whole.history[name], parts.history[name], err_msg=name)
    assert_same_bits(state_of(folder / "whole.h5"), state_of(out))
    assert whole.history.rows == ITERATIONS


def test_a_run_that_is_killed_twice_once_inside_a_write_loses_nothing(tmp_path):
    survives("three phases, adaptive points", tmp_path, kills=2, inside=1, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("method", killed_run.METHODS)
def test_a_run_that_is_killed_twenty_times_loses_nothing(method, tmp_path):
    survives(method, tmp_path, kills=20, inside=6, seed=1)
