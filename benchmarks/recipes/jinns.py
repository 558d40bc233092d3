"""jinns (H. Gangloff & N. Jouvin 2024, arXiv 2412.14132) with the settings of its own notebooks: float64, natural gradients.

Those of its Burgers notebook hold for the scalar problems: three layers of 16 tanh, 900 points inside, 2,000 on the boundary and 2,000 at the
start, weights 1, 300 iterations; seed 2 is that notebook's, and ends in its loss of 1.7e-7. The flow takes the two networks of three layers of
25 tanh and the batches of 256 of its pipe-flow notebook, the viscosity the settings of the notebook on joint estimation, 1,500 iterations.
"""

import itertools
import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jinns
import numpy as np
import optax
import peer_problems
from jinns.loss import BoundaryConditionAbstract, Dirichlet, PDENonStatio, PDEStatio, equation_on_all_facets_equal
from recipes.recipe import Answer, Columns, Recipe

jax.config.update("jax_enable_x64", True)
NOTEBOOKS = "https://github.com/mia-jinns/jinns/blob/main/Notebooks"
ITERATIONS, INSIDE, BOUNDARY, START = 300, 900, 2_000, 2_000


def layers(outputs: int, width: int, depth: int = 3) -> tuple:
    sizes = (2, *depth * [width])
    hidden = [part for a, b in itertools.pairwise(sizes) for part in ((eqx.nn.Linear, a, b), (jax.nn.tanh,))]
    return (*hidden, (eqx.nn.Linear, width, outputs))


def scalar(u, params) -> Callable:
    return lambda point: jnp.squeeze(u(point, params))


def solved(u, start, data, loss, iterations: int, coordinates, names, key, optimizer=None, samples=None) -> tuple:
    """The trained parameters and how the fields are evaluated."""
    optimizer = jinns.optimizers.vanilla_ngd() if optimizer is None else optimizer
    found = jinns.solve(
        init_params=start, data=data, optimizer=optimizer, loss=loss, n_iter=iterations, obs_data=samples, key=key, verbose=False
    )[0]
    jax.block_until_ready(found)

    def fields(columns: Columns) -> dict[str, np.ndarray]:
        points = jnp.stack([jnp.asarray(columns[c]) for c in coordinates], axis=1)
        values = jax.vmap(lambda point: u(point, found))(points)
        return dict(zip(names, np.asarray(values).reshape(len(points), -1).T, strict=True))

    return found, fields


def evolution(equations: tuple, start: Callable, seed: int, share: float, lower: float, boundary=None) -> Answer:
    """u(t, x) for t in [0, 1] and x in [lower, 1], by the settings of the Burgers notebook."""
    key, net = jax.random.split(jax.random.PRNGKey(seed))
    key, points = jax.random.split(key)
    u, weights = jinns.nn.PINN_MLP.create(key=net, eqx_list=layers(1, 16), eq_type="PDENonStatio")
    params = jinns.parameters.Params(nn_params=weights, eq_params={"one": jnp.array(1.0)})
    loss = jinns.loss.LossPDENonStatio(
        u=u,
        loss_weights=jinns.loss.LossWeightsPDENonStatio(dyn_loss=(1.0,) * len(equations), initial_condition=1.0, boundary_loss=1.0),
        dynamic_loss=equations,
        boundary_condition=boundary or Dirichlet(),
        initial_condition_fun=start,
        params=params,
    )
    iterations = max(1, round(share * ITERATIONS))
    _, fields = solved(u, params, strip(points, lower), loss, iterations, ("t", "x"), ("u",), key)
    return Answer(iterations, fields)


def strip(key, lower: float, inside: int = INSIDE, boundary: int = BOUNDARY, start: int = START):
    box = {"dim": 1, "min_pts": (lower,), "max_pts": (1.0,), "tmin": 0, "tmax": 1, "method": "uniform"}
    return jinns.data.CubicMeshPDENonStatio(key=key, n=inside, nb=boundary, ni=start, **box)


class Burgers(PDENonStatio):
    def equation(self, t_x, u, params):
        own, nu = scalar(u, params), getattr(params.eq_params, "nu", 0.01 / math.pi)
        slope = jax.grad(own)
        return jnp.ravel(slope(t_x)[0] + own(t_x) * slope(t_x)[1] - nu * jax.grad(lambda p: slope(p)[1])(t_x)[1])


