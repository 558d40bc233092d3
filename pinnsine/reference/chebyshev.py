"""Boundary-value problems on boxes solved by Chebyshev collocation: polynomials of one degree a coordinate, found by Newton's method.

The constraints are those of a problem. Every one is asked for at Gauss-Chebyshev points of its region, one more a coordinate than the degree:
somewhat more rows than unknowns, solved by least squares, so that no row has to be given up for a condition, and constants that an
equation leaves open, as that of a pressure, take their smallest value. A row depends on the derivatives of the fields at its own point
alone: one backward pass gives the slopes by them, and these, times the differentiation matrices, the Jacobian.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pinnsine.constraint import Constraint, Prescribed, Residual
from pinnsine.domain import Axis, Box, Face, Faces, Region
from pinnsine.errors import ProblemError
from pinnsine.index import Collapsed, Index
from pinnsine.jet import Context, Coordinate, Jet
from pinnsine.local import Local, Names
from pinnsine.named_rows import rows_of
from pinnsine.points import Points, tensor_grid
from pinnsine.reference.computed import Arrays, Computed, digest, reference_of
from pinnsine.reference.exact import Reference
from pinnsine.reference.grid import Grid, Line, chebyshev_line, difference

FORMAT = 1  # of the files in the cache; raised whenever the same problem gives other numbers
COARSE = 0.75  # of the degree: the change is at least the error where that falls like degree^-2.4 or faster
HALVINGS = 10  # of a Newton step that does not reduce the rows
ROUNDING = 1e-11  # a relative Newton step that is not worth another one
STALLED = 0.9  # the part of the rows that a step must at least take off, unless they are small already
MOST_UNKNOWNS = 12_000  # the dense Jacobian would be beyond 1 GB


class Leaves(Jet):
    """A field by its coefficients: every derivative asked for is a leaf, so that the slopes of the rows by it can be found."""

    def __init__(self, context: Context, values: Tensor, matrix: Callable[[Index], Tensor]):
        super().__init__(context)
        self.coefficients, self.matrix, self.leaves = values, matrix, {}

    def _component(self, index):
        self.leaves[index] = (self.matrix(index) @ self.coefficients).requires_grad_()
        return self.leaves[index]


@dataclass(frozen=True)
class Collocation:
    """Constraints on polynomials of degree n_i in coordinate i: fields by their values at Chebyshev's points."""

    domain: Box
    fields: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    degrees: tuple[int, ...]

    @functools.cached_property
    def lines(self) -> tuple[Line, ...]:
        return tuple(chebyshev_line(a.name, a.lower, a.upper, n) for a, n in zip(self.domain.axes, self.degrees, strict=True))

    @property
    def shape(self) -> tuple[int, ...]:
        """Nodes by coordinate."""
        return tuple(n + 1 for n in self.degrees)

    @functools.cached_property
    def powers(self) -> dict[str, list[np.ndarray]]:
        """By coordinate, the matrices that differentiate values at its nodes, by order."""
        slopes = {line.name: line.derivative() for line in self.lines}
        return {n: list(itertools.accumulate([slope] * 4, np.matmul, initial=np.eye(len(slope)))) for n, slope in slopes.items()}

    @functools.cached_property
    def places(self) -> tuple[Points, ...]:
        """The points of every constraint."""
        counts = {a.name: n + 1 for a, n in zip(self.domain.axes, self.degrees, strict=True)}
        return tuple(collocated(c.region(self.domain), counts) for c in self.constraints)

    def matrix(self, points: Points, index: Index) -> Tensor:
        """The map (N, nodes) from values at the nodes to a derivative at points."""
        if isinstance(index, Collapsed):
            return sum(self.matrix(points, (n, n)) for n in index.names)
        parts = [line.cardinal(points[line.name].numpy()) @ self.powers[line.name][index.count(line.name)] for line in self.lines]
        return torch.from_numpy(functools.reduce(lambda a, b: (a[:, :, None] * b[:, None, :]).reshape(len(a), -1), parts))

    def rows(self, values: Tensor, slopes: bool = True) -> tuple[Tensor, Tensor | None]:
        """The rows (R,) of all constraints for values (fields, nodes), and their Jacobian (R, fields * nodes)."""
        pairs = [self._rows(c, p, values, slopes) for c, p in zip(self.constraints, self.places, strict=True)]
        return torch.cat([r for r, _ in pairs]), torch.cat([j for _, j in pairs]) if slopes else None

    @torch.enable_grad()  # a reference is evaluated without gradients, and then computed
    def _rows(self, constraint: Constraint, points: Points, values: Tensor, slopes: bool) -> tuple[Tensor, Tensor | None]:
        context = Context(self.domain.names, self.domain.space, points.normal)
        coordinates = {n: Coordinate(n, points[n], context) for n in self.domain.names}
        matrix = functools.cache(lambda index: self.matrix(points, index))
        fields = {n: Leaves(context, v, matrix) for n, v in zip(self.fields, values, strict=True)}
        data = {n: c for n, c in points.columns.items() if n not in self.domain.names}
        names = Names(self.domain.names, self.fields)
        rows = list(rows_of(constraint, Local(names, context, coordinates, fields, {}, data), len(points)).values())
        found = torch.cat([row.detach() for row in rows])
        if not slopes:
            return found, None
        known = [(k, index, leaf) for k, jet in enumerate(fields.values()) for index, leaf in jet.leaves.items()]
        jacobian = torch.zeros(len(found), values.numel(), dtype=torch.float64)
        for part, row in enumerate(rows):
            gradients = torch.autograd.grad(row.sum(), [leaf for _, _, leaf in known], retain_graph=True, allow_unused=True)
            block = jacobian[part * len(points) : (part + 1) * len(points)]
            for (k, index, _), gradient in zip(known, gradients, strict=True):
                if gradient is not None:
                    block[:, k * values.shape[1] : (k + 1) * values.shape[1]].addcmul_(gradient[:, None], matrix(index))
        return found, jacobian

    def solve(self, values: Tensor, steps: int) -> Tensor:
        """The values (fields, nodes) after Newton's method; every row counts in units of its own slope.

        Raises ProblemError where it does not converge.
        """
        for _ in range(steps):
            rows, jacobian = self.rows(values)
            size = torch.linalg.norm(jacobian, dim=1).clamp(min=1e-300)
            before = float((rows / size).norm())
            step = torch.linalg.lstsq(jacobian / size[:, None], -(rows / size)[:, None], driver="gelsy").solution.view_as(values)
            for halving in range(HALVINGS):
                moved = values + step / 2**halving
                after = float((self.rows(moved, slopes=False)[0] / size).norm())
                if after < before:
                    break
            else:
                return self._settled(values, step)
            values = moved
            if float(step.norm()) <= ROUNDING * float(values.norm()) or (halving == 0 and STALLED * before < after):
                return values
        raise ProblemError(f"Newton's method for the numerical reference has not converged in {steps} steps: give start= a better guess.")

    def _settled(self, values: Tensor, step: Tensor) -> Tensor:
        """The values, if no step reduces the rows because they are as small as they can be."""
        if not float(step.norm()) <= 1e-3 * float(values.norm()):
            raise ProblemError("Newton's method for the numerical reference finds no smaller rows: give start= a better guess.")
        return values

    def grid(self, values: np.ndarray) -> Grid:
        """The fields as functions, from values (fields, nodes)."""
        return Grid(self.lines, np.moveaxis(values.reshape(len(self.fields), *self.shape), 0, -1))


