"""DeepXDE (L. Lu et al. 2021, SIAM Review 63) with the settings of its own examples; its default precision, float32, as they have it.

Adam's share of the iterations is the script's; where L-BFGS follows it stops by itself, at the latest after DeepXDE's 15,000 iterations.
"""

import math

import deepxde as dde
import numpy as np
import peer_problems
import torch
from recipes.recipe import Answer, Columns, Recipe

LBFGS_ITERATIONS = 15_000  # DeepXDE's default
EXAMPLES = "https://github.com/lululxvi/deepxde/blob/master/examples"


def trained(model, names: tuple[str, ...], coordinates: tuple[str, ...], iterations: int, share: float, lbfgs: bool = True) -> Answer:
    """Adam with a rate of 1e-3 and, if asked for, L-BFGS."""
    model.compile("adam", lr=1e-3)
    model.train(iterations=round(share * iterations), display_every=1_000)
    if lbfgs:
        count = max(1, round(share * LBFGS_ITERATIONS))
        dde.optimizers.set_LBFGS_options(maxiter=count)
        steps = min(dde.optimizers.LBFGS_options["iter_per_step"], count)  # in one call of torch's; set once, when DeepXDE is imported
        dde.optimizers.LBFGS_options |= {"iter_per_step": steps, "fun_per_step": round(1.25 * steps)}
        model.compile("L-BFGS")
        model.train(display_every=1_000)
    return answer(model, names, coordinates)


def answer(model, names: tuple[str, ...], coordinates: tuple[str, ...]) -> Answer:
    def fields(columns: Columns) -> dict[str, np.ndarray]:
        found = model.predict(np.stack([columns[c] for c in coordinates], axis=1))
        return dict(zip(names, found.T, strict=True))

    return Answer(model.train_state.step, fields)


def space_time(lower: float, upper: float):
    return dde.geometry.GeometryXTime(dde.geometry.Interval(lower, upper), dde.geometry.TimeDomain(0, 1))


def everywhere(_, on: bool) -> bool:
    """All of a boundary, or of the start."""
    return on


def burgers(problem, seed: int, share: float) -> Answer:
    def residual(x, u):  # x: (N, 2), u: (N, 1)
        u_x, u_t = (dde.grad.jacobian(u, x, i=0, j=j) for j in (0, 1))
        return u_t + u * u_x - 0.01 / math.pi * dde.grad.hessian(u, x, i=0, j=0)

    dde.config.set_random_seed(seed)
    domain = space_time(-1, 1)
    walls = dde.icbc.DirichletBC(domain, lambda x: 0, everywhere)
    start = dde.icbc.IC(domain, lambda x: -np.sin(math.pi * x[:, :1]), everywhere)
    data = dde.data.TimePDE(domain, residual, [walls, start], num_domain=2540, num_boundary=80, num_initial=160)
    model = dde.Model(data, dde.nn.FNN([2, 20, 20, 20, 1], "tanh", "Glorot normal"))
    return trained(model, ("u",), ("x", "t"), 15_000, share)


def allen_cahn(problem, seed: int, share: float) -> Answer:
    def residual(x, u):
        return dde.grad.jacobian(u, x, i=0, j=1) - 1e-3 * dde.grad.hessian(u, x, i=0, j=0) - 5 * (u - u**3)

    def hard(x, u):
        return x[:, :1] ** 2 * torch.cos(math.pi * x[:, :1]) + x[:, 1:] * (1 - x[:, :1] ** 2) * u

    dde.config.set_random_seed(seed)
    data = dde.data.TimePDE(space_time(-1, 1), residual, [], num_domain=8000, num_boundary=400, num_initial=800)
    net = dde.nn.FNN([2, 20, 20, 20, 1], "tanh", "Glorot normal")
    net.apply_output_transform(hard)
    return trained(dde.Model(data, net), ("u",), ("x", "t"), 40_000, share)


