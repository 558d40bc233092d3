"""Runs another package's own recipe and then ours, in one invocation and on the same threads, and compares both.

    python benchmarks/peers.py burgers [--threads 1] [--seed 0 1 2] [--peer-dtype float32] [--write]

The peer is DeepXDE (the `bench` extra) with its example `pinn_forward/Burgers.py` as it stands, except that time ends
at 1 and not at 0.99. In the example's float32 the line search of L-BFGS often finds no descent and ends the phase
after a few steps, so the steps taken are shown, and `--peer-dtype float64` follows DeepXDE's own advice for that case.

Ours is `pinnsine.solve(problem, time=<the peer's seconds>)` with no choice made by hand. Each half runs in a process
of its own, on the CPU. Errors are relative L2 on one grid of 513 x 101 points against the exact solution. The clocks
favour the peer: its seconds are training alone, ours are the whole call, set-up included.
"""

import argparse
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from math import nan, pi
from pathlib import Path

import numpy as np

NU = 0.01 / pi
ADAM_ITERATIONS = 15_000
LBFGS_ITERATIONS = 15_000


@dataclass(frozen=True)
class Race:
    """One seed: what the peer reached and when, and what we reached in that time."""

    seed: int
    peer_error: float
    peer_seconds: float
    peer_setup: float
    peer_lbfgs: int  # steps that the peer's second phase took
    our_error: float
    our_seconds: float
    our_setup: float
    reached: float  # seconds until our error first fell to the peer's; NaN: never

    @property
    def times_faster(self) -> float:
        return self.peer_seconds / self.reached

    @property
    def times_smaller(self) -> float:
        return self.peer_error / self.our_error


def grid() -> tuple[np.ndarray, np.ndarray]:
    """The points at which every error here is measured: x and t, each of shape (513, 101)."""
    return np.meshgrid(np.linspace(-1, 1, 513), np.linspace(0, 1, 101), indexing="ij")


def train_deepxde(seed: int, iterations_scale: float, dtype: str) -> dict[str, object]:
    """DeepXDE's recipe for u_t + u u_x = nu u_xx: a 3 x 20 tanh network, Adam, then L-BFGS."""
    clock = time.perf_counter()
    import deepxde as dde

    def residual(x, u):  # x: (N, 2), u: (N, 1)
        u_x = dde.grad.jacobian(u, x, i=0, j=0)
        u_t = dde.grad.jacobian(u, x, i=0, j=1)
        return u_t + u * u_x - NU * dde.grad.hessian(u, x, i=0, j=0)

    dde.config.set_default_float(dtype)
    dde.config.set_random_seed(seed)
    domain = dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 1))
    walls = dde.icbc.DirichletBC(domain, lambda x: 0, lambda _, on_boundary: on_boundary)
    start = dde.icbc.IC(domain, lambda x: -np.sin(pi * x[:, :1]), lambda _, on_initial: on_initial)
    data = dde.data.TimePDE(domain, residual, [walls, start], num_domain=2540, num_boundary=80, num_initial=160)
    model = dde.Model(data, dde.nn.FNN([2, 20, 20, 20, 1], "tanh", "Glorot normal"))
    model.compile("adam", lr=1e-3)
    setup = time.perf_counter() - clock

    clock = time.perf_counter()
    adam_iterations = round(ADAM_ITERATIONS * iterations_scale)
    model.train(iterations=adam_iterations)
    dde.optimizers.set_LBFGS_options(maxiter=round(LBFGS_ITERATIONS * iterations_scale))
    model.compile("L-BFGS")
    model.train()
    seconds = time.perf_counter() - clock

    x, t = grid()
    u = model.predict(np.stack((x.ravel(), t.ravel()), axis=1)).reshape(x.shape)
    return {"u": u, "seconds": seconds, "setup": setup, "lbfgs": model.train_state.step - adam_iterations}


def solve_pinnsine(seed: int, threads: int, budget: float) -> dict[str, object]:
    """Ours, given the peer's seconds and nothing else."""
    clock = time.perf_counter()
    import pinnsine

    problem = pinnsine.load_problem("burgers")
    setup = time.perf_counter() - clock

    clock = time.perf_counter()
    solution = pinnsine.solve(problem, time=budget, threads=threads, seed=seed)
    seconds = time.perf_counter() - clock

    x, t = grid()
    history = {f"history_{name}": np.asarray(solution.history[name]) for name in ("seconds", "error")}
    return {"u": solution.predict(x=x, t=t)["u"], "seconds": seconds, "setup": setup, **history}


