"""One row of the acceptance table measured: solved once a seed, and all that the table says of it."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from pinnsine.bench.rows import ROWS, Row
from pinnsine.march import march
from pinnsine.problem import load_problem, problems_folder
from pinnsine.solve import solve

PACKAGE = Path(__file__).parent.parent
MEASURED = PACKAGE / "measured.json"  # what `pinnsine list` shows


def measured(label: str, seeds: Sequence[int], threads: int) -> dict:
    """The row of a label, solved once a seed, as an object of JSON; what goes wrong is its ``failure``."""
    row = next(r for r in ROWS if r.label == label)
    record = {"label": label, "problem": row.problem, "seeds": list(seeds), "threads": threads, "load": os.getloadavg()[0]}
    record |= {"digest": digest(row), "commit": commit(), "machine": machine(), "dsyrk": dsyrk()}
    try:
        runs = [solved(row, seed, threads) for seed in seeds]
    except Exception as error:
        return {**record, "failure": f"{type(error).__name__}: {error}"}
    middle = min(runs, key=lambda run: abs(run["error"] - statistics.median(r["error"] for r in runs)))
    worst = max(run["error"] for run in runs)
    return {**record, **middle, "worst": worst, "seconds": max(run["seconds"] for run in runs)}


def solved(row: Row, seed: int, threads: int) -> dict:
    """One solution: its error is the largest over the fields, or over the unknown numbers where these are asked for."""
    problem = load_problem(row.problem, **row.coefficients)
    floor = dict(problem.reference.floor)  # a numerical reference is computed here, and kept on disk: it is no part of the solution
    call = solve if row.windows is None else functools.partial(march, windows=row.windows)
    solution = call(problem, time=row.seconds, seed=seed, threads=threads, progress=False, **row.choices)
    comparison, used = solution.compare(away=row.away), solution.settings
    away = {f"{n} away from {name}": error for name, c in comparison.away.items() for n, error in c.relative_l2.items()}
    missed = {name: abs(float(solution.unknowns[name]) / true - 1) for name, true in row.unknowns.items()}
    told = {name: solution.unknowns[name].error / abs(true) for name, true in row.unknowns.items()} or solution.estimate
    counted = missed or comparison.relative_l2
    worst = max(counted, key=counted.get)
    return {
        "error": counted[worst],
        "errors": {**missed, **comparison.relative_l2, **away},
        "estimate": told[worst],
        "floor": max(floor.values()),
        "net": used["net"] + (f", {used['windows']} windows" if "windows" in used else ""),
        **{key: used[key] for key in ("seconds", "iterations", "parameters", "points")},
    }


def digest(row: Row) -> str:
    """A key of all that a row's figures depend on: itself but for its target and what is published, its problem, and the package."""
    found = hashlib.sha256(repr((row.problem, row.seconds, row.coefficients, row.choices, row.windows, row.unknowns)).encode())
    found.update(sources())
    found.update((problems_folder() / f"{row.problem}.py").read_bytes())
    return found.hexdigest()[:16]


@functools.cache
def sources() -> bytes:
    """A digest of the package's own files, without the table itself and the builders of signals, which no row calls."""
    apart = {PACKAGE / name for name in ("bench", "fit", "problems")}
    files = sorted(p for p in PACKAGE.rglob("*.py") if apart.isdisjoint(p.parents))
    return hashlib.sha256(b"".join(p.read_bytes() for p in files)).digest()


@functools.cache
def commit() -> str:
    """The commit of the checkout, with a plus where its package or problems differ from it; empty outside of one."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--", ".", f":!{MEASURED.name}", str(problems_folder()))
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit + "+" * bool(changed)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=PACKAGE, capture_output=True, text=True, check=True).stdout.strip()


@functools.cache
def dsyrk() -> float:
    """Seconds of one symmetric rank-k update of 8,000 x 1,500, the machine's measure."""
    from scipy.linalg.blas import dsyrk as update

    matrix = np.asfortranarray(np.random.default_rng(0).standard_normal((8_000, 1_500)))
    update(1.0, matrix, trans=1)
    start = time.perf_counter()
    update(1.0, matrix, trans=1)
    return time.perf_counter() - start


def machine() -> str:
    """Processor and versions."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((text.split(":", 1)[1].strip() for text in lines if text.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} cores; Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}"
