"""Rows, loss, gradient and the one-backward Jacobian, against reverse differentiation of the rows."""

import math

import pytest
import torch
from helpers import bound, gap, rand, routes, rows_function
from torch import nn
from torch.nn.utils import parametrizations

from pinnsine.ansatz import build_ansatz
from pinnsine.calculus import D, advect, div, grad, laplacian
from pinnsine.constraint import Data, Dirichlet, Initial, Periodic, Residual
from pinnsine.domain import Interval, Parameter, Rectangle, Time
from pinnsine.errors import EvaluationError, ProblemError
from pinnsine.evaluate import EVALUATORS
from pinnsine.integral import Integral
from pinnsine.nets import MLP, FrozenSines, Siren
from pinnsine.objective import bind
from pinnsine.points import Points
from pinnsine.problem import Field, Problem, Unknown

LINE = Interval("x", -1, 2) * Time(0, 1)
SQUARE = Rectangle(x=(0, 1), y=(-1, 1))
PLACES = Points({"x": rand(7, seed=5), "t": rand(7, seed=6, low=0.0), "m": rand(7, seed=7), "err": rand(7, seed=8, low=0.1)})


def one(residual, fields="u", unknowns=(), domain=LINE, **options):
    return Problem(domain, fields, [Residual("pde", residual, **options)], unknowns=unknowns)


def flow(s):
    V = s.vector("u", "v")
    return {"momentum": advect(V, V) + grad(s.p) - 0.1 * laplacian(V), "mass": div(V)}


