"""Level sets in space as triangles, by marching cubes (Lorensen & Cline 1987; scikit-image's, after Lewiner, Lopes, Vieira & Tavares 2003)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pinnsine.errors import ProblemError
from pinnsine.export import replacing, require_suffix

if TYPE_CHECKING:
    from pinnsine.solution import Solution

FORMATS = (".stl", ".ply", ".obj")
MISSING = "{} needs {}: pip install 'pinnsine[geometry]'."


def require_marching_cubes() -> Callable:
    """scikit-image's ``marching_cubes``. Raises ProblemError where it is missing: ask before what leads up to a surface is computed."""
    try:
        from skimage.measure import marching_cubes
    except ImportError as error:
        raise ProblemError(MISSING.format("A surface", "scikit-image")) from error
    return marching_cubes


def require_trimesh():
    """The module ``trimesh``. Raises ProblemError where it is missing."""
    try:
        import trimesh
    except ImportError as error:
        raise ProblemError(MISSING.format("A surface's mesh", "trimesh")) from error
    return trimesh


@dataclass(frozen=True)
class Surface:
    """Triangles: ``vertices`` (V, 3) and the indices of their corners ``faces`` (F, 3), turned outwards, to where the function grows."""

    vertices: np.ndarray
    faces: np.ndarray

    def __repr__(self) -> str:
        return f"<surface of {len(self.vertices)} vertices and {len(self.faces)} triangles>"

    @property
    def mesh(self):
        """The same as a ``trimesh.Trimesh``."""
        return require_trimesh().Trimesh(self.vertices, self.faces, process=False)

    def components(self) -> int:
        """The number of connected parts."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        edges = self.faces[:, [0, 1, 1, 2]].reshape(-1, 2)
        count = len(self.vertices)
        return int(connected_components(coo_matrix((np.ones(len(edges)), edges.T), shape=(count, count)), directed=False)[0])

    def export(self, path: str | Path) -> Path:
        """Write .stl, .ply or .obj. Raises ProblemError for another suffix, or a place that cannot be written to."""
        path = require_suffix(path, FORMATS, "A surface")
        content = self.mesh.export(file_type=path.suffix[1:])
        with replacing(path) as beside:
            Path(beside).write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


def level_set(solution: Solution, expression: str | Callable | None = None, level: float = 0.0, resolution: int = 128) -> Surface:
    """Where an expression, by default the first field, has the value ``level``, on ``resolution`` points along the longest side of the domain.

    The grid is evaluated slab by slab. Raises ProblemError unless there are exactly three coordinates, all of space, at least two points,
    and the level is crossed somewhere.
    """
    marching_cubes = require_marching_cubes()
    domain = solution.problem.domain
    if len(domain.axes) != 3 or len(domain.space) != 3:
        raise ProblemError(f"A surface is the level set of a function of three space coordinates, got {domain.describe()}.")
    if resolution < 2:
        raise ProblemError(f"A surface needs a resolution of at least 2, got {resolution}.")
    step = max(a.length for a in domain.axes) / (resolution - 1)
    axes = [np.linspace(a.lower, a.upper, max(2, round(a.length / step) + 1)) for a in domain.axes]
    function = expression or solution.problem.names.fields[0]
    names = domain.names
    slabs = [solution.predict(function, **dict(zip(names, (x, axes[1][:, None], axes[2]), strict=True))) for x in axes[0]]
    values = np.stack(slabs)
    if not values.min() < level < values.max():
        raise ProblemError(f"The level {level:g} is not crossed: the function runs from {values.min():.3g} to {values.max():.3g} on the grid.")
    spacing = tuple(float(axis[1] - axis[0]) for axis in axes)
    vertices, faces, _, _ = marching_cubes(values, level, spacing=spacing, gradient_direction="descent")
    return Surface(vertices.astype(np.float64) + [axis[0] for axis in axes], faces)
