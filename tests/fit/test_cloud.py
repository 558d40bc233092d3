"""Clouds of points: what is read, cleaned, oriented and refused."""

import numpy as np
import pytest

from pinnsine.errors import ProblemError
from pinnsine.fit.cloud import as_cloud, estimated_normals
from pinnsine.points import Points


def sphere(count=400, seed=0):
    points = np.random.default_rng(seed).standard_normal((count, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def test_normals_are_brought_to_length_one_and_equal_points_kept_once():
    points = sphere(20)
    cloud = as_cloud(np.hstack([points, 3 * points])[[0, 1, 1, *range(2, 20), 0]])
    assert np.array_equal(cloud.points, points)
    assert np.allclose(cloud.normals, points, atol=1e-15)


def test_arrays_points_and_tables_are_one_cloud(tmp_path):
    points = sphere(9)
    columns = dict(zip(("x", "y", "z", "nx", "ny", "nz"), np.hstack([points, points]).T, strict=True))
    path = tmp_path / "sphere.xyz"
    np.savetxt(path, np.hstack([points, points]), fmt="%.17g")
    for source in (np.hstack([points, points]), Points(columns), path):
        cloud = as_cloud(source)
        assert np.array_equal(cloud.points, points)
        assert np.allclose(cloud.normals, points, atol=1e-15)


def test_a_mesh_is_sampled_with_its_normals(tmp_path):
    trimesh = pytest.importorskip("trimesh")
    path = tmp_path / "box.ply"
    trimesh.creation.box((2, 2, 2)).export(path)
    cloud = as_cloud(path, 300)
    assert len(cloud.points) == 300
    assert np.allclose(np.einsum("nd,nd->n", cloud.points, cloud.normals), 1, atol=1e-6)


@pytest.mark.parametrize("shape", ["sphere", "torus"])
def test_estimated_normals_point_outwards(shape):
    """The worst normal is off by 8.8 degrees on the sphere, by 11.1 on the torus."""
    normals = sphere(600)
    points = normals
    if shape == "torus":
        rng = np.random.default_rng(1)
        around, along = 2 * np.pi * rng.random((2, 3000))
        normals = np.stack([np.cos(around) * np.cos(along), np.cos(around) * np.sin(along), np.sin(around)], axis=1)
        points = np.stack([np.cos(along), np.sin(along), 0 * along], axis=1) + 0.4 * normals
    cosines = np.einsum("nd,nd->n", estimated_normals(points), normals)
    assert cosines.min() > np.cos(np.radians(30 if shape == "torus" else 26))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((5, 2)), r"shape \(N, 3\).*got \(5, 2\)"),
        (np.zeros((5, 3)), "four different points, got 1"),
        (np.zeros((0, 3)), "four different points, got 0"),
        (np.hstack([sphere(9), 0 * sphere(9)]), "9 normals of the cloud have length zero"),
        (np.where(np.arange(9)[:, None] < 2, np.nan, sphere(9)), "2 points of the cloud are not finite"),
        (Points({"x": [0.0], "y": [0.0]}), "lack the column 'z'"),
        ("nowhere.ply", "There is no file 'nowhere.ply'"),
    ],
)
def test_what_is_no_cloud_is_refused(source, message):
    with pytest.raises(ProblemError, match=message):
        as_cloud(source)


@pytest.mark.parametrize("name", ["broken.xyz", "broken.ply"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name):
    if name.endswith(".ply"):
        pytest.importorskip("trimesh")
    path = tmp_path / name
    path.write_text("no numbers")
    with pytest.raises(ProblemError, match=name):
        as_cloud(path)
