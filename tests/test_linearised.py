"""The first-order model r + J p: its Gram matrix, its damped normal equations, dense and streamed."""

import pytest
import torch
from helpers import gap, rand

from pinnsine.errors import EvaluationError
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
