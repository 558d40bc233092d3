"""What one Levenberg-Marquardt iteration costs, part by part, beside one symmetric rank-k update (dsyrk) of the same Jacobian.

    [OMP_NUM_THREADS=1] python benchmarks/iteration.py [--width 26] [--points 6667] [--write]

The problem is Burgers' equation on a tanh network of three hidden layers: about 1,500 parameters and 8,000 rows as it stands. Each part is
the median of several calls on the same parameters; an iteration is a step of the method, with all trials it makes, after a few to settle.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch

import pinnsine as ps
from pinnsine.ansatz import build_ansatz
from pinnsine.bench.measure import machine
from pinnsine.constraint import row_points
from pinnsine.linearised import gram_matrix
from pinnsine.objective import bind
from pinnsine.scaling import field_scales
from pinnsine.shares import share_points

REPEATS = 7
SETTLE = 12  # iterations before measuring


def objective(width: int, points: int):
    """Burgers' equation bound to a network, and its parameters."""
    problem = ps.load_problem("burgers")
    scales = field_scales(problem)
    generator = torch.Generator().manual_seed(0)
    drawn = {c.name: row_points(c, problem.domain, share_points(problem, points)[c.name], "sobol", generator) for c in problem.soft}
    ansatz = build_ansatz(problem, ps.MLP(width=width, depth=3), scales, generator)
    return bind(ansatz, drawn), ansatz.flat()


def median(function) -> float:
    """Seconds of a call."""
    function()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    from scipy.linalg.blas import dsyrk

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=26)
    parser.add_argument("--points", type=int, default=6667)
    parser.add_argument("--write", action="store_true", help="keep the figures in benchmarks/results/iteration.md")
    arguments = parser.parse_args()
    bound, theta = objective(arguments.width, arguments.points)
    method = ps.LevenbergMarquardt()
    state = method.start(bound, theta)
    for _ in range(SETTLE):
        step = method.step(bound, theta, state)
        theta, state = step.theta, step.state
    steps, evaluations = [], []
    for _ in range(REPEATS):
        start = time.perf_counter()
        step = method.step(bound, theta, state)
        steps.append(time.perf_counter() - start)
        evaluations.append(step.evaluations)
        theta, state = step.theta, step.state
    model = bound.linearise(theta)
    _, jacobian = bound.jacobian(theta)
    columns = np.asfortranarray(jacobian.numpy())
    unit = median(lambda: dsyrk(1.0, columns, trans=1))
    damping = state["damping"]
    parts = {
        "one iteration": statistics.median(steps),
        "Jacobian": median(lambda: bound.jacobian(theta, jacobian)),
        "Gram matrix": median(lambda: gram_matrix(jacobian)),
        "factor and solve": median(lambda: model.factor(damping).solve(model.projected)),
        "rows at a trial": median(lambda: bound.rows(theta)),
        "dsyrk of the Jacobian (scipy)": unit,
    }
    table = [f"| {name} | {1e3 * seconds:.0f} | {seconds / unit:.2f} |" for name, seconds in parts.items()]
    text = "\n".join(
        [
            "# One Levenberg-Marquardt iteration",
            "",
            f"{machine()}; {torch.get_num_threads()} threads.",
            "",
            f"{jacobian.shape[1]} parameters, {jacobian.shape[0]} rows, {statistics.median(evaluations):g} evaluations of them an iteration.",
            "",
            "| part | ms | times dsyrk |",
            "|---|---|---|",
            *table,
            "",
        ]
    )
    print(text)
    if arguments.write:
        (Path(__file__).parent / "results" / "iteration.md").write_text(text)


if __name__ == "__main__":
    main()
