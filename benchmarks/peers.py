"""DeepXDE, PINA and jinns with the settings of their own published scripts, and ours in the same time: error and seconds of each.

    python benchmarks/peers.py [PROBLEM...] [--peers deepxde,pina,jinns] [--seeds 0] [--share 1.0] [--write]

Problems: burgers, allen_cahn, helmholtz, wave, kovasznay, inverse. A peer solves each as its own script poses it (recipes/, peer_problems.py);
where it has none of a problem, with the settings of its nearest script, and the table says so. Ours is ``pinnsine.solve(problem, time=<the
peer's seconds>)`` on the same statement, with no choice made by hand. Every run is a process of its own on the CPU, and seconds are those of
that process on one thread, so that other processes count little: the peer's for building and training alone, imports left out, ours for the
whole call. Errors are relative L2, the largest over the fields, on one grid for all solvers; of inverse problems the largest relative error of
the numbers.

``--write`` appends each run to benchmarks/results/peers.jsonl as soon as it is measured, leaves out those that are there, and makes peers.md of
all. ``--share`` takes a part of the peers' iterations: a smoke run, no result of anybody's.
"""

import argparse
import importlib
import importlib.metadata
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import peer_problems
import torch

import pinnsine as ps
from pinnsine.bench.measure import commit, machine

PROBLEMS = ("burgers", "allen_cahn", "helmholtz", "wave", "kovasznay", "inverse")
PEERS = {
    "deepxde": ("DeepXDE", ("deepxde", "torch")),
    "pina": ("PINA", ("pina-mathlab", "lightning", "torch")),
    "jinns": ("jinns", ("jinns", "jax", "jaxlib", "equinox", "optax")),
}  # by module of recipes/: the name, and the packages whose versions are kept
RESULTS = Path(__file__).parent / "results"
ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
ON_CPU = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu", "DDE_BACKEND": "pytorch"}


def peer_run(peer: str, name: str, seed: int, share: float) -> dict:
    """The peer trained and measured, as an object of JSON."""
    recipe = importlib.import_module(f"recipes.{peer}").RECIPES[name]
    problem = peer_problems.STATEMENTS[recipe.statement]()
    begun = time.process_time()
    answer = recipe.train(problem, seed, share)
    seconds = time.process_time() - begun
    error = measured(recipe.statement, problem, answer.fields, answer.unknowns)
    versions = {package: importlib.metadata.version(package) for package in PEERS[peer][1]}
    said = {"statement": recipe.statement, "source": recipe.source, "remark": recipe.remark}
    return {"solver": peer, **said, "error": error, "seconds": seconds, "iterations": answer.iterations, "versions": versions}


def our_run(statement: str, seed: int, budget: float) -> dict:
    """Ours on a peer's statement in its seconds, with the history of its error where that is of one field."""
    problem = peer_problems.STATEMENTS[statement]()
    dict(problem.reference.floor)  # a numerical reference is computed here: it is no part of the solution
    time.perf_counter = time.process_time  # the budget is process time as well
    begun = time.process_time()
    solution = ps.solve(problem, time=budget, seed=seed, threads=1)
    seconds = time.process_time() - begun
    fields = None if statement in peer_problems.TRUE else lambda columns: solution.predict(**columns)
    error = measured(statement, problem, fields, {n: float(value) for n, value in solution.unknowns.items()})
    known = solution.history if fields and len(problem.fields) == 1 else {}
    history = {key: [float(v) for v in known[key]] for key in ("seconds", "error") if key in known}
    versions = {"pinnsine": importlib.metadata.version("pinnsine"), "torch": torch.__version__}
    said = {"solver": "pinnsine", "statement": statement, "budget": budget, "net": solution.settings["net"]}
    used = {"seconds": seconds, "iterations": solution.settings["iterations"], "versions": versions}
    return {**said, "error": error, **used, "history": history}


def measured(statement: str, problem: ps.Problem, fields, unknowns: dict[str, float]) -> float:
    """The error of a run; infinite where it ended in numbers that are not finite."""
    wanted = statement in peer_problems.TRUE
    error = peer_problems.number_error(statement, unknowns) if wanted else peer_problems.field_error(problem, fields)
    return error if math.isfinite(error) else math.inf


def first_below(history: dict[str, list[float]], level: float) -> float | None:
    """When the errors of a history first fell to a level; rows where none was measured are NaN and do not count."""
    below = [s for s, e in zip(history.get("seconds", []), history.get("error", []), strict=True) if e <= level]
    return min(below, default=None)


def in_child(*words: object) -> dict:
    """One run in a fresh process, so that none shares imports, memory or threads with another."""
    command = [sys.executable, __file__, "--child", *map(str, words)]
    child = subprocess.run(command, env=os.environ | ONE_THREAD | ON_CPU, capture_output=True, text=True)
    if child.returncode:
        said = f"{child.stdout[-2000:]}\n{child.stderr[-4000:]}"
        sys.exit(f"{said}\npeers.py: {' '.join(command[3:])} failed with status {child.returncode}.")
    return json.loads(child.stdout.splitlines()[-1])