def helmholtz(problem, seed: int, share: float) -> Answer:
    k = 4 * math.pi

    def residual(x, u):
        source = k**2 * torch.sin(k * x[:, :1]) * torch.sin(k * x[:, 1:])
        return -dde.grad.hessian(u, x, i=0, j=0) - dde.grad.hessian(u, x, i=1, j=1) - k**2 * u - source

    dde.config.set_random_seed(seed)
    data = dde.data.PDE(dde.geometry.Rectangle([0, 0], [1, 1]), residual, [], num_domain=400, num_boundary=80)
    net = dde.nn.FNN([2, 150, 150, 150, 1], "sin", "Glorot uniform")
    net.apply_output_transform(lambda x, u: x[:, :1] * (1 - x[:, :1]) * x[:, 1:] * (1 - x[:, 1:]) * u)
    return trained(dde.Model(data, net), ("u",), ("x", "y"), 5_000, share, lbfgs=False)


class SpaceTimeFourier(dde.nn.NN):
    """Random Fourier features of space and of time at several scales, through one tanh network, multiplied in pairs and joined linearly.

    (S. Wang, H. Wang & P. Perdikaris 2021, Comput. Methods Appl. Mech. Eng. 384; DeepXDE's STMsFFN, which it does not have for torch.)
    """

    def __init__(self, width: int, depth: int, space: tuple[float, ...], time: tuple[float, ...]):
        super().__init__()
        self.space = [s * torch.randn(1, width // 2) for s in space]
        self.time = [s * torch.randn(1, width // 2) for s in time]
        self.hidden = torch.nn.ModuleList([torch.nn.Linear(width, width) for _ in range(depth - 1)])
        self.last = torch.nn.Linear(width * len(space) * len(time), 1)
        for layer in [*self.hidden, self.last]:
            torch.nn.init.xavier_uniform_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def features(self, column, frequencies):
        found = torch.cat([torch.cos(column @ frequencies), torch.sin(column @ frequencies)], dim=1)
        for layer in self.hidden:
            found = torch.tanh(layer(found))
        return found

    def forward(self, points):
        scaled = (points - 0.5) * 2 * math.sqrt(3)
        space = [self.features(scaled[:, :1], f) for f in self.space]
        time = [self.features(scaled[:, 1:], f) for f in self.time]
        return self.last(torch.cat([a * b for a in space for b in time], dim=1))


def wave(problem, seed: int, share: float) -> Answer:
    def exact(x):
        return sum(np.sin(m * math.pi * x[:, :1]) * np.cos(10 * m * math.pi * x[:, 1:]) for m in (1, 2))

    def residual(x, u):
        return dde.grad.hessian(u, x, i=1, j=1) - 100 * dde.grad.hessian(u, x, i=0, j=0)

    dde.config.set_random_seed(seed)
    domain = space_time(0, 1)
    conditions = [
        dde.icbc.DirichletBC(domain, exact, everywhere),
        dde.icbc.IC(domain, exact, everywhere),
        dde.icbc.OperatorBC(domain, lambda x, u, _: dde.grad.jacobian(u, x, i=0, j=1), lambda x, _: dde.utils.isclose(x[1], 0)),
    ]
    data = dde.data.TimePDE(domain, residual, conditions, num_domain=360, num_boundary=360, num_initial=360)
    model = dde.Model(data, SpaceTimeFourier(100, 3, (1.0,), (1.0, 10.0)))
    model.compile("adam", lr=1e-3)
    first, _ = model.train(iterations=0)
    model.compile("adam", lr=1e-3, loss_weights=5 / first.loss_train[0], decay=("inverse time", 2000, 0.9))
    fresh = dde.callbacks.PDEPointResampler(period=1)
    model.train(iterations=round(share * 10_000), callbacks=[fresh], display_every=500)
    return answer(model, ("u",), ("x", "t"))


def kovasznay(problem, seed: int, share: float) -> Answer:
    def residual(x, fields):
        u, v = fields[:, :1], fields[:, 1:2]
        (u_x, u_y), (v_x, v_y), (p_x, p_y) = ([dde.grad.jacobian(fields, x, i=i, j=j) for j in (0, 1)] for i in range(3))
        lap_u, lap_v = (sum(dde.grad.hessian(fields, x, component=c, i=i, j=i) for i in (0, 1)) for c in (0, 1))
        return [u * u_x + v * u_y + p_x - lap_u / 20, u * v_x + v * v_y + p_y - lap_v / 20, u_x + v_y]

    def known(name: str):
        return lambda x: peer_problems.truth(problem, {"x": x[:, 0].astype(float), "y": x[:, 1].astype(float)})[name][:, None]

    dde.config.set_random_seed(seed)
    domain = dde.geometry.Rectangle([-0.5, -0.5], [1, 1.5])
    conditions = [dde.icbc.DirichletBC(domain, known(name), everywhere, component=c) for c, name in enumerate("uv")]
    right = dde.icbc.DirichletBC(domain, known("p"), lambda x, on: on and np.isclose(x[0], 1), component=2)
    data = dde.data.PDE(domain, residual, [*conditions, right], num_domain=2601, num_boundary=400)
    model = dde.Model(data, dde.nn.FNN([2, 50, 50, 50, 50, 3], "tanh", "Glorot normal"))
    return trained(model, ("u", "v", "p"), ("x", "y"), 30_000, share)


def lorenz(problem, seed: int, share: float) -> Answer:
    dde.config.set_random_seed(seed)
    numbers = {name: dde.Variable(1.0) for name in ("sigma", "rho", "beta")}

    def residual(t, fields):
        x, y, z = (fields[:, i : i + 1] for i in range(3))
        x_t, y_t, z_t = (dde.grad.jacobian(fields, t, i=i) for i in range(3))
        return [x_t - numbers["sigma"] * (y - x), y_t - x * (numbers["rho"] - z) + y, z_t - x * y + numbers["beta"] * z]

    def starting(value: float, component: int):
        return dde.icbc.IC(line, lambda _: value, everywhere, component=component)

    line, samples = dde.geometry.TimeDomain(0, 3), peer_problems.data_of(problem)
    times = samples["t"][:, None]
    start = [starting(value, c) for c, value in enumerate((-8, 7, 27))]
    measured = [dde.icbc.PointSetBC(times, samples[f"measured_{n}"][:, None], component=c) for c, n in enumerate("xyz")]
    data = dde.data.PDE(line, residual, [*start, *measured], num_domain=400, num_boundary=2, anchors=times)
    model = dde.Model(data, dde.nn.FNN([1, 40, 40, 40, 3], "tanh", "Glorot uniform"))
    model.compile("adam", lr=1e-3, external_trainable_variables=list(numbers.values()))
    model.train(iterations=round(share * 60_000), display_every=1_000)
    return Answer(model.train_state.step, unknowns={name: float(value.detach()) for name, value in numbers.items()})


def example(statement: str, path: str, train, remark: str = "") -> Recipe:
    return Recipe(statement, f"{EXAMPLES}/{path}", train, remark)


RECIPES = {
    "burgers": example("burgers", "pinn_forward/Burgers.py", burgers, "time ends at 1, not at 0.99"),
    "allen_cahn": example("allen_cahn_walls", "pinn_forward/Allen_Cahn.py", allen_cahn),
    "helmholtz": example("helmholtz_short", "pinn_forward/Helmholtz_Dirichlet_2d.py", helmholtz),
    "wave": example("wave_fast", "pinn_forward/wave_1d.py", wave, "its network written anew in torch, which DeepXDE has for TensorFlow alone"),
    "kovasznay": example("kovasznay_20", "pinn_forward/Kovasznay_flow.py", kovasznay),
    "inverse": example("lorenz", "pinn_inverse/Lorenz_inverse.py", lorenz, "25 samples of ours for its data file"),
}
