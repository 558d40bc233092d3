"""Runs for ``test_memory``, each in a process of its own: ``python memory_run.py resident BYTES`` or ``limited``."""

import resource
import sys
import warnings
from pathlib import Path

import torch

import pinnsine as ps


def train(points, memory):
    """Two steps of Adam and a prediction on Burgers' equation; a row of it takes 65.8 kB by the package's own account."""
    domain = ps.Interval("x", -1, 1) * ps.Time(0, 1)
    problem = ps.Problem(
        domain,
        "u",
        [
            ps.Residual("burgers", lambda s: s.u_t + s.u * s.u_x - 0.01 * s.u_xx),
            ps.Initial("start", u=lambda s: -torch.sin(torch.pi * s.x)),
        ],
    )
    quiet = {"progress": False, "estimate": False, "threads": 1}
    solution = ps.solve(problem, ps.Siren(64, 4, omega=3.0), ps.Adam(2), points=points, memory=memory, **quiet)
    solution.predict(x=torch.linspace(-1, 1, points), t=0.5)
    return solution.history["loss"].tolist()


def peak():
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return 1024 * int(line.split()[1])


def resident(memory):
    """What training adds to the highest resident memory, against a run on few points."""
    train(64, memory)
    before = peak()
    train(7600, memory)
    print(peak() - before)


def limited():
    """Training with an address space in which one piece of all points has no room."""
    train(64, 1e10)
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmSize")]
    free = 150_000_000
    resource.setrlimit(resource.RLIMIT_AS, (1024 * int(line.split()[1]) + free,) * 2)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        losses = train(7600, 1e10)
    print(*losses, *(w.message for w in told), sep="\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    resident(float(sys.argv[2])) if sys.argv[1] == "resident" else limited()
