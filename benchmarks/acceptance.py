"""The acceptance table: shipped problems solved within a stated time, with their error against their own reference.

    python benchmarks/acceptance.py [NAME ...] [--seed 0 1 2] [--threads 2] [--write]

Each row states its choices here; a problem's file holds none. Errors are relative L2 on the domain's grid (513 x 101 for one space
coordinate and time), those of an inverse problem of its unknown numbers. The figure that counts is the median over the seeds; the worst
stands beside it. The time of one symmetric rank-k update (dsyrk) of a 8,000 x 1,500 matrix is printed as the machine's measure. `--write`
keeps the table in benchmarks/results/.
"""

import argparse
import functools
import os
import platform
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

import pinnsine as ps


@dataclass(frozen=True)
class Row:
    """One line of the table: a problem, what was chosen for it, the seconds allowed and the error that must be reached.

    ``windows``: the number of time windows of a march. ``unknowns``: the true numbers of an inverse problem, whose largest relative error
    counts then in place of the field's.
    """

    label: str
    problem: str
    seconds: float
    target: float
    coefficients: dict = field(default_factory=dict)
    choices: dict = field(default_factory=dict)
    windows: int | None = None
    unknowns: dict = field(default_factory=dict)


LATE = 1.1  # of the seconds allowed, the slowest seed
CHOLESKY = ps.LevenbergMarquardt()


def sines(depth: int, omega: float) -> dict:
    """A trained network of sines."""
    return {"net": ps.Siren(width=20, depth=depth, omega=omega)}


FRONT = {"net": ps.MLP(width=20, depth=3), "sampler": "rad"}
BREATHER = {"net": ps.FrozenSines(width=1100, omega=(90.0, 3.5))}
ROWS = (
    Row("Poisson", "poisson", 5, 1e-13),
    Row("Helmholtz (1, 4)", "helmholtz", 5, 1e-12),
    Row("Wave, two modes", "wave", 5, 1e-10),
    Row("Heat", "heat", 5, 1e-11),
    Row("Poisson, trained sines, by Cholesky", "poisson", 15, 1e-10, choices={**sines(3, 1.5), "optimizer": CHOLESKY}),
    Row("Helmholtz (1, 4), trained sines, by Cholesky", "helmholtz", 30, 1e-8, choices={**sines(3, 4.0), "optimizer": CHOLESKY}),
    Row("Poisson, trained sines", "poisson", 60, 1e-10, choices=sines(3, 1.5)),
    Row("Helmholtz (1, 4), trained sines", "helmholtz", 60, 5e-9, choices=sines(3, 4.0)),
    Row("Wave, two modes, trained sines", "wave", 60, 1e-5, choices=sines(3, 4.0)),
    Row("Heat, trained sines", "heat", 60, 1e-8, choices=sines(3, 2.0)),
    Row("Multi-scale Poisson (4, 8, 12, 16)", "multiscale_poisson", 60, 1e-8),
    Row("Poisson in five dimensions", "poisson_nd", 60, 1e-6, choices=sines(3, 1.0)),
    Row("Nonlinear Poisson", "nonlinear_poisson", 30, 1e-9),
    Row("Bratu", "bratu", 30, 1e-9),
    Row("Nonlinear Helmholtz", "nonlinear_helmholtz", 30, 1e-9),
    Row("Steady Burgers, nu = 0.1", "steady_burgers", 30, 1e-9),
    Row("Burgers, nu = 0.01/pi", "burgers", 120, 2e-5),
    Row("Burgers, nu = 0.01/pi, sines", "burgers", 120, 2e-4, choices={**sines(4, 2.0), "sampler": "rad"}),
    Row("Burgers, nu = 0.01", "burgers", 120, 3e-6, coefficients={"nu": 0.01}),
    Row("Allen-Cahn", "allen_cahn", 120, 3e-5),
    Row("Kovasznay, Re 40", "kovasznay", 180, 1e-8),
    Row("Taylor-Green", "taylor_green", 180, 1e-8),
    Row("Klein-Gordon", "klein_gordon", 180, 1e-7),
    Row("Sine-Gordon breather", "sine_gordon", 180, 1e-7, choices=BREATHER, windows=16),
    Row("Eikonal, point source", "eikonal", 180, 1e-5),
    Row(
        "Inverse Burgers, viscosity and convection",
        "inverse_burgers",
        120,
        1e-5,
        choices=FRONT,
        unknowns={"nu": 0.01 / np.pi, "convection": 1.0},
    ),
)


