"""Two processes of one thread against one, under torchrun: seconds of an iteration, and the efficiency.

    python benchmarks/scaling.py [--points 32000] [--ranks 1 2] [--iterations 8] [--write]

Burgers' equation on a sine network of 3 x 32, Adam and Levenberg-Marquardt. Efficiency is the time of one process over that of R, divided by
R: one, if nothing had to be told or added, with as many idle cores as processes. Where "cores" share their arithmetic, as hyperthreads do,
no program comes to one: the machine's own efficiency is that of products of matrices in so many processes that tell each other nothing.
Seconds are the median over the iterations after the first two, held-out looks included.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

import pinnsine as ps
from pinnsine import distributed
from pinnsine.bench.measure import machine

METHODS = {"adam": ps.Adam(lr=1e-3), "lm": ps.LevenbergMarquardt(factorisation="cholesky")}


def worker(method: str, points: int, iterations: int) -> None:
    """One process of a run; the first prints the seconds of an iteration."""
    options = {"points": points, "sampler": "sobol", "iterations": iterations, "threads": 1, "progress": False, "estimate": False}
    solution = ps.solve(ps.load_problem("burgers"), ps.Siren(32, 3, omega=4.0), METHODS[method], **options)
    if distributed.leads():
        seconds = solution.history["seconds"]
        print(json.dumps({"seconds": statistics.median((seconds[1:] - seconds[:-1])[1:]), "loss": solution.history["loss"].tolist()}))


def launch(method: str, ranks: int, points: int, iterations: int) -> dict:
    """What the first of so many processes prints."""
    script = [__file__, "--worker", method, "--points", str(points), "--iterations", str(iterations)]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}", *script]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def products() -> None:
    """Prints the seconds of products of matrices on one thread."""
    torch.set_num_threads(1)
    matrix, start = torch.rand(1024, 1024, dtype=torch.float64), time.perf_counter()
    for _ in range(60):
        matrix @ matrix
    print(time.perf_counter() - start)


def apart(ranks: int) -> float:
    """The longest seconds of so many processes at once, each with the same products."""
    command = [sys.executable, __file__, "--worker", "products"]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(ranks)]
    return max(float(p.communicate()[0]) for p in started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=32_000)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--iterations", type=int, default=8)
    parser.add_argument("--write", action="store_true", help="keep the figures in benchmarks/results/scaling.md")
    parser.add_argument("--worker", choices=(*METHODS, "products"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker == "products":
        products()
        return
    if arguments.worker:
        worker(arguments.worker, arguments.points, arguments.iterations)
        return
    lines = ["| method | processes | s/iteration | efficiency | same losses |", "|---|---|---|---|---|"]
    for method in METHODS:
        one = None
        for ranks in arguments.ranks:
            found = launch(method, ranks, arguments.points, arguments.iterations)
            one = one or found
            efficiency = one["seconds"] / found["seconds"] / (ranks / arguments.ranks[0])
            same = "yes" if one["loss"] == found["loss"] else "no"
            lines.append(f"| {method} | {ranks} | {found['seconds']:.3f} | {efficiency:.2f} | {same} |")
    alone = apart(1)
    own = ", ".join(f"{alone / apart(ranks):.2f} of {ranks}" for ranks in arguments.ranks[1:])
    head = f"{machine()}, one thread for each process, {arguments.points:,} points; the machine's own efficiency: {own}"
    text = "\n".join([head, "", *lines])
    print(text)
    if arguments.write:
        (Path(__file__).parent / "results" / "scaling.md").write_text(f"# Processes\n\n{text}\n")


if __name__ == "__main__":
    main()
