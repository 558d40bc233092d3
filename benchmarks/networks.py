"""Which network for which problem: six networks of equal size and equal time on four problems, with Levenberg-Marquardt.

    [OMP_NUM_THREADS=1] python benchmarks/networks.py [--problems helmholtz,wave] [--nets siren,bsnn] [--seeds 0,1,2] [--seconds 30]

A row goes to benchmarks/results/networks.md as soon as it is measured, and cells that are there already are left out, so that a run can be
broken off and taken up again. The networks have 3 hidden layers of 20 units; omega is found by ``solve``, for FINER and for sines in front of
tanh the one that it finds for a SIREN. The load of the machine stands beside every error.
"""

import argparse
import os
from dataclasses import replace
from pathlib import Path

import torch

import pinnsine as ps
from pinnsine.nets import BSNN, FINER, MLP, Mixed, SimpleSine, Siren

PROBLEMS = ("helmholtz", "wave", "burgers", "allen_cahn")
NETS = {
    "siren": Siren(20, 3, "auto"),
    "simple sine": SimpleSine(20, 3, "auto"),
    "bsnn": BSNN(20, 3, "auto"),
    "finer": FINER(20, 3),
    "sine, then tanh": Mixed(20, 3),
    "tanh": MLP(20, 3),
}
RESULTS = Path(__file__).parent / "results" / "networks.md"
HEAD = """# Networks by problem

Relative L2 error of the first field after so many seconds of Levenberg-Marquardt, 2,500 row points. Command: `python benchmarks/networks.py`.

| problem | network | seed | seconds | omega | relative L2 | estimated | iterations | threads | load |
|---|---|---|---|---|---|---|---|---|---|
"""


def measured(problem: ps.Problem, net, seed: int, seconds: float) -> ps.Solution:
    return ps.solve(problem, net=net, optimizer=ps.LevenbergMarquardt(), points=2500, seed=seed, time=seconds, progress=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--nets", default="; ".join(NETS), help="names parted by ';'")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    if not RESULTS.exists():
        RESULTS.write_text(HEAD)
    for name in arguments.problems.split(","):
        problem, found = ps.load_problem(name), {}
        for seed in map(int, arguments.seeds.split(",")):
            for kind in (part.strip() for part in arguments.nets.split(";")):
                cell = f"| {name} | {kind} | {seed} | {arguments.seconds:g} |"
                if cell in RESULTS.read_text():
                    continue
                net = NETS[kind]
                if isinstance(net, FINER | Mixed):
                    if seed not in found:
                        found[seed] = measured(problem, NETS["siren"], seed, 5.0).ansatz.net.omega
                    net = replace(net, omega=found[seed])
                load = os.getloadavg()[0]
                solution = measured(problem, net, seed, arguments.seconds)
                field = problem.fields[0].name
                omega = getattr(solution.ansatz.net, "omega", None)
                row = (
                    f"{cell} {f'{omega:.3g}' if omega else ''} | {solution.compare().relative_l2[field]:.1e} | {solution.estimate[field]:.1e} "
                    f"| {solution.settings['iterations']} | {torch.get_num_threads()} | {load:.1f} |\n"
                )
                print(row, end="", flush=True)
                with RESULTS.open("a") as file:
                    file.write(row)


if __name__ == "__main__":
    main()
