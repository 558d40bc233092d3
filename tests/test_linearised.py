"""The first-order model r + J p: its Gram matrix, its damped normal equations, dense and streamed."""

import pytest
import torch
from helpers import gap, rand

from pinnsine.errors import EvaluationError, ProblemError
from pinnsine.linearised import Linearised, gram_matrix

ROWS, JACOBIAN = rand(40, seed=1), rand(40, 7, seed=2)


def streamed(size):
    chunks = ((ROWS[i : i + size], JACOBIAN[i : i + size]) for i in range(0, 40, size))
    return Linearised.streamed(ROWS, chunks, JACOBIAN.__matmul__, JACOBIAN.T.__matmul__)


@pytest.mark.parametrize("model", [Linearised.dense(ROWS, JACOBIAN), streamed(1), streamed(7), streamed(100)])
def test_dense_and_streamed_models_are_the_same(model):
    assert torch.equal(model.rows, ROWS)
    assert gap(model.gradient, JACOBIAN.T @ ROWS) <= 1e-14
    assert gap(model.gram, JACOBIAN.T @ JACOBIAN) <= 1e-14
    p, v = rand(7, seed=3), rand(40, seed=4)
    assert gap(model.apply(p), JACOBIAN @ p) <= 1e-15
    assert gap(model.adjoint(v), JACOBIAN.T @ v) <= 1e-15


@pytest.mark.parametrize("size", [1, 2, 3, 4, 50])
def test_the_gram_matrix_is_the_symmetric_product(size):
    jacobian = rand(300, size, seed=5)
    gram = gram_matrix(jacobian)
    assert gap(gram, jacobian.T @ jacobian) <= 1e-14
    assert gap(gram, gram.T) <= 1e-15


@pytest.mark.parametrize("damping", [1e-12, 1e-3, 10.0])
def test_the_damped_step_minimises_the_damped_model(damping):
    """p = -(J^T J + damping I)^-1 J^T r is the least-squares solution of [J; sqrt(damping) I] p = [-r; 0]."""
    model = Linearised.dense(ROWS, JACOBIAN)
    step = model.factor(damping).solve(-model.gradient)
    stacked = torch.cat([JACOBIAN, damping**0.5 * torch.eye(7, dtype=torch.float64)])
    expected = torch.linalg.lstsq(stacked, torch.cat([-ROWS, torch.zeros(7, dtype=torch.float64)])[:, None]).solution[:, 0]
    assert gap(step, expected) <= 1e-10


FORMS = ["cholesky", "dual", "qr"]


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("damping", [1e-4, 1e-2, 10.0])
@pytest.mark.parametrize("shape", [(40, 7), (7, 40), (9, 9)])
@pytest.mark.parametrize("form", [*FORMS, "auto"])
def test_every_form_solves_the_same_damped_problem(form, shape, damping, scaled):
    """The least-squares solution of [J; sqrt(damping D)] p = [-v; 0]."""
    jacobian, rows, v = rand(*shape, seed=2), rand(shape[0], seed=1), rand(shape[0], seed=4)
    jacobian[:, 0] *= 10
    model = Linearised.dense(rows, jacobian, form, scaled)
    weights = jacobian.norm(dim=0) if scaled else torch.ones(shape[1], dtype=torch.float64)
    stacked = torch.cat([jacobian, damping**0.5 * torch.diag(weights)])
    factor = model.factor(damping)
    for right, projected in ((rows, model.projected), (v, model.project(v))):
        padded = torch.cat([-right, torch.zeros(shape[1], dtype=torch.float64)])
        expected = torch.linalg.lstsq(stacked, padded[:, None]).solution[:, 0]
        assert gap(-factor.solve(projected), expected) <= 1e-8
        assert model.norm(expected) == pytest.approx(float((weights * expected).norm()))
    largest = float(torch.linalg.matrix_norm(jacobian / weights, 2)) ** 2
    assert largest / max(shape) <= model.size <= largest * (1 + 1e-12)


@pytest.mark.parametrize("scaled", [False, True])
def test_the_kernel_by_columns_is_that_of_the_whole(scaled):
    jacobian = rand(7, 40, seed=2)
    jacobian[:, 3] = 0
    rows = ROWS[:7]
    whole = Linearised.dense(rows, jacobian, "dual", scaled)
    parts = Linearised.streamed_by_columns(rows, jacobian.split(9, dim=1), jacobian.__matmul__, jacobian.T.__matmul__, scaled)
    assert gap(parts.kernel, whole.kernel) <= 1e-14
    assert gap(parts.factor(1e-3).solve(rows), whole.factor(1e-3).solve(rows)) <= 1e-12


@pytest.mark.parametrize("form", FORMS)
def test_the_floor_is_where_rounding_begins(form):
    """A singular value s is found again by the form while s^2 is above the floor, and the floor of QR is that of Cholesky squared."""
    jacobian = torch.diag(torch.tensor([1.0, 1e-3, 1e-6], dtype=torch.float64))
    model = Linearised.dense(ROWS[:3], jacobian, form)
    eps = torch.finfo(torch.float64).eps
    assert model.floor == pytest.approx((4 * eps) ** 2 if form == "qr" else 4 * eps)
    assert model.factor(model.floor) is not None


def test_an_unknown_form_is_refused_with_the_known_ones():
    with pytest.raises(ProblemError, match="Unknown factorisation 'lu': choose one of 'cholesky', 'qr', 'dual', 'auto'"):
        Linearised.dense(ROWS, JACOBIAN, "lu")


def test_no_factor_where_the_matrix_is_not_positive_definite():
    singular = Linearised.dense(ROWS, torch.cat([JACOBIAN, JACOBIAN], dim=1))
    assert singular.factor(-1.0) is None
    assert singular.factor(1e-3) is not None


def test_damping_leaves_the_gram_matrix_as_it_was():
    model = Linearised.dense(ROWS, JACOBIAN)
    before = model.gram.clone()
    model.factor(1.0)
    assert torch.equal(model.gram, before)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_rows_that_are_not_finite_are_refused(broken):
    rows = ROWS.clone()
    rows[3] = broken
    with pytest.raises(EvaluationError, match="The residual rows are not finite"):
        Linearised.dense(rows, JACOBIAN)
    with pytest.raises(EvaluationError, match="The residual rows are not finite"):
        Linearised.streamed(rows, [(rows, JACOBIAN)], None, None)
