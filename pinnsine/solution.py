"""The answer: predictions with derivatives, the comparison with a reference, the estimated error, pictures and files."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pinnsine.ansatz import Ansatz
from pinnsine.comparison import Comparison, compare
from pinnsine.constraint import Residual
from pinnsine.domain import Box
from pinnsine.errors import ProblemError
from pinnsine.history import History
from pinnsine.memory import Budget, budget, bytes_per_point
from pinnsine.named_rows import batches_of
from pinnsine.outcome import Outcome
from pinnsine.points import Points
from pinnsine.probe import trace
from pinnsine.problem import Problem
from pinnsine.reference import Reference

CHUNK = 20_000  # points predicted at a time


@dataclass(frozen=True)
class UnknownValue:
    """The value found for an unknown number, and its error; NaN where it is not known.

    The error is the standard error from the data (``pinnsine.uncertainty``), or how far the linearised error equation moves the number
    (``pinnsine.estimate``) where that is more, or where there are no data.
    """

    value: float
    error: float = math.nan

    def __str__(self) -> str:
        return f"{self.value:.6g}" if math.isnan(self.error) else f"{self.value:.6g} +- {self.error:.2g}"

    def __float__(self) -> float:
        return self.value


@dataclass(frozen=True)
class Solution:
    """A solved problem.

    ``estimate[field]``: the estimated relative L2 error, found without a reference. ``history``: the table of the run. ``outcome``: why
    it ended. ``settings``: what was used. ``unknown_errors``: the errors of the unknown numbers.
    """

    problem: Problem
    ansatz: Ansatz
    history: History
    outcome: Outcome
    estimate: Mapping[str, float]
    settings: Mapping[str, object]
    unknown_errors: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        known = ", ".join(f"{n} to {e:.1e}" for n, e in self.estimate.items())
        return f"<solution of {self.problem.name!r}: {known} (estimated relative L2), {self.settings.get('seconds', math.nan):.1f} s>"

    @property
    def unknowns(self) -> dict[str, UnknownValue]:
        """The unknown numbers by name."""
        return {n: UnknownValue(v, self.unknown_errors.get(n, math.nan)) for n, v in self.ansatz.unknown_values(self.ansatz.flat()).items()}

    @property
    def module(self) -> nn.Module:
        """The fields as a plain module: coordinates (N, d) in the domain's order -> fields (N, m) in the problem's order."""
        return FieldModule(self.ansatz)

    def predict(self, expression: str | Callable | None = None, /, **coordinates):
        """The fields at points given by coordinates, which broadcast against each other.

        Without ``expression``: a dict of arrays by field, float64 or for complex fields complex128. With a name such as ``"u_xx"`` or a
        function of s: one array. Points outside the domain are extrapolated, with one warning; in the holes of a shape and around it values
        are NaN.
        Raises ProblemError for missing or extra coordinates, and for shapes that do not go together.
        """
        arrays = [torch.as_tensor(np.asarray(_plain(c), dtype=np.float64)) for c in self._ordered(coordinates)]
        try:
            arrays = torch.broadcast_tensors(*arrays)
        except RuntimeError as error:
            shapes = ", ".join(f"{n} {tuple(a.shape)}" for n, a in zip(self.problem.domain.names, arrays, strict=True))
            raise ProblemError(f"predict() takes coordinates that broadcast against each other, got {shapes}.") from error
        shape = arrays[0].shape
        points = Points({n: a.reshape(-1).contiguous() for n, a in zip(self.problem.domain.names, arrays, strict=True)})
        domain = self.problem.domain
        inside, box = domain.contains(points), Box(*domain.axes)
        if not bool((inside if isinstance(domain, Box) else box.contains(points)).all()):
            warnings.warn(f"Some points lie outside the domain {domain.describe()}: values there are extrapolated.", stacklevel=2)
        shown = self.problem.names.shown
        found = self._evaluate((lambda s: {n: getattr(s, n) for n in shown}) if expression is None else _function(expression), points)
        if not isinstance(domain, Box):
            found = [torch.where(inside | ~box.contains(points), v, math.nan) for v in found]
        found = [v.reshape(shape).numpy() for v in found]
        return dict(zip(shown, found, strict=True)) if expression is None else found[0]

    def _ordered(self, coordinates: Mapping) -> list:
        names = self.problem.domain.names
        wrong = [n for n in names if n not in coordinates] + [n for n in coordinates if n not in names]
        if wrong:
            what = "is missing" if wrong[0] in names else "is no coordinate"
            raise ProblemError(f"predict() needs every coordinate ({', '.join(names)}) and nothing else: {wrong[0]!r} {what}.")
        return [coordinates[n] for n in names]

    def _evaluate(self, function: Callable, points: Points) -> list[Tensor]:
        """The values (N,) of an expression, in double precision, piece by piece."""
        if not len(points):
            return [v[:0] for v in self._evaluate(function, self.problem.domain.grid(1))]
        like, views = next(self.ansatz.parameters()), self.ansatz.views(self.ansatz.flat())
        constraint = Residual("expression", function)
        need = trace(self.problem, constraint, points.select(slice(0, 4)), self.ansatz.scales).need

        def work(part: Points, _: slice) -> list[Tensor]:
            local = self.ansatz.local(views, part.to(like.dtype, like.device), need)
            found = batches_of(constraint, local, len(part)).values()
            return [v.cpu().to(torch.complex128 if v.is_complex() else torch.float64) for v in found]

        each = bytes_per_point(self.ansatz, set().union(*need.values()))
        with torch.no_grad():
            parts = list(Budget(min(budget(None, like.device), CHUNK * each)).pieces(points, each, work))
        return [torch.cat(column) for column in zip(*parts, strict=True)]

    def evaluate(self, points: Points) -> list[Tensor]:
        """Float64 values (N,) of all fields, the parts of complex ones, at points, in the problem's order."""
        names = self.problem.names.fields
        return self._evaluate(lambda s: {n: getattr(s, n) for n in names}, points)

    def compare(
        self,
        reference: Reference | None = None,
        *,
        points: int | Points | None = None,
        times: Sequence[float] = (),
        away: Mapping[str, Callable] | None = None,
        h1: bool = False,
    ) -> Comparison:
        """Errors against a reference, by default the problem's own, on the domain's grid.

        Points at which the reference is not finite are left out, and not counted.

        Args:
            points: a number of random points of a fixed seed, or the points to compare at, in place of the grid.
            times: compare at each of these times as well: ``comparison.at[0.5]``.
            away: compare on parts of the points as well, by a name and a function of s that is true where points count:
                ``away={"the kink": lambda s: s.x.abs() < 0.95}`` gives ``comparison.away["the kink"]``.
            h1: compare values and first derivatives together as well.

        Raises:
            ProblemError: there is no reference, it shares no field with the problem, or an argument is not as said.
        """
        return compare(self, reference, points, times, away, h1)

    def integrate(self, expression: str | Callable, over=None, points: int = 48) -> float | complex:
        """The integral of an expression over the domain or a part of it.

        Gauss quadrature with ``points`` nodes along each coordinate in up to three dimensions, 2^16 Sobol points above.
        """
        from pinnsine.quadrature import nodes_and_weights

        nodes, weights = nodes_and_weights(self.problem.domain if over is None else over, points)
        found = self._evaluate(_function(expression), nodes)[0]
        return (found @ weights.to(found.dtype)).item()

    def diagnose(self):
        """Why the solution is not better than it is: causes in words, with the remedy (``pinnsine.diagnose``)."""
        from pinnsine.diagnose import diagnose

        return diagnose(self)

    def plot(self, path: str | Path) -> Path:
        """A picture of fields, errors, slices and history (.png, .pdf, .svg)."""
        from pinnsine.plot import plot_solution

        return plot_solution(self, path)

    def plot_errors(self, path: str | Path, reference: Reference | None = None, times: Sequence[float] = ()) -> Path:
        """A picture of the distance of every field from a reference, at several times where space has two dimensions (.png, .pdf, .svg)."""
        from pinnsine.error_maps import plot_errors

        return plot_errors(self, path, reference, times)

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