def in_child(package: str, threads: int, **options: object) -> dict[str, np.ndarray]:
    """Run one half in a fresh process, so that neither shares imports, memory or thread pools with the other."""
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    # DeepXDE takes any accelerator it finds; both halves stay on the CPU, where threads can be made equal.
    environment = os.environ | limits | {"CUDA_VISIBLE_DEVICES": "", "DDE_BACKEND": "pytorch"}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "result.npz")
        command = [sys.executable, __file__, "burgers", "--child", package, "--out", out, "--threads", threads]
        command += [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        child = subprocess.run(
            [str(word) for word in command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if child.returncode:
            sys.exit(f"{child.stdout[-4000:]}\npeers.py: the {package} half failed with status {child.returncode}.")
        with np.load(out, allow_pickle=False) as result:
            return dict(result)


def exact() -> np.ndarray:
    """The exact solution on the grid, of shape (513, 101)."""
    import torch

    import pinnsine

    x, t = (torch.from_numpy(axis.ravel()) for axis in grid())
    return pinnsine.reference.burgers(NU).evaluate({"x": x, "t": t})["u"].numpy().reshape(grid()[0].shape)


def first_below(seconds: np.ndarray, errors: np.ndarray, level: float) -> float:
    """When `errors` first fell to `level`; rows where no error was measured are NaN and do not count."""
    below = np.flatnonzero(errors <= level)
    return float(seconds[below[0]]) if below.size else nan


def race(seed: int, threads: int, iterations_scale: float, peer_dtype: str) -> Race:
    """The peer first, then ours within the seconds that the peer took."""
    truth = exact()

    def error(u: np.ndarray) -> float:
        return float(np.linalg.norm(u - truth) / np.linalg.norm(truth))

    peer = in_child("deepxde", threads, seed=seed, iterations_scale=iterations_scale, peer_dtype=peer_dtype)
    print(f"seed {seed}: DeepXDE {error(peer['u']):.2e} in {peer['seconds']:.1f} s; now ours", flush=True)
    ours = in_child("pinnsine", threads, seed=seed, budget=float(peer["seconds"]))
    return Race(
        seed=seed,
        peer_error=error(peer["u"]),
        peer_seconds=float(peer["seconds"]),
        peer_setup=float(peer["setup"]),
        peer_lbfgs=int(peer["lbfgs"]),
        our_error=error(ours["u"]),
        our_seconds=float(ours["seconds"]),
        our_setup=float(ours["setup"]),
        reached=first_below(ours["history_seconds"], ours["history_error"], error(peer["u"])),
    )


def conditions(threads: int) -> str:
    """The machine, what else it was doing, the threads used and the versions of the packages compared, on one line."""
    from pinnsine.bench.measure import machine

    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("scipy", "deepxde", "pinnsine"))
    return f"{machine()}, {versions}; load {os.getloadavg()[0]:.1f} at the start, {threads} thread(s)"


def report(races: list[Race], host: str, iterations_scale: float, peer_dtype: str) -> str:
    """The comparison as Markdown: one row a seed, then the median and the worst of each ratio."""
    rows = [
        f"| {r.seed} | {r.peer_error:.2e} | {r.peer_seconds:.1f} | {r.peer_lbfgs} | {r.our_error:.2e} "
        f"| {r.our_seconds:.1f} | {r.reached:.1f} | {r.times_faster:.1f} | {r.times_smaller:.0f} |"
        for r in races
    ]
    faster = np.nan_to_num([r.times_faster for r in races], nan=0.0)  # never reached counts as the worst
    smaller = [r.times_smaller for r in races]
    setups = np.median([(r.peer_setup, r.our_setup) for r in races], axis=0)
    smoke = "" if iterations_scale == 1 else f" DeepXDE's iterations scaled by {iterations_scale:g}: not a result."
    return "\n".join(
        [
            f"# Burgers, nu = 0.01/pi: DeepXDE's own recipe in {peer_dtype}, and pinnsine",
            "",
            host + "." + smoke,
            "",
            "| seed | DeepXDE error | DeepXDE s | its L-BFGS steps | our error | our s | s to its error | times faster | times smaller |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"To DeepXDE's error: {np.median(faster):.1f} times faster (worst {min(faster):.1f}). "
            f"In DeepXDE's time: {np.median(smaller):.0f} times smaller error (worst {min(smaller):.0f}).",
            f"Not counted: imports and building the problem, {setups[0]:.1f} s for DeepXDE and {setups[1]:.1f} s for "
            "ours. Errors are relative L2 on 513 x 101 points against the exact Cole-Hopf solution.",
            "",
        ]
    )


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problem", choices=["burgers"])
    parser.add_argument("--threads", type=int, default=1, help="threads of each half (default 1)")
    parser.add_argument("--seed", type=int, nargs="+", default=[0], help="one or more seeds (default 0)")
    parser.add_argument("--iterations-scale", type=float, default=1.0, help="DeepXDE's iterations, scaled: a smoke run")
    parser.add_argument("--peer-dtype", choices=["float32", "float64"], default="float32", help="default: the recipe's")
    parser.add_argument("--write", action="store_true", help="write the table to benchmarks/results/")
    parser.add_argument("--child", choices=["deepxde", "pinnsine"], help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--budget", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    if arguments.threads < 1:
        parser.error(f"--threads must be at least 1, got {arguments.threads}")
    if arguments.iterations_scale <= 0:
        parser.error(f"--iterations-scale must be positive, got {arguments.iterations_scale:g}")
    if arguments.write and arguments.iterations_scale != 1:
        parser.error("--write records results; a run with --iterations-scale is none")
    return arguments


def main() -> None:
    arguments = parse()
    if arguments.child == "deepxde":
        np.savez(arguments.out, **train_deepxde(arguments.seed[0], arguments.iterations_scale, arguments.peer_dtype))
    elif arguments.child == "pinnsine":
        np.savez(arguments.out, **solve_pinnsine(arguments.seed[0], arguments.threads, arguments.budget))
    elif importlib.util.find_spec("deepxde") is None:
        sys.exit("peers.py needs DeepXDE, the `bench` extra: pip install -c constraints.txt -e '.[bench]'")
    else:
        host = conditions(arguments.threads)
        recipe = (arguments.iterations_scale, arguments.peer_dtype)
        table = report([race(seed, arguments.threads, *recipe) for seed in arguments.seed], host, *recipe)
        print(table)
        if arguments.write:
            results = Path(__file__).parent / "results"
            results.mkdir(exist_ok=True)
            (results / f"peers-burgers{'-float64' if arguments.peer_dtype == 'float64' else ''}.md").write_text(table)


if __name__ == "__main__":
    main()
