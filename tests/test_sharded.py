"""Several processes: whatever their number, the same run bit for bit. They talk over TCP on 127.0.0.1 alone."""

import json
import math
import socket
import subprocess
import sys
from pathlib import Path

import distributed_run
import pytest
import torch
from helpers import bound, gap

import pinnsine as ps
from pinnsine import distributed
from pinnsine.rest import from_rest
from pinnsine.sharded import Sharded


def launch(case, folder, ranks, iterations=8, *others):
    """The exit status and the complaints of every process, and what each that ended well has found."""
    folder.mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = Path(distributed_run.__file__)
    environment = {
        "PYTHONPATH": str(script.parent.parent),
        "OMP_NUM_THREADS": "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "GLOO_SOCKET_IFNAME": "lo",
        "WORLD_SIZE": str(ranks),
    }
    processes = [
        subprocess.Popen(
            [sys.executable, script, case, folder, str(iterations), *map(str, others)],
            env={**environment, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(ranks)
    ]
    complaints = [process.communicate(timeout=170)[1] for process in processes]
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("rank*.json"))]
    return [process.returncode for process in processes], complaints, found


def same(first, second):
    return json.dumps(first) == json.dumps(second)


def agree(case, tmp_path, numbers, iterations=8):
    """Runs of so many processes, all of which found the same to the last bit."""
    runs = {}
    for ranks in numbers:
        status, complaints, found = launch(case, tmp_path / str(ranks), ranks, iterations)
        assert status == [0] * ranks, complaints
        assert [f["size"] for f in found] == [ranks] * ranks
        assert len({json.dumps(f["theta"]) for f in found}) == 1
        runs[ranks] = found[0]
    one = runs[numbers[0]]
    assert len(one["history"]["loss"]) == iterations
    assert iterations == 1 or one["history"]["loss"][-1] < 0.9 * one["history"]["loss"][0]
    for ranks in numbers[1:]:
        assert same(one["history"], runs[ranks]["history"])
        assert same(one["theta"], runs[ranks]["theta"])


@pytest.mark.distributed
def test_two_processes_give_the_history_of_one_bit_for_bit(tmp_path):
    agree("primal", tmp_path, (1, 2), 5)


@pytest.mark.slow
@pytest.mark.distributed
@pytest.mark.parametrize("case", distributed_run.CASES)
def test_two_and_four_processes_give_the_history_of_one_bit_for_bit(case, tmp_path):
    agree(case, tmp_path, (1, 2, 4), 1 if case == "frozen sines" else 12)  # a linear problem takes one


@pytest.mark.slow
@pytest.mark.distributed
def test_a_process_that_dies_ends_the_run_and_another_number_of_them_goes_on(tmp_path):
    status, complaints, _ = launch("primal", tmp_path / "broken", 2, 12, 5)
    assert status[1] == 9
    assert status[0] not in (0, 9)
    assert "RankError: Process 0 of 2: another process of this run has ended. The run goes on from its last checkpoint" in complaints[0]
    [(_, whole_found), (_, found)] = [launch("primal", tmp_path / name, 1, 12)[1:] for name in ("whole", "broken")]
    assert same(whole_found[0]["history"], found[0]["history"])
    assert same(whole_found[0]["theta"], found[0]["theta"])


@pytest.mark.slow
@pytest.mark.distributed
@pytest.mark.parametrize("case", distributed_run.MARCHES)
def test_marches_of_two_and_four_processes_are_that_of_one_bit_for_bit(case, tmp_path):
    iterations = 30 if case == "lattices" else 12  # a lattice takes 12 for its first window between walls
    runs = [launch(case, tmp_path / str(ranks), ranks, iterations) for ranks in (1, 2, 4)]
    assert [status for status, *_ in runs] == [[0], [0] * 2, [0] * 4], [complaints for _, complaints, _ in runs]
    [one, *others] = [found[0] for *_, found in runs]
    assert one["windows"] > 1
    for other in others:
        assert same(one["history"], other["history"])
        assert same(one["theta"], other["theta"])


@pytest.mark.slow
@pytest.mark.distributed
def test_a_march_whose_process_dies_goes_on_with_another_number_of_them(tmp_path):
    """It dies in the midst of the second of two windows, of twelve iterations each."""
    status, _, _ = launch("two windows", tmp_path / "broken", 2, 12, 17)
    assert status[1] == 9
    assert status[0] not in (0, 9)
    [whole] = launch("two windows", tmp_path / "whole", 1, 12)[2]
    status, complaints, found = launch("two windows", tmp_path / "broken", 4, 12)
    assert status == [0] * 4, complaints
    for other in found:
        assert same(whole["history"], other["history"])
        assert same(whole["theta"], other["theta"])


