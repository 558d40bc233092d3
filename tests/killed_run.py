"""The run that ``test_kill`` kills: ``python killed_run.py METHOD RUN.h5 [WRITE SHARE]`` goes on with it, and prints every iteration.

With WRITE and SHARE it writes that share of the bytes of its WRITE-th checkpoint, says "inside" and waits to be killed.
"""

import io
import itertools
import math
import signal
import sys

import torch

import pinnsine as ps
from pinnsine import checkpoint, durable

PHASES = [ps.Adam(20, lr=1e-2, batch=30), ps.LBFGS(15), ps.LevenbergMarquardt(25)]
METHODS = {
    "levenberg-marquardt": {"optimizer": ps.LevenbergMarquardt(factorisation="staged")},
    "adam with mini-batches": {"optimizer": ps.Adam(60, lr=1e-2, batch=30)},
    "l-bfgs": {"optimizer": ps.LBFGS(60, memory=8)},
    "three phases, adaptive points": {"optimizer": PHASES, "sampler": "rad"},
}


def problem():
    """u_t + u u_x = 0.05 u_xx, which converges slowly enough for a run of sixty iterations."""
    domain = ps.Interval("x", -1, 1) * ps.Time(0, 1)
    return ps.Problem(
        domain,
        "u",
        [
            ps.Residual("burgers", lambda s: s.u_t + s.u * s.u_x - 0.05 * s.u_xx),
            ps.Initial("start", u=lambda s: -torch.sin(torch.pi * s.x)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary("x")),
        ],
    )


def solve(method, iterations=60, **options):
    arguments = {"net": ps.Siren(8, 2, omega=2.0), "points": 100, "threads": 1, "progress": False, "estimate": False}
    if method == "march":
        return ps.march(problem(), 3, **arguments, iterations=25, **options)
    arguments.update(METHODS[method])
    return ps.solve(problem(), **arguments, iterations=iterations, **options)


class Stuck(io.FileIO):
    """A file that takes a share of its content and no more."""

    def __init__(self, path, mode, share):
        super().__init__(path, mode)
        self.share = share

    def write(self, content):
        if len(content) > durable.HEADER:
            super().write(content[: int(self.share * len(content))])
            print("inside", flush=True)
            signal.pause()
        return super().write(content)


def opener(number, share):
    """``open`` for ``durable``, whose ``number``-th file to be written is stuck."""
    calls = itertools.count(1)
    return lambda path, mode: Stuck(path, mode, share) if next(calls) == number else open(path, mode)


def main(method, out, number=None, share=None):
    checkpoint.INTERVAL, checkpoint.SHARE = 0.0, math.inf
    if number is not None:
        durable.open = opener(int(number), float(share))
    solve(method, out=out, resume=True, callbacks=[lambda record: print(record["iteration"], flush=True)])
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
