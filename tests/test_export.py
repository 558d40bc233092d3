"""Exports: the numbers on the grid, cells that tile the box, files that are complete or absent."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import pinnsine as ps
from pinnsine.errors import ProblemError
from pinnsine.export import export_solution, grid_cells, replacing, require_writable


def solution(domain, reference=None):
    """A stand-in whose field is the sum of the coordinates' squares."""

    def predict(**coordinates):
        return {"u": sum(np.asarray(c) ** 2 for c in coordinates.values())}

    problem = SimpleNamespace(domain=domain, reference=reference, fields=[ps.Field("u")])
    return SimpleNamespace(problem=problem, predict=predict)


@pytest.fixture
def meshes(monkeypatch):
    """Stands in for meshio and collects what would be written."""
    written = []

    class Mesh(SimpleNamespace):
        def __init__(self, points, cells, point_data):
            super().__init__(points=points, cells=cells, point_data=point_data)

        def write(self, path, file_format):
            path.write_text(file_format)
            written.append(self)

    monkeypatch.setitem(sys.modules, "meshio", SimpleNamespace(Mesh=Mesh))
    return written


@pytest.mark.parametrize("suffix", [".npz", ".csv"])
def test_tables_read_back_exactly(tmp_path, suffix):
    domain = ps.Rectangle(x=(0, 1 / 3), y=(-2, 2))
    path = export_solution(solution(domain), tmp_path / "new" / f"u{suffix}", total=200)
    points, grid = ps.Points.read(path), domain.grid(200)
    assert points.names == ("x", "y", "u")
    assert torch.equal(points["x"], grid["x"])
    assert torch.equal(points["u"], grid["x"] ** 2 + grid["y"] ** 2)


@pytest.mark.parametrize("shape", [(4,), (3, 5), (3, 4, 2)])
def test_cells_tile_the_box_with_positive_orientation(shape):
    mesh = np.meshgrid(*(np.linspace(0, k + 1, n) for k, n in enumerate(shape)), indexing="ij")
    corners = np.stack([m.ravel() for m in mesh], axis=1)[grid_cells(shape)]  # (cells, corners, dimension)
    # the neighbours of corner 0 along the axes, as VTK numbers them
    edges = np.stack([corners[:, k] - corners[:, 0] for k in (1, 3, 4)[: len(shape)]], axis=1)
    volumes = np.linalg.det(edges)
    assert len(corners) == np.prod(np.array(shape) - 1)
    assert volumes.min() > 0
    assert volumes.sum() == pytest.approx(np.prod(np.arange(len(shape)) + 1))


@pytest.mark.parametrize(
    ("domain", "cell"),
    [(ps.Interval("x", 0, 2), "line"), (ps.Interval("x", 0, 2) * ps.Time(0, 1), "quad"), (ps.Box(dim=3), "hexahedron")],
)
def test_vtu_has_cells_fields_and_errors(tmp_path, meshes, domain, cell):
    reference = ps.Reference.exact(u=lambda s: getattr(s, domain.names[0]) ** 2, w=lambda s: 0.0)
    export_solution(solution(domain, reference), tmp_path / "u.vtu", total=300)
    [mesh] = meshes
    assert list(mesh.cells) == [cell]
    assert set(mesh.point_data) == {"u", "u_error"}
    assert mesh.points.shape == (len(domain.grid(300)), 3)
    np.testing.assert_allclose(mesh.point_data["u"], (mesh.points**2).sum(axis=1))
    np.testing.assert_allclose(mesh.point_data["u_error"], (mesh.points[:, 1:] ** 2).sum(axis=1), atol=1e-12)


def test_vtu_without_a_reference_has_no_error(tmp_path, meshes):
    export_solution(solution(ps.Interval("x", 0, 1)), tmp_path / "u.vtu", total=10)
    assert set(meshes[0].point_data) == {"u"}


def test_what_cannot_be_exported_is_refused_with_a_remedy(tmp_path, monkeypatch):
    with pytest.raises(ProblemError, match=r"ends in \.npz, \.csv, \.vtu, got '.*u\.txt'"):
        export_solution(solution(ps.Interval("x", 0, 1)), tmp_path / "u.txt")
    with pytest.raises(ProblemError, match="one to three coordinates, not 4"):
        export_solution(solution(ps.Box(dim=4)), tmp_path / "u.vtu")
    monkeypatch.setitem(sys.modules, "meshio", None)
    with pytest.raises(ProblemError, match=r"pip install 'pinnsine\[io\]'"):
        export_solution(solution(ps.Interval("x", 0, 1)), tmp_path / "u.vtu")
    assert list(tmp_path.iterdir()) == []


def test_more_than_three_coordinates_export_as_a_table(tmp_path):
    path = export_solution(solution(ps.Box(dim=5)), tmp_path / "u.npz", total=64)
    assert len(ps.Points.read(path)) == 64


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "u.csv"
    path.write_text("old")

    def interrupted():
        with replacing(path) as beside:
            beside.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [p.name for p in tmp_path.iterdir()] == ["u.csv"]
    assert path.read_text() == "old"


def test_places_that_cannot_be_written_to_are_refused_beforehand(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.h5").mkdir()
    with pytest.raises(ProblemError, match=r"cannot be written.*another place"):
        require_writable(tmp_path / "file" / "run.h5", [".h5"], "A run")
    with pytest.raises(ProblemError, match="is a folder"):
        require_writable(tmp_path / "folder.h5", [".h5"], "A run")
    require_writable(tmp_path / "a" / "b" / "run.h5", [".h5"], "A run")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    with (
        pytest.raises(ProblemError, match="cannot be written"),
        replacing(tmp_path / "file" / "run.h5"),
    ):
        pass