POSITIVE = Unknown("D", 0.7, positive=True)
PROBLEMS = {
    "plain": lambda: one(lambda s: s.u_t + s.u * s.u_x - 0.1 * s.u_xx),
    "value": lambda: one(lambda s: s.u**2 - s.x),
    "fourth order": lambda: one(lambda s: s.u_t + s.u_xxxx),
    "collapsed laplacian": lambda: one(lambda s: laplacian(s.u) + s.u**3, domain=SQUARE),
    "laplacian of an expression": lambda: one(lambda s: laplacian(s.u**2 + s.x * s.u), domain=SQUARE),
    "flux": lambda: one(lambda s: D((1 + s.x**2) * s.u_x, "x")),
    "function without a rule": lambda: one(lambda s: s.u_xx + torch.atan(s.u)),
    "condition": lambda: one(lambda s: torch.where(s.x > 0, s.u_t - s.u_xx, s.u_x)),
    "tuple": lambda: one(lambda s: (s.u_t, s.u_xx * s.u)),
    "dict of vectors": lambda: one(flow, fields=["u", "v", "p"], domain=SQUARE),
    "parts that need different fields": lambda: one(lambda s: {"a": s.u_t, "b": s.v_xx, "c": s.u * s.v}, fields=["u", "v"]),
    "sum over an axis": lambda: one(lambda s: (torch.sin(s.u[:, None] * torch.arange(4.0)) * s.u_x[:, None]).sum(-1)),
    "unknown": lambda: one(lambda s: s.u_t - s.D * s.u_xx, unknowns=[Unknown("D", 0.7)]),
    "unknown in a nonlinear term": lambda: one(lambda s: s.u_t - torch.exp(s.D * s.u) * s.u_xx, unknowns=[Unknown("D", 0.7)]),
    "positive unknown in a nonlinear term": lambda: one(lambda s: s.u_t - s.u**2 * torch.sin(s.D * s.u_x), unknowns=[POSITIVE]),
    "unknown as exponent": lambda: one(lambda s: s.u_t - (2 + torch.sin(s.u)) ** s.D, unknowns=[POSITIVE]),
    "several unknowns": lambda: Problem(
        LINE,
        "u",
        [Residual("pde", lambda s: s.u_t - s.D * s.u_xx + s.b), Residual("other", lambda s: s.u - s.b)],
        unknowns=[Unknown("a", 1.0), POSITIVE, Unknown("b", 0.0)],
    ),
    "unknown in a condition": lambda: Problem(
        LINE, "u", [Dirichlet("walls", u=lambda s: s.D * torch.cos(s.t), on=LINE.boundary())], unknowns=[Unknown("D", 0.7)]
    ),
    "unknown in data": lambda: Problem(
        LINE, "u", [Data("probe", PLACES, u=lambda s: s.D * s.data.m)], unknowns=[Unknown("D", 0.7)]
    ),
    "field of space alone": lambda: one(lambda s: s.u_t - D(s.q * s.u_x, "x") + s.q_x, fields=["u", Field("q", of="x")]),
    "fields of disjoint coordinates": lambda: one(lambda s: s.p_t * s.q_xx + s.p, fields=[Field("p", of="t"), Field("q", of="x")]),
    "one field prescribed by another": lambda: Problem(
        LINE, ["u", "v"], [Dirichlet("walls", u=lambda s: s.v * s.t, on=LINE.boundary())]
    ),
    "hard walls and start": lambda: Problem(
        LINE,
        "u",
        [
            Residual("pde", lambda s: s.u_t + s.u * s.u_x - s.u_xx),
            Initial("start", u=lambda s: torch.sin(torch.pi * s.x), hard=True),
            Dirichlet("walls", u=0.0, on=LINE.boundary("x"), hard=True),
        ],
    ),
    "exact periodicity": lambda: Problem(
        LINE, "u", [Residual("pde", lambda s: s.u_t + s.u * s.u_x - s.u_xx), Periodic("wrap", "x", hard=True)]
    ),
    "two-point rows": lambda: Problem(LINE, ["u", "v"], [Periodic("wrap", "x", derivatives=2)]),
    "two-point rows of a field of space": lambda: Problem(LINE, ["u", Field("q", of="x")], [Periodic("wrap", "x")]),
    "integral rows": lambda: Problem(
        LINE, "u", [Integral("mass", lambda s: s.u**2 * s.x + s.u_x, over="x", equals=lambda s: s.t, points=5)]
    ),
    "one integral over everything": lambda: Problem(LINE, "u", [Integral("mass", lambda s: s.u**2, over=("x", "t"), points=4)]),
    "integral with an unknown": lambda: Problem(
        LINE, "u", [Integral("mass", lambda s: s.D * s.u, over="x", equals=lambda s: s.D**2, points=5)], unknowns=[POSITIVE]
    ),
    "data with sigma": lambda: Problem(LINE, "u", [Data("probe", PLACES, u="m", u_x=1.0, sigma="err")]),
    "constant sigma": lambda: Problem(LINE, "u", [Data("probe", PLACES, u="m", sigma=0.01)]),
    "weight of a number": lambda: one(lambda s: s.u_t, weight=25.0),
    "weight by position": lambda: one(lambda s: s.u_t - s.u_xx, weight=lambda s: torch.exp(-s.t) * (1 + s.x**2)),
    "weight of two-point rows": lambda: Problem(LINE, "u", [Periodic("wrap", "x", weight=lambda s: 1 + s.t)]),
    "weight of integral rows": lambda: Problem(
        LINE, "u", [Integral("mass", lambda s: s.u, over="x", weight=lambda s: 1 + s.t, points=4)]
    ),
    "normal derivative": lambda: Problem(
        SQUARE, "u", [Residual("flux", lambda s: s.u_n + s.u - s.n_x, on=SQUARE.boundary())]
    ),
    "parameter": lambda: one(lambda s: s.u_t - s.nu * s.u_xx, domain=LINE * Parameter("nu", 0.1, 0.2)),
    "several constraints": lambda: Problem(
        LINE,
        "u",
        [
            Residual("pde", lambda s: (s.u_t - s.D * s.u_xx, s.u_x)),
            Initial("start", u=lambda s: torch.sin(s.x), u_t=0.0),
            Periodic("wrap", "x"),
            Data("probe", PLACES, u="m", sigma="err"),
        ],
        unknowns=[Unknown("D", 1.0)],
    ),
}  # fmt: skip
SEVERAL = ["several constraints", "dict of vectors", "unknown in a nonlinear term", "integral rows"]
NETS = {"mlp": MLP(5, 2), "siren": Siren(5, 2, omega=2.0)}


