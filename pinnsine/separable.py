"""The Gauss-Newton step of a sum over a lattice of sines at points that form grids, without its Jacobian.

Where a coordinate is periodic, and the coefficients of the linearised equation are replaced by their means along it, every wave number has a
small least-squares problem of its own. The triangles R of their QR factorisations precondition that of all coefficients: LSMR (Fong &
Saunders 2011) on J R^-1, whose singular values then cluster about one, takes tens of iterations where the coefficients vary little along the
periodic coordinates, or the window of time is short. Products with J are made coordinate by coordinate (``lattice_sum``).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pinnsine.ansatz import Ansatz
from pinnsine.constraint import Periodic
from pinnsine.jacobian import taped_rows
from pinnsine.lattice_sum import Lattice, LatticeGrid
from pinnsine.least_squares import GaussNewtonStep
from pinnsine.linearised import require_finite
from pinnsine.nets.frozen_sines import SineLayer
from pinnsine.plane_waves import FEWEST, WavesOnGrid, grid_of

if TYPE_CHECKING:
    from pinnsine.objective import Objective

WEIGHT, BIAS = "output.weight", "output.bias"
DAMPING = 1e-13  # at least: rounding in J R^-1 is machine epsilon over it
ACCURACY, ROUGH = 1e-9, 1e-2  # of LSMR: as the rows are small, since the next of Newton's steps takes away what one leaves
WORN = 60  # iterations, from which the triangles of the next step are made anew
MOST = 400  # of its iterations


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
    return plain and all(len(p) >= FEWEST and grid_of(p) is not None for p in points)


def gauss_newton_step(objective: Objective, theta: Tensor, damping: float) -> GaussNewtonStep:
    """The Gauss-Newton step at theta (P,), damped towards theta = 0 by ``damping`` times the norms of the Jacobian's columns."""
    from scipy.sparse.linalg import LinearOperator, lsmr

    parts = [_part(objective, term, theta) for term in objective.terms]
    rows = torch.cat([rows.reshape(-1) for rows, _ in parts])
    require_finite(rows)
    operator = Operator([part for _, part in parts])
    [piece] = objective.ansatz.pieces
    lattice, fields = piece.module[-1].lattice, len(piece.fields)
    blocks = objective.preconditioner
    if blocks is None:
        blocks = Blocks.of(lattice, periodic_inputs(objective.ansatz), operator.parts, fields, max(damping, DAMPING))
    origin = _products(lattice, objective.views(theta))
    pull = blocks.shift * origin
    right = torch.cat([-rows, -pull.reshape(-1)]).cpu().numpy()
    count, size = len(rows), blocks.size

    def apply(q: np.ndarray) -> np.ndarray:
        step = blocks.solve(torch.from_numpy(q).to(rows))
        return torch.cat([operator.apply(step), (blocks.shift * step).reshape(-1)]).cpu().numpy()

    def adjoint(v: np.ndarray) -> np.ndarray:
        values = torch.from_numpy(v).to(rows)
        pulled = operator.adjoint(values[:count]) + blocks.shift * values[count:].view_as(origin)
        return blocks.solve_transposed(pulled).cpu().numpy()

    matrix = LinearOperator((len(right), size), matvec=apply, rmatvec=adjoint, dtype=np.float64)
    accuracy = min(max(float(rows.norm()), ACCURACY), ROUGH)
    found, _, iterations, *_ = lsmr(matrix, right, atol=accuracy, btol=accuracy, conlim=0, maxiter=MOST)
    objective.preconditioner = blocks if iterations < WORN else None
    if DEBUG:
        print("lsmr", iterations, float(rows.norm()))
    step = blocks.solve(torch.from_numpy(found).to(rows))
    left = rows + operator.apply(step)
    rounding = torch.finfo(theta.dtype).eps * float((blocks.norms * origin).norm())
    return GaussNewtonStep(rows, _flat(objective.ansatz, step), left, rounding)


DEBUG = False


@dataclass(frozen=True)
class Part:
    """One constraint's rows (C, N) to first order: their slopes (C, K, N, m) by the derivatives of the fields on a grid."""

    grid: LatticeGrid
    slopes: Tensor

    def apply(self, products: Tensor) -> Tensor:
        """The change of the rows (C, N) with the coefficients."""
        components = self.grid.components(products)
        return torch.stack([(own * components).sum(dim=(0, 2)) for own in self.slopes])

    def adjoint(self, values: Tensor) -> Tensor:
        """The transpose: from (C, N) to coefficients."""
        return self.grid.adjoint(sum(own * v[None, :, None] for own, v in zip(self.slopes, values, strict=True)))


