"""Sparse least squares: the Jacobian, the step and its ways of solving against dense linear algebra."""

import numpy as np
import pytest
import torch

import pinnsine as ps
from pinnsine import sparse
from pinnsine.ansatz import build_ansatz
from pinnsine.errors import ProblemError
from pinnsine.least_squares import GaussNewtonStep
from pinnsine.nets import LocalSines
from pinnsine.objective import bind
from pinnsine.scaling import field_scales

IMAGE = np.random.default_rng(0).random((9, 10))
COLOUR = np.random.default_rng(1).random((9, 10, 3))
PROBLEMS = {
    "values": ps.fit.image(IMAGE),
    "colour": ps.fit.image(COLOUR),
    "stencils": ps.fit.poisson(ps.fit.gradient(IMAGE), ps.fit.laplacian(IMAGE), stencil="forward"),
    "derivatives": ps.fit.poisson((IMAGE, IMAGE), IMAGE),
    "values and curvature": ps.fit.image(COLOUR, smooth=0.1),
    "video": ps.fit.video([IMAGE, IMAGE]),
}


def objective_of(problem, spec):
    ansatz = build_ansatz(problem, spec, field_scales(problem), torch.Generator().manual_seed(0))
    return bind(ansatz, {c.name: c.on for c in problem.soft}), ansatz.flat()


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_sparse_jacobian_is_the_dense_one(name):
    objective, theta = objective_of(PROBLEMS[name], LocalSines(2, 3))
    rows, found = sparse.sparse_jacobian(objective, theta)
    dense_rows, dense = objective.jacobian(theta)
    assert torch.equal(rows, dense_rows)
    assert found.nnz < 0.8 * dense.numel() or name == "stencils"
    assert np.abs(found.toarray() - dense.numpy()).max() <= 1e-14 * float(dense.abs().max())


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_step_is_that_of_dense_least_squares(name):
    """With fewer unknowns than rows and hardly any damping both find the one minimiser of |r + J p|.

    What they leave differs by rounding but for the video, by 1.06e-9 on an AMD EPYC and less than 1e-9 on an Intel Xeon.
    """
    objective, theta = objective_of(PROBLEMS[name], LocalSines(1, 2))
    assert sparse.is_local(objective)
    found, dense = objective.gauss_newton(theta, 1e-14), GaussNewtonStep.of(*objective.jacobian(theta), theta, 1e-12)
    assert float(found.left.norm()) == pytest.approx(float(dense.left.norm()), rel=5e-9)
    assert torch.allclose(found.left, found.rows + objective.jacobian(theta)[1] @ found.step, atol=1e-12)


def test_where_the_band_does_not_fit_the_answer_is_found_by_iterations(monkeypatch):
    objective, theta = objective_of(PROBLEMS["colour"], LocalSines(2, 3))
    direct = objective.gauss_newton(theta, 1e-6)
    monkeypatch.setattr(sparse, "WORK", 0)
    iterated = objective.gauss_newton(theta, 1e-6)
    assert 0 < float((direct.step - iterated.step).norm()) <= 1e-5 * float(direct.step.norm())


def test_channels_share_one_factorisation(monkeypatch):
    made = []
    normal_equations = sparse._normal_equations
    monkeypatch.setattr(sparse, "_normal_equations", lambda *a: made.append(1) or normal_equations(*a))
    objective, theta = objective_of(PROBLEMS["colour"], LocalSines(2, 3))
    objective.gauss_newton(theta, 1e-14)
    assert len(made) == 1


def test_nothing_is_solved_at_the_minimum():
    objective, theta = objective_of(PROBLEMS["values"], LocalSines(1, 2))
    minimum = theta + objective.gauss_newton(theta, 1e-14).step
    assert not objective.gauss_newton(minimum, 1e-14).step.any()


def test_coupled_rows_are_refused():
    mean = ps.Residual("mean", lambda s: s.u - s.u.mean(), on=PROBLEMS["values"].constraints[0].on)
    problem = ps.Problem(PROBLEMS["values"].domain, ["u"], [*PROBLEMS["values"].constraints, mean])
    objective, theta = objective_of(problem, LocalSines(1, 2))
    with pytest.raises(ProblemError, match="'mean' couples its rows"):
        objective.gauss_newton(theta, 1e-14)
