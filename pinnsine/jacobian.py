"""The Jacobian of a term's rows by one backward pass.

A row depends on the evaluations at its own nodes alone, so one backward pass of the *sum* of the rows gives G = d rows / d(outputs of a layer)
at every node, and with the layer's inputs A the rows of the Jacobian are sums of outer products,

    d r_i / dW = sum over k, q of G[k, i, q] (x) A[k, i, q]   (k derivatives, q nodes).

Each constraint is probed once against an ordinary vector-Jacobian product with random weights; where rows are coupled, or a parameter acts
otherwise than through a layer, the generic route (batched vjp) is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.layer_input import by_row
from pinnsine.points import Points
from pinnsine.tangent import Columns, Outer, RowBlock

if TYPE_CHECKING:
    from pinnsine.objective import Objective
    from pinnsine.term import Term

PROBE_ROWS = 256  # spread over all rows, because rows may be coupled in a part of the region only
PROBE_LEAST = 32
PROBE_ENTRIES = 2e6  # of the probed Jacobian: a window of time on a large lattice is solved in the time that more would take
PROBE_COPIES = 4  # of the probed Jacobian, held at a time with what it is made from
CACHE_ROWS = 512  # rows of a layer's outer products made at a time, so that they stay in the cache
PROBE_TOLERANCE = 1e-9


def one_backward(objective: Objective, term: Term, theta: Tensor, points: Points, out: Tensor) -> Tensor:
    """The rows (C, N) of a term at row points; their Jacobian is written into ``out`` (C, N, P)."""
    rows, taped, slopes = taped_rows(objective, term, theta, points)
    for c, part in enumerate(slopes):
        _fill(out[c], objective.blocks, taped, part)
    return rows


def batched_vjp(objective: Objective, term: Term, theta: Tensor, points: Points, out: Tensor) -> Tensor:
    """The same for rows that are coupled, or depend on parameters otherwise than through layers."""
    theta = theta.detach().requires_grad_()
    rows = objective.term_rows(term, objective.views(theta), points)
    if not rows.requires_grad:
        out.zero_()
        return rows
    flat, target = (
        rows.reshape(-1),
        out.view(-1, len(theta)) if out.is_contiguous() else out.new_empty(rows.numel(), len(theta)),
    )
    size = max(1, int(objective.memory / (64 * objective.bytes_per_row(term) * len(points))) or 1)
    for start in range(0, len(flat), size):
        seeds = torch.zeros(min(size, len(flat) - start), len(flat), dtype=theta.dtype, device=theta.device)
        seeds.diagonal(start).fill_(1)
        target[start : start + size] = torch.autograd.grad(flat, theta, seeds, retain_graph=True, is_grads_batched=True)[0]
    if not out.is_contiguous():
        out.copy_(target.view_as(out))
    return rows.detach()


def row_blocks(objective: Objective, term: Term, theta: Tensor, points: Points) -> tuple[Tensor, list[RowBlock] | None]:
    """The rows (C, N) of a term at row points and the factors of their Jacobian; None where a weight acts more than once."""
    rows, taped, slopes = taped_rows(objective, term, theta, points)
    names = [name for weight, bias, *_ in taped for name in (weight, bias) if name]
    if len(names) != len(set(names)):
        return rows, None
    nodes, blocks = term.constraint.nodes, []
    for part in slopes:
        factors: dict[str, Columns | Outer] = {}
        for (weight, bias, inputs, _), slope in zip(taped, part, strict=False):
            if slope is not None and weight:
                factors[weight] = Outer(by_row(slope, nodes), by_row(inputs.stacked().detach(), nodes))
            if slope is not None and bias:
                factors[bias] = Columns(slope[0].view(len(points), nodes, -1).sum(dim=1))
        numbers = _number_columns(part[len(taped) :], len(points))
        if numbers is not None:
            factors["unknowns"] = Columns(numbers)
        blocks.append(RowBlock(len(points), factors))
    return rows, blocks


def route_of(objective: Objective, term: Term, theta: Tensor) -> str:
    """Probe a term: does the one-backward Jacobian agree with an ordinary vjp under random weights of the rows?"""
    points = objective.points[term.constraint.name]
    fitting = min(objective.memory / (PROBE_COPIES * 8), PROBE_ENTRIES) / (len(theta) * len(term.scales))
    points = points.spread(max(PROBE_LEAST, min(PROBE_ROWS, int(fitting))))
    points, theta = points.to(torch.float64, theta.device), theta.detach().double()  # coupling shows above rounding
    generator = torch.Generator().manual_seed(0)
    graph = theta.clone().requires_grad_()
    rows = objective.term_rows(term, objective.views(graph), points)
    weights = torch.rand(rows.shape, generator=generator, dtype=rows.dtype).to(rows) + 0.5
    truth = torch.autograd.grad(rows, graph, weights, allow_unused=True)[0] if rows.requires_grad else None
    if truth is None:
        raise ProblemError(
            f"The loss of constraint {term.constraint.name!r} does not depend on the parameters: write it in terms of the fields of s, "
            "and without detach()."
        )
    jacobian = theta.new_empty(*rows.shape, len(theta))
    try:
        one_backward(objective, term, theta, points, jacobian)
    except (RuntimeError, ValueError):  # a layer that acts on another axis than the batch
        return "batched vjp"
    found = torch.einsum("cnp,cn->p", jacobian, weights)
    scale = truth.abs().max()
    return "one backward" if bool((found - truth).abs().max() <= PROBE_TOLERANCE * scale) else "batched vjp"


def taped_rows(objective: Objective, term: Term, theta: Tensor, points: Points):
    """The rows (C, N), the layers that made them, and for each of the C the slopes of the layers' outputs and of the unknowns."""
    problem, nodes = objective.ansatz.problem, term.constraint.nodes
    views = {n: v.detach().requires_grad_(n in objective.blocks) for n, v in objective.views(theta).items()}
    raw = views["unknowns"].detach()
    free = "unknowns" in objective.blocks
    leaves = {u.name: raw[k].repeat(len(points) * nodes).requires_grad_(free) for k, u in enumerate(problem.unknowns)}
    tape: list = []
    rows = objective.term_rows(term, views, points, tape, leaves)
    names = {id(views[n]): n for n in objective.blocks}
    taped = [(names.get(id(w)), names.get(id(b)), inputs, outputs) for w, b, inputs, outputs in tape]
    taped = [entry for entry in taped if entry[0] or entry[1]]
    wanted = [outputs for *_, outputs in taped] + (list(leaves.values()) if free else [])
    slopes = [
        torch.autograd.grad(row.sum(), wanted, retain_graph=c + 1 < len(rows), allow_unused=True)
        if row.requires_grad and wanted
        else (None,) * len(wanted)
        for c, row in enumerate(rows)
    ]
    return rows.detach(), taped, slopes


