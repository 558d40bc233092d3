"""Loss and gradient of a constraint compiled by ``torch.compile``, checked against the eager ones, and given up with a warning where they fail.

``torch.compile`` cannot differentiate twice through autograd, but derivatives in space are carried forward as jets here: ``make_fx`` records
residual and one backward pass as a single graph of tensor operations, which is then compiled. There is a graph for each constraint and number
of points; weights and the number of points in all stand outside.

Compiled code holds more than autograd does, which computes operation by operation and frees what it has used. So points are computed in equal
blocks that share a graph, and the few that are left over as usual; on a processor larger blocks are no faster.
"""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pinnsine.memory import FEWEST, out_of_memory
from pinnsine.points import Points
from pinnsine.products import evaluated

if TYPE_CHECKING:
    from pinnsine.objective import Objective
    from pinnsine.term import Term

SIZES = 4  # numbers of points that are compiled for a constraint; others, such as the rest of a pass, are evaluated as usual
BLOCK = 1000  # points at most that a processor computes at a time
HELD = 3.0  # times what is held without: measured 1.6 at second order, 2.9 at fourth
GAPS = {torch.float64: 1e-9, torch.float32: 1e-3}  # between compiled and eager gradients, relative


class Compiler:
    """What a run has compiled: ``seconds`` it took, first steps and checks included, and ``graphs``, their number."""

    def __init__(self):
        self.seconds, self.graphs, self.failed = 0.0, 0, False
        self._functions: dict = {}

    def descent(self, objective: Objective, term: Term, theta: Tensor, points: Points) -> tuple[float, Tensor | None]:
        """The sum of squares of a term's rows at some of its points, and its gradient (P,), in blocks."""
        size, loss, gradient = block(objective, term, points), 0.0, torch.zeros_like(theta)
        for start in range(0, len(points), size):
            part = points.select(slice(start, start + size))
            function = self._function(objective, term, theta, part) if len(part) == size else None
            found, slope = (function or evaluated)(objective, term, theta, part)
            loss += found
            if slope is not None:
                gradient += slope
        return loss, gradient

    def _function(self, objective: Objective, term: Term, theta: Tensor, points: Points):
        """What takes the place of ``evaluated`` at so many points; None where that is not to be compiled."""
        if self.failed:
            return None
        total = float(len(objective.points[term.constraint.name]))
        kind = (objective.ansatz, term.constraint.name, tuple(term.scales.items()), points.names, tuple(points.normal), theta.dtype)
        sizes = self._functions.setdefault(kind, {})
        if len(points) not in sizes:
            if len(sizes) == SIZES:
                return None
            sizes[len(points)] = self._made(objective, replace(term, weight=total), theta, points)
        if (function := sizes[len(points)]) is None:
            return None

        def weighted(objective: Objective, term: Term, theta: Tensor, points: Points) -> tuple[float, Tensor]:
            loss, gradient = function(theta.detach(), dict(points.columns), dict(points.normal))
            factor = term.weight / total
            return factor * float(loss), factor * gradient

        return weighted

    def _made(self, objective: Objective, term: Term, theta: Tensor, points: Points):
        """The compiled function of parameters and columns; None, after a warning, where it fails or gives other numbers."""
        from torch.fx.experimental.proxy_tensor import make_fx

        def eager(theta: Tensor, columns, normal) -> tuple[Tensor, Tensor]:
            theta = theta.detach().requires_grad_()
            loss = objective.term_rows(term, objective.views(theta), Points(columns, normal)).square().sum()
            return loss.detach(), torch.autograd.grad(loss, theta)[0]

        begun, arguments = time.perf_counter(), (theta.detach(), dict(points.columns), dict(points.normal))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the compiler's own, on what it cannot fuse
                function = torch.compile(make_fx(eager)(*arguments))
                found, expected = function(*arguments), eager(*arguments)
        except Exception as error:  # whatever a compiler may raise
            if out_of_memory(error):
                raise
            return self._given_up(f"it failed with {type(error).__name__}")
        self.seconds, self.graphs = self.seconds + time.perf_counter() - begun, self.graphs + 1
        gap = max(float((a - b).norm() / b.norm().clamp(min=1e-300)) for a, b in zip(found, expected, strict=True))
        if not gap <= GAPS[theta.dtype]:
            return self._given_up(f"its gradient of {term.constraint.name!r} is off by {gap:.1e}")
        return function

    def _given_up(self, reason: str) -> None:
        self.failed = True
        warnings.warn(f"torch.compile is not used: {reason}. The run goes on without, at its usual speed.", stacklevel=2)


def block(objective: Objective, term: Term, points: Points) -> int:
    """How many of some points are computed at a time: an even share that fits the memory budget, on a processor at most ``BLOCK``.

    Rows that are coupled stay together.
    """
    if term.route != "one backward":
        return len(points)
    most = max(FEWEST, int(objective.memory / (HELD * objective.bytes_per_row(term))))
    if points[points.names[0]].device.type == "cpu":
        most = min(most, BLOCK)
    return len(points) // math.ceil(len(points) / most)