def collocated(region: Region | Points, counts: Mapping[str, int]) -> Points:
    """Gauss-Chebyshev points of a box, of its faces, or data points as they are. Raises ProblemError for other regions."""
    if isinstance(region, Points):
        return region
    if isinstance(region, Faces):
        return Points.join([collocated(face, counts) for face in region.faces])
    if not isinstance(region, Box | Face):
        raise ProblemError(f"Collocation needs boxes and their sides, got {type(region).__name__}.")
    box = region if isinstance(region, Box) else region.box
    columns = {a.name: gauss(a, counts[a.name]) for a in box.axes}
    if isinstance(region, Box):
        return tensor_grid(columns)
    points = tensor_grid({**columns, region.name: torch.tensor([region.value], dtype=torch.float64)})
    return Points(points.columns, region.normal_columns(len(points)))


def gauss(axis: Axis, count: int) -> Tensor:
    """Chebyshev's points of the first kind (count,), without the ends."""
    angles = math.pi * (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return (axis.lower + axis.upper) / 2 - axis.length / 2 * torch.cos(angles)


def chebyshev(
    domain: Box,
    fields: str | Sequence[str],
    constraints: Sequence[Constraint],
    *,
    degree: int | Mapping[str, int] = 32,
    start: Mapping[str, Callable] | None = None,
    steps: int = 30,
) -> Reference:
    """A numerical solution of a boundary-value problem on a box, linear or not, by Chebyshev collocation.

    Nothing is computed before the first value or floor is asked for; the solution is then kept on disk (see ``pinnsine.reference.cache``).

    Args:
        domain: a box; time may be one of its coordinates.
        fields: names of fields that depend on all coordinates.
        constraints: residuals, and conditions on whole sides of the domain, as in a ``Problem``.
        degree: of the polynomials, one for all coordinates or by coordinate.
        start: by field, a function of s from which Newton's method starts, zero by default.
        steps: the most steps of it.

    Returns:
        A Reference whose floors are the measured change when the degrees are a quarter less.

    Raises:
        ProblemError: a constraint is neither a residual nor prescribed values, or there are more than 12,000 unknowns; on evaluation, Newton's
            method does not converge.

    Sources: L. N. Trefethen (2000), Spectral Methods in MATLAB, chapters 6 to 9; T. A. Driscoll & N. Hale (2016), IMA J. Numer. Anal. 36, for
    more rows than unknowns.
    """
    names = (fields,) if isinstance(fields, str) else tuple(fields)
    by_name = degree if isinstance(degree, Mapping) else dict.fromkeys(domain.names, degree)
    if set(by_name) != set(domain.names) or min(by_name.values()) < 4:
        raise ProblemError(f"degree must be at least 4 in every coordinate ({', '.join(domain.names)}), got {degree!r}.")
    degrees = tuple(by_name[n] for n in domain.names)
    unknowns = len(names) * math.prod(n + 1 for n in degrees)
    if unknowns > MOST_UNKNOWNS:
        raise ProblemError(f"Degrees {degrees} make {unknowns:,} unknowns, more than {MOST_UNKNOWNS:,}: take lower degrees.")
    for constraint in constraints:
        if not isinstance(constraint, Residual | Prescribed):
            raise ProblemError(
                f"Constraint {constraint.name!r} is a {type(constraint).__name__}: collocation takes residuals and given values."
            )
    fine, rough = (Collocation(domain, names, tuple(constraints), tuple(math.ceil(part * n) for n in degrees)) for part in (1, COARSE))

    def first(collocation: Collocation) -> Tensor:
        nodes = tensor_grid({line.name: torch.from_numpy(line.nodes) for line in collocation.lines})
        guess = Reference.exact(**start).evaluate(nodes.columns) if start else {}
        return torch.stack([guess.get(n, torch.zeros(len(nodes), dtype=torch.float64)) for n in names])

    def compute() -> Arrays:
        values, coarse = (c.solve(first(c), steps).numpy() for c in (fine, rough))
        nodes = {n: c.numpy() for n, c in tensor_grid({line.name: torch.from_numpy(line.nodes) for line in fine.lines}).columns.items()}
        return {"values": values, "floor": difference(fine.grid(values).evaluate(nodes), rough.grid(coarse).evaluate(nodes))}

    trial = Collocation(domain, names, tuple(constraints), (4,) * len(degrees))
    waves = torch.cos(torch.arange(len(names) * math.prod(trial.shape), dtype=torch.float64)).view(len(names), -1)
    axes = [(a.name, a.lower, a.upper, a.role) for a in domain.axes]
    tried = [trial.rows(k * waves, slopes=False)[0].numpy() for k in (1.0, 1.5)]
    key = digest("chebyshev", [FORMAT, axes, degrees, names, steps], [first(trial).numpy(), *tried])
    computed = Computed(key, compute, lambda kept: fine.grid(kept["values"]))
    return reference_of(computed, domain, names, f"Chebyshev collocation of degree {' x '.join(map(str, degrees))}")
