"""Elliptic problems on meshes solved by finite elements, through scikit-fem (extra ``fem``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch

from pinnsine.domain import Axis, Box
from pinnsine.errors import ProblemError
from pinnsine.reference.computed import Arrays, Computed, digest, reference_of
from pinnsine.reference.exact import Reference, field_values
from pinnsine.reference.grid import difference

FORMAT = 1  # of the files in the cache; raised whenever the same problem gives other numbers
COORDINATES = ("x", "y", "z")
ELEMENTS = {"MeshLine1": "ElementLineP2", "MeshTri1": "ElementTriP2", "MeshQuad1": "ElementQuad2", "MeshTet1": "ElementTetP2"}


def finite_elements(
    mesh,
    *,
    source: float | Callable = 0.0,
    walls: float | Callable = 0.0,
    diffusion: float | Callable = 1.0,
    reaction: float | Callable = 0.0,
    field: str = "u",
    refinements: int = 1,
) -> Reference:
    """A numerical solution of a linear elliptic equation on a mesh, with elements of second order.

        - div(a grad u) + c u = f,   u = g on the boundary

    Nothing is computed before the first value or floor is asked for; the solution is then kept on disk (see ``pinnsine.reference.cache``).

    Args:
        mesh: of scikit-fem, of lines, triangles, quadrilaterals or tetrahedra, with coordinates x, y, z; a curved boundary is that of the mesh.
        source, walls, diffusion, reaction: f, g, a and c, numbers or functions of s.
        field: the name of u.
        refinements: how often the mesh is refined, each cell into 2^d; at least once.

    Returns:
        A Reference whose floor is the measured change on the mesh of twice the width. Outside the mesh its values are NaN.

    Raises:
        ProblemError: scikit-fem is missing, the mesh is of another kind, or it is not refined at all.

    Source: T. Gustafsson & G. D. McBain (2020), scikit-fem: a Python package for finite element assembly, J. Open Source Softw. 5.
    """
    try:
        import skfem
    except ImportError as error:
        raise ProblemError("Finite elements need scikit-fem: pip install 'pinnsine[fem]'.") from error
    kind = type(mesh).__name__
    if kind not in ELEMENTS:
        raise ProblemError(f"The mesh is one of scikit-fem's {', '.join(ELEMENTS)}, got {kind}.")
    if refinements < 1:
        raise ProblemError(f"refinements must be at least 1, for the floor is measured without the last of them, got {refinements}.")
    element = getattr(skfem, ELEMENTS[kind])()
    terms = {"a": diffusion, "c": reaction, "f": source, "g": walls}
    names = COORDINATES[: mesh.p.shape[0]]
    wide = mesh.refined(refinements - 1)
    fine = wide.refined(1)

    def compute() -> Arrays:
        found, coarse = (solved(m, element, terms, names) for m in (fine, wide))
        places = skfem.Basis(fine, element).doflocs
        other = Elements(wide, element, names, coarse).evaluate(dict(zip(names, places, strict=True)))
        return {"values": found, "floor": difference(found[:, None], other)}

    columns = dict(zip(names, map(torch.from_numpy, np.ascontiguousarray(mesh.p)), strict=True))
    tried = [field_values(n, as_function(term), columns).numpy() for n, term in terms.items()]
    computed = Computed(
        digest("finite elements", [FORMAT, kind, refinements], [mesh.p, mesh.t, *tried]),
        compute,
        lambda kept: Elements(fine, element, names, kept["values"]),
    )
    box = Box(*(Axis(n, row.min(), row.max()) for n, row in zip(names, mesh.p, strict=True)))
    return reference_of(computed, box, (field,), f"finite elements of second order on {fine.t.shape[1]:,} cells")


def as_function(term: float | Callable) -> Callable:
    """A number as a function of s."""
    return term if callable(term) else lambda s: float(term)


def solved(mesh, element, terms: Mapping[str, float | Callable], names: tuple[str, ...]) -> np.ndarray:
    """The degrees of freedom (M,) of the solution on a mesh."""
    import skfem
    from skfem.helpers import dot
    from skfem.helpers import grad as slope

    def at(name: str, places: np.ndarray) -> np.ndarray:
        columns = {n: torch.from_numpy(np.ascontiguousarray(p).ravel()) for n, p in zip(names, places, strict=True)}
        return field_values(name, as_function(terms[name]), columns).numpy().reshape(places[0].shape)

    basis = skfem.Basis(mesh, element, intorder=6)
    stiffness = skfem.BilinearForm(lambda u, v, w: at("a", w.x) * dot(slope(u), slope(v)) + at("c", w.x) * u * v).assemble(basis)
    load = skfem.LinearForm(lambda v, w: at("f", w.x) * v).assemble(basis)
    edge = basis.get_dofs().all()
    values = np.zeros(basis.N)
    values[edge] = at("g", basis.doflocs[:, edge])
    return skfem.solve(*skfem.condense(stiffness, load, x=values, D=edge))


class Elements:
    """A function (N, 1) given by the degrees of freedom of its elements."""

    def __init__(self, mesh, element, names: tuple[str, ...], values: np.ndarray):
        import skfem

        self.basis, self.names, self.values = skfem.Basis(mesh, element), names, values

    def evaluate(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """The values (N, 1) at points given by coordinate, NaN outside the mesh."""
        return self._at(np.stack([columns[n] for n in self.names]))[:, None]

    def _at(self, places: np.ndarray) -> np.ndarray:
        """Halved as long as scikit-fem, which refuses all points for one outside, finds one."""
        try:
            return self.basis.probes(places) @ self.values
        except ValueError:
            if places.shape[1] <= 1:
                return np.full(places.shape[1], np.nan)
            middle = places.shape[1] // 2
            return np.concatenate([self._at(places[:, :middle]), self._at(places[:, middle:])])
