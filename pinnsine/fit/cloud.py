"""Points on a surface, with normals: read, cleaned, sampled from meshes, and oriented where normals are missing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pinnsine.errors import ProblemError
from pinnsine.points import Points

NEIGHBOURS = 12  # for the plane through a point
TABLES = (".csv", ".npz", ".h5", ".hdf5")
NORMALS = ("nx", "ny", "nz")


@dataclass(frozen=True)
class Cloud:
    """Different points (N, 3) of a surface and the outward unit normals there (N, 3)."""

    points: np.ndarray
    normals: np.ndarray


def as_cloud(source, count: int = 20_000, seed: int = 0) -> Cloud:
    """The oriented points of a source.

    source: an array (N, 3) or (N, 6), with normals; Points with columns x, y, z and, if known, nx, ny, nz; a ``trimesh`` mesh or point
        cloud; or a file: a table (.xyz, .txt, .csv, .npz, .h5), or what trimesh reads (.ply, .obj, .stl). Of a mesh ``count`` points are
        drawn, evenly by area.

    Normals are brought to length one and estimated where they are missing (``estimated_normals``); of points that are equal the first is kept.
    Raises ProblemError for other shapes, numbers that are not finite, normals of length zero, and fewer than four different points.
    """
    points, normals = _columns(source, count, seed)
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ProblemError(f"A cloud has points of shape (N, 3), or (N, 6) with normals, got {points.shape}.")
    table = points if normals is None else np.hstack([points, np.asarray(normals, dtype=np.float64)])
    if not np.isfinite(table).all():
        raise ProblemError(f"{int((~np.isfinite(table)).any(axis=1).sum())} points of the cloud are not finite: remove them.")
    first = np.sort(np.unique(points, axis=0, return_index=True)[1])
    if len(first) < 4:
        raise ProblemError(f"A surface needs at least four different points, got {len(first)}.")
    points = points[first]
    if normals is None:
        return Cloud(points, estimated_normals(points))
    normals = table[first, 3:]
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    if not (length > 0).all():
        count = int((length == 0).sum())
        raise ProblemError(f"{count} normals of the cloud have length zero: remove them, or all normals, which are then estimated.")
    return Cloud(points, normals / length)


def _columns(source, count: int, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Points (N, 3) and normals (N, 3) or None, as they are."""
    if isinstance(source, str | Path):
        source = _read(Path(source))
    if isinstance(source, Points):
        missing = [n for n in ("x", "y", "z") if n not in source.names]
        if missing:
            raise ProblemError(f"The cloud's points lack the column {missing[0]!r}; they have {', '.join(source.names)}.")
        known = all(n in source.names for n in NORMALS)
        return source.matrix(("x", "y", "z")).numpy(), source.matrix(NORMALS).numpy() if known else None
    if hasattr(source, "faces") and len(source.faces):
        from trimesh.sample import sample_surface

        drawn, face = sample_surface(source, count, seed=seed)
        return np.asarray(drawn), np.asarray(source.face_normals[face])
    if hasattr(source, "vertices"):
        return np.asarray(source.vertices), None
    array = np.asarray(source)
    if array.ndim == 2 and array.shape[1] == 6:
        return array[:, :3], array[:, 3:]
    return array, None


def _read(path: Path):
    if not path.exists():
        raise ProblemError(f"There is no file {str(path)!r} to read a surface from.")
    if path.suffix in TABLES:
        return Points.read(path)
    try:
        if path.suffix in (".xyz", ".txt"):
            return np.loadtxt(path, ndmin=2)
        import trimesh
    except ImportError as error:
        raise ProblemError("Reading a mesh needs trimesh: pip install 'pinnsine[geometry]', or give the points as an array.") from error
    except ValueError as error:
        raise ProblemError(f"{path.name} is no table of numbers that can be read: {error}") from error
    try:
        loaded = trimesh.load(path)
        return loaded.to_geometry() if hasattr(loaded, "to_geometry") else loaded
    except Exception as error:
        raise ProblemError(f"{path.name} is no mesh or cloud that can be read: {error}") from error


def estimated_normals(points: np.ndarray) -> np.ndarray:
    """Outward unit normals (N, 3) of points (N, 3) on a closed surface.

    The normal of the plane through the nearest neighbours, turned to agree along the minimum spanning tree of 1 - |n_i . n_j|, from the
    topmost point, where it points upwards (Hoppe, DeRose, Duchamp, McDonald & Stuetzle 1992, sections 3.2 and 3.3).
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree
    from scipy.spatial import cKDTree

    near = cKDTree(points).query(points, k=min(NEIGHBOURS + 1, len(points)))[1]
    offsets = points[near] - points[near].mean(axis=1, keepdims=True)
    normals = np.linalg.svd(offsets, full_matrices=False)[2][:, 2]
    start, end = np.repeat(np.arange(len(points)), near.shape[1] - 1), near[:, 1:].ravel()
    disagreement = 1 - abs(np.einsum("nd,nd->n", normals[start], normals[end]))
    graph = coo_matrix((disagreement + 1e-9, (start, end)), shape=(len(points),) * 2).tocsr()  # an edge of weight zero would be none
    tree = minimum_spanning_tree(graph.maximum(graph.T))
    _, part = connected_components(tree, directed=False)
    for label in range(part.max() + 1):
        members = np.flatnonzero(part == label)
        top = members[points[members, 2].argmax()]
        normals[top] *= 1 if normals[top, 2] >= 0 else -1
        order, before = breadth_first_order(tree, top, directed=False)
        for node in order[1:]:
            if normals[node] @ normals[before[node]] < 0:
                normals[node] *= -1
    return normals
