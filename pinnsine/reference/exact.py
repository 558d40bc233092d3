"""References: functions of the points that a solution is compared with, and how far they can be trusted themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pinnsine.errors import ProblemError

if TYPE_CHECKING:
    from pinnsine.domain import Box

ROUNDING = 2.2e-16  # the floor of a closed formula in float64
CHUNK = 4096  # points evaluated at once: quadratures over Q nodes make intermediates of CHUNK x Q


@dataclass(frozen=True, eq=False)
class Reference:
    """A solution to compare with, which knows its own error.

    Args:
        fields: by field name, a function of the state ``s`` at N points that returns real values (N,), or one number
            for all; the attributes of ``s`` are the coordinates, (N,) float64 each.
        floor: by field name, the relative L2 error of the reference itself: no solution can be shown to be better.
        description: where the values come from.
        chunk: the number of points evaluated at once, unless ``evaluate`` is told another.
        quick: whether it is looked at while a solution is sought; False where every look takes seconds.

    Raises:
        ProblemError: no field is given, a field is not a function, or ``floor`` and ``fields`` name different fields.
    """

    fields: Mapping[str, Callable]
    floor: Mapping[str, float]
    description: str = "reference"
    chunk: int = CHUNK
    quick: bool = True

    def __post_init__(self):
        if not self.fields:
            raise ProblemError("A reference needs at least one field, got none: write u=lambda s: torch.sin(s.x).")
        for name, function in self.fields.items():
            if not callable(function):
                raise ProblemError(f"Reference field {name!r} must be a function of the state, got {function!r}: write {name}=lambda s: ...")
        if set(self.floor) != set(self.fields):
            raise ProblemError(
                f"The floor must name the reference's own fields ({listed(self.fields)}), got {listed(self.floor)}: "
                "give one number for each field."
            )

    @classmethod
    def exact(cls, description: str = "exact solution", floor: Mapping[str, float] | None = None, **fields: Callable) -> Reference:
        """A reference given by formulas, such as ``u=lambda s: torch.exp(-s.t) * torch.sin(s.x)``.

        Args:
            description: where the formulas come from.
            floor: relative L2 errors of the fields that are not exact to rounding; 2.2e-16 for all others.
            fields: by field name, a function of the state at N points that returns values (N,).

        Raises:
            ProblemError: see ``Reference``.
        """
        return cls(fields, {**dict.fromkeys(fields, ROUNDING), **(floor or {})}, description)

    def evaluate(self, columns: Mapping[str, Tensor], chunk: int | None = None) -> dict[str, Tensor]:
        """The values of all fields at N points, without gradients.

        Args:
            columns: by coordinate name, the points' coordinates (N,).
            chunk: the number of points evaluated at once, by default the reference's own.

        Returns:
            By field name, float64 values (N,) on the device of the columns.

        Raises:
            ProblemError: the columns are not of one shape (N,), a field reads a coordinate that is not among them, or
                returns anything but real values (N,).
        """
        columns = {name: torch.as_tensor(column, dtype=torch.float64) for name, column in columns.items()}
        shapes = {name: tuple(column.shape) for name, column in columns.items()}
        if len(set(shapes.values())) != 1 or len(next(iter(shapes.values()))) != 1:
            raise ProblemError(
                f"A reference is evaluated at columns of one shape (N,), got {shapes or 'no columns'}: "
                "broadcast the coordinates against each other and flatten them."
            )
        parts = zip(*(column.split(chunk or self.chunk) for column in columns.values()), strict=True)
        batches = [dict(zip(columns, part, strict=True)) for part in parts]
        with torch.no_grad():
            return {name: torch.cat([field_values(name, function, batch) for batch in batches]) for name, function in self.fields.items()}

    def save(self, path: str | Path, domain: Box, total: int = 50_000) -> Path:
        """Write the fields on a domain's grid as a table (.h5) that ``pinnsine.reference.table`` reads, floors included.

        Args:
            total: about how many points.

        Raises:
            ProblemError: another suffix, or more than three coordinates, of which there is no grid.
        """
        import h5py

        path = Path(path)
        if path.suffix not in (".h5", ".hdf5") or len(domain.axes) > 3:
            raise ProblemError(
                f"A reference is written as .h5 on a grid of up to three coordinates, got {path.name!r} and {domain.describe()}."
            )
        columns = domain.grid(total).columns
        axes = {name: column.unique() for name, column in columns.items()}
        with h5py.File(path, "w") as file:
            file.attrs["description"] = self.description
            for name, axis in axes.items():
                file[name] = axis.numpy()
            for name, values in self.evaluate(columns).items():
                file[name] = values.view(*map(len, axes.values())).numpy()
                file[name].attrs["floor"] = self.floor[name]
        return path


class State:
    """The coordinates of a batch of points, as attributes; ``reader`` is the reference field that it is made for."""

    def __init__(self, columns: Mapping[str, Tensor], reader: str):
        vars(self).update(columns)
        self._message = (
            f"is not a coordinate of these points, which have {listed(columns)}: "
            f"use these names in the reference field {reader!r}, or add the missing column."
        )

    def __getattr__(self, name: str):
        raise ProblemError(f"s.{name} {self._message}")


def field_values(name: str, function: Callable, columns: Mapping[str, Tensor]) -> Tensor:
    """The float64 values (N,) of one field at one batch of points; a number stands for all points."""
    points = next(iter(columns.values()))
    result = function(State(columns, reader=name))
    if isinstance(result, Real):
        return torch.full_like(points, result)
    if not isinstance(result, Tensor) or result.shape != points.shape or result.is_complex():
        tensor = isinstance(result, Tensor)
        got = f"{result.dtype} of shape {tuple(result.shape)}" if tensor else f"a {type(result).__name__}"
        raise ProblemError(
            f"Reference field {name!r} must return a real tensor of shape (N,), here {tuple(points.shape)}, or one "
            f"number; got {got}: use elementwise torch operations, and sum over or index away every further axis."
        )
    return result.to(torch.float64)


def listed(names) -> str:
    """Names as they are read in a message."""
    return ", ".join(map(repr, names)) or "none"
