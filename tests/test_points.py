"""Named columns: shapes, selection, files, tensor grids."""

import warnings

import numpy as np
import pytest
import torch
from helpers import columns, rand

from pinnsine.errors import ProblemError
from pinnsine.points import Points, grid_shape, tensor_grid


def test_lists_and_arrays_become_float64_columns():
    points = Points({"x": [0, 1, 2], "u": np.array([1, 2, 3], dtype=np.int32), "w": np.float32([1, 2, 3])})
    assert len(points) == 3
    assert points.names == ("x", "u", "w")
    assert all(points[n].dtype == torch.float64 for n in points.names)


@pytest.mark.parametrize(
    ("broken", "got"),
    [
        ({"x": [0.0, 1.0], "t": [0.0]}, r"x \(2,\), t \(1,\)"),
        ({"x": [[0.0, 1.0]]}, r"x \(1, 2\)"),
        ({"x": 1.0}, r"x \(\)"),
        ({}, "no columns"),
    ],
)
def test_columns_of_unequal_shapes_are_refused(broken, got):
    with pytest.raises(ProblemError, match=rf"columns of one shape \(N,\), got {got}"):
        Points(broken)


def test_matrix_has_the_columns_in_the_order_asked_for():
    batch = columns("xyt")
    assert torch.equal(Points(batch).matrix(("t", "x")), torch.stack([batch["t"], batch["x"]], 1))


@pytest.mark.parametrize("index", [slice(1, 4), torch.tensor([5, 0, 0]), torch.tensor([True, False] * 3)])
def test_selection_takes_columns_and_normals_together(index):
    batch = columns("xy")
    points = Points(batch, {"x": batch["y"]}).select(index)
    assert torch.equal(points["x"], batch["x"][index])
    assert torch.equal(points.normal["x"], batch["y"][index])


def test_join_appends_in_order():
    joined = Points.join([Points({"x": [1.0], "t": [2.0]}, {"x": rand(1)}), Points({"t": [4.0], "x": [3.0]}, {"x": rand(1)})])
    assert joined["x"].tolist() == [1, 3]
    assert joined["t"].tolist() == [2, 4]
    assert len(joined.normal["x"]) == 2


def test_conversion_moves_columns_and_normals():
    points = Points(columns("x"), {"x": rand(6)}).to(torch.float32, torch.device("cpu"))
    assert points.normal["x"].dtype == torch.float32


def test_tensor_grid_is_every_combination_with_the_last_axis_fastest():
    points = tensor_grid({"x": torch.tensor([0.0, 1.0]), "y": torch.tensor([5.0, 6.0, 7.0])})
    assert points["x"].tolist() == [0, 0, 0, 1, 1, 1]
    assert points["y"].tolist() == [5, 6, 7, 5, 6, 7]


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_grid_counts_are_odd_and_multiply_to_about_the_total(dimension):
    shape = grid_shape(dimension, 50_000)
    assert len(shape) == dimension
    assert all(n % 2 == 1 for n in shape)
    assert 0.8 * 50_000 <= np.prod(shape) <= 50_000


TABLE = {"x": np.array([0.0, 0.5, 1.0]), "t": np.array([1.0, 2.0, 3.0]), "u_measured": np.array([-1.0, 1e-3, 2e5])}


def write_csv(path):
    rows = "\n".join(",".join(repr(float(v)) for v in row) for row in zip(*TABLE.values(), strict=True))
    path.write_text(",".join(TABLE) + "\n" + rows + "\n")


def write_npz(path):
    np.savez(path, **TABLE)


def write_h5(path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for name, column in TABLE.items():
            file[name] = column


@pytest.mark.parametrize(("suffix", "write"), [("csv", write_csv), ("npz", write_npz), ("h5", write_h5)])
def test_tables_are_read_as_they_were_written(tmp_path, suffix, write):
    path = tmp_path / f"probe.{suffix}"
    write(path)
    points = Points.read(path)
    assert set(points.names) == set(TABLE)
    for name, column in TABLE.items():
        assert points[name].tolist() == column.tolist()


def test_a_table_of_one_row_is_one_point(tmp_path):
    (tmp_path / "one.csv").write_text("x,u\n0.5,2\n")
    assert Points.read(tmp_path / "one.csv")["u"].tolist() == [2]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("nan.csv", "x,u\n0.5,nan\n", r"nan\.csv: column 'u' holds numbers that are not finite"),
        ("words.csv", "x,u\n0.5,high\n", r"words\.csv: column 'u' holds numbers that are not finite"),
        ("probe.txt", "x\n1\n", r"read from \.csv, \.npz, \.h5 or \.hdf5, got 'probe\.txt'"),
        ("ragged.csv", "x,u\n0.5,1\n0.5\n", r"ragged\.csv"),
        ("header.csv", "x,u\n", r"header\.csv"),
        ("empty.csv", "", r"empty\.csv"),
        ("broken.npz", "no archive", r"broken\.npz"),
    ],
)
def test_a_file_that_holds_no_table_of_finite_numbers_is_refused_by_name(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ProblemError, match=message):
            Points.read(tmp_path / name)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(ProblemError, match=r"There is no file '.*absent\.csv'"):
        Points.read(tmp_path / "absent.csv")
