"""A problem and its twins in other names, units and origins, each by the default solver: nothing may become easier or harder.

    OMP_NUM_THREADS=1 python benchmarks/twins.py [PROBLEM...] [--points 400] [--iterations 12] [--seed 0]

The budget is one of points and iterations, so that errors stand well above rounding and do not depend on the machine's load. Rows go to
benchmarks/results/twins.md as they are measured: the error of the problem, and by how much those of its twins differ.
"""

import argparse
from pathlib import Path

import torch

import pinnsine as ps
from pinnsine.bench.twin import twin

PROBLEMS = (
    *("poisson", "heat", "wave", "advection", "bratu", "steady_burgers", "helmholtz"),
    *("kovasznay", "burgers", "lotka_volterra"),
)
SCALES = (1e3, 1e-3)
ROUNDING = 1e-12  # below it errors are those of the arithmetic, and shifted coordinates have fewer digits
RESULTS = Path(__file__).parent / "results" / "twins.md"
HEAD = """| problem | error | twin * 1e3 | twin * 1e-3 | worst ratio | points | iterations | seed |
|---|---|---|---|---|---|---|---|
"""


def error(problem: ps.Problem, points: int, iterations: int, seed: int) -> float:
    """The largest relative L2 error over the fields."""
    solution = ps.solve(problem, points=points, iterations=iterations, seed=seed, progress=False, estimate=False)
    return max(solution.compare().relative_l2.values())


def compared(name: str, points: int, iterations: int, seed: int) -> tuple[float, list[float], float]:
    """The error of a problem, those of its twins, and the largest ratio between them, errors of rounding taken for equal."""
    problem = ps.load_problem(name)
    own = error(problem, points, iterations, seed)
    others = [error(twin(problem, scale, scale), points, iterations, seed) for scale in SCALES]
    ratios = [max(own, ROUNDING) / max(other, ROUNDING) for other in others]
    return own, others, max(max(r, 1 / r) for r in ratios)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problem", nargs="*", default=PROBLEMS)
    parser.add_argument("--points", type=int, default=400)
    parser.add_argument("--iterations", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if not RESULTS.exists():
        RESULTS.write_text(HEAD, encoding="utf-8")
    for name in asked.problem:
        own, others, worst = compared(name, asked.points, asked.iterations, asked.seed)
        figures = " | ".join(f"{e:.3e}" for e in (own, *others))
        row = f"| {name} | {figures} | {worst:.3g} | {asked.points} | {asked.iterations} | {asked.seed} |\n"
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(row)
        print(row, end="", flush=True)


if __name__ == "__main__":
    main()