def assert_jacobian(objective, theta, tolerance=1e-12):
    function = rows_function(objective)
    rows, jacobian = objective.jacobian(theta)
    assert gap(rows, function(theta)) <= 1e-13
    assert gap(jacobian, torch.func.jacrev(function)(theta)) <= tolerance


def assert_jacobian_by_rows(objective, theta, tolerance=1e-12):
    """For evaluators that cannot run inside torch.func: the truth is one reverse pass for each row."""
    leaf = theta.clone().requires_grad_()
    truth_rows = rows_function(objective)(leaf)
    truth = torch.stack([torch.autograd.grad(r, leaf, retain_graph=True)[0] for r in truth_rows])
    rows, jacobian = objective.jacobian(theta)
    assert gap(rows, truth_rows) <= 1e-13
    assert gap(jacobian, truth) <= tolerance


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_one_backward_jacobian_is_that_of_reverse_differentiation(name, net):
    objective, theta = bound(PROBLEMS[name](), NETS[net])
    assert set(routes(objective).values()) == {"one backward"}
    assert_jacobian(objective, theta)


def test_every_layers_weights_and_biases_have_their_columns():
    objective, theta = bound(PROBLEMS["plain"](), MLP(4, 3))
    _, jacobian = objective.jacobian(theta)
    truth = torch.func.jacrev(rows_function(objective))(theta)
    assert list(objective.blocks) == [n for n, _ in objective.ansatz.named_parameters()]
    assert sum(n.endswith("bias") for n in objective.blocks) == 4
    for name, block in objective.blocks.items():
        if name != "unknowns":
            assert float(truth[:, block].abs().max()) > 0 or name.endswith("3.bias")
            assert gap(jacobian[:, block], truth[:, block]) <= 1e-12


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("name", ["plain", "dict of vectors", "unknown in a nonlinear term", "field of space alone", "two-point rows"])
def test_every_evaluator_gives_the_same_rows_and_jacobian(name, evaluator):
    objective, theta = bound(PROBLEMS[name](), evaluator=evaluator)
    reference, _ = bound(PROBLEMS[name](), evaluator="taylor")
    rows, jacobian = objective.jacobian(theta)
    expected_rows, expected = reference.jacobian(theta)
    assert gap(rows, expected_rows) <= 1e-12
    assert gap(jacobian, expected) <= 1e-12
    assert gap(objective.loss_and_gradient(theta)[1], reference.loss_and_gradient(theta)[1]) <= 1e-12


@pytest.mark.parametrize("name", [*SEVERAL, "weight by position", "hard walls and start", "exact periodicity"])
def test_single_precision_gives_the_same_rows_and_jacobian_to_its_rounding(name):
    double, theta = bound(PROBLEMS[name]())
    objective, _ = bound(PROBLEMS[name](), dtype=torch.float32)
    assert routes(objective) == routes(double)
    rows, jacobian = objective.jacobian(theta.float())
    expected_rows, expected = double.jacobian(theta)
    assert rows.dtype == jacobian.dtype == objective.rows(theta.float()).dtype == torch.float32
    assert gap(rows.double(), expected_rows) <= 1e-5
    assert gap(jacobian.double(), expected) <= 1e-5
    assert gap(objective.loss_and_gradient(theta.float())[1].double(), double.loss_and_gradient(theta)[1]) <= 1e-5


# --- routes ------------------------------------------------------------------------------------------------------------------

COUPLED = {
    "mean of plain values": lambda s: s.u - s.u.values.mean(),
    "mean of an expression": lambda s: s.u - (s.u * 1.0).mean(),
    "norm": lambda s: s.u / s.u.square().sum().sqrt(),
    "neighbours": lambda s: s.u - s.u.roll(1, 0),
    "kernel": lambda s: s.u - (torch.exp(-((s.x[:, None] - s.x[None, :]) ** 2)) * s.u[None, :]).mean(-1),
    "mean of an unknown": lambda s: s.u * (s.D * s.u).mean(),
    "coupled far away": lambda s: torch.where(s.x > 1.5, s.u - s.u.values.mean(), s.u),
    "weakly coupled": lambda s: s.u - 1e-3 * s.u.values.mean(),
    "coupled beyond the first rows": lambda s: s.u - s.u.values[8:].mean(),
}