def sine(x):
    return -jnp.sin(math.pi * x)


def burgers(problem, seed: int, share: float) -> Answer:
    return evolution((Burgers(Tmax=1),), sine, seed, share, -1.0)


class AllenCahn(PDENonStatio):
    def equation(self, t_x, u, params):
        own = scalar(u, params)
        slope, value = jax.grad(own), own(t_x)
        return (slope(t_x)[0] - 1e-4 * jax.grad(lambda p: slope(p)[1])(t_x)[1] - 5 * (value - value**3))[None]


class Periodic(BoundaryConditionAbstract):
    """Equal values and equal slopes at both ends."""

    def equation_u(self, inputs, u, params):
        slope = jax.grad(scalar(u, params))
        values = u(inputs[..., 0], params) - u(inputs[..., 1], params)
        return values, (slope(inputs[..., 0])[1] - slope(inputs[..., 1])[1])[None]

    def equation_f(self, inputs, params, gridify=False):
        return jnp.zeros(1), jnp.zeros(1)


def allen_cahn(problem, seed: int, share: float) -> Answer:
    return evolution((AllenCahn(Tmax=1),), lambda x: x**2 * jnp.cos(math.pi * x), seed, share, -1.0, Periodic())


class Wave(PDENonStatio):
    def equation(self, t_x, u, params):
        slope = jax.grad(scalar(u, params))
        second = [jax.grad(lambda p, i=i: slope(p)[i])(t_x)[i] for i in (0, 1)]
        return (second[0] - 4 * second[1])[None]


class Rest(PDENonStatio):
    """The velocity at the start, which jinns has no loss of its own for, at the places of all points inside."""

    def equation(self, t_x, u, params):
        return jax.grad(scalar(u, params))(t_x.at[0].set(0.0))[:1]


def wave(problem, seed: int, share: float) -> Answer:
    def start(x):
        return jnp.sin(math.pi * x) + jnp.sin(4 * math.pi * x) / 2

    return evolution((Wave(Tmax=1), Rest(Tmax=1)), start, seed, share, 0.0)


class Helmholtz(PDEStatio):
    def equation(self, x, u, params):
        own = scalar(u, params)
        source = (1 - 17 * math.pi**2) * jnp.sin(math.pi * x[0]) * jnp.sin(4 * math.pi * x[1])
        return (jnp.trace(jax.hessian(own)(x)) + own(x) - source)[None]


def helmholtz(problem, seed: int, share: float) -> Answer:
    key, net, points = jax.random.split(jax.random.PRNGKey(seed), 3)
    u, weights = jinns.nn.PINN_MLP.create(key=net, eqx_list=layers(1, 16), eq_type="PDEStatio")
    params = jinns.parameters.Params(nn_params=weights, eq_params={"one": jnp.array(1.0)})
    data = jinns.data.CubicMeshPDEStatio(key=points, n=INSIDE, nb=BOUNDARY, dim=2, min_pts=(-1.0, -1.0), max_pts=(1.0, 1.0), method="uniform")
    loss = jinns.loss.LossPDEStatio(
        u=u,
        loss_weights=jinns.loss.LossWeightsPDEStatio(dyn_loss=1.0, boundary_loss=1.0),
        dynamic_loss=Helmholtz(),
        boundary_condition=Dirichlet(),
        params=params,
    )
    iterations = max(1, round(share * ITERATIONS))
    _, fields = solved(u, params, data, loss, iterations, ("x", "y"), ("u",), key)
    return Answer(iterations, fields)


LAM = 20 - math.sqrt(400 + 4 * math.pi**2)  # of Kovasznay's flow at Re = 40


class Velocity(BoundaryConditionAbstract):
    """The exact velocity on all sides."""

    @equation_on_all_facets_equal
    def equation_u(self, inputs, u, params):
        return u(inputs, params)[:2]

    @equation_on_all_facets_equal
    def equation_f(self, inputs, params, gridify=False):
        decay, turn = jnp.exp(LAM * inputs[0]), 2 * math.pi * inputs[1]
        return jnp.stack([1 - decay * jnp.cos(turn), LAM / (2 * math.pi) * decay * jnp.sin(turn)])