@dataclass(frozen=True)
class Operator:
    """All rows (R,) to first order."""

    parts: Sequence[Part]

    def apply(self, products: Tensor) -> Tensor:
        return torch.cat([part.apply(products).reshape(-1) for part in self.parts])

    def adjoint(self, values: Tensor) -> Tensor:
        shapes = [(len(p.slopes), p.slopes.shape[2]) for p in self.parts]
        pieces = values.split([c * n for c, n in shapes])
        return sum(p.adjoint(v.view(shape)) for p, v, shape in zip(self.parts, pieces, shapes, strict=True))


@dataclass(frozen=True)
class Blocks:
    """The triangles (B, L, L) of the coefficients that share a wave number along the periodic coordinates, in the order of ``place`` (B, L).

    A place that there is not, the sine of wave number zero, is the one after the last coefficient. ``norms``: of the columns, in the shape of
    the coefficients; ``shift``: the damping.
    """

    triangles: Tensor
    place: Tensor
    norms: Tensor
    shift: Tensor

    @staticmethod
    def of(lattice: Lattice, periodic: Sequence[bool], parts: Sequence[Part], fields: int, damping: float) -> Blocks:
        shape = (fields, *(2 * n + 1 for n in lattice.counts))
        turns = [Turn.of(lattice, i, parts) if wrapped else None for i, wrapped in enumerate(periodic)]
        place = _places(lattice, turns, shape)
        matrix = torch.cat([_block_rows(lattice, turns, part) for part in parts], dim=1)
        squares = matrix.square().sum(dim=1)
        norms = torch.where(squares > 0, squares.sqrt(), 1.0)
        shifted = torch.cat([matrix, torch.diag_embed(damping * norms)], dim=1)
        triangles = torch.linalg.qr(shifted, mode="r").R
        spread = norms.new_ones(math.prod(shape) + 1)
        spread[place.flatten()] = norms.flatten()
        spread = spread[:-1].view(shape)
        return Blocks(triangles, place, spread, damping * spread)

    @property
    def size(self) -> int:
        return self.place.numel()

    def solve(self, q: Tensor) -> Tensor:
        """R^-1 q as coefficients, for q (B L,)."""
        found = torch.linalg.solve_triangular(self.triangles, q.view(*self.place.shape, 1), upper=True)
        out = q.new_zeros(self.norms.numel() + 1)
        out[self.place.flatten()] = found.flatten()
        return out[:-1].view_as(self.norms)

    def solve_transposed(self, products: Tensor) -> Tensor:
        """R^-T (B L,) of coefficients."""
        padded = torch.nn.functional.pad(products.flatten(), (0, 1))
        return torch.linalg.solve_triangular(self.triangles.mT, padded[self.place][..., None], upper=False).flatten()


