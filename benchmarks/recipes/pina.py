"""PINA (D. Coscia et al. 2023, J. Open Source Softw. 8) with the settings of its own tutorials and examples, Adam in all of them."""

import logging
import math
import tempfile
import warnings

import numpy as np
import peer_problems
import torch
from pina import Condition, LabelTensor, Trainer
from pina.domain import CartesianDomain
from pina.equation import Equation, SystemEquation
from pina.model import FeedForward
from pina.model.block import PeriodicBoundaryEmbedding
from pina.operator import grad, laplacian
from pina.optim import TorchOptimizer
from pina.problem import InverseProblem, SpatialProblem, TimeDependentProblem
from pina.solver import PhysicsInformedSingleModelSolver
from recipes.recipe import Answer, Columns, Recipe

REPOSITORY = "https://github.com/mathLab/PINA"


def seeded(seed: int) -> None:
    torch.manual_seed(seed)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")


def posed(bases: tuple[type, ...], parts: dict[str, dict], equations: dict[str, object], fields=("u",), data=None, unknown=None):
    """An instance of PINA's class for a problem; ``parts`` and ``equations`` by condition, the first part the whole domain."""
    whole = next(iter(parts.values()))
    conditions = {name: Condition(domain=name, equation=equation) for name, equation in equations.items()}
    if data is not None:
        conditions["data"] = Condition(input=data[0], target=data[1])
    body = {
        "output_variables": list(fields),
        "spatial_domain": CartesianDomain({c: r for c, r in whole.items() if c != "t"}),
        "domains": {name: CartesianDomain(part) for name, part in parts.items()},
        "conditions": conditions,
    }
    if TimeDependentProblem in bases:
        body["temporal_domain"] = CartesianDomain({"t": whole["t"]})
    if unknown is not None:
        body["unknown_parameter_domain"] = CartesianDomain(unknown)
    return type("Posed", bases, body)()


def trained(problem, model, epochs: int, share: float, **adam: float) -> Answer:
    """All points in one batch, as PINA has it."""
    optimizer = TorchOptimizer(torch.optim.Adam, **{"lr": 1e-3, **adam})
    solver = PhysicsInformedSingleModelSolver(problem, model, optimizer=optimizer)
    quiet = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing"), False)
    with tempfile.TemporaryDirectory() as folder:
        count = max(1, round(share * epochs))
        Trainer(solver, max_epochs=count, accelerator="cpu", default_root_dir=folder, **quiet).train()

    def fields(columns: Columns) -> dict[str, np.ndarray]:
        names = problem.input_variables
        points = LabelTensor(torch.tensor(np.stack([columns[n] for n in names], axis=1), dtype=torch.float32), names)
        with torch.no_grad():
            found = solver(points)
        return {name: found.extract([name]).tensor[:, 0].numpy() for name in problem.output_variables}

    numbers = getattr(problem, "unknown_parameters", {})
    return Answer(count, fields, {name: float(value.detach()) for name, value in numbers.items()})


def burgers(problem, seed: int, share: float) -> Answer:
    def residual(points, u):
        u_x, u_t = (grad(u, points, components=["u"], d=[d]) for d in "xt")
        u_xx = grad(u_x, points, components=["dudx"], d=["x"])
        return u_t + u.extract(["u"]) * u_x - 0.01 / math.pi * u_xx

    def start(points, u):
        return u.extract(["u"]) + torch.sin(math.pi * points.extract(["x"]))

    seeded(seed)
    parts = {"D": {"x": [-1, 1], "t": [0, 1]}, "left": {"x": -1, "t": [0, 1]}, "right": {"x": 1, "t": [0, 1]}, "t0": {"x": [-1, 1], "t": 0}}
    equations = {"D": Equation(residual), "left": Equation(zero), "right": Equation(zero), "t0": Equation(start)}
    own = posed((TimeDependentProblem, SpatialProblem), parts, equations)
    own.discretise_domain(2000, "latin", domains=["D"])
    own.discretise_domain(150, "random", domains=["left", "right", "t0"])
    return trained(own, FeedForward(2, 1, layers=[30, 20, 10, 5], func=torch.nn.Softplus), 5_000, share, lr=0.006)


