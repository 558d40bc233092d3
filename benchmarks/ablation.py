"""What each lever of the trained solver is worth: one is moved at a time, on three problems, from three seeds.

    OMP_NUM_THREADS=1 python benchmarks/ablation.py [--problems wave] [--levers weights] [--seeds 0,1,2]
        [--seconds 30 [--process-time] | --iterations N]

Levenberg-Marquardt on the network that the policy trains. Each run is a line of benchmarks/results/ablation.jsonl, with the machine's load;
runs that are there already are left out, and benchmarks/results/ablation.md is made from all of them. Where the machine is loaded,
``--process-time`` lets all clocks of a run count the time of this process alone; by iterations, a lever that makes one cheaper or dearer is
judged by the seconds of process time beside the error.
"""

import argparse
import json
import math
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path

import torch

import pinnsine as ps
from pinnsine.bench.measure import commit
from pinnsine.nets import MLP, Siren

SIREN, TANH = Siren(width=20, depth=3, omega=4.0), MLP(width=20, depth=3)
LM = ps.LevenbergMarquardt(factorisation="staged")
BASE = {"helmholtz": (SIREN, "sobol"), "wave": (SIREN, "sobol"), "burgers": (TANH, "rad")}
MISJUDGED = 100.0  # times too large a scale


def levers(name: str) -> dict[str, dict]:
    """What is changed of a run by lever: ``fields``, ``weight`` and ``coefficients`` of the problem, all else arguments of ``solve``."""
    net, sampler = BASE[name]
    found = {
        "base": {},
        "geodesic acceleration": {"optimizer": replace(LM, geodesic=False)},
        "ratio target": {"optimizer": replace(LM, ratio=0.5)},
        "factored solve": {"optimizer": replace(LM, factorisation="cholesky")},
        "scaling": {"fields": MISJUDGED},
        "weights": {"weight": 1.0},
        "resampling": {"sampler": "sobol" if sampler == "rad" else "rad"},
        "network": {"net": TANH if net is SIREN else SIREN},
    }
    if name == "helmholtz":
        found["hard conditions"] = {"coefficients": {"hard": False}}
    if net is SIREN:
        found["bandwidth"] = {"net": replace(SIREN, omega=1.5)}
    return found


def changed(name: str, fields: float | None, weight: float | None, coefficients: dict | None) -> ps.Problem:
    """The problem with scales that are wrong by a factor, or with weights in place of the balance."""
    problem = ps.load_problem(name, **(coefficients or {}))
    new = [replace(f, range=(-fields, fields)) if fields else f for f in problem.fields]
    constraints = [replace(c, weight=weight) if weight and not c.hard else c for c in problem.constraints]
    return ps.Problem(problem.domain, new, constraints, reference=problem.reference, name=name)


def measured(name: str, lever: str, seed: int, budget: dict) -> dict:
    """One run as an object of JSON."""
    moved = dict(levers(name)[lever])
    problem = changed(name, *(moved.pop(part, None) for part in ("fields", "weight", "coefficients")))
    net, sampler = BASE[name]
    started = time.process_time()
    arguments = {"net": net, "optimizer": LM, "sampler": sampler, **moved, **budget}
    solution = ps.solve(problem, points=2500, seed=seed, threads=1, progress=False, estimate=False, **arguments)
    spent = time.process_time() - started
    error = max(solution.compare().relative_l2.values())
    record = {"problem": name, "lever": lever, "seed": seed, **budget, "error": error, "iterations done": solution.settings["iterations"]}
    return {**record, "process seconds": round(spent, 1), "load": round(os.getloadavg()[0], 1), "commit": commit()}


def table(records: list[dict]) -> str:
    """The geometric mean over seeds of the error without a lever over that with it, and the same of process time."""
    lines = ["| budget | problem | lever | runs | error | times the base's | times its seconds |", "|---" * 7 + "|"]
    groups: dict[tuple, list[dict]] = {}
    for r in records:
        groups.setdefault((r.get("iterations") or f"{r['time']} s", r["problem"], r["lever"]), []).append(r)
    for (budget, problem, lever), own in groups.items():
        base = {r["seed"]: r for r in groups.get((budget, problem, "base"), ())}
        pairs = [(r, base[r["seed"]]) for r in own if r["seed"] in base]
        cells = [_ratio(pairs, key) for key in ("error", "process seconds")]
        error = statistics.median(r["error"] for r in own)
        lines.append(f"| {budget} | {problem} | {lever} | {len(own)} | {error:.2e} | {cells[0]} | {cells[1]} |")
    return "\n".join([*lines, ""])


def _ratio(pairs: list[tuple[dict, dict]], key: str) -> str:
    logs = [math.log(r[key] / b[key]) for r, b in pairs]
    return f"{math.exp(sum(logs) / len(logs)):.2g}" if logs else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", default=",".join(BASE))
    parser.add_argument("--levers", default="")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--process-time", action="store_true")
    asked = parser.parse_args()
    if asked.process_time:
        time.perf_counter = time.process_time
    torch.set_num_threads(1)
    budget = {"iterations": asked.iterations} if asked.iterations else {"time": asked.seconds}
    results = Path(__file__).parent / "results"
    path = results / "ablation.jsonl"
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    done = {(r["problem"], r["lever"], r["seed"], r.get("iterations"), r.get("time")) for r in records}
    for name in asked.problems.split(","):
        for seed in map(int, asked.seeds.split(",")):
            for lever in levers(name):
                wanted = not asked.levers or lever in asked.levers.split(",")
                if not wanted or (name, lever, seed, budget.get("iterations"), budget.get("time")) in done:
                    continue
                records.append(measured(name, lever, seed, budget))
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(records[-1]) + "\n")
                print(records[-1], flush=True)
    (results / "ablation.md").write_text("# What each lever is worth\n\n" + table(records), encoding="utf-8")


if __name__ == "__main__":
    main()
