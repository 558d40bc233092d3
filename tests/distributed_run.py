"""A run of several processes for ``test_sharded``: ``python distributed_run.py CASE FOLDER ITERATIONS [DIES]``, started once for each rank."""

import json
import math
import os
import sys
from pathlib import Path

import killed_run
import torch

import pinnsine as ps
from pinnsine import checkpoint, distributed

CASES = {
    "adam": {"optimizer": ps.Adam(lr=1e-2, batch=50)},
    "adam with weights": {"optimizer": [ps.Adam(5, weights=ps.optim.SelfAdaptive(every=2)), ps.LBFGS(weights=ps.optim.NTKTrace(every=3))]},
    "primal": {"optimizer": ps.LevenbergMarquardt(factorisation="cholesky")},
    "dual": {"optimizer": ps.LevenbergMarquardt(factorisation="dual")},
    "staged, adaptive points": {"optimizer": [ps.LBFGS(6), ps.LevenbergMarquardt(factorisation="staged")], "sampler": "rad"},
    "frozen sines": {"net": ps.FrozenSines(60)},
}
MARCHES = {
    "two windows": {"windows": 2, "optimizer": ps.LevenbergMarquardt()},
    "windows that are chosen": {"windows": "auto", "net": ps.FrozenSines(40, omega=4.0), "points": None},
    "lattices": {"windows": "auto", "net": None, "points": None},  # of an equation that is not linear
}


def problem():
    domain = ps.Interval("x", -1, 1) * ps.Time(0, 1)
    return ps.Problem(
        domain,
        "u",
        [
            ps.Residual("heat", lambda s: s.u_t - 0.1 * s.u_xx),
            ps.Initial("start", u=lambda s: -torch.sin(torch.pi * s.x)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary("x")),
        ],
        reference=ps.Reference.exact(u=lambda s: -torch.exp(-0.1 * torch.pi**2 * s.t) * torch.sin(torch.pi * s.x)),
    )


def main(case, folder, iterations, dies=None):
    checkpoint.INTERVAL, checkpoint.SHARE = 0.0, math.inf
    if dies is not None and int(os.environ["RANK"]) == 1:
        method, step, calls = ps.LevenbergMarquardt, ps.LevenbergMarquardt.step, iter(range(int(dies)))
        method.step = lambda *arguments: step(*arguments) if next(calls, None) is not None else os._exit(9)
    options = {"net": ps.Siren(6, 2, omega=2.0), "points": 80, "threads": 1, "progress": False, "estimate": False}
    options |= {**(CASES | MARCHES)[case], "iterations": int(iterations), "out": Path(folder) / "run.h5", "resume": True}
    asked = killed_run.problem() if case == "lattices" else problem()
    solution = (ps.solve if case in CASES else ps.march)(asked, **options)
    columns = {name: column.tolist() for name, column in solution.history.items() if name != "seconds"}
    found = {"history": columns, "theta": solution.ansatz.flat().tolist(), "rank": distributed.rank(), "size": distributed.size()}
    found["windows"] = solution.settings.get("windows")
    (Path(folder) / f"rank{distributed.rank()}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