def zero(points, u):
    return u.extract(["u"])


class PeriodicInSpace(torch.nn.Module):
    """A network of cos, sin and a constant of x, of period 2, and of time where there is one."""

    def __init__(self, layers: list[int], time: bool):
        super().__init__()
        self.embedding = PeriodicBoundaryEmbedding(input_dimension=1, periods={"x": 2})
        self.network, self.time = FeedForward(4 if time else 3, 1, layers=layers), time

    def forward(self, points):
        waves = self.embedding(points.extract(["x"])).as_subclass(torch.Tensor)
        return self.network(torch.cat([waves, points.extract(["t"]).as_subclass(torch.Tensor)], dim=1) if self.time else waves)


def allen_cahn(problem, seed: int, share: float) -> Answer:
    def residual(points, u):
        u_t = grad(u, points, components=["u"], d=["t"])
        u_xx = laplacian(u, points, components=["u"], d=["x"])
        return u_t - 1e-4 * u_xx - 5 * (u.extract(["u"]) - u.extract(["u"]) ** 3)

    def start(points, u):
        x = points.extract(["x"])
        return u.extract(["u"]) - x**2 * torch.cos(math.pi * x)

    seeded(seed)
    parts = {"D": {"x": [-1, 1], "t": [0, 1]}, "t0": {"x": [-1, 1], "t": 0}}
    own = posed((TimeDependentProblem, SpatialProblem), parts, {"D": Equation(residual), "t0": Equation(start)})
    own.discretise_domain(2000, "latin", domains=["D"])
    own.discretise_domain(150, "random", domains=["t0"])
    return trained(own, PeriodicInSpace([64, 64], time=True), 2_000, share)


def helmholtz(problem, seed: int, share: float) -> Answer:
    def residual(points, u):
        x = points.extract(["x"])
        source = -6 * math.pi**2 * torch.sin(3 * math.pi * x) * torch.cos(math.pi * x)
        return laplacian(u, points, components=["u"], d=["x"]) + 10 * math.pi**2 * u.extract(["u"]) - source

    seeded(seed)
    own = posed((SpatialProblem,), {"D": {"x": [0, 2]}}, {"D": Equation(residual)})
    own.discretise_domain(200, "grid", domains=["D"])
    return trained(own, PeriodicInSpace([64, 64], time=False), 2_000, share)


class ZeroOnRim(torch.nn.Module):
    """x (1 - x) y (1 - y) times a network of two layers of 40 rectified units."""

    def __init__(self):
        super().__init__()
        self.network = FeedForward(3, 1, layers=[40, 40], func=torch.nn.ReLU)

    def forward(self, points):
        x, y = (points.extract([c]).as_subclass(torch.Tensor) for c in "xy")
        return x * (1 - x) * y * (1 - y) * self.network(points.as_subclass(torch.Tensor))


def wave(problem, seed: int, share: float) -> Answer:
    def residual(points, u):
        u_tt = laplacian(u, points, components=["u"], d=["t"])
        return laplacian(u, points, components=["u"], d=["x", "y"]) - u_tt

    def start(points, u):
        return u.extract(["u"]) - torch.sin(math.pi * points.extract(["x"])) * torch.sin(math.pi * points.extract(["y"]))

    def rest(points, u):
        return grad(u, points, components=["u"], d=["t"])

    seeded(seed)
    square = {"x": [0, 1], "y": [0, 1]}
    rim = {f"rim{c}{v}": {**square, c: v, "t": [0, 1]} for c in "xy" for v in (0, 1)}
    parts = {"D": {**square, "t": [0, 1]}, "t0": {**square, "t": 0}, **rim}
    equations = {"D": Equation(residual), "t0": SystemEquation([start, rest]), **{name: Equation(zero) for name in rim}}
    own = posed((TimeDependentProblem, SpatialProblem), parts, equations)
    own.discretise_domain(1000, "random", domains=list(parts))
    return trained(own, ZeroOnRim(), 1_000, share)


