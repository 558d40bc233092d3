"""Tables of every kind of file, grid and cloud: read as they were written, interpolated as accurately as they are."""

import numpy as np
import pytest
import torch
from scipy.io import savemat

import pinnsine as ps
from pinnsine.errors import ProblemError
from pinnsine.reference import table

DOMAIN = ps.Interval("x", -1, 1) * ps.Time(0, 1)
X, T = np.linspace(-1, 1, 65), np.linspace(0, 1, 41)


def exact(x, t):
    return np.exp(-t) * np.sin(3 * x) + x**2


def scattered(count=500):
    return DOMAIN.sample(count, "uniform", torch.Generator().manual_seed(1)).columns


def error(reference, field="u"):
    columns = scattered()
    expected = exact(*(c.numpy() for c in columns.values()))
    return float(np.linalg.norm(reference.evaluate(columns)[field].numpy() - expected) / np.linalg.norm(expected))


def write(path, x, t, u):
    """The arrays in a file of the kind that its ending says."""
    if path.suffix == ".npz":
        np.savez(path, x=x, t=t, u=u)
    elif path.suffix == ".mat":
        savemat(path, {"x": x, "t": t, "u": u})
    elif path.suffix == ".csv":
        np.savetxt(path, np.stack([a.ravel() for a in (x, t, u)], axis=1), fmt="%.17g", delimiter=",", header="x,t,u", comments="")
    else:
        import h5py

        with h5py.File(path, "w") as file:
            file.update({"x": x, "t": t, "u": u})
    return path


@pytest.mark.parametrize("suffix", ["npz", "mat", "h5"])
@pytest.mark.parametrize("turned", [False, True])
def test_grids(tmp_path, suffix, turned):
    values = exact(X[:, None], T[None, :])
    reference = table(write(tmp_path / f"a.{suffix}", X, T, values.T if turned else values))
    assert error(reference) < reference.floor["u"] < 1e-6
    assert error(reference) < 1e-10  # measured 3e-12


def test_columns_that_are_a_grid_in_any_order(tmp_path):
    x, t = (a.ravel() for a in np.meshgrid(X, T))
    order = np.random.default_rng(0).permutation(len(x))
    reference = table(write(tmp_path / "a.csv", x[order], t[order], exact(x, t)[order]))
    assert error(reference) < 1e-10


def test_values_at_the_points_of_the_table_are_its_own(tmp_path):
    noisy = np.random.default_rng(0).standard_normal((65, 41))
    reference = table(write(tmp_path / "a.npz", X, T, noisy))
    columns = {"x": torch.from_numpy(np.repeat(X, 41)), "t": torch.from_numpy(np.tile(T, 65))}
    np.testing.assert_array_equal(reference.evaluate(columns)["u"].numpy(), noisy.ravel())
    assert reference.floor["u"] > 0.5


def test_chebyshevs_points_are_interpolated_by_polynomials(tmp_path):
    x, t = -np.cos(np.pi * np.arange(25) / 24), 0.5 - 0.5 * np.cos(np.pi * np.arange(17) / 16)
    reference = table(write(tmp_path / "a.npz", x, t, exact(x[:, None], t[None, :])))
    assert error(reference) < 1e-13


@pytest.mark.parametrize("closed", [False, True])
def test_periodic_coordinates(tmp_path, closed):
    x = np.linspace(-1, 1, 17)[: None if closed else -1]
    values = np.exp(np.sin(np.pi * x))[:, None] * (1 + T)[None, :]
    reference = table(write(tmp_path / "a.npz", x, T, values), periodic=["x"])
    columns = scattered()
    expected = torch.exp(torch.sin(torch.pi * columns["x"])) * (1 + columns["t"])
    assert float((reference.evaluate(columns)["u"] - expected).norm() / expected.norm()) < 1e-8


def test_scattered_points(tmp_path):
    points = DOMAIN.sample(2000, "sobol", torch.Generator().manual_seed(0)).columns
    x, t = (c.numpy() for c in points.values())
    reference = table(write(tmp_path / "a.csv", x, t, exact(x, t)))
    inside = {n: 0.9 * c + 0.05 for n, c in scattered().items()}
    expected = exact(*(c.numpy() for c in inside.values()))
    found = reference.evaluate(inside)["u"].numpy()
    assert np.linalg.norm(found - expected) / np.linalg.norm(expected) < reference.floor["u"] < 1e-3


def test_names_and_floors_may_be_given(tmp_path):
    np.savez(tmp_path / "a.npz", xx=X, tt=T, usol=exact(X[:, None], T[None, :]))
    reference = table(tmp_path / "a.npz", names={"x": "xx", "t": "tt", "u": "usol"}, floor=3e-6)
    assert error(reference) < 1e-10
    assert reference.floor["u"] == 3e-6


def test_a_reference_writes_itself_as_a_table(tmp_path):
    reference = ps.Reference.exact(u=lambda s: torch.exp(-s.t) * torch.sin(3 * s.x) + s.x**2, floor={"u": 1e-4})
    again = table(reference.save(tmp_path / "a.h5", DOMAIN, total=3000))
    assert error(again) < 1e-9
    assert 1e-4 <= again.floor["u"] < 1.1e-4


@pytest.mark.parametrize("name", ["a.txt", "a.npz"])
def test_a_reference_is_written_as_hdf5_alone(tmp_path, name):
    with pytest.raises(ProblemError, match=r"written as \.h5"):
        ps.Reference.exact(u=lambda s: s.x).save(tmp_path / name, DOMAIN)


def test_wrong_tables_are_refused(tmp_path):
    good = write(tmp_path / "a.npz", X, T, exact(X[:, None], T[None, :]))
    np.savez(tmp_path / "b.npz", x=X, t=T, u=np.ones((3, 4)))
    np.savez(tmp_path / "c.npz", x=X, t=T, u=np.full((65, 41), np.nan))
    (tmp_path / "d.npz").write_bytes(b"no table")
    for path, settings, message in (
        (tmp_path / "none.npz", {}, "There is no file"),
        (good, {"fields": "v"}, "has no array 'v': it has x, t, u"),
        (tmp_path / "b.npz", {}, r"neither a grid nor columns of one length: x \(65,\)"),
        (tmp_path / "c.npz", {}, "'u' holds numbers that are not finite"),
        (tmp_path / "d.npz", {}, "no table that can be read"),
    ):
        with pytest.raises(ProblemError, match=message):
            table(path, **settings)


def test_points_outside_the_table_are_refused(tmp_path):
    reference = table(write(tmp_path / "a.npz", X, T, exact(X[:, None], T[None, :])))
    with pytest.raises(ProblemError, match="made for -1 <= x <= 1, got x from 0 to 2"):
        reference.evaluate({"x": torch.tensor([0.0, 2.0]), "t": torch.zeros(2)})
