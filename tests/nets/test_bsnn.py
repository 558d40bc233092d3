"""Bidirectionally self-normalising networks: orthogonal layers, the family of activations, the thin shell."""

import math

import numpy as np
import pytest
import torch
from helpers import gap, rand

from pinnsine.errors import ProblemError
from pinnsine.jet import Coordinate
from pinnsine.nets import BSNN, Octaves, RandomFourier
from pinnsine.nets.activations import SELF_NORMALISING


def build(spec, inputs=2, outputs=1, seed=0):
    return spec.build(inputs, outputs, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", SELF_NORMALISING)
def test_every_derivative_has_unit_mean_square_by_quadrature(name):
    """E f^(n)(Z)^2 = 1, n = 0 ... 6, by Gauss and Hermite's rule with 90 nodes; the largest deviation measured is 2e-14."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(90)
    z = torch.from_numpy(nodes)
    f = SELF_NORMALISING[name](Coordinate("z", z))
    for order in range(7):
        moment = float((torch.from_numpy(weights) * f.at(("z",) * order) ** 2).sum()) / math.sqrt(2 * math.pi)
        assert abs(moment - 1) <= 1e-12, order


def test_only_the_sine_and_cosine_keep_unit_gain_at_every_scale():
    nodes, weights = np.polynomial.hermite_e.hermegauss(90)

    def gains(name, scale):
        f = SELF_NORMALISING[name](Coordinate("z", scale * torch.from_numpy(nodes)))
        return [float((torch.from_numpy(weights) * f.at(("z",) * n) ** 2).sum()) / math.sqrt(2 * math.pi) for n in (0, 1)]

    for scale in (0.1, 1.7, 3.0):
        assert gains("sine", scale) == pytest.approx([1, 1], abs=1e-12)
        assert gains("cosine", scale) == pytest.approx([1, 1], abs=1e-12)
        assert abs(gains("exp", scale)[0] - 1) > 0.5


def test_the_activation_is_the_sum_of_sine_and_cosine():
    x = rand(9)
    assert gap(SELF_NORMALISING["sine"](x), torch.sin(x) + torch.cos(x)) <= 1e-15
    assert gap(SELF_NORMALISING["cosine"](x), torch.cos(x) - torch.sin(x)) <= 1e-15


@pytest.mark.parametrize(("width", "features"), [(16, 8), (8, 8), (8, 16)])
def test_layers_are_orthogonal_and_map_the_shell_of_their_inputs_to_that_of_their_outputs(width, features):
    first, hidden, last = build(BSNN(width, 2, encoding=RandomFourier(features // 2)), outputs=3).layers
    gram = first.weight.T @ first.weight if width >= features else first.weight @ first.weight.T
    assert gap(gram, max(1.0, width / features) * torch.eye(min(width, features), dtype=torch.float64)) <= 1e-14
    assert gap(hidden.weight @ hidden.weight.T, torch.eye(width, dtype=torch.float64)) <= 1e-14
    assert gap(last.weight @ last.weight.T, 0.09 * torch.eye(3, dtype=torch.float64)) <= 1e-14
    assert not any(layer.bias.any() for layer in (first, hidden, last))


def test_haar_matrices_have_no_preferred_direction():
    """The entries of a Haar-distributed matrix have mean 0 and variance 1/n, the diagonal's sign included (QR without it has not)."""
    draws = torch.stack([build(BSNN(4, 2), seed=k).layers[1].weight.detach() for k in range(3000)])
    assert float(draws.mean(0).abs().max()) <= 3.5 * 0.5 / math.sqrt(3000)
    assert float((draws.square().mean(0) - 0.25).abs().max()) <= 0.02


@pytest.mark.parametrize("encoding", [None, Octaves(6), RandomFourier(64)])
def test_values_stay_on_the_shell_in_every_layer(encoding):
    net, x = build(BSNN(400, 6, encoding=encoding)), rand(200, 2)
    with torch.no_grad():
        h = net.encoding(x)
        for layer, activation in zip(net.layers, net.activations, strict=False):
            h = activation(layer(h))
            assert float(h.square().mean()) == pytest.approx(1, rel=0.05)
        assert 0.1 < float(net.layers[-1](h).std()) < 0.9


def test_the_first_layer_without_an_encoding_spans_the_bandwidth():
    first = build(BSNN(2000, 2, omega=7.0)).layers[0]
    assert 0.98 * 7 < float(first.weight.detach().abs().max()) <= 7
    assert 0.98 * math.pi < float(first.bias.detach().abs().max()) <= math.pi


def test_unknown_activations_are_refused():
    with pytest.raises(ProblemError, match="activation is one of 'sine', 'cosine', 'exp', 'sine-cosh', 'cosine-sinh', got 'relu'"):
        BSNN(activation="relu")
