"""Fields on a grid for other programs: .npz, .csv and .vtu."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pinnsine.domain import Box
from pinnsine.errors import ProblemError
from pinnsine.real_parts import real_arrays

if TYPE_CHECKING:
    from pinnsine.solution import Solution

Columns = dict[str, np.ndarray]


def export_solution(solution: Solution, path: str | Path, total: int = 50_000) -> Path:
    """Write the fields on the domain's grid; the file is complete or not there at all.

    .npz and .csv hold one column a coordinate and one a field, (N,) each, the last coordinate running fastest;
    ``Points.read`` reads both. .vtu (domains of one to three coordinates, time being one of them) is an unstructured
    grid for ParaView with the fields as point data, and ``u_error``, field minus reference, where there is one;
    cells that a shape does not hold whole are left out.

    Args:
        total: about how many points.

    Raises:
        ProblemError: an unknown suffix, a .vtu of more than three coordinates or without meshio, a place that cannot
            be written to.
    """
    path = require_suffix(path, WRITERS, "An export")
    write = WRITERS[path.suffix]
    with replacing(path) as beside:
        write(solution, beside, total)
    return path


def require_suffix(path: str | Path, known: Sequence[str], what: str) -> Path:
    """The path. Raises ProblemError, with the known ones, if its suffix is not among ``known``."""
    path = Path(path)
    if path.suffix not in known:
        raise ProblemError(f"{what} is a file that ends in {', '.join(known)}, got {str(path)!r}: change the ending.")
    return path


def require_writable(path: Path, known: Sequence[str], what: str) -> None:
    """Refuse, before any work, a file that could not be written after it; the folder is made where it is missing.

    Raises ProblemError for a suffix that is not among ``known``, a folder, and a place that cannot be written to.
    """
    require_suffix(path, known, what)
    if path.is_dir():
        raise ProblemError(f"{str(path)!r} is a folder: name a file.")
    with _unwritable_refused(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()


@contextlib.contextmanager
def _unwritable_refused(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise ProblemError(f"{str(path)!r} cannot be written: {reason}. Choose another place.") from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary neighbour that takes the place of ``path`` when the block ends well, and vanishes otherwise.

    The folder is made where it is missing. Raises ProblemError where the block or the folder meets an OSError.
    """
    beside = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        with _unwritable_refused(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield beside
            os.replace(beside, path)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def _columns(solution: Solution, total: int) -> tuple[Columns, Columns]:
    """Coordinates and fields (N,) on the domain's grid."""
    grid = solution.problem.domain.grid(total)
    coordinates = {name: grid[name].numpy() for name in solution.problem.domain.names}
    return coordinates, real_arrays(solution.predict(**coordinates))


def _write_npz(solution: Solution, path: Path, total: int) -> None:
    coordinates, fields = _columns(solution, total)
    np.savez_compressed(path, **coordinates, **fields)


def _write_csv(solution: Solution, path: Path, total: int) -> None:
    coordinates, fields = _columns(solution, total)
    columns = {**coordinates, **fields}
    table = np.stack(list(columns.values()), axis=1)
    np.savetxt(path, table, fmt="%.17g", delimiter=",", header=",".join(columns), comments="")


def _write_vtu(solution: Solution, path: Path, total: int) -> None:
    dimension = len(solution.problem.domain.names)
    if dimension > 3:
        raise ProblemError(f"A .vtu file holds one to three coordinates, not {dimension}: export .npz or .csv instead.")
    try:
        import meshio
    except ImportError as error:
        raise ProblemError("Exporting .vtu needs meshio: pip install 'pinnsine[io]', or export .npz.") from error
    domain = solution.problem.domain
    grid = Box(*domain.axes).grid(total)
    inside = domain.contains(grid)
    number = np.cumsum(inside.numpy()) - 1
    cells = grid_cells(tuple(len(np.unique(grid[name])) for name in domain.names))
    cells = number[cells[inside.numpy()[cells].all(axis=1)]]
    grid = grid.select(inside)
    coordinates = {name: grid[name].numpy() for name in domain.names}
    fields = real_arrays(solution.predict(**coordinates))
    points = np.zeros((len(grid), 3))
    points[:, :dimension] = np.stack(list(coordinates.values()), axis=1)
    data = {**fields, **_errors(solution, coordinates, fields)}
    meshio.Mesh(points, {CELLS[dimension]: cells}, point_data=data).write(path, file_format="vtu")


CELLS = {1: "line", 2: "quad", 3: "hexahedron"}


def grid_cells(shape: Sequence[int]) -> np.ndarray:
    """The cells (M, 2^d) of a tensor grid of that shape by the numbers of their corners, in the order of VTK.

    The last axis of the grid runs fastest. Corners go around in the plane of the first two axes, then around again one
    step up the third.
    """
    number = np.arange(np.prod(shape)).reshape(shape)
    around = {1: [(0,), (1,)], 2: [(0, 0), (1, 0), (1, 1), (0, 1)]}
    corners = around[min(2, len(shape))]
    if len(shape) == 3:
        corners = [(*corner, up) for up in (0, 1) for corner in corners]
    moved = [tuple(slice(step, n - 1 + step) for step, n in zip(c, shape, strict=True)) for c in corners]
    return np.stack([number[part].ravel() for part in moved], axis=1)


def _errors(solution: Solution, coordinates: Columns, fields: Columns) -> Columns:
    """Field minus reference (N,), for the fields that the reference knows."""
    import torch

    reference = solution.problem.reference
    if reference is None:
        return {}
    truth = reference.evaluate({name: torch.from_numpy(column) for name, column in coordinates.items()})
    return {f"{name}_error": fields[name] - value.numpy() for name, value in truth.items() if name in fields}


WRITERS = {".npz": _write_npz, ".csv": _write_csv, ".vtu": _write_vtu}
