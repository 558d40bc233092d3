"""A problem and its twins in other names, units and origins, each by the solver's own choices: nothing may become easier or harder.

    OMP_NUM_THREADS=1 python benchmarks/twins.py [PROBLEM...] [--points 1200] [--seed 0]

Problems that converge in seconds on frozen sines, with as many sines as so many points tell apart, so that no figure depends on the
machine's load; ordinary equations by the default solver, in windows of time. Rows go to benchmarks/results/twins.md as they are measured:
the error of the problem, those of its twins with coordinates and fields a thousand times larger and smaller and the origin moved by three
lengths, and the largest ratio between them. It counts as met within WITHIN, or where all three are below ROUNDING: there errors are those of
the arithmetic, which other numbers round differently, and a shifted coordinate has a digit less.
"""

import argparse
import os
from pathlib import Path

import torch

import pinnsine as ps
from pinnsine.bench.twin import twin

PROBLEMS = (
    *("poisson", "helmholtz", "wave", "heat", "advection", "klein_gordon", "nonlinear_poisson", "bratu", "steady_burgers"),
    *("lotka_volterra", "inverse_diffusivity"),
)
SCALES = (1e3, 1e-3)
WITHIN = 3.0
ROUNDING = 1e-11
RESULTS = Path(__file__).parent / "results" / "twins.md"
HEAD = """| problem | error | twin * 1e3 | twin * 1e-3 | largest ratio | met | points | seed | load |
|---|---|---|---|---|---|---|---|---|
"""


def error(problem: ps.Problem, points: int, seed: int) -> float:
    """The largest relative L2 error over the fields."""
    windows = len(problem.domain.axes) == 1
    options = {"iterations": 1000} if windows else {"optimizer": ps.GaussNewton(), "points": points}
    solution = ps.solve(problem, seed=seed, threads=1, progress=False, estimate=False, **options)
    return max(solution.compare().relative_l2.values())


def compared(name: str, points: int, seed: int) -> list[float]:
    """The error of a problem and those of its twins."""
    problem = ps.load_problem(name)
    return [error(p, points, seed) for p in (problem, *(twin(problem, scale, scale) for scale in SCALES))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problem", nargs="*", default=PROBLEMS)
    parser.add_argument("--points", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if not RESULTS.exists():
        RESULTS.write_text(HEAD, encoding="utf-8")
    for name in asked.problem:
        errors = compared(name, asked.points, asked.seed)
        ratio = max(errors) / min(errors)
        met = "yes" if ratio <= WITHIN else "rounding" if max(errors) < ROUNDING else "NO"
        figures = " | ".join(f"{e:.3e}" for e in errors)
        row = f"| {name} | {figures} | {ratio:.3g} | {met} | {asked.points} | {asked.seed} | {os.getloadavg()[0]:.0f} |\n"
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(row)
        print(row, end="", flush=True)


if __name__ == "__main__":
    main()
