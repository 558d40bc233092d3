"""Builders shared by the tests: batches of coordinates, states of analytic fields, bound objectives, nested derivatives."""

from itertools import combinations_with_replacement

import torch

from pinnsine.ansatz import build_ansatz
from pinnsine.constraint import row_points
from pinnsine.jet import Context, Coordinate
from pinnsine.local import Local, Names
from pinnsine.nets import MLP
from pinnsine.objective import bind
from pinnsine.probe import FieldScale, trace


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
    needs = {c.name: trace(problem, c, points[c.name], scales).need for c in problem.constraints}
    ansatz = build_ansatz(problem, net or MLP(5, 2), scales, generator, evaluator).to(dtype)
    points = {n: p.to(dtype, torch.device("cpu")) for n, p in points.items()}
    objective = bind(ansatz, points, needs, scales, memory)
    return objective, ansatz.flat() + 0.1 * rand(ansatz.size, seed=seed + 1)


def routes(objective):
    return {term.constraint.name: term.route for term in objective.terms}


def rows_function(objective):
    """theta -> rows (R,), differentiable: every constraint evaluated whole, with no Jacobian route involved."""

    def rows(theta):
        views = objective.views(theta)
        parts = [objective._rows(t, views, objective.points[t.constraint.name]).reshape(-1) for t in objective.terms]
        return torch.cat(parts)

    return rows
