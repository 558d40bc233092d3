"""DeepXDE's published recipes for Helmholtz' equation and the inverse Lorenz problem, in whole or in part, and ours, by process time.

    OMP_NUM_THREADS=1 DDE_BACKEND=pytorch python benchmarks/peers_small.py [helmholtz] [lorenz] [--share 1.0] [--seed 0] [--write]

The recipes are DeepXDE's examples `pinn_forward/Helmholtz_Dirichlet_2d.py` (k = 4 pi, three layers of 150 sines, a hard condition, Adam) and
`pinn_inverse/Lorenz_inverse.py` (three numbers from 25 samples, three layers of 40 tanh, Adam; the samples are ours, because the example's file
is not part of the package). Ours is `pinnsine.solve(problem)` on the same problems. ``--share``: of the recipe's iterations; below 1 it is a
small budget, and no result of DeepXDE's. Seconds are those of the process, one thread, so that other processes do not count. For Burgers'
equation at full length see peers.py.
"""

import argparse
import importlib.metadata
import math
import os
import time
from pathlib import Path

import numpy as np
import torch

import pinnsine as ps

ADAM = {"helmholtz": 5_000, "lorenz": 60_000}
K = 4 * math.pi
TRUE = {"sigma": 10.0, "rho": 15.0, "beta": 8 / 3}
RESULTS = Path(__file__).parent / "results" / "peers-small.md"


def deepxde_helmholtz(iterations: int, seed: int) -> float:
    """The relative L2 error of DeepXDE."""
    import deepxde as dde

    def residual(x, u):
        source = K**2 * torch.sin(K * x[:, :1]) * torch.sin(K * x[:, 1:])
        return dde.grad.hessian(u, x, i=0, j=0) + dde.grad.hessian(u, x, i=1, j=1) + K**2 * u + source

    dde.config.set_random_seed(seed)
    data = dde.data.PDE(dde.geometry.Rectangle([0, 0], [1, 1]), residual, [], num_domain=400, num_boundary=80)
    net = dde.nn.FNN([2, 150, 150, 150, 1], "sin", "Glorot uniform")
    net.apply_output_transform(lambda x, u: x[:, :1] * (1 - x[:, :1]) * x[:, 1:] * (1 - x[:, 1:]) * u)
    model = dde.Model(data, net)
    model.compile("adam", lr=1e-3)
    model.train(iterations=iterations, display_every=iterations)
    x, y = (a.ravel() for a in np.meshgrid(*[np.linspace(0, 1, 101)] * 2))
    truth = np.sin(K * x) * np.sin(K * y)
    return float(np.linalg.norm(model.predict(np.stack((x, y), axis=1))[:, 0] - truth) / np.linalg.norm(truth))


def our_helmholtz(seed: int) -> float:
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))

    def exact(s):
        return torch.sin(K * s.x) * torch.sin(K * s.y)

    constraints = [
        ps.Residual("helmholtz", lambda s: ps.laplacian(s.u) + K**2 * s.u + K**2 * exact(s)),
        ps.Dirichlet("walls", u=0.0, on=domain.boundary()),
    ]
    problem = ps.Problem(domain, "u", constraints, reference=ps.Reference.exact(u=exact))
    return ps.solve(problem, seed=seed, threads=1, progress=False).compare().relative_l2["u"]


def deepxde_lorenz(iterations: int, seed: int) -> float:
    """The largest relative error of the three numbers by DeepXDE."""
    import deepxde as dde

    dde.config.set_random_seed(seed)
    numbers = [dde.Variable(1.0) for _ in TRUE]

    def residual(t, y):
        x, y_, z = y[:, :1], y[:, 1:2], y[:, 2:]
        x_t, y_t, z_t = (dde.grad.jacobian(y, t, i=i) for i in range(3))
        return [x_t - numbers[0] * (y_ - x), y_t - x * (numbers[1] - z) + y_, z_t - x * y_ + numbers[2] * z]

    line = dde.geometry.TimeDomain(0, 3)

    def starting(value: float, component: int):
        return dde.icbc.IC(line, lambda _: value, lambda _, at: at, component=component)

    start = [starting(value, i) for i, value in enumerate((-8, 7, 27))]
    points = next(c for c in ps.load_problem("inverse_lorenz").constraints if c.name == "samples").on
    times = points["t"].numpy()[:, None]
    samples = [dde.icbc.PointSetBC(times, points[f"measured_{n}"].numpy()[:, None], component=i) for i, n in enumerate("xyz")]
    data = dde.data.PDE(line, residual, [*start, *samples], num_domain=400, num_boundary=2, anchors=times)
    model = dde.Model(data, dde.nn.FNN([1, 40, 40, 40, 3], "tanh", "Glorot uniform"))
    model.compile("adam", lr=1e-3, external_trainable_variables=numbers)
    model.train(iterations=iterations, display_every=iterations)
    return max(abs(float(n.detach()) / true - 1) for n, true in zip(numbers, TRUE.values(), strict=True))


def our_lorenz(seed: int) -> float:
    found = ps.solve(ps.load_problem("inverse_lorenz"), seed=seed, threads=1, progress=False).unknowns
    return max(abs(float(found[n]) / true - 1) for n, true in TRUE.items())


RUNS = {"helmholtz": (deepxde_helmholtz, our_helmholtz), "lorenz": (deepxde_lorenz, our_lorenz)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problem", nargs="*", default=list(RUNS))
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    versions = ", ".join(f"{n} {importlib.metadata.version(n)}" for n in ("deepxde", "torch"))
    lines = [f"{versions}; share {asked.share:g} of the recipe's iterations, seed {asked.seed}, one thread, load {os.getloadavg()[0]:.0f}", ""]
    lines += ["| problem | solver | iterations | error | process seconds |", "|---|---|---|---|---|"]
    time.perf_counter = time.process_time  # the budget of ours is process time as well
    for name in asked.problem:
        iterations = round(asked.share * ADAM[name])
        peer, ours = RUNS[name]
        for who, run in (
            (f"DeepXDE | {iterations}", lambda i=iterations, f=peer: f(i, asked.seed)),
            ("pinnsine |", lambda f=ours: f(asked.seed)),
        ):
            begun = time.process_time()
            error = run()
            lines.append(f"| {name} | {who} | {error:.2e} | {time.process_time() - begun:.0f} |")
            print(lines[-1], flush=True)
    if asked.write:
        RESULTS.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