@pytest.mark.parametrize("sampler", ["sobol", "grid"])
@pytest.mark.parametrize("name", COUPLED)
def test_coupled_rows_are_found_and_differentiated_rightly(name, sampler):
    problem = one(COUPLED[name], unknowns=[Unknown("D", 1.0)] if "unknown" in name else ())
    objective, theta = bound(problem, count=49, sampler=sampler)
    assert routes(objective) == {"pde": "batched vjp"}
    assert_jacobian(objective, theta)


class WithOrthogonalLayer(nn.Module):
    def __init__(self, wrap):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.middle, self.last = nn.Linear(2, 4).double(), wrap(nn.Linear(4, 4).double()), nn.Linear(4, 1).double()

    def forward(self, x):
        return self.last(torch.tanh(self.middle(torch.tanh(self.first(x)))))


class Scaled(WithOrthogonalLayer):
    """Parameters outside of layers: a slope for each neuron, a product by matmul, a direct term."""

    def __init__(self):
        super().__init__(lambda layer: layer)
        self.slope = nn.Parameter(torch.rand(4, dtype=torch.float64) + 0.5)
        self.direct = nn.Parameter(torch.rand(2, 1, dtype=torch.float64))

    def forward(self, x):
        return self.last(torch.tanh(self.slope * self.first(x))) + x @ self.direct


class Tied(WithOrthogonalLayer):
    """One layer used twice."""

    def __init__(self):
        super().__init__(lambda layer: layer)

    def forward(self, x):
        h = torch.tanh(self.middle(torch.tanh(self.first(x))))
        return self.last(torch.tanh(self.middle(h)))


class MiddleAxis(WithOrthogonalLayer):
    """Layers act on (N, 1, d)."""

    def __init__(self):
        super().__init__(lambda layer: layer)

    def forward(self, x):
        return super().forward(x.unsqueeze(1)).squeeze(1)


