"""The loss, its gradient, and products with the Jacobian at some row points of a term: what the pieces of an ``Objective`` add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pinnsine.points import Points

if TYPE_CHECKING:
    from pinnsine.objective import Objective
    from pinnsine.term import Term


def descent(objective: Objective, term: Term, theta: Tensor, points: Points) -> tuple[float, Tensor | None]:
    """The sum of squares of the rows, and its gradient (P,) where there is one."""
    by = evaluated if term.compiler is None or objective.fixed else term.compiler.descent
    return by(objective, term, theta, points)


def evaluated(objective: Objective, term: Term, theta: Tensor, points: Points) -> tuple[float, Tensor | None]:
    """The same by one pass of autograd."""
    loss = objective.term_rows(term, objective.views(theta), points).square().sum()
    return float(loss.detach()), torch.autograd.grad(loss, theta)[0] if loss.requires_grad else None


def pulled_back(objective: Objective, term: Term, theta: Tensor, points: Points, seeds: Tensor) -> Tensor:
    """J^T seeds (P,), for seeds (C, N)."""
    rows = objective.term_rows(term, objective.views(theta), points)
    return torch.autograd.grad(rows, theta, seeds)[0] if rows.requires_grad else torch.zeros_like(theta)


def pushed(objective: Objective, term: Term, theta: Tensor, points: Points, direction: Tensor) -> Tensor:
    """J direction (C, N), by two backward passes (any evaluator)."""
    rows = objective.term_rows(term, objective.views(theta), points)
    if not rows.requires_grad:
        return torch.zeros_like(rows)
    seeds = torch.zeros_like(rows, requires_grad=True)
    [adjoint] = torch.autograd.grad(rows, theta, seeds, create_graph=True)
    return torch.autograd.grad(adjoint, seeds, direction)[0]
