"""Damped least squares: against numpy, against the augmented problem, and where the normal equations lose everything."""

import numpy as np
import pytest
import torch
from helpers import gap, rand

from pinnsine.least_squares import least_squares

TINY = 1e-14


def orthonormal(rows, columns, seed=0):
    return torch.linalg.qr(rand(rows, columns, seed=seed))[0]


def of_condition(condition, rows=60, columns=12):
    """A matrix with singular values spread evenly in logarithm from 1 to 1/condition, hidden by rotations on both sides."""
    values = torch.logspace(0, -np.log10(condition), columns, dtype=torch.float64)
    return orthonormal(rows, columns, 1) * values @ orthonormal(columns, columns, 2).T


def augmented(matrix, right, damping, origin):
    """The minimiser as numpy finds it: of the rows A x - b above the rows damping S (x - origin)."""
    scale = np.linalg.norm(matrix, axis=0)
    above = np.concatenate([matrix, damping * np.diag(np.where(scale > 0, scale, 1))])
    wanted = np.concatenate([right, damping * scale * origin])
    return torch.from_numpy(np.linalg.lstsq(above, wanted, rcond=None)[0])


@pytest.mark.parametrize(("rows", "columns"), [(60, 12), (13, 12), (12, 12), (40, 1)])
def test_a_well_conditioned_problem_has_the_solution_that_numpy_finds(rows, columns):
    matrix, right = rand(rows, columns, seed=1) + 3 * torch.eye(rows, columns, dtype=torch.float64), rand(rows, seed=2)
    expected = np.linalg.lstsq(matrix.numpy(), right.numpy(), rcond=None)[0]
    assert gap(least_squares(matrix, right, TINY), torch.from_numpy(expected)) <= 1e-12


@pytest.mark.parametrize("shift", [0.0, 1.0])
@pytest.mark.parametrize("damping", [1e-6, 0.3, 0.99])
@pytest.mark.parametrize("rows", [60, 12, 5])
def test_the_damped_minimiser_is_that_of_the_augmented_problem(rows, damping, shift):
    matrix, right = rand(rows, 12, seed=1), rand(rows, seed=2)
    origin = shift * rand(12, seed=3)
    found = least_squares(matrix, right, damping, origin if shift else None)
    assert gap(found, augmented(matrix.numpy(), right.numpy(), damping, origin.numpy())) <= (1e-12 if rows >= 12 else 1e-9)


@pytest.mark.parametrize("damping", [0.01, 0.5])
def test_the_gradient_vanishes_at_the_minimiser(damping):
    matrix, right, origin = rand(30, 8, seed=1), rand(30, seed=2), rand(8, seed=3)
    x = least_squares(matrix, right, damping, origin)
    gradient = matrix.T @ (matrix @ x - right) + damping**2 * matrix.square().sum(dim=0) * (x - origin)
    assert float(gradient.abs().max()) <= 1e-13


def test_damping_draws_the_minimiser_to_the_origin_given():
    matrix, right, origin = rand(30, 8, seed=1), rand(30, seed=2), rand(8, seed=3)
    distances = [float((least_squares(matrix, right, d, origin) - origin).norm()) for d in (1e-3, 0.5, 5.0, 1e4)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 1e-6


def test_the_units_of_the_columns_do_not_matter():
    matrix, right, origin = rand(30, 8, seed=1), rand(30, seed=2), rand(8, seed=3)
    units = 2.0 ** torch.arange(-40, 40, 10, dtype=torch.float64)
    found = least_squares(matrix * units, right, 0.1, origin / units)
    assert torch.equal(found * units, least_squares(matrix, right, 0.1, origin))


def test_equal_columns_share_what_one_of_them_would_get():
    matrix, right = rand(30, 5, seed=1), rand(30, seed=2)
    alone = least_squares(matrix, right, 1e-2 / 2**0.5)
    doubled = least_squares(torch.cat([matrix, matrix], dim=1), right, 1e-2)
    assert gap(doubled[:5], alone / 2) <= 1e-10
    assert gap(doubled[5:], alone / 2) <= 1e-10


@pytest.mark.parametrize(("dtype", "damping"), [(torch.float64, 1e-14), (torch.float64, 1e-9), (torch.float32, 5e-6)])
@pytest.mark.parametrize(
    "matrix",
    [
        rand(30, 5, seed=1).repeat(1, 3),
        rand(30, 2, seed=1) @ rand(2, 12, seed=2),
        torch.ones(30, 4, dtype=torch.float64),
        torch.cat([rand(30, 4, seed=1), torch.zeros(30, 3, dtype=torch.float64)], dim=1),
        torch.zeros(30, 3, dtype=torch.float64),
        rand(4, 12, seed=1),
    ],
    ids=["columns thrice", "rank two", "ones", "zero columns", "nothing but zeros", "fewer rows than columns"],
)
def test_without_full_rank_the_rows_are_as_small_as_they_can_be_and_the_numbers_finite(matrix, dtype, damping):
    right = rand(len(matrix), seed=7)
    smallest = np.linalg.norm(matrix.numpy() @ np.linalg.lstsq(matrix.numpy(), right.numpy(), rcond=1e-12)[0] - right.numpy())
    matrix, right = matrix.to(dtype), right.to(dtype)
    found = least_squares(matrix, right, damping)
    assert found.dtype == dtype
    assert bool(torch.isfinite(found).all())
    assert float((matrix @ found - right).norm()) <= smallest + 1e-4


def test_a_zero_column_stays_where_its_origin_is():
    matrix, right, origin = rand(30, 4, seed=1), rand(30, seed=2), rand(4, seed=3)
    matrix[:, 2] = 0
    assert float(least_squares(matrix, right, TINY)[2]) == 0
    assert float(least_squares(matrix, right, 0.1, origin)[2]) == pytest.approx(float(origin[2]), rel=1e-12)


def test_at_condition_1e12_four_digits_remain_where_the_normal_equations_keep_none():
    matrix, truth = of_condition(1e12), rand(12, seed=3)
    right = matrix @ truth
    assert gap(least_squares(matrix, right, TINY), truth) < 1e-3
    normal = torch.linalg.solve(matrix.T @ matrix, matrix.T @ right)
    assert gap(normal, truth) > 0.1


@pytest.mark.parametrize("condition", [1e4, 1e8, 1e12, 1e16])
def test_the_rows_vanish_to_rounding_whatever_the_condition(condition):
    matrix = of_condition(condition)
    right = matrix @ rand(12, seed=3)
    found = least_squares(matrix, right, TINY)
    assert float((matrix @ found - right).norm()) <= 1e-13
    assert float(found.norm()) < 1e3


def test_the_arguments_are_left_as_they_are():
    arguments = rand(20, 6, seed=1), rand(20, seed=2), rand(6, seed=3)
    matrix, right, origin = (a.clone() for a in arguments)
    least_squares(matrix, right, 0.1, origin)
    assert all(torch.equal(a, b) for a, b in zip((matrix, right, origin), arguments, strict=True))
