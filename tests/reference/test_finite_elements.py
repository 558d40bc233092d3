"""Finite elements against exact solutions, where scikit-fem is installed."""

import pytest
import torch

import pinnsine as ps
from pinnsine.errors import ProblemError
from pinnsine.reference import finite_elements

skfem = pytest.importorskip("skfem")
PLACES = {n: torch.rand(200, generator=torch.Generator().manual_seed(k), dtype=torch.float64) for k, n in enumerate("xy")}


def exact(s):
    return torch.sin(torch.pi * s.x) * torch.sin(torch.pi * s.y) + s.x


def poisson(refinements):
    mesh = skfem.MeshTri().refined(1)
    return finite_elements(mesh, source=lambda s: 2 * torch.pi**2 * (exact(s) - s.x), walls=lambda s: s.x, refinements=refinements)


def relative(reference, formula):
    expected = ps.Reference.exact(u=formula).evaluate(PLACES)["u"]
    return float((reference.evaluate(PLACES)["u"] - expected).norm() / expected.norm())


def test_errors_fall_with_the_third_power_of_the_width_and_the_floor_bounds_them():
    references = [poisson(k) for k in (2, 3)]
    errors = [relative(r, exact) for r in references]
    assert errors[0] / errors[1] > 6
    for reference, error in zip(references, errors, strict=True):
        assert error < reference.floor["u"] < 1e-2


def test_all_coefficients():
    """- div((1 + x) grad u) + 2 u = f for u = x^2 y, which elements of second order hold but for its cubic part."""
    reference = finite_elements(
        skfem.MeshQuad().refined(2),
        diffusion=lambda s: 1 + s.x,
        reaction=2.0,
        source=lambda s: -2 * s.y * (1 + s.x) - 2 * s.x * s.y + 2 * s.x**2 * s.y,
        walls=lambda s: s.x**2 * s.y,
    )
    assert relative(reference, lambda s: s.x**2 * s.y) < 1e-12


def test_outside_the_mesh_there_is_no_value():
    reference = finite_elements(skfem.MeshTri.init_lshaped(), source=1.0)
    found = reference.evaluate({"x": torch.tensor([-0.5, 0.5, 0.5]), "y": torch.tensor([-0.5, 0.5, -0.5])})["u"]
    assert found.isnan().tolist() in ([False, False, True], [False, True, False], [True, False, False])


def test_wrong_meshes_are_refused():
    with pytest.raises(ProblemError, match=r"one of scikit-fem's MeshLine1, MeshTri1, .* got str"):
        finite_elements("mesh")
    with pytest.raises(ProblemError, match="refinements must be at least 1"):
        finite_elements(skfem.MeshTri(), refinements=0)