@dataclass(frozen=True)
class Turn:
    """What derivatives make of cosine and sine of each wave number along a periodic coordinate.

    ``waves`` (n + 1,); ``odd``: whether a derivative of odd order makes one of the other, so that both belong to one block.
    """

    waves: Tensor
    odd: bool

    @staticmethod
    def of(lattice: Lattice, axis: int, parts: Sequence[Part]) -> Turn:
        orders = [orders[axis] for part in parts for terms in part.grid.orders for orders in terms]
        waves = lattice.steps[axis] * torch.arange(lattice.counts[axis] + 1, dtype=torch.float64)
        return Turn(waves, any(r % 2 for r in orders))

    def matrices(self, order: int, slope: float) -> Tensor:
        """The matrices (B, o, i) of a derivative: (n + 1, 2, 2), or where cosine and sine are blocks of their own (2 n + 2, 1, 1)."""
        size = (slope * self.waves) ** order
        if not self.odd:
            return (size * (-1) ** (order // 2)).repeat_interleave(2)[:, None, None]
        quarter = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)  # cos' = -sin, sin' = cos
        turn = size[:, None, None] * torch.linalg.matrix_power(quarter, order)
        turn[0, :, 1] = turn[0, 1, :] = 0.0  # there is no sine of wave number zero
        return turn

    @property
    def sizes(self) -> Tensor:
        """The mean squares of the functions of each block (B,)."""
        each = torch.full_like(self.waves, 0.5)
        each[0] = 1.0
        return each if self.odd else each.repeat_interleave(2)


def _places(lattice: Lattice, turns: Sequence[Turn | None], shape: tuple[int, ...]) -> Tensor:
    """Where the coefficients of each block lie (B, L): by wave number, then field, cosine or sine, and function of the other coordinates."""
    table, missing = torch.arange(math.prod(shape)).view(shape), math.prod(shape)
    batch, inside, axis = [], [], 1
    for n, turn in zip(lattice.counts, turns, strict=True):
        if turn is not None:  # the axis becomes two: the wave number, and cosine or sine
            one, cosines, sines = table.split([1, n, n], dim=axis)
            sines = torch.cat([torch.full_like(one, missing), sines], dim=axis)
            table = torch.stack([torch.cat([one, cosines], dim=axis), sines], dim=axis + 1)
            batch.append(axis)
            (inside if turn.odd else batch).append(axis + 1)
        axis += 1 if turn is None else 2
    rest = [i for i in range(1, table.ndim) if i not in batch and i not in inside]
    ordered = table.permute(*batch, 0, *inside, *rest)
    return ordered.reshape(math.prod(ordered.shape[: len(batch)]), -1)


def _block_rows(lattice: Lattice, turns: Sequence[Turn | None], part: Part) -> Tensor:
    """The rows of one constraint in every block (B, rows, L), with the means of their slopes along the periodic coordinates."""
    grid = part.grid
    across = [i for i, turn in enumerate(turns) if turn is None]
    group, nodes = _groups(grid, across)
    count = torch.bincount(group).to(part.slopes)
    means = part.slopes.new_zeros(*part.slopes.shape[:2], len(count), part.slopes.shape[3]).index_add_(2, group, part.slopes)
    means = means / count[:, None]
    total = 0.0
    for k, terms in enumerate(grid.orders):
        for orders in terms:
            around = [t.matrices(r, slope) for t, r, slope in zip(turns, orders, grid.slopes, strict=True) if t is not None]
            functions = [lattice.along(i, nodes[i], orders[i], grid.slopes[i]) for i in across]
            other = functools.reduce(_crossed, functions) if functions else means.new_ones(len(count), 1)
            total = total + torch.einsum("cgf,boi,gm->bcgofim", means[:, k], functools.reduce(_kron, around).to(means), other)
    sizes = functools.reduce(torch.kron, [t.sizes for t in turns if t is not None]).to(total)
    weighted = total * count.sqrt()[:, None, None, None, None] * sizes.sqrt()[:, None, None, None, None, None, None]
    return weighted.flatten(4).flatten(1, 3)


def _crossed(first: Tensor, second: Tensor) -> Tensor:
    """The products (G, A B) of functions (G, A) and (G, B)."""
    return (first[:, :, None] * second[:, None, :]).flatten(1)


def _kron(first: Tensor, second: Tensor) -> Tensor:
    """The Kronecker products of all pairs of matrices (A, o, i) and (B, p, j)."""
    found = torch.einsum("aoi,bpj->abopij", first, second)
    return found.flatten(0, 1).flatten(1, 2).flatten(2, 3)


def _groups(grid: LatticeGrid, across: Sequence[int]) -> tuple[Tensor, dict[int, Tensor]]:
    """The points by their values of the coordinates ``across`` (N,), and these values."""
    place, found = grid.place, {}
    for i in reversed(range(len(grid.nodes))):
        found[i], place = place % len(grid.nodes[i]), place // len(grid.nodes[i])
    joint = torch.zeros_like(grid.place)
    for i in across:
        joint = joint * len(grid.nodes[i]) + found[i]
    _, group = torch.unique(joint, return_inverse=True)
    first = torch.zeros(int(group.max()) + 1, dtype=torch.long, device=group.device).scatter_(0, group, torch.arange(len(group), device=group.device))
    return group, {i: grid.nodes[i][found[i][first]] for i in across}


def periodic_inputs(ansatz: Ansatz) -> list[bool]:
    """Which inputs of the first network are exactly periodic."""
    whole = {c.coordinate for c in ansatz.problem.constraints if isinstance(c, Periodic) and c.hard}
    return [n in whole for n in ansatz.pieces[0].inputs]


def _part(objective: Objective, term, theta: Tensor) -> tuple[Tensor, Part]:
    """The rows (C, N) of a term and their first-order model."""
    rows, taped, slopes = taped_rows(objective, term, theta, objective.points[term.constraint.name])
    [(_, _, inputs, outputs)] = taped
    assert isinstance(inputs, WavesOnGrid)
    found = [torch.zeros_like(outputs) if own[0] is None else own[0] for own in slopes]
    return rows, Part(inputs.grid, torch.stack(found).detach())


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
