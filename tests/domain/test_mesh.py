"""Triangle meshes: files, measures, exact distances with the right sign, samples, refusals."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pinnsine.domain import Ball, Box, Mesh
from pinnsine.domain.csg import as_shape
from pinnsine.errors import ProblemError

trimesh = pytest.importorskip("trimesh")
SPOT = Path("/work/shared/shapes/spot.obj")


def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def box():
    """A box of 12 triangles, whose edges and corners are most of it, and the same box by formula."""
    return Mesh(trimesh.creation.box(extents=(1, 2, 3))), as_shape(Box(x=(-0.5, 0.5), y=(-1, 1), z=(-1.5, 1.5)))


def test_a_box_of_triangles_is_the_box(box):
    mesh, exact = box
    x = 6 * torch.rand(3000, 3, generator=generator(), dtype=torch.float64) - 3
    assert torch.allclose(mesh.signed(x), exact.signed(x), atol=1e-12)
    assert mesh.measure == pytest.approx(6)
    assert mesh.boundary().measure == pytest.approx(22)
    wall = mesh.boundary().sample(500, "sobol", generator())
    assert float(exact.distance(wall).abs().max()) < 1e-12
    assert float(exact.distance(mesh.sample(500, "sobol", generator())).max()) < 0
    assert mesh.side(z=1.5).measure == pytest.approx(2, rel=0.02)


@pytest.mark.parametrize("suffix", [".stl", ".obj", ".ply"])
def test_files_are_read(tmp_path, suffix):
    path = tmp_path / f"ball{suffix}"
    trimesh.creation.icosphere(subdivisions=3, radius=2.0).export(path)
    mesh = Mesh(str(path))
    assert mesh.measure == pytest.approx(32 / 3 * np.pi, rel=0.02)
    x = 6 * torch.rand(500, 3, generator=generator(), dtype=torch.float64) - 3
    assert float((mesh.signed(x) - Ball((0, 0, 0), 2).signed(x)).abs().max()) < 0.03  # the sagitta of its triangles


def test_it_combines_with_other_shapes(box):
    mesh, _ = box
    hollow = mesh - Ball((0, 0, 0), 0.4)
    assert abs(hollow.measure - (6 - 4 / 3 * np.pi * 0.064)) < 4.5 * hollow.measure_error
    assert hollow.on(Ball((0, 0, 0), 0.4)).measure == pytest.approx(4 * np.pi * 0.16)


def test_what_is_no_closed_mesh_is_refused(tmp_path, box):
    sphere = trimesh.creation.icosphere(subdivisions=1)
    with pytest.raises(ProblemError, match="must be closed"):
        Mesh(trimesh.Trimesh(sphere.vertices, sphere.faces[:-1]))
    with pytest.raises(ProblemError, match="no file"):
        Mesh(tmp_path / "none.stl")
    (tmp_path / "broken.ply").write_text("nonsense")
    with pytest.raises(ProblemError, match="no mesh that can be read"):
        Mesh(tmp_path / "broken.ply")
    with pytest.raises(ProblemError, match="got int"):
        Mesh(3)
    with pytest.raises(ProblemError, match="no smooth cutoff"):
        box[0].cutoff({n: torch.zeros(1, dtype=torch.float64) for n in "xyz"})


@pytest.mark.slow
@pytest.mark.skipif(not SPOT.exists(), reason="the shared shapes are not here")
def test_spot_the_cow():
    spot = Mesh(SPOT)
    wall = spot.boundary().sample(2000, "sobol", generator())
    assert float(spot.distance(wall).abs().max()) < 1e-10
    x = spot._spread(torch.rand(10_000, 3, generator=generator(), dtype=torch.float64))
    distance, share = spot.signed(x), spot.measure / spot._box_measure
    inside = float((distance < 0).double().mean())
    assert abs(inside - share) < 4.5 * (share * (1 - share) / 1e4) ** 0.5
    near = torch.cdist(x[:500], spot.boundary().sample(2**16, "sobol", generator()).matrix(spot.names)).amin(dim=1)
    assert float((distance[:500].abs() - near).max()) < 1e-10
    assert float((near - distance[:500].abs()).max()) < 0.02
