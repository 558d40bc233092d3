"""References read from tables: values on a tensor grid, or at scattered points, with interpolation as accurate as the table.

On a grid every coordinate is interpolated by what suits its nodes best (see ``pinnsine.reference.grid``): polynomials on Chebyshev's points,
trigonometric ones on a period, else Floater and Hormann's rational functions of the degree that reproduces left-out nodes best. Scattered
points are interpolated by radial functions of their neighbours. At the points of the table the values are those of the table.

What the interpolation adds is measured: values are predicted from every second node of each coordinate at the others. The table's own error
cannot be seen from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from pinnsine.domain import Axis, Box
from pinnsine.errors import ProblemError
from pinnsine.reference.computed import Arrays, Computed, reference_of
from pinnsine.reference.exact import Reference
from pinnsine.reference.grid import Grid, Line, chebyshev_line, difference, is_chebyshev, periodic_line, rational_line

DEGREES = (1, 3, 5, 7, 9, 11)  # of rational interpolation, of which the best is taken
NEIGHBOURS = 60  # of a scattered point
FEWEST = 5  # nodes of a coordinate that can be halved for the floor


def table(
    path: str | Path,
    fields: str | Sequence[str] = "u",
    coordinates: Sequence[str] = ("x", "t"),
    *,
    names: Mapping[str, str] | None = None,
    periodic: Sequence[str] = (),
    floor: float | Mapping[str, float] | None = None,
) -> Reference:
    """A reference read from a file.

    Arrays are either one for each coordinate (n_i,) with fields of shape (n_1, ..., n_d) in the order of ``coordinates`` or with two of them
    exchanged, or columns of one length (N,), which may be a grid in any order or scattered points.

    Args:
        path: .h5, .hdf5, .npz, .mat, or .csv with a line of names.
        fields: names of the fields to read.
        coordinates: names of the coordinates.
        names: what these are called in the file, where that is something else: ``{"u": "usol"}``.
        periodic: coordinates of which the nodes are equidistant over one period, with or without its other end.
        floor: relative L2 errors of the fields, where they are known; else those of the interpolation, measured.

    Returns:
        A Reference that knows the box of the table.

    Raises:
        ProblemError: the file is missing, of another kind, without these arrays, or they fit in no way; values are not finite.

    Sources: see ``pinnsine.reference.grid``; for scattered points ``scipy.interpolate.RBFInterpolator``.
    """
    path, fields = Path(path), (fields,) if isinstance(fields, str) else tuple(fields)
    known = arrays(path)
    called = {n: (names or {}).get(n, n) for n in (*coordinates, *fields)}
    missing = [n for n in called.values() if n not in known]
    if missing:
        raise ProblemError(f"{path.name} has no array {missing[0]!r}: it has {', '.join(known)}. Say names={{...}} if it is called otherwise.")
    nodes = {n: np.asarray(known[called[n]], dtype=float).ravel() for n in coordinates}
    columns = {n: np.asarray(known[called[n]], dtype=float).squeeze() for n in fields}
    broken = [n for n, a in (nodes | columns).items() if not np.isfinite(a).all()]
    if broken:
        raise ProblemError(f"{path.name}: {called[broken[0]]!r} holds numbers that are not finite: remove them.")
    found = gridded(nodes, columns) or cloud(nodes, columns)
    if found is None:
        shapes = ", ".join(f"{n} {a.shape}" for n, a in (nodes | columns).items())
        raise ProblemError(f"{path.name}: the arrays are neither a grid nor columns of one length: {shapes}.")
    if isinstance(found, Cloud):
        interpolant, error = found, found.floor()
    else:
        interpolant, error = interpolated(*found, tuple(periodic))
    stated = floor if isinstance(floor, Mapping) else dict.fromkeys(fields, floor) if floor is not None else {}
    own = own_floors(path)
    errors = np.array([stated.get(n, e + own.get(called[n], 0.0)) for n, e in zip(fields, error, strict=True)])
    ends = {n: (a.min(), max(a.max(), a.min() + period_of(interpolant, n))) for n, a in nodes.items()}
    box = Box(*(Axis(n, *pair, "time" if n == "t" else "space") for n, pair in ends.items()))
    return reference_of(Given(interpolant, errors), box, fields, f"the table {path.name}")


class Given(Computed):
    """A solution that is there already."""

    def __init__(self, interpolant, floor: np.ndarray):
        super().__init__("", dict, lambda arrays: interpolant)
        self.__dict__["solution"] = interpolant, floor


def period_of(interpolant: Grid | Cloud, name: str) -> float:
    """The period of a coordinate, 0 where it has none."""
    return next((line.period or 0.0 for line in getattr(interpolant, "lines", ()) if line.name == name), 0.0)


def own_floors(path: Path) -> dict[str, float]:
    """The floors by array that ``Reference.save`` wrote with a table."""
    if path.suffix not in (".h5", ".hdf5"):
        return {}
    import h5py

    with h5py.File(path) as file:
        return {n: float(d.attrs["floor"]) for n, d in file.items() if "floor" in d.attrs}


def arrays(path: Path) -> Arrays:
    """The arrays of a file by name. Raises ProblemError if it cannot be read."""
    if not path.exists():
        raise ProblemError(f"There is no file {str(path)!r} to read a table from.")
    try:
        if path.suffix in (".h5", ".hdf5"):
            import h5py

            with h5py.File(path) as file:
                return {n: d[...] for n, d in file.items() if isinstance(d, h5py.Dataset)}
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                return {n: archive[n] for n in archive.files}
        if path.suffix == ".mat":
            from scipy.io import loadmat

            return {n: a for n, a in loadmat(path).items() if not n.startswith("__")}
        if path.suffix == ".csv":
            content = np.genfromtxt(path, delimiter=",", names=True, dtype=float, deletechars="")
            return {n: np.atleast_1d(content[n]) for n in content.dtype.names or ()}
    except Exception as error:
        raise ProblemError(f"{path.name} is no table that can be read: {error}") from error
    raise ProblemError(f"Tables are read from .h5, .hdf5, .npz, .mat and .csv, got {path.name!r}: convert it first.")


def gridded(nodes: Arrays, columns: Arrays) -> tuple[Arrays, np.ndarray] | None:
    """Increasing nodes by coordinate and values (n_1, ..., n_d, fields); None where the arrays are no grid."""
    shape = tuple(len(a) for a in nodes.values())
    if all(c.shape == shape for c in columns.values()):
        values = np.stack(list(columns.values()), axis=-1)
    elif len(shape) == 2 and all(c.shape == shape[::-1] for c in columns.values()):
        values = np.stack([c.T for c in columns.values()], axis=-1)
    else:
        return _from_columns(nodes, columns, shape)
    for axis, (name, a) in enumerate(nodes.items()):
        order = np.argsort(a, kind="stable")
        nodes, values = {**nodes, name: a[order]}, np.take(values, order, axis=axis)
    distinct = all((np.diff(a) > 0).all() for a in nodes.values())
    return (nodes, values) if distinct else None


def _from_columns(nodes: Arrays, columns: Arrays, shape: Sequence[int]) -> tuple[Arrays, np.ndarray] | None:
    """The grid that columns (N,) are, if each combination of coordinates stands there once."""
    sizes = {*shape, *(c.size for c in columns.values())}
    axes = {n: np.unique(a) for n, a in nodes.items()}
    counts = tuple(len(a) for a in axes.values())
    if len(sizes) != 1 or np.prod(counts) != shape[0]:
        return None
    place = np.ravel_multi_index([np.searchsorted(axes[n], a) for n, a in nodes.items()], counts)
    if len(np.unique(place)) != len(place):
        return None
    values = np.empty((len(place), len(columns)))
    values[place] = np.stack([c.ravel() for c in columns.values()], axis=-1)
    return axes, values.reshape(*counts, len(columns))


def interpolated(nodes: Arrays, values: np.ndarray, periodic: Sequence[str]) -> tuple[Grid, np.ndarray]:
    """The interpolant of values on a grid, and its floors: the sums over the coordinates of their measured errors."""
    lines, errors = [], np.zeros(values.shape[-1])
    for axis, (name, a) in enumerate(nodes.items()):
        if name in periodic:
            line, values = _wrapped(name, a, values, axis)
        elif is_chebyshev(a):
            line = chebyshev_line(name, a[0], a[-1], len(a) - 1)
        else:
            line = min((rational_line(name, a, degree) for degree in DEGREES), key=lambda line: halved_error(line, values, axis).max())
        lines.append(line)
        errors = errors + halved_error(line, values, axis)
    return Grid(tuple(lines), values), errors


def _wrapped(name: str, nodes: np.ndarray, values: np.ndarray, axis: int) -> tuple[Line, np.ndarray]:
    """The line of a periodic coordinate; values at the other end of the period, if they are there, are dropped."""
    ends = np.take(values, [0, -1], axis=axis)
    repeated = np.abs(np.diff(ends, axis=axis)).max() <= 1e-9 * np.abs(values).max()
    count = len(nodes) - repeated
    period = nodes[-1] - nodes[0] + (0.0 if repeated else nodes[1] - nodes[0])
    if np.abs(np.diff(nodes) - period / count).max() > 1e-6 * period:
        raise ProblemError(f"The nodes of the periodic coordinate {name!r} are not equidistant: leave it out of periodic=.")
    return periodic_line(name, nodes[0], period, count), np.take(values, range(count), axis=axis)


def halved_error(line: Line, values: np.ndarray, axis: int) -> np.ndarray:
    """By field, the relative L2 error at the odd nodes of what is predicted from the even ones."""
    if len(line.nodes) < FEWEST:
        return np.ones(values.shape[-1])
    rows = np.moveaxis(values, axis, 0)
    odd = len(line.nodes) - (0 if line.period is not None else 1 - len(line.nodes) % 2)
    predicted = np.tensordot(line.every_second().cardinal(line.nodes[1:odd:2]), rows[::2], 1)
    width = rows.shape[-1]
    return difference(rows[1:odd:2].reshape(-1, width), predicted.reshape(-1, width))


class Cloud:
    """Fields (N, fields) at scattered points (N, d), interpolated by polyharmonic splines of the nearest points."""

    def __init__(self, names: Sequence[str], points: np.ndarray, values: np.ndarray):
        from scipy.interpolate import RBFInterpolator

        self.names, self.points, self.values = tuple(names), points, values
        self.spread = np.ptp(points, axis=0)
        self.interpolator = RBFInterpolator(points / self.spread, values, neighbors=min(NEIGHBOURS, len(points)), kernel="quintic")

    def evaluate(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """The fields (N, fields) at points given by coordinate."""
        return self.interpolator(np.stack([columns[n] for n in self.names], axis=1) / self.spread)

    def floor(self) -> np.ndarray:
        """By field, the relative L2 error at one half of the points of what is predicted from the other half."""
        order = torch.randperm(len(self.points), generator=torch.Generator().manual_seed(0)).numpy()
        half = len(order) // 2
        other = Cloud(self.names, self.points[order[:half]], self.values[order[:half]])
        rest = self.points[order[half:]]
        return difference(self.values[order[half:]], other.evaluate(dict(zip(self.names, rest.T, strict=True))))


def cloud(nodes: Arrays, columns: Arrays) -> Cloud | None:
    """Scattered points, if all arrays have one length; None where they have not."""
    sizes = {a.size for a in (nodes | columns).values()}
    if len(sizes) != 1 or sizes.pop() < 4 * NEIGHBOURS:
        return None
    return Cloud(tuple(nodes), np.stack(list(nodes.values()), axis=1), np.stack([c.ravel() for c in columns.values()], axis=1))