@dataclass(frozen=True)
class Measured:
    """One solution of a row."""

    error: float
    estimate: float
    floor: float
    seconds: float
    iterations: int
    parameters: int
    points: int
    net: str


def measure(row: Row, seed: int, threads: int) -> Measured:
    """Solve once; the error is the largest over the fields, or over the unknown numbers where these are asked for."""
    problem = ps.load_problem(row.problem, **row.coefficients)
    dict(problem.reference.floor)  # a numerical reference is computed here, and kept on disk: it is no part of the solution
    call = ps.solve if row.windows is None else functools.partial(ps.march, windows=row.windows)
    solution = call(problem, time=row.seconds, seed=seed, threads=threads, progress=False, **row.choices)
    comparison, used = solution.compare(), solution.settings
    worst = max(comparison.relative_l2, key=comparison.relative_l2.get)
    missed = [abs(float(solution.unknowns[name]) / true - 1) for name, true in row.unknowns.items()]
    return Measured(
        max(missed, default=comparison.relative_l2[worst]),
        float("nan") if missed else solution.estimate[worst],
        comparison.floor[worst],
        used["seconds"],
        used["iterations"],
        used["parameters"],
        used["points"],
        used["net"] + (f", {row.windows} windows" if row.windows else ""),
    )


def line(row: Row, runs: list[Measured], seeds: list[int]) -> str:
    """The row of the table: median and worst error, and the median run's estimate over error."""
    errors = [r.error for r in runs]
    median, ratio = statistics.median(errors), statistics.median(r.estimate / r.error for r in runs)
    first = runs[0]
    seconds = max(r.seconds for r in runs)
    verdict = "MISSED" if median > row.target else "LATE" if seconds > LATE * row.seconds else "met"
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    return (
        f"| {row.label} | {first.net} | {first.parameters} | {first.points} | {seconds:.0f} of {row.seconds:g} | {first.iterations} | "
        f"{median:.1e} | {max(errors):.1e} | {ratio:.2g} | {first.floor:.0e} | {row.target:.0e} | {verdict} | "
        f"{', '.join(map(str, seeds))} | {commit} |"
    )


def machine(threads: int) -> str:
    """Processor, threads, versions, and the time of one dsyrk."""
    from scipy.linalg.blas import dsyrk

    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((text.split(":", 1)[1].strip() for text in lines if text.startswith("model name")), platform.machine())
    matrix = np.asfortranarray(np.random.default_rng(0).standard_normal((8_000, 1_500)))
    dsyrk(1.0, matrix, trans=1)
    start = time.perf_counter()
    dsyrk(1.0, matrix, trans=1)
    seconds = time.perf_counter() - start
    return (
        f"{model}, {os.cpu_count()} cores, {threads} thread(s), load {os.getloadavg()[0]:.1f} at the start; "
        f"Python {platform.python_version()}, "
        f"torch {torch.__version__}, numpy {np.__version__}; one dsyrk of 8,000 x 1,500: {seconds:.2f} s"
    )


HEAD = (
    "| problem | network | parameters | rows | seconds | iterations | error (median) | worst | estimate / error "
    "| reference floor | target | | seeds | commit |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help="solve only the rows of these problems, or with these labels")
    parser.add_argument("--seed", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--write", action="store_true", help="keep the table in benchmarks/results/acceptance.md")
    arguments = parser.parse_args()
    rows = [r for r in ROWS if not arguments.name or {r.problem, r.label} & set(arguments.name)]
    if not rows:
        parser.error(f"no row solves {', '.join(arguments.name)}: choose among {', '.join(sorted({r.problem for r in ROWS}))}")
    host = machine(arguments.threads)
    print(host, HEAD, sep="\n\n", flush=True)
    lines = []
    for row in rows:
        lines.append(line(row, [measure(row, seed, arguments.threads) for seed in arguments.seed], arguments.seed))
        print(lines[-1], flush=True)
        if arguments.write:
            write(host, lines)


def write(host: str, lines: list[str]) -> None:
    """Put the rows into benchmarks/results/acceptance.md; rows of other problems that stand there already are kept."""
    path = Path(__file__).parent / "results" / "acceptance.md"
    path.parent.mkdir(exist_ok=True)
    old = path.read_text().splitlines() if path.exists() else []
    known = {text.split("|")[1].strip(): text for text in old if text.startswith("| ")}
    known |= {text.split("|")[1].strip(): text for text in lines}
    table = [known[row.label] for row in ROWS if row.label in known]
    path.write_text("\n".join(["# Acceptance", "", f"{host}.", "", HEAD, *table, ""]))


if __name__ == "__main__":
    main()
