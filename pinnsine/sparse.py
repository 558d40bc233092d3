"""Linear least squares where every row sees few of the parameters, as with ``LocalSines``: a sparse Jacobian, and ways to solve with it.

A trial function of local sums has a Jacobian with as many entries a row as functions live at its nodes. Values on a whole grid leave the
functions orthogonal: LSMR (Fong & Saunders 2011) then converges in two or three iterations, and is tried first. Where it does not, with
derivatives or gaps, the normal equations are factorised: they are banded, as windows that overlap are neighbours. Where the band would not
fit the memory, or factorising it takes more than ``WORK``, LSMR goes on.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.jacobian import taped_rows
from pinnsine.least_squares import GaussNewtonStep
from pinnsine.linearised import require_finite
from pinnsine.nets.local_sines import LocalSineLayer

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from pinnsine.objective import Objective

LEAST_DAMPING = 1e-12  # of the mean square of a column: the normal equations know the singular values to the root of the rounding
LITTLE = 1e-7
SAME = 1e-12
WORK = 4e12  # multiplications of a factorisation
SHARP, FEW = 1e-13, 12  # the accuracy of LSMR and its iterations, where that is all it needs
ACCURACY, MOST = 1e-9, 2000  # and where nothing else is left


def is_local(objective: Objective) -> bool:
    """Whether the trial function is made of local sums alone."""
    return bool(objective.ansatz.pieces) and all(isinstance(p.module[-1], LocalSineLayer) for p in objective.ansatz.pieces)


def gauss_newton_step(objective: Objective, theta: Tensor, damping: float) -> GaussNewtonStep:
    """The Gauss-Newton step at theta (P,), damped towards theta = 0 by ``damping`` times the mean square of the Jacobian's columns."""
    rows, jacobian = sparse_jacobian(objective, theta)
    require_finite(rows)
    matrix, point = jacobian.astype(np.float64), theta.double().cpu().numpy()
    matrix.sort_indices()
    values, found, solver = rows.double().cpu().numpy(), point.copy(), None
    rounding = torch.finfo(theta.dtype).eps * float(np.linalg.norm(np.sqrt(_squares(matrix)) * point))
    damping = max(damping, LEAST_DAMPING)
    if _at_minimum(matrix, values, max(rounding, 3 * damping * float(np.linalg.norm(matrix @ point - values)))):
        return GaussNewtonStep(rows, torch.zeros_like(theta), rows, rounding)
    run = math.gcd(*(len(p.module[-1].wave_numbers) for p in objective.ansatz.pieces))
    for columns, own in _independent(matrix, objective):
        part = matrix if len(own) == matrix.shape[0] else matrix[own][:, columns]
        ratio = None if solver is None else solver.ratio(part)  # channels of one image have the same matrix but for their scales
        if ratio is None:
            solver, ratio = _Solver(part, run, damping, objective.memory), 1.0
        found[columns] = solver.solve((matrix @ point - values)[own], ratio * point[columns]) / ratio
    step = torch.from_numpy(found - point).to(theta)
    left = rows + torch.from_numpy(matrix @ (found - point)).to(rows)
    return GaussNewtonStep(rows, step, left, rounding)


def _at_minimum(matrix: csr_array, rows: np.ndarray, least: float) -> bool:
    """Whether rows (R,) are no more than what rounding and damping leave, or have next to nothing in the range of A."""
    size = float(np.linalg.norm(rows))
    return size <= least or float(np.linalg.norm(matrix.T @ rows)) <= LITTLE * size * float(np.sqrt(_squares(matrix).max()))


def sparse_jacobian(objective: Objective, theta: Tensor) -> tuple[Tensor, csr_array]:
    """Rows (R,) and Jacobian (R, P). Raises ProblemError where the rows of a constraint depend on each other's nodes."""
    from scipy.sparse import vstack

    rows, blocks = [], []
    for term in objective.terms:
        if term.route != "one backward":
            raise ProblemError(f"Constraint {term.constraint.name!r} couples its rows, which LocalSines cannot solve for: choose another net=.")
        points = objective.points[term.constraint.name]
        values, taped, slopes = taped_rows(objective, term, theta, points)
        rows.append(values.reshape(-1))
        blocks += [_block(objective, taped, part, len(points), term.constraint.nodes) for part in slopes]
    return torch.cat(rows), vstack(blocks, format="csr")


def _block(objective: Objective, taped, slopes, count: int, nodes: int) -> csr_array:
    """The Jacobian (count, P) of one of a term's rows."""
    from scipy.sparse import csr_array

    size = max(block.stop for block in objective.blocks.values())
    columns, entries = [], []
    for (weight, _, inputs, _), slope in zip(taped, slopes, strict=False):
        if slope is None:
            continue
        for o in (o for o in range(slope.shape[2]) if bool(slope[:, :, o].any())):
            entries.append(torch.einsum("kn,knl->nl", slope[:, :, o], inputs.tensor.detach()).reshape(count, -1))
            columns.append((inputs.columns + (objective.blocks[weight].start + o * inputs.width)).reshape(count, -1))
    entry, column = (torch.cat(parts, dim=1).cpu().numpy() for parts in (entries, columns))
    starts = np.arange(count + 1) * entry.shape[1]
    matrix = csr_array((entry.ravel(), column.ravel().astype(np.int32), starts), shape=(count, size))
    if nodes > 1:
        matrix.sum_duplicates()
    return matrix


