"""Named columns of equal length: coordinates, and whatever was measured there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pinnsine.errors import ProblemError


@dataclass(frozen=True)
class Points:
    """A batch of N points: ``columns[name]`` (N,) holds a coordinate or a datum, ``normal[name]`` (N,) a component of the unit normal.

    Numbers, lists and arrays are converted to float64 tensors. Raises ProblemError for columns of other shapes or unequal lengths.
    """

    columns: Mapping[str, Tensor]
    normal: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self):
        columns = {n: c if isinstance(c, Tensor) else torch.as_tensor(np.asarray(c, dtype=np.float64)) for n, c in self.columns.items()}
        shapes = {n: tuple(c.shape) for n, c in columns.items()}
        if not columns or any(len(s) != 1 for s in shapes.values()) or len(set(shapes.values())) != 1:
            got = ", ".join(f"{n} {s}" for n, s in shapes.items()) or "no columns"
            raise ProblemError(f"Points need columns of one shape (N,), got {got}: flatten them to the same length.")
        # a batch computes the same bits wherever it comes from, a column of a table or a file
        object.__setattr__(self, "columns", {n: c.contiguous() for n, c in columns.items()})

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, name: str) -> Tensor:
        return self.columns[name]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def require(self, name: str, owner: str, finite: bool = True) -> None:
        """Raise ProblemError, in the name of ``owner``, unless there is such a column of data, finite at every point."""
        if name not in self.columns:
            raise ProblemError(f"{owner}: the data have no column {name!r}: they have {', '.join(self.names)}.")
        if finite and (broken := int((~torch.isfinite(self.columns[name])).sum())):
            raise ProblemError(
                f"{owner}: column {name!r} of the data is not finite at {broken} of {len(self)} points: leave these out, as in "
                f"points.select(torch.isfinite(points[{name!r}]))."
            )

    def matrix(self, names: Sequence[str]) -> Tensor:
        """The columns ``names`` side by side (N, d)."""
        return torch.stack([self.columns[n] for n in names], dim=1)

    def select(self, index: Tensor | slice) -> Points:
        """The points of an index tensor, a mask or a slice."""
        return self._map(lambda column: column[index])

    def spread(self, count: int) -> Points:
        """``count`` of the points, evenly spread over all; all of them if there are fewer."""
        return self.select(torch.linspace(0, len(self) - 1, min(count, len(self))).round().long())

    def to(self, dtype: torch.dtype, device: torch.device) -> Points:
        return self._map(lambda column: column.to(device=device, dtype=dtype))

    def _map(self, function) -> Points:
        return Points({n: function(c) for n, c in self.columns.items()}, {n: function(c) for n, c in self.normal.items()})

    @staticmethod
    def join(parts: Sequence[Points]) -> Points:
        """The points of all ``parts`` in order; they share their columns."""
        columns = {n: torch.cat([p.columns[n] for p in parts]) for n in parts[0].columns}
        shared = [n for n in parts[0].normal if all(n in p.normal for p in parts)]
        return Points(columns, {n: torch.cat([p.normal[n] for p in parts]) for n in shared})

    @staticmethod
    def read(path: str | Path) -> Points:
        """Columns of a table: .csv (first line: names), .npz (one array a name) or .h5/.hdf5 (one dataset a name).

        Raises ProblemError if the file is missing, of another kind, or holds numbers that are not finite.
        """
        path = Path(path)
        if not path.exists():
            raise ProblemError(f"There is no file {str(path)!r} to read points from.")
        try:
            columns = _read_columns(path)
        except ProblemError:
            raise
        except Exception as error:
            raise ProblemError(f"{path.name} is no table of numbers that can be read: {error}") from error
        if not columns or not all(len(c) for c in columns.values()):
            raise ProblemError(f"{path.name} holds no points: give a line of names and at least one of numbers.")
        broken = [n for n, c in columns.items() if not np.isfinite(np.asarray(c, dtype=np.float64)).all()]
        if broken:
            raise ProblemError(f"{path.name}: column {broken[0]!r} holds numbers that are not finite: remove those rows.")
        return Points(columns)


def _read_columns(path: Path) -> dict[str, np.ndarray]:
    if path.suffix == ".csv":
        table = np.genfromtxt(path, delimiter=",", names=True, dtype=np.float64, deletechars="")
        return {n: np.atleast_1d(table[n]) for n in table.dtype.names or ()}
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            return {n: archive[n].ravel() for n in archive.files}
    if path.suffix in (".h5", ".hdf5"):
        import h5py

        with h5py.File(path) as file:
            return {n: np.asarray(d).ravel() for n, d in file.items() if isinstance(d, h5py.Dataset)}
    raise ProblemError(f"Points are read from .csv, .npz, .h5 or .hdf5, got {path.name!r}: convert the table first.")


def tensor_grid(axes: Mapping[str, Tensor]) -> Points:
    """All combinations of the values of each axis, the last axis running fastest."""
    mesh = torch.meshgrid(*axes.values(), indexing="ij")
    return Points({n: m.reshape(-1) for n, m in zip(axes, mesh, strict=True)})


def grid_shape(dimension: int, total: int = 50_000) -> tuple[int, ...]:
    """Odd counts per axis, equal, whose product stays near ``total``."""
    count = max(3, math.floor(total ** (1 / dimension)))
    return (count - 1 + count % 2,) * dimension
