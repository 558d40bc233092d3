"""Solids bounded by a triangle mesh."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from pinnsine.domain.shape import NAMES, Shape
from pinnsine.domain.triangles import triangulated
from pinnsine.errors import ProblemError

NEAREST = 24  # triangles looked at first for every point
CHUNK = 2**20  # pairs of a point and a triangle looked at together
ON_EDGE = 1e-9  # a barycentric coordinate below which the nearest point lies on an edge


class Mesh(Shape):
    """The inside of a closed triangle mesh, read from .stl, .obj or .ply, or given as a ``trimesh.Trimesh``: ``Mesh("spot.obj")``.

    ``distance`` is exact, with the sign of the angle-weighted normal at the nearest point (J. A. Baerentzen & H. Aanaes 2005, IEEE Trans.
    Vis. Comput. Graph. 11). Needs trimesh. Raises ProblemError for a file that cannot be read, and for a mesh that is not closed.
    """

    def __init__(self, mesh, names: Sequence[str] | None = None):
        from scipy.spatial import cKDTree

        self.mesh = mesh = _closed(mesh)
        super().__init__(names or NAMES, *mesh.bounds.tolist())
        self.corners = np.array(mesh.triangles, dtype=np.float64)
        middle = self.corners.mean(axis=1)
        self.tree, self.reach = cKDTree(middle), float(np.linalg.norm(self.corners - middle[:, None], axis=2).max())
        self.edge_normals = np.zeros((len(mesh.edges_unique), 3))
        for k in range(3):
            np.add.at(self.edge_normals, mesh.faces_unique_edges[:, k], mesh.face_normals)

    def signed(self, x):
        from trimesh.triangles import points_to_barycentric

        points = x.numpy()
        face, nearest = self._nearest(points)
        barycentric = points_to_barycentric(self.corners[face], nearest, method="cross")
        away = points - nearest
        side = np.einsum("nd,nd->n", away, self._normals(face, barycentric))
        return torch.from_numpy(np.where(side < 0, -1.0, 1.0) * np.linalg.norm(away, axis=1))

    def _nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest face (N,) of every point and the point of it (N, 3), among so many near middles that no further face can be nearer."""
        from trimesh.triangles import closest_point

        face, nearest = np.zeros(len(points), dtype=int), np.zeros_like(points)
        count, open_ = NEAREST, np.arange(len(points))
        while len(open_):
            count = min(count, len(self.corners))
            unsure = []
            for part in np.array_split(open_, max(1, len(open_) * count // CHUNK)):
                far, near = self.tree.query(points[part], k=count)
                far, near = far.reshape(len(part), -1), near.reshape(len(part), -1)
                foot = closest_point(self.corners[near.ravel()], np.repeat(points[part], count, axis=0)).reshape(len(part), count, 3)
                distance = np.linalg.norm(foot - points[part][:, None], axis=2)
                best, rows = distance.argmin(axis=1), np.arange(len(part))
                face[part], nearest[part] = near[rows, best], foot[rows, best]
                unsure.append(part[far[:, -1] - self.reach < distance[rows, best]])
            open_ = np.concatenate(unsure) if count < len(self.corners) else open_[:0]
            count *= 4
        return face, nearest

    def _normals(self, face: np.ndarray, barycentric: np.ndarray) -> np.ndarray:
        """The normal of the face, edge or corner (N, 3) that the nearest point lies on; only its direction matters."""
        mesh, low = self.mesh, barycentric < ON_EDGE
        normals = mesh.face_normals[face].copy()
        edge, corner = low.sum(axis=1) == 1, low.sum(axis=1) == 2
        opposite = (low.argmax(axis=1) + 1) % 3  # edge k joins corners k and k + 1
        normals[edge] = self.edge_normals[mesh.faces_unique_edges[face, opposite]][edge]
        normals[corner] = mesh.vertex_normals[mesh.faces[face, barycentric.argmax(axis=1)]][corner]
        return normals

    def smooth(self, columns):
        raise ProblemError("A mesh has no smooth cutoff: use hard=False.")

    def _measure(self):
        return float(self.mesh.volume), 0.0

    def _pieces(self):
        return (triangulated(torch.from_numpy(self.corners)),)

    def words(self):
        return f"the mesh of {len(self.corners)} triangles"


def _closed(mesh):
    """A file or a mesh as a closed ``trimesh.Trimesh`` with its normals outwards."""
    try:
        import trimesh
    except ImportError as error:
        raise ProblemError("A mesh needs trimesh: pip install 'pinnsine[geometry]'.") from error
    if isinstance(mesh, str | Path):
        path = Path(mesh)
        if not path.exists():
            raise ProblemError(f"There is no file {str(path)!r} to read a mesh from.")
        try:
            mesh = trimesh.load_mesh(path)
        except Exception as error:
            raise ProblemError(f"{path.name} is no mesh that can be read: {error}") from error
    if not isinstance(mesh, trimesh.Trimesh) or not len(mesh.faces):
        raise ProblemError(f"A mesh is a file (.stl, .obj, .ply) or a trimesh.Trimesh with faces, got {type(mesh).__name__}.")
    mesh = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    mesh.update_faces(mesh.nondegenerate_faces())
    if not mesh.is_watertight:
        raise ProblemError("A mesh must be closed to have an inside, but this one has open edges: repair it, or use its points as data.")
    mesh.fix_normals()
    return mesh
