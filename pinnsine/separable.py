"""The Gauss-Newton step of a sum over a lattice of sines at points that form grids, without its Jacobian.

Where a coordinate is periodic, and the coefficients of the linearised equation are replaced by their means along it, every wave number has a
small least-squares problem of its own. The triangles R of their QR factorisations precondition that of all coefficients: LSMR (Fong &
Saunders 2011) on J R^-1, whose singular values then cluster about one, takes tens of iterations where the coefficients vary little along the
periodic coordinates, or the window of time is short. Products with J are made coordinate by coordinate (``lattice_sum``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pinnsine.ansatz import Ansatz
from pinnsine.constraint import Periodic
from pinnsine.jacobian import taped_rows
from pinnsine.lattice_sum import Lattice, grid_of
from pinnsine.least_squares import GaussNewtonStep
from pinnsine.linearised import require_finite
from pinnsine.nets.frozen_sines import SineLayer
from pinnsine.wave_blocks import Blocks, GridTerm

if TYPE_CHECKING:
    from pinnsine.objective import Objective
    from pinnsine.term import Term

WEIGHT, BIAS = "output.weight", "output.bias"
DAMPING = 1e-13  # at least: rounding in J R^-1 is machine epsilon over it
ACCURACY, ROUGH = 1e-9, 1e-2  # the least and the most that LSMR leaves
WORN = 60  # iterations, from which the triangles of the next step are made anew
MOST = 250  # of its iterations
LEAST = 2  # how LSMR says that it has come to a least-squares solution


def is_separable(objective: Objective) -> bool:
    """Whether the trial function is one lattice of sines with a periodic coordinate and nothing else, and all points form grids."""
    ansatz = objective.ansatz
    if len(ansatz.pieces) != 1 or ansatz.hard or ansatz.problem.unknowns or ansatz.pieces[0].symmetry or objective.fixed:
        return False
    [piece] = ansatz.pieces
    layer = piece.module[-1]
    if not isinstance(layer, SineLayer) or layer.lattice is None or not any(periodic_inputs(objective.ansatz)):
        return False
    plain = all(t.route == "one backward" and t.constraint.nodes == 1 for t in objective.terms)
    points = [p.matrix(piece.inputs) for p in objective.points.values()]
    return plain and all(grid_of(p) is not None for p in points)


def gauss_newton_step(objective: Objective, theta: Tensor, damping: float, accuracy: float | None = None) -> GaussNewtonStep:
    """The Gauss-Newton step at theta (P,), damped towards theta = 0 by ``damping`` times the norms of the Jacobian's columns.

    ``accuracy``: of the step; by default as the rows are small, since what it leaves is as small as what Newton's method leaves by itself.
    """
    from scipy.sparse.linalg import LinearOperator, lsmr

    found = [_to_first_order(objective, term, theta) for term in objective.terms]
    rows, terms = torch.cat([rows.reshape(-1) for rows, _ in found]), [term for _, term in found]
    require_finite(rows)
    [piece] = objective.ansatz.pieces
    lattice, blocks = piece.module[-1].lattice, objective.preconditioner
    if blocks is None:
        blocks = Blocks.of(lattice, periodic_inputs(objective.ansatz), terms, len(piece.fields), max(damping, DAMPING))
    model, origin = Preconditioned(terms, blocks), _products(lattice, objective.views(theta))
    right = torch.cat([-rows, -(blocks.shift * origin).reshape(-1)])
    matrix = LinearOperator(
        (len(right), blocks.size),
        matvec=lambda q: model.apply(torch.from_numpy(q).to(rows)).cpu().numpy(),
        rmatvec=lambda v: model.adjoint(torch.from_numpy(v).to(rows)).cpu().numpy(),
        dtype=np.float64,
    )
    accuracy = accuracy or min(max(float(rows.norm()), ACCURACY), ROUGH)
    solved, stopped, iterations, *_ = lsmr(matrix, right.cpu().numpy(), atol=accuracy, btol=accuracy, conlim=0, maxiter=MOST)
    objective.preconditioner = blocks if iterations < WORN else None
    step = blocks.solve(torch.from_numpy(solved).to(rows))
    rounding = torch.finfo(theta.dtype).eps * float((blocks.norms * origin).norm())
    return GaussNewtonStep(rows, _flat(objective.ansatz, step), rows + model.change(step), rounding, settled=stopped == LEAST)


@dataclass(frozen=True)
class Preconditioned:
    """J R^-1 over the damping: all rows to first order, and what damps the coefficients, as a function of q = R p."""

    terms: Sequence[GridTerm]
    blocks: Blocks

    def change(self, products: Tensor) -> Tensor:
        """The change of all rows (R,) with the coefficients."""
        return torch.cat([term.apply(products).reshape(-1) for term in self.terms])

    def apply(self, q: Tensor) -> Tensor:
        """The change of the rows and of what is damped, for q (B L,)."""
        step = self.blocks.solve(q)
        return torch.cat([self.change(step), (self.blocks.shift * step).reshape(-1)])

    def adjoint(self, values: Tensor) -> Tensor:
        """The transpose."""
        shapes = [(len(t.slopes), t.slopes.shape[3]) for t in self.terms]
        *parts, damped = values.split([*(c * n for c, n in shapes), self.blocks.shift.numel()])
        pulled = sum(t.adjoint(v.view(shape)) for t, v, shape in zip(self.terms, parts, shapes, strict=True))
        return self.blocks.solve_transposed(pulled + self.blocks.shift * damped.view_as(self.blocks.shift))


def periodic_inputs(ansatz: Ansatz) -> list[bool]:
    """Along which inputs of the first network, of a lattice, functions of different wave numbers are orthogonal on the domain."""
    whole = {c.coordinate for c in ansatz.problem.constraints if isinstance(c, Periodic) and c.hard}
    mirrored = ansatz.pieces[0].module[-1].lattice.mirrored
    return [n in whole or sign != 0 for n, sign in zip(ansatz.pieces[0].inputs, mirrored, strict=True)]


def _to_first_order(objective: Objective, term: Term, theta: Tensor) -> tuple[Tensor, GridTerm]:
    """The rows (C, N) of a term and their first-order model."""
    rows, taped, slopes = taped_rows(objective, term, theta, objective.points[term.constraint.name])
    [(_, _, inputs, outputs)] = taped
    found = [torch.zeros_like(outputs) if own[0] is None else own[0] for own in slopes]
    return rows, GridTerm(inputs.grid, torch.stack(found).detach().mT.contiguous())


def _products(lattice: Lattice, views: Mapping[str, Tensor]) -> Tensor:
    """The coefficients (m, F_1, ..., F_d) of parameters by name."""
    return lattice.products(*(next(v for n, v in views.items() if n.endswith(end)) for end in (WEIGHT, BIAS)))


def _flat(ansatz: Ansatz, products: Tensor) -> Tensor:
    """Coefficients as parameters (P,)."""
    weight, bias = ansatz.pieces[0].module[-1].lattice.layer(products)
    parts = [weight if n.endswith(WEIGHT) else bias if n.endswith(BIAS) else p.detach() for n, p in ansatz.named_parameters()]
    return torch.cat([p.reshape(-1) for p in parts])


def padded(ansatz: Ansatz, old: Ansatz) -> Tensor:
    """The parameters (P,) on a lattice of another function on a coarser one with the same steps."""
    new, own = (a.pieces[0].module[-1].lattice for a in (ansatz, old))
    products = _products(own, old.views(old.flat()))
    for axis, (n, more) in enumerate(zip(own.counts, new.counts, strict=True), start=1):
        zeros = torch.zeros_like(products.narrow(axis, 0, 1)).repeat_interleave(more - n, axis)
        one, cosines, sines = products.split([1, n, n], dim=axis)
        products = torch.cat([one, cosines, zeros, sines, zeros], dim=axis)
    return _flat(ansatz, products)
