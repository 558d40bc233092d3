"""Sines of affine functions: every derivative right, and the fast way taken only where the argument is affine."""

import pytest
import torch
from helpers import gap, multi_indices, nested_grad, rand

from pinnsine.domain import Interval, Time
from pinnsine.evaluate import taylor
from pinnsine.index import Collapsed
from pinnsine.nets.network import Embedding
from pinnsine.plane_waves import PlaneWaves, plane_waves

WEIGHT, PHASE = 3 * rand(7, 2, seed=1), rand(7, seed=2)
DOMAIN = Interval("x", -2, 1) * Time(0, 3)


class Waves(torch.nn.Module):
    """Sines behind an embedding; ``kinds`` notes what they were evaluated as."""

    def __init__(self, embedding):
        super().__init__()
        self.embedding, self.kinds = embedding, []

    def forward(self, x):
        y = self.embedding(x)
        out = plane_waves(y, WEIGHT if y.shape[-1] == 2 else 3 * rand(7, y.shape[-1], seed=1), PHASE)
        self.kinds.append(type(out))
        return out


def test_all_derivatives_to_order_four_are_exact():
    points, indices = rand(5, 2), multi_indices(("t", "x"), 4)
    module = Waves(Embedding(DOMAIN, ("x", "t")))
    found = taylor(module, points, ("x", "t"), indices)
    assert module.kinds == [PlaneWaves]
    for k in range(7):
        for index in indices:
            truth = nested_grad(lambda x, t, k=k: module(torch.stack([x, t], dim=1))[:, k], {"x": points[:, 0], "t": points[:, 1]}, index)
            assert gap(found.at(index)[:, k], truth) <= 1e-12, index


def test_the_laplacian_travels_collapsed():
    points, laplacian = rand(5, 2), Collapsed(("t", "x"))
    module = Waves(Embedding(DOMAIN, ("x", "t")))
    found = taylor(module, points, ("x", "t"), [laplacian]).at(laplacian)
    single = taylor(module, points, ("x", "t"), [("t", "t"), ("x", "x")])
    assert gap(found, single.at(("t", "t")) + single.at(("x", "x"))) <= 1e-14


@pytest.mark.parametrize("embedding", [Embedding(DOMAIN, ("x", "t"), ["x"]), torch.tanh, lambda x: x * x])
def test_an_argument_that_is_not_affine_takes_the_general_way(embedding):
    points, indices = rand(4, 2), multi_indices(("t", "x"), 3)
    module = Waves(embedding)
    found = taylor(module, points, ("x", "t"), indices)
    assert PlaneWaves not in module.kinds
    for index in indices:
        truth = nested_grad(lambda x, t: module(torch.stack([x, t], dim=1))[:, 3], {"x": points[:, 0], "t": points[:, 1]}, index)
        assert gap(found.at(index)[:, 3], truth) <= 1e-12, index


def test_gradients_flow_to_what_the_argument_depends_on():
    shift = torch.zeros((), dtype=torch.float64, requires_grad=True)
    points = rand(4, 2)

    def total(value):
        module = Waves(lambda x: x + value)
        return taylor(module, points, ("x", "t"), [("x", "x")]).at(("x", "x")).sum()

    [slope] = torch.autograd.grad(total(shift), shift)
    step = 1e-6
    assert float(slope) == pytest.approx(float(total(shift.detach() + step) - total(shift.detach() - step)) / (2 * step), rel=1e-7)
