"""What a linear layer is fed: plane waves, made piece by piece, are the same as their stacked derivatives."""

import pytest
import torch
from helpers import gap, multi_indices, rand

from pinnsine import plane_waves
from pinnsine.index import Collapsed
from pinnsine.jet import Context
from pinnsine.layer_input import StackedInput
from pinnsine.plane_waves import PlaneWaves

INDICES = (*multi_indices(("t", "x"), 3), Collapsed(("t", "x")))
COUNT, WIDTH, OUT = 12, 7, 2


@pytest.fixture
def waves():
    weight = 3 * rand(WIDTH, 2, seed=1)
    context = Context(("x", "t"), ("x",), indices=INDICES)
    return PlaneWaves(rand(COUNT, 2), weight, rand(WIDTH, seed=2), {"x": weight[:, 0], "t": weight[:, 1]}, context)


@pytest.mark.parametrize("cached", [1, 3 * WIDTH, 10**6])
def test_the_outputs_of_a_layer(waves, cached, monkeypatch):
    monkeypatch.setattr(plane_waves, "CACHED", cached)
    weight = rand(OUT, WIDTH, seed=3)
    assert waves.layer_input() is waves
    assert gap(waves.times(weight), StackedInput(waves.stacked()).times(weight)) <= 1e-14


def test_gradients_reach_the_weights_of_the_layer(waves):
    weight, slopes = rand(OUT, WIDTH, seed=3).requires_grad_(), rand(len(INDICES), COUNT, OUT, seed=4)
    [gradient] = torch.autograd.grad((waves.times(weight) * slopes).sum(), weight)
    assert gap(gradient, torch.einsum("kno,kni->oi", slopes, waves.stacked())) <= 1e-14


@pytest.mark.parametrize("nodes", [1, 3])
def test_the_rows_of_a_jacobian(waves, nodes):
    slopes, stacked = rand(len(INDICES), COUNT, OUT, seed=4), StackedInput(waves.stacked())
    for rows in (slice(0, COUNT // nodes), slice(1, 3)):
        found = waves.outer(slopes, nodes, rows)
        assert found.shape == (rows.stop - rows.start, OUT, WIDTH)
        assert gap(found, stacked.outer(slopes, nodes, rows)) <= 1e-14


def test_rows_of_several_nodes_sum_over_them():
    slopes, inputs = rand(2, 6, OUT), rand(2, 6, WIDTH, seed=1)
    found = StackedInput(inputs).outer(slopes, 3, slice(0, 2))
    for row in range(2):
        expected = sum(torch.outer(slopes[k, 3 * row + q], inputs[k, 3 * row + q]) for k in range(2) for q in range(3))
        assert gap(found[row], expected) <= 1e-14
