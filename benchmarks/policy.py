"""The solver's own choice beside three that are forced on it, at equal time: is there a better one that it could have made?

    OMP_NUM_THREADS=1 python benchmarks/policy.py [LABEL...] [--seeds 0] [--process-time]

Rows of the acceptance table that leave every choice to the solver; its own figures are that table's (benchmarks/results/acceptance.jsonl, the
median over its seeds), which must be measured on the same machine before. The others get the seconds that it took. Each of their runs is a line
of benchmarks/results/policy.jsonl, with the machine's load; runs that are there already are left out, so that a run can be broken off and taken
up again, and benchmarks/results/policy.md is made from all of them. ``--process-time``: all clocks of the run count the time of this process
alone, for a loaded machine.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import torch

import pinnsine as ps
from pinnsine.bench.measure import commit, machine
from pinnsine.bench.rows import ROWS, Row
from pinnsine.bench.table import records as measured_rows
from pinnsine.bench.table import records_file
from pinnsine.nets import MLP, Siren
from pinnsine.optim import SSBroyden

SIREN = Siren(width=20, depth=3, omega=4.0)
FORCED = {
    "frozen sines": {"optimizer": ps.GaussNewton()},
    "Levenberg-Marquardt on sines": {"net": SIREN, "optimizer": ps.LevenbergMarquardt(factorisation="staged")},
    "quasi-Newton on tanh": {"net": MLP(width=20, depth=3), "optimizer": [ps.Adam(500), SSBroyden()], "sampler": "rad"},
}
WITHIN = 10.0  # the policy's error may be so many times that of the best
RESULTS = Path(__file__).parent / "results"


def measured(row: Row, choice: str, seed: int, seconds: float) -> dict:
    """One run as an object of JSON; what goes wrong is its ``failure``."""
    clock = "process" if time.perf_counter is time.process_time else "wall"
    record = {"label": row.label, "choice": choice, "seed": seed, "time": seconds, "clock": clock}
    record |= {"load": os.getloadavg()[0], "commit": commit(), "machine": machine()}
    problem = ps.load_problem(row.problem, **row.coefficients)
    dict(problem.reference.floor)  # a numerical reference is no part of the solution
    try:
        solution = ps.solve(problem, seed=seed, threads=1, progress=False, estimate=False, time=seconds, **FORCED[choice])
    except Exception as error:
        return {**record, "failure": f"{type(error).__name__}: {error}"}
    missed = [abs(float(solution.unknowns[name]) / true - 1) for name, true in row.unknowns.items()]
    error = max(missed or solution.compare().relative_l2.values())
    return {**record, "error": error, "net": solution.settings["net"], "seconds": solution.settings["seconds"]}


def table(records: list[dict], known: dict[str, dict]) -> str:
    """The medians over the seeds, and on which share of the rows the policy is within ten times the best."""
    lines = ["| row | seconds | policy | " + " | ".join(FORCED) + " | over the best |", "|---" * (len(FORCED) + 4) + "|"]
    good, met, complete = 0, 0, 0
    for row in ROWS:
        own = [r for r in records if r["label"] == row.label]
        if not own:
            continue
        errors = {c: [r.get("error", float("inf")) for r in own if r["choice"] == c] for c in FORCED}
        policy, medians = known[row.label]["error"], {c: statistics.median(e) if e else None for c, e in errors.items()}
        cells = " | ".join("-" if m is None else "failed" if m == float("inf") else f"{m:.1e}" for m in medians.values())
        ratio = "" if None in medians.values() else policy / min(policy, *medians.values())
        lines.append(f"| {row.label} | {known[row.label]['seconds']:.0f} | {policy:.1e} | {cells} | {ratio and f'{ratio:.2g}'} |")
        if ratio:
            good, met, complete = good + (ratio <= WITHIN), met + (policy <= row.target), complete + 1
    loads, clocks = [r["load"] for r in records], sorted({r["clock"] for r in records})
    lines += ["", f"Within {WITHIN:g} times the best on {good} of {complete} rows; the row's target met on {met}."]
    lines += [f"Forced: {' and '.join(clocks)} time; load {min(loads, default=0):.0f} to {max(loads, default=0):.0f}."]
    return "\n".join([*lines, *dict.fromkeys(r["machine"] + "." for r in records), ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("label", nargs="*", help="labels of rows or names of problems; all by default")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--process-time", action="store_true")
    asked = parser.parse_args()
    if asked.process_time:
        time.perf_counter = time.process_time
    torch.set_num_threads(1)
    path, known = RESULTS / "policy.jsonl", measured_rows(records_file())
    rows = [r for r in ROWS if r.default and "error" in known.get(r.label, {}) and (not asked.label or {r.label, r.problem} & set(asked.label))]
    for row in rows:
        for seed in map(int, asked.seeds.split(",")):
            for choice in FORCED:
                if (row.label, choice, seed) in {(r["label"], r["choice"], r["seed"]) for r in _kept(path)}:
                    continue
                record = measured(row, choice, seed, known[row.label]["seconds"])
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(record) + "\n")
                print(record, flush=True)
    (RESULTS / "policy.md").write_text("# The policy against forced choices\n\n" + table(_kept(path), known), encoding="utf-8")


def _kept(path: Path) -> list[dict]:
    """The runs that are measured, another process's of this moment among them."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


if __name__ == "__main__":
    main()