def kovasznay(problem, seed: int, share: float) -> Answer:
    key, net, points, drawn = jax.random.split(jax.random.PRNGKey(seed), 4)
    u, weights = jinns.nn.PPINN_MLP.create(key=net, eqx_list_list=[layers(2, 25), layers(1, 25)], eq_type="PDEStatio")
    params = jinns.parameters.Params(nn_params=weights, eq_params={"rho": 1.0, "nu": 1 / 40})
    box = {"dim": 2, "min_pts": (-0.5, -0.5), "max_pts": (1.0, 1.5), "method": "uniform"}
    data = jinns.data.CubicMeshPDEStatio(key=points, n=10_000, nb=BOUNDARY, omega_batch_size=256, omega_border_batch_size=256, **box)
    pressure = jinns.data.DataGeneratorObservations(key=drawn, observed_pinn_in=jnp.zeros((1, 2)), observed_values=jnp.zeros((1, 1)))
    loss = jinns.loss.LossPDEStatio(
        u=u,
        loss_weights=jinns.loss.LossWeightsPDEStatio(dyn_loss=1.0, boundary_loss=1.0, observations=1.0),
        dynamic_loss=jinns.loss.NavierStokesMassConservation2DStatio(),
        boundary_condition=Velocity(),
        obs_slice=jnp.s_[2:3],
        params=params,
    )
    iterations = max(1, round(share * ITERATIONS))
    _, fields = solved(u, params, data, loss, iterations, ("x", "y"), ("u", "v", "p"), key, samples=pressure)
    return Answer(iterations, fields)


def viscosity(problem, seed: int, share: float) -> Answer:
    key, net, points, drawn = jax.random.split(jax.random.PRNGKey(seed), 4)
    u, weights = jinns.nn.PINN_MLP.create(key=net, eqx_list=layers(1, 16, 2), eq_type="PDENonStatio")
    params = jinns.parameters.Params(nn_params=weights, eq_params={"nu": jnp.array(problem.unknowns[0].start)})
    known = peer_problems.data_of(problem)
    samples = jinns.data.DataGeneratorObservations(
        key=drawn,
        obs_batch_size=1_024,
        observed_pinn_in=jnp.stack([known["t"], known["x"]], axis=1),
        observed_values=jnp.asarray(known["measured"])[:, None],
    )
    loss = jinns.loss.LossPDENonStatio(
        u=u,
        loss_weights=jinns.loss.LossWeightsPDENonStatio(dyn_loss=1.0, initial_condition=1.0, boundary_loss=1.0, observations=1.0),
        dynamic_loss=Burgers(Tmax=1),
        derivative_keys=jinns.parameters.DerivativeKeysPDENonStatio.from_str(params=params, dyn_loss="both"),
        boundary_condition=Dirichlet(),
        initial_condition_fun=sine,
        params=params,
    )
    optimizer = jinns.optimizers.vanilla_ngd(eq_params_tx={"nu": optax.adam(1e-3)})
    iterations = max(1, round(share * 1_500))
    found, _ = solved(u, params, strip(points, -1.0, 1_024, 2, 1_024), loss, iterations, ("t", "x"), ("u",), key, optimizer, samples)
    return Answer(iterations, unknowns={"nu": float(jnp.squeeze(found.eq_params.nu))})


BURGERS = f"{NOTEBOOKS}/PDE/1D_non_stationary_Burgers.ipynb"
FLOW = f"{NOTEBOOKS}/PDE/2D_Navier_Stokes_PipeFlow_ngd.ipynb"
JOINT = f"{NOTEBOOKS}/Tutorials/1D_non_stationary_Burgers_JointEstimation_Vanilla.ipynb"
NEAREST = "no script of it: settings of its Burgers notebook"
RECIPES = {
    "burgers": Recipe("burgers", BURGERS, burgers),
    "allen_cahn": Recipe("allen_cahn", BURGERS, allen_cahn, NEAREST),
    "helmholtz": Recipe("helmholtz", BURGERS, helmholtz, NEAREST),
    "wave": Recipe("wave", BURGERS, wave, f"{NEAREST}; the velocity at the start as a second equation"),
    "kovasznay": Recipe("kovasznay", FLOW, kovasznay, "no script of it: its pipe flow's networks and batches, 300 iterations"),
    "inverse": Recipe("viscosity", JOINT, viscosity, "2,500 exact values of ours for its own with noise"),
}
