"""The answer: predictions with derivatives, the comparison with a reference, the estimated error, pictures and files."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pinnsine.ansatz import Ansatz
from pinnsine.constraint import Residual, rows_of
from pinnsine.errors import ProblemError
from pinnsine.history import History
from pinnsine.jet import values
from pinnsine.outcome import Outcome
from pinnsine.points import Points
from pinnsine.probe import trace
from pinnsine.problem import Problem
from pinnsine.reference import Reference

CHUNK = 20_000  # points predicted at a time


@dataclass(frozen=True)
class UnknownValue:
    """The value found for an unknown number."""

    value: float

    def __float__(self) -> float:
        return self.value


@dataclass(frozen=True)
class Comparison:
    """Errors by field against a reference on ``count`` points, and the reference's own floor."""

    relative_l2: Mapping[str, float]
    max_error: Mapping[str, float]
    floor: Mapping[str, float]
    count: int

    def __str__(self) -> str:
        return "\n".join(
            f"{n}: relative L2 {e:.1e}, max {self.max_error[n]:.1e} on {self.count:,} points (reference floor {self.floor[n]:.0e})"
            for n, e in self.relative_l2.items()
        )


@dataclass(frozen=True)
class Solution:
    """A solved problem.

    ``estimate[field]``: the estimated relative L2 error, found without a reference. ``history``: the table of the run. ``outcome``: why
    it ended. ``settings``: what was used.
    """

    problem: Problem
    ansatz: Ansatz
    history: History
    outcome: Outcome
    estimate: Mapping[str, float]
    settings: Mapping[str, object]

    @property
    def unknowns(self) -> dict[str, UnknownValue]:
        """The unknown numbers by name."""
        return {n: UnknownValue(v) for n, v in self.ansatz.unknown_values(self.ansatz.flat()).items()}

    @property
    def module(self) -> nn.Module:
        """The fields as a plain module: coordinates (N, d) in the domain's order -> fields (N, m) in the problem's order."""
        return FieldModule(self.ansatz)

    def predict(self, expression: str | Callable | None = None, /, **coordinates):
        """The fields at points given by coordinates, which broadcast against each other.

        Without ``expression``: a dict of float64 arrays by field. With a name such as ``"u_xx"`` or a function of s: one array. Points
        outside the domain are extrapolated, with one warning. Raises ProblemError for missing or extra coordinates.
        """
        arrays = [torch.as_tensor(np.asarray(_plain(c), dtype=np.float64)) for c in self._ordered(coordinates)]
        arrays = torch.broadcast_tensors(*arrays)
        shape = arrays[0].shape
        points = Points({n: a.reshape(-1).contiguous() for n, a in zip(self.problem.domain.names, arrays, strict=True)})
        if len(points) and not bool(self.problem.domain.contains(points).all()):
            warnings.warn(f"Some points lie outside the domain {self.problem.domain.describe()}: values there are extrapolated.", stacklevel=2)
        if expression is None:
            return {f.name: v.reshape(shape).numpy() for f, v in zip(self.problem.fields, self._evaluate(None, points), strict=True)}
        return self._evaluate(_function(expression), points)[0].reshape(shape).numpy()

    def _ordered(self, coordinates: Mapping) -> list:
        names = self.problem.domain.names
        wrong = [n for n in names if n not in coordinates] + [n for n in coordinates if n not in names]
        if wrong:
            what = "is missing" if wrong[0] in names else "is no coordinate"
            raise ProblemError(f"predict() needs every coordinate ({', '.join(names)}) and nothing else: {wrong[0]!r} {what}.")
        return [coordinates[n] for n in names]

    def _evaluate(self, function: Callable | None, points: Points) -> list[Tensor]:
        """Float64 values (N,) of an expression, or of all fields, chunk by chunk."""
        names = self.problem.names.fields
        function = function or (lambda s: {n: getattr(s, n) for n in names})
        like = next(self.ansatz.parameters())
        constraint = Residual("expression", function)
        need = trace(self.problem, constraint, points.select(slice(0, 4)), self.ansatz.scales).need if len(points) else {}
        parts = []
        with torch.no_grad():
            for start in range(0, len(points), CHUNK):
                chunk = points.select(slice(start, start + CHUNK)).to(like.dtype, like.device)
                local = self.ansatz.local(self.ansatz.views(self.ansatz.flat()), chunk, need)
                parts.append([values(v).cpu().double() for v in rows_of(constraint, local, len(chunk)).values()])
        return [torch.cat(column) for column in zip(*parts, strict=True)] or [torch.empty(0, dtype=torch.float64)] * len(names)

    def compare(self, reference: Reference | None = None) -> Comparison:
        """Errors against a reference, by default the problem's own, on the domain's grid.

        Raises ProblemError if there is none, or if it shares no field with the problem.
        """
        reference = reference or self.problem.reference
        if reference is None:
            raise ProblemError("There is no reference to compare with: give compare(reference) one, or the problem reference=.")
        grid = self.problem.domain.grid()
        truth = reference.evaluate(grid.columns)
        shared = [f.name for f in self.problem.fields if f.name in truth]
        if not shared:
            raise ProblemError(f"The reference has fields {', '.join(truth)}, none of which is a field of the problem.")
        found = dict(zip(self.problem.names.fields, self._evaluate(None, grid), strict=True))
        differences = {n: found[n] - truth[n] for n in shared}
        return Comparison(
            {n: float(d.norm() / truth[n].norm()) for n, d in differences.items()},
            {n: float(d.abs().max()) for n, d in differences.items()},
            {n: float(reference.floor[n]) for n in shared},
            len(grid),
        )

    def integrate(self, expression: str | Callable, over=None, points: int = 48) -> float:
        """The integral of an expression over the domain or a part of it.

        Gauss quadrature with ``points`` nodes along each coordinate in up to three dimensions, 2^16 Sobol points above.
        """
        from pinnsine.quadrature import nodes_and_weights

        nodes, weights = nodes_and_weights(self.problem.domain if over is None else over, points)
        return float(self._evaluate(_function(expression), nodes)[0] @ weights)

    def plot(self, path: str | Path) -> Path:
        """A picture of fields, errors, slices and history (.png, .pdf, .svg)."""
        from pinnsine.plot import plot_solution

        return plot_solution(self, path)

    def export(self, path: str | Path) -> Path:
        """The fields on a grid as .npz, .csv or .vtu."""
        from pinnsine.export import export_solution

        return export_solution(self, path)

    def surface(self, expression: str | Callable | None = None, level: float = 0.0, resolution: int = 128):
        """The level set of a field or an expression in three space coordinates as triangles; see ``pinnsine.surface``."""
        from pinnsine.surface import level_set

        return level_set(self, expression, level, resolution)

    def save(self, path: str | Path) -> Path:
        """A run file (.h5) that ``pinnsine.load`` reads."""
        from pinnsine.runfile import save

        return save(self, path)


class FieldModule(nn.Module):
    """The trial function as a module: (N, d) -> (N, m)."""

    def __init__(self, ansatz: Ansatz):
        super().__init__()
        self.ansatz = ansatz

    def forward(self, x: Tensor) -> Tensor:
        problem = self.ansatz.problem
        views = dict(self.ansatz.named_parameters())
        points = Points({n: x[:, i] for i, n in enumerate(problem.domain.names)})
        local = self.ansatz.local(views, points, {f.name: {()} for f in problem.fields})
        return torch.stack([getattr(local, f.name).values for f in problem.fields], dim=1)


def _plain(value):
    return value.detach().cpu() if isinstance(value, Tensor) else value


def _function(expression: str | Callable) -> Callable:
    return (lambda s: getattr(s, expression)) if isinstance(expression, str) else expression