def _independent(matrix: csr_array, objective: Objective) -> list[tuple[slice, np.ndarray]]:
    """Columns and rows of the parts that do not depend on each other: the fields, where no row holds two of them."""
    fields = [len(p.fields) for p in objective.ansatz.pieces]
    blocks = [block for block in objective.blocks.values() if block.stop > block.start]
    ends = np.concatenate([np.linspace(b.start, b.stop, m + 1)[1:] for b, m in zip(blocks, fields, strict=True)]).astype(int)
    low, high = (np.searchsorted(ends, f.reduceat(matrix.indices, matrix.indptr[:-1]), side="right") for f in (np.minimum, np.maximum))
    if (low != high).any():
        return [(slice(0, matrix.shape[1]), np.arange(matrix.shape[0]))]
    starts = np.concatenate([[0], ends[:-1]])
    return [(slice(a, b), np.flatnonzero(low == k)) for k, (a, b) in enumerate(zip(starts, ends, strict=True)) if (low == k).any()]


def _squares(matrix: csr_array) -> np.ndarray:
    """The squared norms of the columns."""
    return np.bincount(matrix.indices, weights=matrix.data**2, minlength=matrix.shape[1])


class _Solver:
    """The minimiser x (P,) of |A x - b|^2 + damping s |x|^2, s the mean square of the columns of A, for one b after another."""

    def __init__(self, matrix: csr_array, run: int, damping: float, memory: float):
        self.matrix, self.run, self.memory = matrix, run, memory
        self.shift = damping * float(_squares(matrix).mean())

    @functools.cached_property
    def factor(self) -> np.ndarray | None:
        """The banded Cholesky factor; None where it does not fit the memory, takes too much work, or does not exist to rounding."""
        matrix, size = self.matrix, self.matrix.shape[1]
        band = int((matrix.indices[matrix.indptr[1:] - 1] - matrix.indices[matrix.indptr[:-1]]).max())
        fits = 8 * (band + 1) * size <= self.memory and band**2 * size <= WORK
        return _cholesky(_normal_equations(matrix, self.run, band), self.shift) if fits else None

    def ratio(self, matrix: csr_array) -> float | None:
        """The number that its matrix is to be multiplied by to give this one; None where there is none."""
        own = self.matrix
        if own.shape != matrix.shape or not np.array_equal(own.indices, matrix.indices):
            return None
        ratio = float(np.linalg.norm(matrix.data) / np.linalg.norm(own.data))
        return ratio if np.allclose(matrix.data, ratio * own.data, rtol=SAME, atol=SAME * abs(matrix.data).max()) else None

    def solve(self, right: np.ndarray, start: np.ndarray) -> np.ndarray:
        """From b (R,), beginning at ``start`` (P,)."""
        from scipy.linalg import cho_solve_banded

        found, converged = self._iterated(right, start, SHARP, FEW)
        if converged:
            return found
        if self.factor is None:
            return self._iterated(right, start, ACCURACY, MOST)[0]
        found = np.zeros_like(start)
        for _ in range(2):  # the second time for the rounding of the first
            slope = self.matrix.T @ (right - self.matrix @ found) - self.shift * found
            found += cho_solve_banded((self.factor, False), slope, check_finite=False)
        return found

    def _iterated(self, right: np.ndarray, start: np.ndarray, accuracy: float, most: int) -> tuple[np.ndarray, bool]:
        """What LSMR finds, and whether to that accuracy."""
        from scipy.sparse.linalg import lsmr

        found, reason, *_ = lsmr(self.matrix, right, self.shift**0.5, accuracy, accuracy, conlim=0, maxiter=most, x0=start)
        return found, reason in (0, 1, 2)


def _normal_equations(matrix: csr_array, run: int, band: int) -> np.ndarray:
    """The upper band (band + 1, P) of A^T A, whose columns come in runs of length ``run``; rows that see the same go in together."""
    blocks: dict[tuple[int, int], np.ndarray] = {}
    lengths = np.diff(matrix.indptr)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        place = matrix.indptr[rows][:, None] + np.arange(length)
        seen, own = np.unique(matrix.indices[place[:, ::run]] // run, axis=0, return_inverse=True)
        members = np.split(np.argsort(own.ravel(), kind="stable"), np.cumsum(np.bincount(own.ravel()))[:-1])
        for runs, some in zip(seen.tolist(), members, strict=True):
            values = matrix.data[place[some]]
            product = (values.T @ values).reshape(len(runs), run, len(runs), run)
            for (a, i), (b, j) in itertools.combinations_with_replacement(enumerate(runs), 2):
                blocks[i, j] = blocks[i, j] + product[a, :, b] if (i, j) in blocks else product[a, :, b].copy()
    stored, (above, beside) = np.zeros((band + 1, matrix.shape[1]), order="F"), np.mgrid[:run, :run]
    for (i, j), block in blocks.items():
        place, keep = band + (i - j) * run + above - beside, above <= beside if i == j else slice(None)
        stored[place[keep], (j * run + beside)[keep]] = block[keep]
    return stored


def _cholesky(stored: np.ndarray, shift: float) -> np.ndarray | None:
    """The factor of a band with ``shift`` on its diagonal; None where that is not positive definite to rounding."""
    from scipy.linalg import LinAlgError, cholesky_banded

    stored[-1] += shift
    try:
        return cholesky_banded(stored, overwrite_ab=True, check_finite=False)
    except LinAlgError:
        return None