def both(peer: str, name: str, seed: int, share: float, records: list[dict]):
    """The peer's record and ours, those left out that are among the records already."""
    made = {"problem": name, "peer": peer, "seed": seed, "share": share}
    known = {r["solver"]: r for r in records if made.items() <= r.items()}
    theirs = known.get(peer)
    if theirs is None:
        theirs = {**made, **situation(), **in_child("peer", peer, name, seed, share)}
        yield theirs
    if "pinnsine" not in known:
        ours = in_child("ours", theirs["statement"], seed, theirs["seconds"])
        reached = first_below(ours.pop("history"), theirs["error"])
        yield {**made, **situation(), **ours, "reached": reached}


def situation() -> dict:
    return {"load": round(os.getloadavg()[0], 1), "commit": commit(), "machine": machine()}


def table(records: list[dict]) -> str:
    """One line for each peer, problem and seed, with ours beside it, and what the scripts are."""
    heads = ("problem", "peer", "seed", "its error", "its s", "its iterations", "our error", "our s", "s to its error", "times smaller")
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    runs = {(PROBLEMS.index(r["problem"]), r["peer"], r["seed"], r["solver"] == "pinnsine"): r for r in records}
    for (place, peer, seed, ours), theirs in sorted(runs.items(), key=lambda item: item[0]):
        if ours:
            continue
        start = f"{theirs['statement']} | {PEERS[peer][0]} | {seed}"
        its = f"{theirs['error']:.1e} | {theirs['seconds']:.0f} | {theirs['iterations']:,}"
        beside = runs.get((place, peer, seed, True))
        lines.append(f"| {start} | {its} | {ours_beside(theirs, beside) if beside else '- | - | - | -'} |")
    scripts = {(r["problem"], r["peer"]): r for r in records if r["solver"] != "pinnsine"}.values()
    notes = [f"- {r['statement']}, {PEERS[r['peer']][0]}: {r['source']}{'; ' + r['remark'] if r['remark'] else ''}." for r in scripts]
    versions = sorted({f"{name} {version}" for r in records for name, version in r["versions"].items()})
    loads = [r["load"] for r in records]
    commits = ", ".join(sorted({r["commit"] for r in records}))
    made = f"{'; '.join(sorted({r['machine'] for r in records}))}; load {min(loads):g} to {max(loads):g}; commit {commits}."
    return "\n".join([*lines, "", "Scripts:", "", *notes, "", f"Versions: {', '.join(versions)}.", "", made, ""])


def ours_beside(theirs: dict, ours: dict) -> str:
    """The cells of our run; where its history does not tell when it reached the peer's error, its end does if it is there."""
    reached = ours["reached"]
    if reached is None and ours["error"] <= theirs["error"]:
        reached = ours["seconds"]
    ratio = theirs["error"] / ours["error"] if ours["error"] else math.inf
    return f"{ours['error']:.1e} | {ours['seconds']:.0f} | {'never' if reached is None else f'{reached:.0f}'} | {ratio:.2g}"


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problem", nargs="*", help=f"of {', '.join(PROBLEMS)}; all by default")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--share", type=float, default=1.0, help="of the peers' iterations")
    parser.add_argument("--write", action="store_true", help="keep the rows in benchmarks/results/, and leave out those that are there")
    asked = parser.parse_args(words)
    asked.peers, asked.seeds = asked.peers.split(","), [int(seed) for seed in asked.seeds.split(",")]
    if unknown := [*(set(asked.problem) - set(PROBLEMS)), *(set(asked.peers) - set(PEERS))]:
        parser.error(f"there is no {', '.join(unknown)}: problems {', '.join(PROBLEMS)}; peers {', '.join(PEERS)}")
    if not 0 < asked.share <= 1:
        parser.error(f"--share must be above 0 and at most 1, got {asked.share:g}")
    if asked.write and asked.share < 1:
        parser.error("--write records results; a run with --share below 1 is none")
    return asked


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        kind, *names, seed, amount = sys.argv[2:]
        torch.set_num_threads(1)
        print(json.dumps((peer_run if kind == "peer" else our_run)(*names, int(seed), float(amount))))
        return
    asked = parse()
    path = RESULTS / "peers.jsonl"
    kept = path.read_text(encoding="utf-8").splitlines() if asked.write and path.exists() else []
    records = [json.loads(line) for line in kept]
    for name in asked.problem or PROBLEMS:
        for peer in asked.peers:
            for seed in asked.seeds:
                for record in both(peer, name, seed, asked.share, records):
                    records.append(record)
                    print(f"{name} {peer} {record['solver']}: {record['error']:.2e} in {record['seconds']:.1f} s", flush=True)
                    if asked.write:
                        with path.open("a", encoding="utf-8") as file:
                            file.write(json.dumps(record) + "\n")
    print(table(records))
    if asked.write:
        (RESULTS / "peers.md").write_text(page(records), encoding="utf-8")


def page(records: list[dict]) -> str:
    """The table as a page of benchmarks/results/."""
    said = "Process seconds on one thread; what the columns mean is said in benchmarks/peers.py. Burgers' equation by wall time, three seeds,"
    earlier = "measured earlier: [peers-burgers.md](peers-burgers.md)."
    return f"# Peers' published scripts, and pinnsine in the same time\n\n{said} {earlier}\n\n{table(records)}"


if __name__ == "__main__":
    main()