def kovasznay(problem, seed: int, share: float) -> Answer:
    def momentum(points, fields, own: str):
        d_own = grad(fields, points, components=[own], d=["x", "y"])
        convection = fields.extract(["u"]) * d_own.extract([f"d{own}dx"]) + fields.extract(["v"]) * d_own.extract([f"d{own}dy"])
        push = grad(fields, points, components=["p"], d=["x" if own == "u" else "y"])
        return convection + push - laplacian(fields, points, components=[own], d=["x", "y"]) / 40

    def mass(points, fields):
        return grad(fields, points, components=["u"], d=["x"]) + grad(fields, points, components=["v"], d=["y"])

    def given(name: str):
        def row(points, fields):
            columns = {c: points.extract([c]).detach().numpy()[:, 0].astype(float) for c in "xy"}
            known = torch.tensor(peer_problems.truth(problem, columns)[name], dtype=torch.float32)[:, None]
            return fields.extract([name]) - known

        return row

    seeded(seed)
    box = {"x": [-0.5, 1.0], "y": [-0.5, 1.5]}
    sides = {f"side{c}{k}": {**box, c: box[c][k]} for c in "xy" for k in (0, 1)}
    flow = SystemEquation([lambda s, f: momentum(s, f, "u"), lambda s, f: momentum(s, f, "v"), mass])
    equations = {"D": flow, **{name: SystemEquation([given("u"), given("v")]) for name in sides}, "point": Equation(given("p"))}
    own = posed((SpatialProblem,), {"D": box, **sides, "point": {"x": 0.0, "y": 0.0}}, equations, fields=("u", "v", "p"))
    own.discretise_domain(2000, "random", domains=["D"])
    own.discretise_domain(1000, "random", domains=list(sides))
    own.discretise_domain(1, "random", domains=["point"])
    return trained(own, FeedForward(2, 3, layers=[10, 10, 10, 10], func=torch.nn.Softplus), 1_000, share)


def source_place(problem, seed: int, share: float) -> Answer:
    def residual(points, u, numbers):
        x, y = points.extract(["x"]), points.extract(["y"])
        source = torch.exp(-2 * (x - numbers["mu1"]) ** 2 - 2 * (y - numbers["mu2"]) ** 2)
        return laplacian(u, points, components=["u"], d=["x", "y"]) - source

    seeded(seed)
    samples = {name: torch.tensor(column, dtype=torch.float32) for name, column in peer_problems.data_of(problem).items()}
    data = LabelTensor(torch.stack([samples["x"], samples["y"]], dim=1), ["x", "y"]), LabelTensor(samples["measured"][:, None], ["u"])
    box = {"x": [-2, 2], "y": [-2, 2]}
    walls = {f"wall{c}{v}": {**box, c: v} for c in "xy" for v in (-2, 2)}
    equations = {"D": Equation(residual), **{name: Equation(zero) for name in walls}}
    own = posed((SpatialProblem, InverseProblem), {"D": box, **walls}, equations, data=data, unknown={"mu1": [-1, 1], "mu2": [-1, 1]})
    own.discretise_domain(100, "grid", domains=["D"])
    own.discretise_domain(100, "grid", domains=list(walls))
    return trained(own, FeedForward(2, 1, layers=[20, 20, 20], func=torch.nn.Softplus), 5_000, share)


def tutorial(number: int) -> str:
    return f"{REPOSITORY}/tree/master/tutorials/tutorial{number}"


STOKES = f"{REPOSITORY}/blob/14c8066d4bfcc564019c217b819b5df8b0cf7fd5/examples/run_stokes.py"
BURGERS = f"{REPOSITORY}/blob/1483746b45a596959f3e1f066c166f12e82d26e6/examples/run_burgers.py"
PERIODIC = "no script of it: network and epochs of its Helmholtz tutorial, points of its Burgers example"
RECIPES = {
    "burgers": Recipe("burgers", BURGERS, burgers),
    "allen_cahn": Recipe("allen_cahn", tutorial(9), allen_cahn, PERIODIC),
    "helmholtz": Recipe("helmholtz_line", tutorial(9), helmholtz),
    "wave": Recipe("wave_membrane", tutorial(3), wave, "the velocity at the start, which its first network leaves open, is given"),
    "kovasznay": Recipe("kovasznay", STOKES, kovasznay, "no script of it: settings of its Stokes example"),
    "inverse": Recipe("source_place", tutorial(7), source_place, "400 samples of ours for its data file"),
}