def _fill(out: Tensor, columns: Mapping[str, slice], taped, slopes) -> None:
    """Write the outer products of layer inputs and slopes into the Jacobian rows (N, P); every layer was evaluated at nodes of each row."""
    written: set[str] = set()

    def put(name: str, part: Tensor, start: int) -> None:
        target = out[start : start + len(part), columns[name]]
        target.add_(part) if name in written else target.copy_(part)

    for (weight, bias, inputs, _), slope in zip(taped, slopes, strict=False):
        if slope is None:
            continue
        nodes = slope.shape[1] // len(out)
        if weight is not None:
            for start in range(0, len(out), CACHE_ROWS):
                put(weight, inputs.outer(slope, nodes, slice(start, min(start + CACHE_ROWS, len(out)))).flatten(1), start)
            written.add(weight)
        if bias is not None:
            put(bias, slope[0].view(len(out), nodes, -1).sum(dim=1), 0)
            written.add(bias)
    numbers = _number_columns(slopes[len(taped) :], len(out))
    if numbers is not None:
        put("unknowns", numbers, 0)
        written.add("unknowns")
    for name in columns.keys() - written:
        out[:, columns[name]] = 0


def _number_columns(slopes: Sequence[Tensor | None], rows: int) -> Tensor | None:
    """The Jacobian's columns (N, U) of the unknown numbers, from their slopes at the nodes; None where no number acts."""
    known = next((s for s in slopes if s is not None), None)
    if known is None:
        return None
    return torch.stack([known.new_zeros(rows) if s is None else s.view(rows, -1).sum(dim=1) for s in slopes], dim=1)