class Fourier(nn.Module):
    """Operations without a Taylor rule."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(2, 4).double(), nn.Linear(4, 1).double()

    def forward(self, x):
        return self.last(torch.fft.irfft(torch.fft.rfft(torch.tanh(self.first(x)), dim=-1) ** 2, n=4, dim=-1))


NETWORKS = {
    "orthogonal": lambda: WithOrthogonalLayer(parametrizations.orthogonal),
    "weight norm": lambda: WithOrthogonalLayer(parametrizations.weight_norm),
    "parameters outside of layers": Scaled,
    "no bias": lambda: nn.Sequential(nn.Linear(2, 4, bias=False), nn.Tanh(), nn.Linear(4, 1, bias=False)),
    "middle axis": MiddleAxis,
    "tied layers": Tied,
    "fourier": Fourier,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_any_network_has_the_right_jacobian_by_one_route_or_the_other(name):
    objective, theta = bound(one(lambda s: s.u_t + s.u * s.u_x - s.u_xx), NETWORKS[name]())
    expected = "one backward" if name in ("no bias", "tied layers") else "batched vjp"
    if name != "middle axis":  # either route may serve
        assert routes(objective) == {"pde": expected}
    assert_jacobian_by_rows(objective, theta)


def test_a_constraint_that_does_not_depend_on_the_parameters_is_refused_when_bound():
    for residual in (lambda s: s.u.detach() - s.x, lambda s: s.x * s.t):
        with pytest.raises(ProblemError, match="constraint 'pde' does not depend on the parameters"):
            bound(one(residual))


def test_a_residual_that_changes_its_mind_about_derivatives_is_refused_by_name():
    asked = []

    def fickle(s):
        asked.append(1)
        return s.u_x if len(asked) < 2 else s.u_x + s.u_xx

    with pytest.raises(EvaluationError, match="The derivative xx was not seen when the constraint was traced"):
        bound(one(fickle))


# --- products and views ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SEVERAL)
def test_products_with_the_jacobian_are_adjoint_and_its_own(name):
    objective, theta = bound(PROBLEMS[name]())
    _, jacobian = objective.jacobian(theta)
    direction, weights = rand(len(theta), seed=3), rand(objective.count, seed=4)
    forward, backward = objective.jvp(theta, direction), objective.vjp(theta, weights)
    assert gap(forward, jacobian @ direction) <= 1e-12
    assert gap(backward, jacobian.T @ weights) <= 1e-12
    assert float(weights @ forward) == pytest.approx(float(backward @ direction), rel=1e-11)


@pytest.mark.parametrize("name", SEVERAL)
def test_jvp_is_the_limit_of_differences(name):
    objective, theta = bound(PROBLEMS[name]())
    direction, step = rand(len(theta), seed=3), 1e-5
    difference = (objective.rows(theta + step * direction) - objective.rows(theta - step * direction)) / (2 * step)
    assert gap(difference, objective.jvp(theta, direction)) <= 1e-7


@pytest.mark.parametrize("name", [*SEVERAL, "data with sigma", "weight by position"])
def test_loss_is_the_sum_of_squared_rows_and_its_gradient_twice_the_adjoint(name):
    objective, theta = bound(PROBLEMS[name]())
    rows = objective.rows(theta)
    loss, gradient = objective.loss_and_gradient(theta)
    assert loss == pytest.approx(float(rows @ rows), rel=1e-12)
    assert objective.loss(theta) == pytest.approx(loss, rel=1e-12)
    assert sum(objective.losses(theta).values()) == pytest.approx(loss, rel=1e-12)
    assert list(objective.losses(theta)) == [c.name for c in objective.ansatz.problem.soft]
    assert gap(gradient, 2 * objective.vjp(theta, rows)) <= 1e-12


def test_rows_are_weighted_residuals_over_sigma_and_the_root_of_their_number():
    problem = Problem(
        LINE,
        "u",
        [
            Residual("pde", lambda s: s.u_t - s.u_xx, weight=lambda s: 1 + s.x**2),
            Residual("same", lambda s: s.u_t - s.u_xx, weight=9.0),
            Data("probe", PLACES, u="m", sigma="err", weight=4.0),
        ],
    )
    objective, theta = bound(problem, count=7)
    points = objective.points
    parts = dict(zip(points, objective.rows(theta).split([7, 7, 7]), strict=True))
    need = {"u": {("t",), ("x", "x")}}
    for name, factor in (("pde", torch.sqrt(1 + points["pde"]["x"] ** 2)), ("same", 3.0)):
        s = objective.ansatz.local(objective.views(theta), points[name], need)
        expected = factor * (s.u_t - s.u_xx).values / math.sqrt(7)
        assert gap(parts[name], expected) <= 1e-13
    u = objective.ansatz.local(objective.views(theta), PLACES, need).u.values
    assert gap(parts["probe"], 2 * (u - PLACES["m"]) / PLACES["err"] / math.sqrt(7)) <= 1e-13


def test_repeating_every_point_leaves_loss_and_gram_matrix_unchanged():
    objective, theta = bound(PROBLEMS["several constraints"]())
    doubled = objective.with_points({n: p.select(torch.arange(len(p)).repeat_interleave(2)) for n, p in objective.points.items()})
    assert doubled.count == 2 * objective.count
    assert doubled.loss(theta) == pytest.approx(objective.loss(theta), rel=1e-12)
    assert gap(doubled.linearise(theta).gram, objective.linearise(theta).gram) <= 1e-12


def test_other_points_replace_only_those_named():
    objective, theta = bound(PROBLEMS["several constraints"]())
    other = objective.with_points({"pde": LINE.sample(11, "uniform", torch.Generator().manual_seed(9))})
    assert other.count == objective.count + 2 * (11 - len(objective.points["pde"]))
    assert_jacobian(other, theta)
    assert other.losses(theta)["start"] == objective.losses(theta)["start"]
    assert other.losses(theta)["pde"] != objective.losses(theta)["pde"]


def test_the_size_of_a_row_does_not_depend_on_the_points_beside_it():
    objective, theta = bound(PROBLEMS["tuple"](), count=8)
    points = LINE.sample(20, "uniform", torch.Generator().manual_seed(9))
    alone = objective.magnitudes(theta, "pde", points.select(slice(0, 1)))
    together = objective.magnitudes(theta, "pde", points)
    assert gap(alone, together[:1]) <= 1e-12
    at_training = objective.magnitudes(theta, "pde", objective.points["pde"])
    rows = objective.rows(theta).view(2, 8)
    ratio = at_training / rows.square().sum(0).sqrt()
    assert gap(ratio, ratio[:1].expand(8)) <= 1e-12


@pytest.mark.parametrize("name", ["several constraints", "field of space alone", "unknown in a condition", "hard walls and start"])
def test_restricting_to_parameters_gives_their_columns(name):
    objective, theta = bound(PROBLEMS[name]())
    _, jacobian = objective.jacobian(theta)
    for block in objective.blocks:
        part = objective.restrict([block], theta)
        own = theta[objective.blocks[block]]
        if not len(own):
            continue
        assert gap(part.rows(own), objective.rows(theta)) <= 1e-13
        _, columns = part.jacobian(own)
        assert gap(columns, jacobian[:, objective.blocks[block]]) <= 1e-12
        weights, direction = rand(part.count, seed=3), rand(len(own), seed=4)
        assert gap(part.vjp(own, weights), columns.T @ weights) <= 1e-12
        assert gap(part.jvp(own, direction), columns @ direction) <= 1e-12
        loss, gradient = part.loss_and_gradient(own)
        assert loss == pytest.approx(objective.loss(theta))
        assert gap(gradient, objective.loss_and_gradient(theta)[1][objective.blocks[block]]) <= 1e-12


def test_restriction_of_a_restriction_keeps_what_is_held():
    objective, theta = bound(PROBLEMS["several constraints"]())
    last = [n for n in objective.blocks if "layers.2" in n]
    both = objective.restrict(last, theta)
    start, stop = objective.blocks[last[0]].start, objective.blocks[last[-1]].stop
    bias = both.restrict(last[1:], theta[start:stop])
    _, columns = bias.jacobian(theta[objective.blocks[last[1]]])
    assert gap(columns, objective.jacobian(theta)[1][:, objective.blocks[last[1]]]) <= 1e-12


# --- memory ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*SEVERAL, "two-point rows", "hard walls and start"])
def test_a_small_memory_budget_changes_nothing_but_the_order_of_work(name):
    large, theta = bound(PROBLEMS[name](), count=150)
    small, _ = bound(PROBLEMS[name](), count=150, memory=1.0)
    assert small.count * len(theta) * 8 > small.memory
    assert gap(small.rows(theta), large.rows(theta)) <= 1e-13
    rows, jacobian = small.jacobian(theta)
    expected_rows, expected = large.jacobian(theta)
    assert gap(rows, expected_rows) <= 1e-13
    assert gap(jacobian, expected) <= 1e-12
    assert gap(small.loss_and_gradient(theta)[1], large.loss_and_gradient(theta)[1]) <= 1e-12
    streamed, dense = small.linearise(theta), large.linearise(theta)
    assert gap(streamed.rows, dense.rows) <= 1e-13
    assert gap(streamed.gradient, dense.gradient) <= 1e-12
    assert gap(streamed.gram, dense.gram) <= 1e-12
    direction, weights = rand(len(theta), seed=3), rand(large.count, seed=4)
    assert gap(streamed.apply(direction), dense.apply(direction)) <= 1e-12
    assert gap(streamed.adjoint(weights), dense.adjoint(weights)) <= 1e-12


@pytest.mark.parametrize("memory", [1.0, 2e4, 1e9])
@pytest.mark.parametrize("scaled", [False, True])
def test_the_dual_form_needs_no_more_than_a_part_of_the_columns_at_a_time(memory, scaled):
    small, theta = bound(PROBLEMS["several constraints"](), MLP(12, 2), memory=memory)
    rows, jacobian = small.jacobian(theta)
    assert small.count < len(theta)
    norms = jacobian.square().sum(dim=0)
    expected = jacobian / norms @ jacobian.T if scaled else jacobian @ jacobian.T
    for form in ("dual", "auto"):
        model = small.linearise(theta, form, scaled)
        assert gap(model.rows, rows) <= 1e-13
        assert gap(model.kernel, expected) <= 1e-12
        v = rand(small.count, seed=3)
        assert gap(model.adjoint(v), jacobian.T @ v) <= 1e-12


def test_the_orthogonal_form_is_refused_where_the_jacobian_does_not_fit():
    small, theta = bound(PROBLEMS["plain"](), memory=1.0)
    with pytest.raises(ProblemError, match=r"factorisation='qr' keeps the whole Jacobian, 6 rows by .* raise memory="):
        small.linearise(theta, "qr")


def test_a_batch_holds_a_share_of_every_constraint_and_is_drawn_anew_for_every_seed():
    objective, theta = bound(PROBLEMS["several constraints"](), count=40)
    assert objective.batch(None, 1) is objective
    assert objective.batch(objective.count, 1) is objective
    batch = objective.batch(objective.count // 4, 1)
    assert {n: len(p) for n, p in batch.points.items()} == {n: len(p) // 4 for n, p in objective.points.items() if n != "probe"} | {"probe": 2}
    again, other = (objective.batch(objective.count // 4, seed).points["pde"]["x"] for seed in (1, 2))
    assert torch.equal(batch.points["pde"]["x"], again)
    assert not torch.equal(batch.points["pde"]["x"], other)
    assert set(batch.points["pde"]["x"].tolist()) <= set(objective.points["pde"]["x"].tolist())
    mean = sum(objective.batch(objective.count // 2, seed).loss(theta) for seed in range(100)) / 100
    assert mean == pytest.approx(objective.loss(theta), rel=0.1)


def test_coupled_rows_are_never_parted_by_a_batch():
    objective, _ = bound(one(lambda s: s.u - s.u.values.mean()), count=40)
    assert objective.batch(5, 1).count == 40


def test_coupled_rows_stay_together_whatever_the_budget():
    problem = one(lambda s: s.u - s.u.values.mean())
    large, theta = bound(problem, count=150)
    small, _ = bound(problem, count=150, memory=1.0)
    assert gap(small.jacobian(theta)[1], large.jacobian(theta)[1]) <= 1e-12
    assert gap(small.linearise(theta).gram, large.linearise(theta).gram) <= 1e-12


def test_the_linear_model_belongs_to_its_own_parameters_until_the_next():
    objective, theta = bound(PROBLEMS["plain"]())
    model = objective.linearise(theta)
    step = 1e-6 * rand(len(theta), seed=3)
    predicted = model.rows + model.apply(step)
    assert float((objective.rows(theta + step) - predicted).norm()) <= 1e-4 * float(model.apply(step).norm())


def test_pure_functions_of_the_vector():
    objective, theta = bound(PROBLEMS["several constraints"]())
    before, parameters = theta.clone(), objective.ansatz.flat()
    first = objective.rows(theta)
    objective.jacobian(theta + 1)
    objective.loss_and_gradient(theta - 1)
    assert torch.equal(theta, before)
    assert torch.equal(objective.ansatz.flat(), parameters)
    assert torch.equal(objective.rows(theta), first)
    assert not first.requires_grad


# --- losses of their own -----------------------------------------------------------------------------------------------------


def test_a_constraint_with_a_loss_of_its_own_is_for_gradient_methods():
    problem = Problem(LINE, "u", [Residual("pde", lambda s: s.u_t, loss=lambda r: r.abs().mean(), weight=1.0), Initial("start", u=0.0)])
    objective, theta = bound(problem)
    points = objective.points["pde"]
    slope = objective.ansatz.local(objective.views(theta), points, {"u": {("t",)}}).u_t.values
    assert objective.losses(theta)["pde"] == pytest.approx(float(slope.detach().abs().mean()))
    loss, gradient = objective.loss_and_gradient(theta)
    step = 1e-6 * rand(len(theta), seed=2)
    assert objective.loss(theta + step) - objective.loss(theta - step) == pytest.approx(float(2 * gradient @ step), rel=1e-4)
    assert loss == pytest.approx(objective.loss(theta))
    message = "Constraint 'pde' has a loss of its own, so .* cannot be used: choose Adam or LBFGS, or drop loss="
    for call in (objective.rows, objective.linearise):
        with pytest.raises(ProblemError, match=message):
            call(theta)


def test_rows_that_are_not_finite_stop_the_linear_model():
    objective, theta = bound(one(lambda s: torch.log(s.u)))
    with pytest.raises(EvaluationError, match="rows are not finite"):
        objective.linearise(-1e3 * theta.abs())


# --- other trial functions, fewer points, Gauss-Newton steps -----------------------------------------------------------------


def another(objective, seed):
    """A trial function of the same kind, drawn anew."""
    old = objective.ansatz
    return build_ansatz(old.problem, old.net, old.scales, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("net", [MLP(5, 2), FrozenSines(7, 3.0)])
@pytest.mark.parametrize("name", SEVERAL)
def test_another_trial_function_gives_the_rows_of_an_objective_bound_to_it(name, net):
    objective, _ = bound(PROBLEMS[name](), net)
    other = objective.with_ansatz(another(objective, 5))
    whole = bind(other.ansatz, objective.points)
    theta = other.ansatz.flat() + 0.1 * rand(other.ansatz.size, seed=3)
    assert routes(other) == routes(objective)
    assert torch.equal(other.rows(theta), whole.rows(theta))
    assert torch.equal(other.jacobian(theta)[1], whole.jacobian(theta)[1])


def test_a_trial_function_of_another_width_may_follow():
    objective, theta = bound(PROBLEMS["plain"](), FrozenSines(7, 3.0))
    old = objective.ansatz
    wide = build_ansatz(old.problem, FrozenSines(30, 3.0), old.scales, torch.Generator().manual_seed(0))
    assert objective.with_ansatz(wide).jacobian(wide.flat())[1].shape == (objective.count, 31)
    assert_jacobian(objective.with_ansatz(wide), wide.flat())
    assert objective.jacobian(theta)[1].shape == (objective.count, 8)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1, 1e-9])
def test_thinned_points_are_a_share_of_every_constraints_own(share):
    objective, theta = bound(PROBLEMS["several constraints"](), count=40)
    thin = objective.thinned(share)
    for name, points in objective.points.items():
        kept = thin.points[name]
        assert len(kept) == max(1, math.ceil(share * len(points)))
        assert set(zip(*(c.tolist() for c in kept.columns.values()), strict=True)) <= set(
            zip(*(c.tolist() for c in points.columns.values()), strict=True)
        )
        if share == 0.5:  # from all over them, not from one end
            assert torch.equal(kept["x"][[0, -1]], points["x"][[0, -1]])
    assert thin.rows(theta).shape == (thin.count,)
    assert torch.isfinite(thin.rows(theta)).all()
    if share == 1.0:
        assert torch.equal(thin.rows(theta), objective.rows(theta))


@pytest.mark.parametrize("name", SEVERAL)
def test_the_gauss_newton_step_is_that_of_least_squares_with_the_jacobian(name):
    objective, theta = bound(PROBLEMS[name](), MLP(2, 1), count=30)
    found = objective.gauss_newton(theta, 0.1)
    rows, step = found.rows, found.step
    function = rows_function(objective)
    jacobian = torch.func.jacrev(function)(theta)
    assert gap(rows, function(theta)) <= 1e-13
    scale = jacobian.norm(dim=0)
    scale[scale == 0] = 1
    normal = jacobian.T @ jacobian + torch.diag((0.1 * scale) ** 2)
    assert gap(step, -torch.linalg.solve(normal, jacobian.T @ rows + (0.1 * scale) ** 2 * theta)) <= 1e-8


def test_the_gauss_newton_step_needs_squares_and_finite_rows():
    objective, theta = bound(one(lambda s: s.u_t, loss=lambda r: r.abs().mean()))
    with pytest.raises(ProblemError, match="'pde' has a loss of its own"):
        objective.gauss_newton(theta, 1e-14)
    objective, theta = bound(one(lambda s: torch.log(s.u - 100) + s.u_x))
    with pytest.raises(EvaluationError, match="not finite"):
        objective.gauss_newton(theta, 1e-14)
