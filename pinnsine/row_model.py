"""The first-order model of an objective's rows: from the whole Jacobian, from parts of it that fit the memory, or layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.jacobian import row_blocks
from pinnsine.linearised import Dual, Linearised, form_for, require_finite
from pinnsine.points import Points
from pinnsine.tangent import RowBlock, is_cheaper, tangent_kernel

if TYPE_CHECKING:
    from pinnsine.objective import Objective


def row_model(objective: Objective, theta: Tensor, form: str, scaled: bool) -> Linearised:
    """See ``Objective.linearise``."""
    size = objective.count * len(theta) * theta.element_size()
    form, products = form_for(form, objective.count, len(theta)), (lambda p: objective.jvp(theta, p), lambda v: objective.vjp(theta, v))
    if form == "dual" and not scaled and (layered := _layered_dual(objective, theta, products, size <= objective.memory)) is not None:
        return layered
    if size <= objective.memory:
        return Linearised.dense(*objective.jacobian(theta, objective.workspace(theta)), form, scaled)
    if form == "qr":
        raise ProblemError(
            f"factorisation='qr' keeps the whole Jacobian, {objective.count} rows by {len(theta)} parameters or {size:.1e} bytes, and memory= "
            f"allows {objective.memory:.1e}: raise memory=, take fewer points=, or choose another factorisation."
        )
    if form == "dual":
        return Linearised.streamed_by_columns(objective.rows(theta), _columns_of_jacobian(objective, theta), *products, scaled)
    return Linearised.streamed(objective.rows(theta), _chunks_of_jacobian(objective, theta), *products, scaled)


def _layered_dual(objective: Objective, theta: Tensor, products, whole: bool) -> Dual | None:
    """The dual form with the kernel made layer by layer; None where a term has no such form, or explicit rows cost less."""
    if any(t.route != "one backward" for t in objective.terms):
        return None
    rows, blocks = [], []
    for term in objective.terms:
        found = list(objective.pieces(term, lambda points, _, term=term: row_blocks(objective, term, theta, points)))
        if any(parts is None for _, parts in found):
            return None
        rows.append(torch.cat([r for r, _ in found], dim=1).reshape(-1))
        blocks += [RowBlock.join(parts) for parts in zip(*(parts for _, parts in found), strict=True)]
    if not is_cheaper(blocks):
        return None
    rows = torch.cat(rows)
    require_finite(rows)
    return Dual(rows, *products, tangent_kernel(blocks, theta), None, whole)


def _chunks_of_jacobian(objective: Objective, theta: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """(rows, Jacobian rows) chunk by chunk, in no particular order."""
    for term in objective.terms:

        def work(points: Points, part: slice, term=term) -> tuple[Tensor, Tensor]:
            out = theta.new_empty(len(term.scales), len(points), len(theta))
            rows = objective.term_jacobian(term, theta, points, out)
            return rows.reshape(-1), out.view(-1, len(theta))

        yield from objective.pieces(term, work, more=len(term.scales) * len(theta) * theta.element_size())


def _columns_of_jacobian(objective: Objective, theta: Tensor) -> Iterator[Tensor]:
    """The Jacobian's columns in their order, for as many blocks of parameters at a time as fit the memory budget, and at least one."""
    fitting, group = objective.memory / (objective.count * theta.element_size()), []
    for name, block in objective.blocks.items():
        if block.stop == block.start:
            continue
        if group and block.stop - objective.blocks[group[0]].start > fitting:
            yield _columns(objective, theta, group)
            group = []
        group.append(name)
    yield _columns(objective, theta, group)


def _columns(objective: Objective, theta: Tensor, names: Sequence[str]) -> Tensor:
    free = theta[objective.blocks[names[0]].start : objective.blocks[names[-1]].stop]
    return objective.restrict(names, theta).jacobian(free)[1]
