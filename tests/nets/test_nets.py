"""Networks: shapes, seeds, and the statistics that their initial draws are known for."""

import math

import pytest
import torch
from helpers import gap, rand

from pinnsine.domain import Box
from pinnsine.errors import ProblemError
from pinnsine.nets import MLP, Siren
from pinnsine.nets.network import Embedding


def build(spec, inputs=2, outputs=3, seed=0):
    return spec.build(inputs, outputs, torch.Generator().manual_seed(seed))


def parameters(module):
    return torch.cat([p.detach().reshape(-1) for p in module.parameters()])


@pytest.mark.parametrize("spec", [Siren(7, 3), Siren(1, 1), MLP(7, 3), MLP(5, 1, "sigmoid"), MLP(5, 2, "softplus"), MLP(5, 2, "sin")])
def test_shapes_depth_and_number_type(spec):
    module = build(spec)
    assert module(rand(11, 2)).shape == (11, 3)
    assert len(module.layers) == spec.depth + 1
    assert all(p.dtype == torch.float64 for p in module.parameters())


@pytest.mark.parametrize("spec", [Siren(), MLP()])
def test_the_generator_alone_decides_the_parameters(spec):
    torch.manual_seed(1)
    first = parameters(build(spec, seed=4))
    torch.manual_seed(2)
    assert torch.equal(first, parameters(build(spec, seed=4)))
    assert not torch.equal(first, parameters(build(spec, seed=5)))


def test_a_siren_is_a_composition_of_sines():
    module, x = build(Siren(6, 2)), rand(5, 2)
    w, b = zip(*((layer.weight, layer.bias) for layer in module.layers), strict=True)
    expected = torch.sin(torch.sin(x @ w[0].T + b[0]) @ w[1].T + b[1]) @ w[2].T + b[2]
    assert gap(module(x), expected) <= 1e-15


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus", "sin"])
def test_an_mlp_is_a_composition_of_its_activation(activation):
    module, x = build(MLP(6, 1, activation)), rand(5, 2)
    function = {"softplus": torch.nn.functional.softplus}.get(activation) or getattr(torch, activation)
    first, last = module.layers
    assert gap(module(x), last(function(first(x)))) <= 1e-15


@pytest.mark.parametrize("omega", [1.0, 8.0])
def test_the_first_layer_of_a_siren_spans_its_bandwidth(omega):
    first = build(Siren(2000, 1, omega=omega)).layers[0]
    assert 0.98 * omega < float(first.weight.detach().abs().max()) <= omega
    assert 0.98 * math.pi < float(first.bias.detach().abs().max()) <= math.pi


def test_hidden_layers_of_a_siren_keep_their_variance_through_the_depth():
    """Weights of variance 2/n map variance v to that of sin(N(0, 2v)), (1 - exp(-4v)) / 2, with the fixed point 0.398."""
    module, h = build(Siren(256, 8, omega=10.0)), rand(2000, 2)
    with torch.no_grad():
        for depth, layer in enumerate(module.layers[:-1]):
            h = torch.sin(layer(h))
            assert float(h.var()) == pytest.approx(0.5 if depth == 0 else 0.4, rel=0.15)


def test_a_siren_starts_smaller_than_one():
    with torch.no_grad():
        out = build(Siren(20, 3), outputs=1)(rand(1000, 2))
    assert float(out.square().mean().sqrt()) < 0.5


def test_glorot_weights_have_their_variance_and_biases_vanish():
    layer = build(MLP(300, 2)).layers[1]
    assert float(layer.weight.detach().var()) == pytest.approx((5 / 3) ** 2 * 2 / 600, rel=0.05)
    assert torch.equal(layer.bias.detach(), torch.zeros(300, dtype=torch.float64))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Siren(width=0), "Siren needs a whole width and depth of at least 1 and omega above 0"),
        (lambda: Siren(width=2.5), "Siren needs a whole width and depth"),
        (lambda: Siren(depth=0), "Siren needs a whole width and depth of at least 1"),
        (lambda: Siren(omega=0.0), "omega above 0"),
        (lambda: Siren(omega=math.nan), "omega above 0"),
        (lambda: MLP(width=0), "MLP needs a whole width and depth of at least 1"),
        (lambda: MLP(activation="relu"), "Unknown activation 'relu': choose one of 'tanh', 'sigmoid', 'softplus', 'sin'"),
    ],
)
def test_impossible_networks_are_refused(make, message):
    with pytest.raises(ProblemError, match=message):
        make()


DOMAIN = Box(x=(0, 100), t=(-1, 1))


def test_the_embedding_maps_the_domain_to_the_unit_square():
    corners = torch.tensor([[0.0, -1.0], [100.0, 1.0], [50.0, 0.0]], dtype=torch.float64)
    assert Embedding(DOMAIN, ("x", "t"))(corners).tolist() == [[-1, -1], [1, 1], [0, 0]]


def test_periodic_coordinates_become_points_on_a_circle():
    embedding = Embedding(DOMAIN, ("x", "t"), periodic=("x",))
    x = 100 * rand(50, 1, low=0.0)
    out = embedding(torch.cat([x, 0 * x], 1))
    assert embedding.width == out.shape[1] == 3
    assert torch.allclose(out[:, 1] ** 2 + out[:, 2] ** 2, torch.ones(50, dtype=torch.float64))
    ends = embedding(torch.tensor([[0.0, 0.5], [100.0, 0.5]], dtype=torch.float64))
    assert torch.allclose(ends[0], ends[1], atol=1e-15)
    quarter = embedding(torch.tensor([[25.0, 0.0]], dtype=torch.float64))[0, 1:]
    assert float((quarter - ends[0, 1:]).norm()) == pytest.approx(math.sqrt(2))
