"""``omega="auto"`` against a sweep of omega, by the error between the training points: five signals of known band.

    [OMP_NUM_THREADS=1] python benchmarks/omega.py [SIGNAL...] [--net siren:width=16,depth=2] [--iterations 40] [--seeds 0,1,2]

Rows go to benchmarks/results/omega.md as they are measured. Signals of 256 samples (a chirp of 2 to 18 cycles per unit, two tones, a row of
skimage's camera, smoothed so that its even pixels determine the odd ones, decaying chords in place of audio) are fitted by Levenberg-Marquardt
and tested half-way between the samples; the wave equation is solved by ``solve`` with three times as many
iterations and compared with its exact solution. As the errors of single draws scatter by a factor of ten, the geometric mean over the seeds
decides.
"""

import argparse
import functools
import math
import statistics
import warnings
from dataclasses import replace
from pathlib import Path

import torch

import pinnsine as ps
from pinnsine.ansatz import build_ansatz
from pinnsine.objective import bind
from pinnsine.omega import from_data
from pinnsine.options import parse_net
from pinnsine.probe import FieldScale

OMEGAS = (8.0, 13.0, 20.0, 32.0, 50.0, 80.0, 125.0)
WAVE_OMEGAS = (2.5, 4.0, 6.0, 9.0, 14.0, 20.0, 32.0)
RESULTS = Path(__file__).parent / "results" / "omega.md"
SAMPLES = 256


def chirp(x):
    return torch.sin(2 * math.pi * (2 * (x + 1) + 4 * (x + 1) ** 2))


def tones(x):
    return torch.sin(5 * x) + 0.5 * torch.sin(60 * x + 1)


def chords(x):
    decay = torch.exp(-3 * (1.5 * (x + 1) % 1))
    parts = ((1, 40, 0.3), (0.6, 80, 1.1), (0.4, 120, 2.0), (0.2, 160, 0.5))
    return sum(decay * a * torch.sin(math.pi * f * (x + 1) / 2 + phase) for a, f, phase in parts)


def image_row():
    from scipy.ndimage import gaussian_filter1d
    from skimage import data

    row = torch.from_numpy(gaussian_filter1d(data.camera()[200].astype(float) / 255, 1.5))
    x = torch.linspace(-1, 1, 2 * SAMPLES, dtype=torch.float64)
    return x[::2], row[::2], x[1::2], row[1::2]


def samples(signal: str):
    """Training points and values, test points and values."""
    if signal == "image":
        return image_row()
    function = {"chirp": chirp, "tones": tones, "chords": chords}[signal]
    x = torch.linspace(-1, 1, SAMPLES, dtype=torch.float64)
    between = (x[1:] + x[:-1]) / 2
    return x, function(x), between, function(between)


def fitted(problem: ps.Problem, net, iterations: int, there, seed: int) -> torch.Tensor:
    """The network's values at other points, after so many iterations on all the data."""
    [data] = problem.constraints
    values = data.on["value"]
    scales = {"u": FieldScale(float(values.mean()), float(values.std()))}
    ansatz = build_ansatz(problem, net, scales, torch.Generator().manual_seed(seed))
    objective = bind(ansatz, {data.name: data.on})
    method, theta = ps.LevenbergMarquardt(), ansatz.flat()
    state = method.start(objective, theta)
    for _ in range(iterations):
        step = method.step(objective, theta, state)
        theta, state = step.theta, step.state
    return ansatz.local(ansatz.views(theta), ps.Points({"x": there}), {"u": {()}}).u.values


def signal_errors(signal: str, net, iterations: int, seeds):
    """(omega, relative errors between the samples by seed), of the automatic omega first."""
    x, values, between, truth = samples(signal)
    problem = ps.Problem(ps.Interval("x", -1, 1), "u", [ps.Data("data", ps.Points({"x": x, "value": values}), u="value")])
    for omega in (from_data(replace(net, omega="auto"), problem).omega, *OMEGAS):
        found = [fitted(problem, replace(net, omega=omega), iterations, between, seed) for seed in seeds]
        yield omega, [float((f - truth).norm() / truth.norm()) for f in found]


def wave_errors(net, iterations: int, seeds):
    """The same; the automatic omega is that of the first seed."""
    problem, omegas = ps.load_problem("wave"), ["auto", *WAVE_OMEGAS]
    options = {"points": 800, "iterations": iterations, "time": "1h", "progress": False, "estimate": False}
    for omega in omegas:
        errors = []
        for seed in seeds:
            solution = ps.solve(problem, net=replace(net, omega=omega), optimizer=ps.LevenbergMarquardt(), seed=seed, **options)
            omega = solution.ansatz.net.omega
            errors.append(solution.compare().relative_l2["u"])
        yield omega, errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("signals", nargs="*", default=["chirp", "tones", "image", "chords", "wave"])
    parser.add_argument("--net", default="siren:width=16,depth=2")
    parser.add_argument("--iterations", type=int, default=40)
    parser.add_argument("--seeds", default="0,1,2")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", "The data hold wave numbers")  # the sweep begins below
    net, seeds = parse_net(arguments.net), [int(seed) for seed in arguments.seeds.split(",")]
    if not RESULTS.exists():
        RESULTS.write_text("| signal | network | omega | geometric mean of the errors | by seed |\n| --- | --- | --- | --- | --- |\n")
    for signal in arguments.signals:
        iterations = (3 if signal == "wave" else 1) * arguments.iterations
        rows = (wave_errors if signal == "wave" else functools.partial(signal_errors, signal))(net, iterations, seeds)
        for k, (omega, errors) in enumerate(rows):
            which, mean = f"{omega:.3g}{' (auto)' if k == 0 else ''}", statistics.geometric_mean(errors)
            row = f"| {signal} | {arguments.net} | {which} | {mean:.1e} | {', '.join(f'{e:.1e}' for e in errors)} |\n"
            print(row, end="", flush=True)
            with RESULTS.open("a") as file:
                file.write(row)


if __name__ == "__main__":
    main()
