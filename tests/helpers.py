"""Builders shared by the tests: batches of coordinates, states of analytic fields, exact rows, bound objectives, nested derivatives."""

import math
from itertools import combinations_with_replacement
from types import SimpleNamespace

import torch

import pinnsine as ps
from pinnsine.ansatz import build_ansatz
from pinnsine.conditions import SIDE
from pinnsine.constraint import Residual, row_points
from pinnsine.index import Collapsed
from pinnsine.jet import Constant, Context, Coordinate, Jet
from pinnsine.local import Local, Names
from pinnsine.named_rows import rows_of
from pinnsine.nets import MLP
from pinnsine.objective import bind
from pinnsine.points import Points
from pinnsine.probe import FieldScale, coordinates_at, data_of


def rand(*shape, seed=0, low=-1.0, high=1.0):
    return low + (high - low) * torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def columns(names, count=6, seed=0, low=-1.0, high=1.0):
    """Random coordinates by name, (count,) each."""
    return dict(zip(names, rand(len(names), count, seed=seed, low=low, high=high), strict=True))


def jets(batch, space=None, normal=None):
    """The coordinates of a batch as jets; all are of space unless said otherwise."""
    context = Context(space=tuple(batch) if space is None else tuple(space), normal=normal or {})
    return {name: Coordinate(name, column, context) for name, column in batch.items()}


def state(batch, space=None, normal=None, data=None, unknowns=None, **fields):
    """The state in which every field is a given function of the coordinates, in their order."""
    coordinates = jets(batch, space, normal)
    values = {name: function(*coordinates.values()) for name, function in fields.items()}
    names = Names(tuple(batch), tuple(fields), tuple(unknowns or ()))
    return Local(names, next(iter(coordinates.values())).context, coordinates, values, unknowns, data)


def multi_indices(names, order):
    """All derivatives by ``names`` up to an order, the value first."""
    return [index for k in range(order + 1) for index in combinations_with_replacement(sorted(names), k)]


def nested_grad(function, batch, index):
    """The derivative of function(*coordinates) by the names of ``index``, by nested reverse differentiation."""
    leaves = {name: column.clone().requires_grad_() for name, column in batch.items()}
    value = function(*leaves.values())
    for name in index:
        if not value.requires_grad:
            return torch.zeros_like(batch[name])
        [value] = torch.autograd.grad(value.sum(), leaves[name], create_graph=True, allow_unused=True, materialize_grads=True)
    return value.detach()


class Formula(Jet):
    """A function of the state's coordinates in place of a field, differentiated by nested reverse differentiation."""

    def __init__(self, function, batch, context):
        super().__init__(context)
        self.function, self.batch = function, batch

    def _component(self, index):
        if isinstance(index, Collapsed):
            return sum(self.at((name, name)) for name in index.names)
        return nested_grad(lambda *columns: self.function(SimpleNamespace(**dict(zip(self.batch, columns, strict=True)))), self.batch, index)


def exact_points(problem, constraint, count=500):
    """Row points of a constraint; those of an equation keep away from t = 0, where the Cole-Hopf formula has no derivative in time."""
    points = row_points(constraint, problem.domain, count, "uniform", torch.Generator().manual_seed(0))
    time = problem.domain.time
    if time is None or not isinstance(constraint, Residual):
        return points
    return Points({**points.columns, time: points[time].clamp(min=problem.domain.axis(time).lower + 1e-3)}, points.normal)


def exact_rows(problem, constraint, points, unknowns=None):
    """The rows of a constraint with the reference in place of the network and given numbers in place of the unknowns."""

    def state_at(nodes):
        context = Context(problem.domain.names, problem.domain.space, nodes.normal)
        batch = {name: nodes[name] for name in problem.domain.names}
        if SIDE in nodes.names:  # the reference at an interface is that of the node's side
            batch = {name: column + 1e-12 * nodes[SIDE] * nodes.normal[name] for name, column in batch.items()}
        fields = {name: Formula(function, batch, context) for name, function in problem.reference.fields.items()}
        numbers = {name: Constant(torch.full((len(nodes),), value, dtype=torch.float64), context) for name, value in (unknowns or {}).items()}
        return Local(problem.names, context, coordinates_at(problem, nodes, context), fields, numbers, data_of(problem, nodes), state_at)

    return rows_of(constraint, state_at(constraint.expand(points, problem.domain)), len(points))


def gap(found, expected):
    """The largest difference, relative to the largest entry expected."""
    found, expected = found.detach(), expected.detach()
    assert found.shape == expected.shape
    scale = expected.abs().max()
    return float((found - expected).abs().max() / (scale if scale > 0 else 1))


def bound(problem, net=None, count=6, evaluator="auto", memory=2e9, sampler="sobol", seed=0, dtype=torch.float64):
    """The objective of a problem on a freshly drawn small network, and its parameters moved off their start."""
    scales = {field.name: FieldScale(0.3, 0.7) for field in problem.fields}
    generator = torch.Generator().manual_seed(seed)
    points = {c.name: row_points(c, problem.domain, count, sampler, generator) for c in problem.constraints}
    ansatz = build_ansatz(problem, net or MLP(5, 2), scales, generator, evaluator).to(dtype)
    points = {n: p.to(dtype, torch.device("cpu")) for n, p in points.items()}
    objective = bind(ansatz, points, memory)
    return objective, ansatz.flat() + 0.1 * rand(ansatz.size, seed=seed + 1)


def routes(objective):
    return {term.constraint.name: term.route for term in objective.terms}


def rows_function(objective):
    """theta -> rows (R,), differentiable: every constraint evaluated whole, with no Jacobian route involved."""

    def rows(theta):
        views = objective.views(theta)
        parts = [objective.term_rows(t, views, objective.points[t.constraint.name]).reshape(-1) for t in objective.terms]
        return torch.cat(parts)

    return rows


def soliton(until: float):
    """h = a sech(a (x - v t)) exp(i (v x + (a^2 - v^2) t / 2)): its domain, h(x, t), and what references by Fourier modes take."""
    a, v = 2.0, 6 * math.pi / 40
    domain = ps.Interval("x", -20, 20) * ps.Time(0, until)

    def exact(x, t):
        return a / torch.cosh(a * (x - v * t)) * torch.exp(1j * (v * x + (a**2 - v**2) / 2 * t))

    posed = {"linear": lambda d: 0.5j * d**2, "source": lambda h: 1j * abs(h) ** 2 * h, "fields": ("u", "v")}
    return domain, exact, posed
