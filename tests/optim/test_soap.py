"""SOAP: Adam in a basis that turns with the problem."""

import pytest
import torch
from helpers import rand

from pinnsine.errors import ProblemError
from pinnsine.optim import SOAP, Adam

SHAPE = (4, 3)


class Matrix:
    """Parameters that are one matrix and a bias behind it."""

    @staticmethod
    def views(theta):
        return {"weight": theta[:12].view(SHAPE), "bias": theta[12:]}


def directions(method, gradients):
    """The step for each of the gradients (17,), at rate one."""
    state = method.start(Matrix, torch.zeros(17, dtype=torch.float64))
    return [method.direction(Matrix, g, state).clone() for g in gradients]


def test_the_first_step_is_the_orthogonal_factor_of_the_gradient():
    g = rand(17, seed=1)
    [step] = directions(SOAP(), [g])
    u, _, v = torch.linalg.svd(Matrix.views(g)["weight"], full_matrices=False)
    torch.testing.assert_close(Matrix.views(step)["weight"], u @ v, rtol=0, atol=1e-3)  # what is zero but for rounding counts a little


@pytest.mark.parametrize(("method", "turns"), [(SOAP(every=4), True), (Adam(), False)])
def test_where_the_problem_is_turned_so_are_the_steps_which_is_not_so_with_adam(method, turns):
    gradients = [rand(17, seed=k) + 0.1 for k in range(30)]
    left, right = (torch.linalg.qr(rand(n, n, seed=n))[0] for n in SHAPE)

    def turned(g):
        return torch.cat([(left @ Matrix.views(g)["weight"] @ right).reshape(-1), g[12:]])

    pairs = zip(directions(method, gradients), directions(method, map(turned, gradients)), strict=True)
    gaps = [float((turned(a) - b).abs().max()) for a, b in pairs][1:]  # rounding counts in the first
    assert (max(gaps) < 1e-7) == turns


def test_a_bias_is_left_to_adam():
    gradients = [rand(17, seed=k) for k in range(12)]
    for a, b in zip(directions(SOAP(every=2), gradients), directions(Adam(beta1=0.95, beta2=0.95), gradients), strict=True):
        assert torch.equal(a[12:], b[12:])
        assert not torch.allclose(a[:12], b[:12])


def test_bases_are_made_anew_after_one_step_at_least():
    with pytest.raises(ProblemError, match="SOAP needs every of at least 1"):
        SOAP(every=0)
