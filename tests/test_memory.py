"""Budgets of memory: pieces that fit them, smaller ones where memory runs out, and what a process really takes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import bound, gap

import pinnsine as ps
from pinnsine import memory
from pinnsine.memory import Budget, available, budget, out_of_memory
from pinnsine.points import Points

HERE, CPU = Path(__file__).parent, torch.device("cpu")
POINTS = Points({"x": torch.arange(100.0)})


def sizes(pieces):
    return [len(p) for p in pieces]


def test_pieces_fit_the_budget_and_hold_every_point_once():
    found = list(Budget(1000).pieces(POINTS, 30.0, lambda points, part: (points, part)))
    assert sizes(p for p, _ in found) == [33, 33, 33, 1]
    assert torch.equal(torch.cat([p["x"] for p, _ in found]), POINTS["x"])
    assert [part.start for _, part in found] == [0, 33, 66, 99]


def test_a_budget_that_is_too_small_is_exceeded_by_few_points():
    assert set(sizes(Budget(1).pieces(POINTS, 30.0, lambda points, part: points))) == {16, 4}


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_where_memory_runs_out_pieces_are_halved_and_this_is_said(error):
    shared, tried = Budget(1e9), []

    def work(points, part):
        tried.append(len(points))
        if len(points) > 40:
            raise error
        return points

    with pytest.warns(UserWarning, match="Memory ran out") as told:
        found = list(shared.pieces(POINTS, 30.0, work))
    assert tried == [100, 50, 25, 25, 25, 25]
    assert torch.equal(torch.cat([p["x"] for p in found]), POINTS["x"])
    assert str(told[0].message) == "Memory ran out on 100 points at a time: going on with 50, as with memory=1.5e+03."
    assert shared.bytes == 750
    assert sizes(shared.pieces(POINTS, 30.0, lambda points, part: points)) == [25] * 4


def test_other_errors_and_memory_for_few_points_are_not_caught():
    def broken(points, part):
        raise RuntimeError("shapes cannot be multiplied")

    def starved(points, part):
        raise MemoryError

    assert not out_of_memory(RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        list(Budget(1e9).pieces(POINTS, 1.0, broken))
    with pytest.raises(MemoryError):
        list(Budget(1.0).pieces(POINTS, 1.0, starved))


def test_an_objective_that_runs_out_of_memory_gives_the_same_numbers(monkeypatch):
    domain = ps.Interval("x", 0, 1)
    problem = ps.Problem(domain, "u", [ps.Residual("pde", lambda s: {"a": s.u_xx - s.u, "b": s.u_x})])
    whole, theta = bound(problem, count=200)
    tight, _ = bound(problem, count=200)
    rows = type(tight).term_rows

    def limited(self, term, views, points, *more):
        if len(points) > 60:
            raise torch.OutOfMemoryError("out of memory")
        return rows(self, term, views, points, *more)

    seeds = torch.linspace(-1, 1, whole.count, dtype=torch.float64)

    def everything(objective):
        gradient = objective.loss_and_gradient(theta)[1]
        return [objective.rows(theta), gradient, objective.vjp(theta, seeds), objective.jvp(theta, theta), objective.jacobian(theta)[1]]

    expected = everything(whole)
    monkeypatch.setattr(type(tight), "term_rows", limited)
    with pytest.warns(UserWarning, match="Memory ran out on .* points at a time"):
        found = everything(tight)
    assert max(map(gap, found, expected)) <= 1e-13
    assert tight.with_points({}).budget is tight.budget


@pytest.mark.parametrize(("given", "expected"), [(5e8, 5e8), ("500MB", 5e8), ("4GB", 4e9), ("0.5gb", 5e8), ("5e8", 5e8), (1, 1.0)])
def test_a_budget_is_a_number_or_a_text(given, expected):
    assert budget(given, CPU) == expected


@pytest.mark.parametrize("given", [0, -1, "much", "5 apples", "GB", [1]])
def test_what_is_no_budget_is_refused(given):
    with pytest.raises(ps.ProblemError, match=r"memory= takes a number of bytes, a text such as '500MB' or '4GB', or 'auto', got"):
        budget(given, CPU)


def test_a_measured_budget_is_half_of_what_is_free(monkeypatch):
    assert 1e7 < available(CPU) < 1e14
    texts = {"/proc/meminfo": "MemTotal: 9 kB\nMemAvailable:   3000000 kB\n"}
    monkeypatch.setattr(memory, "_read", lambda path: texts.get(path, ""))
    assert budget("auto", CPU) == 1024 * 1.5e6
    assert budget(None, CPU) == 1024 * 1.5e6
    texts["/proc/meminfo"] = "MemAvailable:   30000000 kB\n"
    assert budget(None, CPU) == 2e9
    assert budget("auto", CPU) == 1024 * 1.5e7
    texts |= {"/sys/fs/cgroup/memory.max": "3000000000\n", "/sys/fs/cgroup/memory.current": "1000000000\n"}
    assert budget("auto", CPU) == 1e9


def run(*arguments):
    """The lines a run prints; what it frees goes back at once, or the allocator would keep up to 30 MB of it."""
    allocator = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "131072"}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path), **allocator}
    command = [sys.executable, str(HERE / "memory_run.py"), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads what the kernel says of a process")
def test_a_problem_ten_times_larger_than_the_budget_trains_within_it():
    """7,600 rows of 65.8 kB are 500 MB; resident memory grew by 13 to 16 MB of 50, and by 387 MB where the budget has no bound."""
    [within], [without] = run("resident", "5e7"), run("resident", "1e10")
    assert int(within) < 5e7
    assert int(without) > 4 * 5e7


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads what the kernel says of a process")
def test_training_goes_on_where_the_machine_has_no_more_memory():
    """A real limit: 150 MB of address space where one piece of all rows takes about 300."""
    first, second, *told = run("limited")
    assert 0 < float(second) < float(first)
    assert any("Memory ran out on 7,600 points at a time: going on with 3,800" in line for line in told)
