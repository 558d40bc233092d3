"""Which network for which problem: six networks of equal size and equal time on four problems, with Levenberg-Marquardt.

    [OMP_NUM_THREADS=1] python benchmarks/networks.py [--problems helmholtz,wave] [--nets "siren; bsnn"] [--seeds 0,1,2] [--seconds 30]

A row goes to benchmarks/results/networks.md as soon as it is measured, and cells that are there already are left out, so that a run can be
broken off and taken up again. The networks have 3 hidden layers of 20 units. All sines have the bandwidth that ``omega="auto"`` finds for a
SIREN at that seed, sought before the clock starts. Time is that of the process and not of the wall, so that a loaded machine measures nearly
the same; one thread is wanted, as the time of all threads is added.
"""

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

import torch

import pinnsine as ps
from pinnsine.nets import BSNN, FINER, MLP, Mixed, SimpleSine, Siren
from pinnsine.omega import per_siren

PROBLEMS = ("helmholtz", "wave", "burgers", "allen_cahn")
NETS = {
    "siren": Siren(20, 3),
    "simple sine": SimpleSine(20, 3),
    "bsnn": BSNN(20, 3),
    "finer": FINER(20, 3),
    "sine, then tanh": Mixed(20, 3),
    "tanh": MLP(20, 3),
}
RESULTS = Path(__file__).parent / "results" / "networks.md"
HEAD = """# Networks by problem

Relative L2 error of the first field after so many seconds of the process with Levenberg-Marquardt, 2,500 row points of the equation, one
thread; points move to large residuals at Burgers' and Allen-Cahn's equations, as by default. Command: `python benchmarks/networks.py`.

| problem | network | seed | seconds | omega | relative L2 | iterations | parameters | ended | load |
|---|---|---|---|---|---|---|---|---|---|
"""


def measured(problem: ps.Problem, net, seed: int, seconds: float) -> ps.Solution:
    """The solution after so many seconds of this process, found without its estimate."""
    started = time.process_time()
    over = [lambda record: time.process_time() - started >= seconds]
    method = ps.LevenbergMarquardt()
    options = {"points": 2500, "seed": seed, "time": 60 * seconds, "callbacks": over, "progress": False, "estimate": False}
    return ps.solve(problem, net=net, optimizer=method, **options)


def bandwidth(problem: ps.Problem, seed: int) -> float:
    """omega of a SIREN as ``solve`` finds it."""
    net, method = Siren(20, 3, "auto"), ps.LevenbergMarquardt()
    trial = ps.solve(problem, net=net, optimizer=method, points=2500, seed=seed, iterations=1, progress=False, estimate=False)
    return trial.ansatz.net.omega


def row(problem: ps.Problem, net, seed: int, seconds: float) -> str:
    load = os.getloadavg()[0]
    solution = measured(problem, net, seed, seconds)
    omega, found = getattr(net, "omega", None), solution.settings
    return (
        f"{f'{omega:.3g}' if omega else ''} | {solution.compare().relative_l2[problem.fields[0].name]:.1e} | {found['iterations']} "
        f"| {found['parameters']} | {solution.outcome.value} | {load:.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--nets", default="; ".join(NETS), help="names parted by ';'")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if not RESULTS.exists():
        RESULTS.write_text(HEAD)
    for seed in map(int, arguments.seeds.split(",")):
        for name in arguments.problems.split(","):
            problem, found = ps.load_problem(name), None
            for kind in (part.strip() for part in arguments.nets.split(";")):
                net, cell = NETS[kind], f"| {name} | {kind} | {seed} | {arguments.seconds:g} |"
                if cell in RESULTS.read_text():
                    continue
                if not isinstance(net, MLP):
                    found = found or bandwidth(problem, seed)
                    net = replace(net, omega=found * per_siren(net, problem))
                line = f"{cell} {row(problem, net, seed, arguments.seconds)}\n"
                print(line, end="", flush=True)
                with RESULTS.open("a") as file:
                    file.write(line)


if __name__ == "__main__":
    main()