@pytest.fixture
def alone():
    """A joint run of one process."""
    store = torch.distributed.HashStore()
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


def test_a_sharded_objective_is_the_objective_up_to_the_order_of_sums(alone):
    domain = ps.Interval("x", 0, 1) * ps.Time(0, 1)
    problem = ps.Problem(
        domain,
        "u",
        [
            ps.Residual("pde", lambda s: {"a": s.u_t - s.D * s.u_xx, "b": s.u * s.u_x}),
            ps.Initial("start", u=lambda s: torch.sin(s.x)),
            ps.Integral("mass", lambda s: s.u, over="x", equals=1.0, points=4),
        ],
        unknowns=[ps.Unknown("D", 1.0)],
    )
    objective, theta = bound(problem, count=37)
    shards = Sharded(objective)
    assert len(shards.parts) == distributed.BLOCKS
    assert sum(p.count for p in shards.parts) == shards.count == objective.count
    assert shards.loss(theta) == pytest.approx(objective.loss(theta), rel=1e-13)
    assert float(shards.rows(theta).square().sum()) == pytest.approx(objective.loss(theta), rel=1e-13)
    (loss, gradient), (expected_loss, expected) = shards.loss_and_gradient(theta), objective.loss_and_gradient(theta)
    assert loss == pytest.approx(expected_loss, rel=1e-13)
    assert gap(gradient, expected) < 1e-12
    rows, jacobian = shards.jacobian(theta)
    assert gap(jacobian.T @ rows, expected / 2) < 1e-12
    assert gap(shards.jvp(theta, gradient), jacobian @ gradient) < 1e-12
    assert gap(shards.vjp(theta, rows), expected / 2) < 1e-12
    for form in ("cholesky", "dual", "qr"):
        for scaled in (False, True):
            own, other = (o.linearise(theta, form, scaled) for o in (shards, objective))
            step, wanted = (m.factor(0.1).solve(m.projected) for m in (own, other))
            assert gap(step, wanted) < 1e-9
            assert own.floor == pytest.approx(other.floor, rel=1e-9)
            assert own.norm(step) == pytest.approx(other.norm(wanted), rel=1e-9)
    assert gap(shards.gauss_newton(theta, 1e-3).step, objective.gauss_newton(theta, 1e-3).step) < 1e-6
    assert math.isfinite(shards.losses(theta)["mass"])


def test_newtons_method_on_a_lattice_is_that_of_one_process_up_to_the_order_of_sums(alone):
    """The first window of u_t + u u_x = u_xx, started from what has the window's start at every time."""
    domain = ps.Interval("x", -1, 1) * ps.Time(0, 0.1)
    constraints = [
        ps.Residual("burgers", lambda s: s.u_t + s.u * s.u_x - s.u_xx),
        ps.Initial("start", u=lambda s: -torch.sin(torch.pi * s.x)),
        ps.Dirichlet("walls", u=0.0, on=domain.boundary("x")),
    ]
    objective, theta = bound(ps.Problem(domain, "u", constraints), ps.FrozenSines(lattice=(8, 4), omega=(6.0, 4.0)), count=100)
    start, other = from_rest(objective, theta), from_rest(Sharded(objective), theta)
    assert torch.equal(start, other)
    step = ps.GaussNewton().step(objective, start, {})
    assert ps.GaussNewton().step(Sharded(objective), start, {}).loss == pytest.approx(step.loss, rel=1e-3)


def test_more_processes_than_blocks_are_refused(monkeypatch):
    monkeypatch.setattr(distributed, "size", lambda: distributed.BLOCKS + 1)
    with pytest.raises(ps.ProblemError, match=r"at most 8 processes.*got 9: start fewer"):
        distributed.join(torch.device("cpu"))


def test_blocks_are_shared_out_evenly_and_in_order(monkeypatch):
    for ranks in (1, 2, 3, 4, 8):
        monkeypatch.setattr(distributed, "size", lambda ranks=ranks: ranks)
        owners = [distributed.owner(b) for b in range(distributed.BLOCKS)]
        assert owners == sorted(owners)
        assert set(owners) == set(range(ranks))
        assert max(map(owners.count, owners)) <= math.ceil(distributed.BLOCKS / ranks)
