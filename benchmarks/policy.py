"""The solver's own choice beside three that are forced on it, at equal time: is there a better one that it could have made?

    OMP_NUM_THREADS=1 python benchmarks/policy.py [LABEL...] [--seeds 0,1,2] [--share 1.0] [--iterations N] [--process-time]

Rows of the acceptance table that leave every choice to the solver. Each run is a line of benchmarks/results/policy.jsonl, with the machine's
load; runs that are there already are left out, so that a run can be broken off and taken up again, and benchmarks/results/policy.md is made
from all of them. ``--share``: of a row's time. Where a loaded machine makes wall times worthless, ``--iterations`` stands in place of time, and
``--process-time`` lets all clocks of the run count the time of this process alone.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import torch

import pinnsine as ps
from pinnsine.bench.measure import commit
from pinnsine.bench.rows import ROWS, Row
from pinnsine.nets import MLP, Siren
from pinnsine.optim import SSBroyden

SIREN = Siren(width=20, depth=3, omega=4.0)
CHOICES = {
    "policy": {},
    "frozen sines": {"optimizer": ps.GaussNewton()},
    "Levenberg-Marquardt on sines": {"net": SIREN, "optimizer": ps.LevenbergMarquardt(factorisation="staged")},
    "quasi-Newton on tanh": {"net": MLP(width=20, depth=3), "optimizer": [ps.Adam(500), SSBroyden()], "sampler": "rad"},
}
WITHIN = 10.0  # the policy's error may be so many times that of the best
RESULTS = Path(__file__).parent / "results"


def measured(row: Row, choice: str, seed: int, share: float, iterations: int | None) -> dict:
    """One run as an object of JSON; what goes wrong is its ``failure``."""
    budget = {"iterations": iterations} if iterations else {"time": share * row.seconds}
    record = {
        "label": row.label,
        "choice": choice,
        "seed": seed,
        **budget,
        "target": row.target,
        "clock": "process" if time.perf_counter is time.process_time else "wall",
        "load": os.getloadavg()[0],
        "commit": commit(),
    }
    problem = ps.load_problem(row.problem, **row.coefficients)
    dict(problem.reference.floor)
    try:
        solution = ps.solve(problem, seed=seed, threads=1, progress=False, estimate=False, **budget, **CHOICES[choice])
    except Exception as error:
        return {**record, "failure": f"{type(error).__name__}: {error}"}
    missed = [abs(float(solution.unknowns[name]) / true - 1) for name, true in row.unknowns.items()]
    error = max(missed or solution.compare().relative_l2.values())
    return {**record, "error": error, "net": solution.settings["net"], "seconds": solution.settings["seconds"]}


def table(records: list[dict]) -> str:
    """The medians over the seeds, and on which share of the rows the policy is within ten times the best."""
    lines = ["| row | " + " | ".join(CHOICES) + " | over the best |", "|---" * (len(CHOICES) + 2) + "|"]
    good, met, labels = 0, 0, dict.fromkeys(r["label"] for r in records)
    complete = 0
    for label in labels:
        own = [r for r in records if r["label"] == label]
        medians = {c: _median([r.get("error", float("inf")) for r in own if r["choice"] == c]) for c in CHOICES}
        cells = " | ".join("-" if m is None else f"{m:.1e}" for m in medians.values())
        if any(m is None for m in medians.values()):
            lines.append(f"| {label} | {cells} | |")
            continue
        best, complete = min(medians.values()), complete + 1
        good += medians["policy"] <= WITHIN * best
        met += medians["policy"] <= own[0]["target"]
        lines.append(f"| {label} | {cells} | {medians['policy'] / best:.2g} |")
    loads, clocks = [r["load"] for r in records if "load" in r], sorted({r.get("clock", "wall") for r in records})
    seeds = ", ".join(map(str, sorted({r["seed"] for r in records})))
    made = f"Seeds {seeds}; {' and '.join(clocks)} time; load {min(loads, default=0):.0f} to {max(loads, default=0):.0f}."
    return "\n".join([*lines, "", f"Within {WITHIN:g} times the best on {good} of {complete} rows; the row's target met on {met}.", made, ""])


def _median(errors: list[float]) -> float | None:
    return statistics.median(errors) if errors else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("label", nargs="*", help="labels of rows or names of problems; all by default")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--process-time", action="store_true")
    asked = parser.parse_args()
    if asked.process_time:
        time.perf_counter = time.process_time
    torch.set_num_threads(1)
    path = RESULTS / "policy.jsonl"
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    rows = [r for r in ROWS if r.default and (not asked.label or {r.label, r.problem} & set(asked.label))]
    for row in rows:
        for seed in map(int, asked.seeds.split(",")):
            for choice in CHOICES:
                key = (row.label, choice, seed, asked.iterations or asked.share * row.seconds)
                if key in {(r["label"], r["choice"], r["seed"], r.get("iterations") or r["time"]) for r in records}:
                    continue
                records.append(measured(row, choice, seed, asked.share, asked.iterations))
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(records[-1]) + "\n")
                print(records[-1], flush=True)
    (RESULTS / "policy.md").write_text("# The policy against forced choices\n\n" + table(records), encoding="utf-8")


if __name__ == "__main__":
    main()
