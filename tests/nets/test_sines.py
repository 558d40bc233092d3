"""The sinusoidal networks: their formulas, and the laws that their parameters are drawn from."""

import math

import pytest
import torch
from helpers import gap, rand

from pinnsine.errors import ProblemError
from pinnsine.nets import FINER, MLP, Gabor, Mixed, ModifiedMLP, Octaves, ResidualMLP, SimpleSine, Siren


def build(spec, inputs=2, outputs=1, seed=0):
    return spec.build(inputs, outputs, torch.Generator().manual_seed(seed))


def affine(layer, x):
    return x @ layer.weight.T + layer.bias


def moments(tensor):
    return float(tensor.detach().mean()), float(tensor.detach().var(unbiased=False))


def test_a_simple_sinusoidal_network_has_omega_in_its_first_layer_alone():
    module, x = build(SimpleSine(6, 3, omega=7.0)), rand(5, 2)
    first, second, third, last = module.layers
    h = torch.sin(7.0 * affine(first, x))
    assert gap(module(x), affine(last, torch.sin(affine(third, torch.sin(affine(second, h)))))) <= 1e-15


@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_all_parameters_of_a_simple_sinusoidal_network_are_kaiming_normal(inputs):
    for layer in build(SimpleSine(1000, 2), inputs, outputs=1000).layers:
        for parameter in (layer.weight, layer.bias):
            mean, variance = moments(parameter)
            assert abs(mean) <= 4 * math.sqrt(2 / layer.in_features / parameter.numel())
            assert variance * layer.in_features == pytest.approx(2, rel=4 * math.sqrt(2 / parameter.numel()))
            kurtosis = float(((parameter.detach() - mean) / math.sqrt(variance)).pow(4).mean())
            assert kurtosis == pytest.approx(3, abs=4 * math.sqrt(24 / parameter.numel()))  # normal, not uniform (1.8)


def test_normal_and_uniform_hidden_layers_have_equal_variance():
    """Lemma 1 of Belbute-Peres & Kolter: N(0, c^2 / 3) and U(-c, c) have the variance c^2 / 3; c = sqrt(6 / n) is Kaiming's 2 / n."""
    n = 1500
    normal, uniform = build(SimpleSine(n, 2)).layers[1].weight, build(Siren(n, 2)).layers[1].weight
    for weight in (normal, uniform):
        assert moments(weight)[1] * n == pytest.approx(2, rel=0.005)  # deviations of 1e-3 and 6e-4 expected
    assert float(uniform.detach().abs().max()) <= math.sqrt(6 / n) < float(normal.detach().abs().max())


@pytest.mark.parametrize(("init", "square"), [("original", 6), ("controlled", 3), ("unit", 6 / (1 + math.exp(-2))), (5.0, 25)])
def test_inits_of_a_siren_differ_in_the_spread_of_their_hidden_layers(init, square):
    spread = math.sqrt(square)
    weight, bias = build(Siren(1000, 2, init=init)).layers[1].parameters()
    assert 0.999 * spread < float(weight.detach().abs().max()) * math.sqrt(1000) <= spread
    variance = {"controlled": 0.0, "unit": spread**2 * math.exp(-2) / 3}.get(init, 1 / 3000)
    assert moments(bias)[1] == pytest.approx(variance, rel=4 * math.sqrt(2 / 1000))


@pytest.mark.parametrize("encoding", [None, Octaves(2)])
@pytest.mark.parametrize("init", ["original", "controlled", "unit", 2.5])
def test_omega_inside_the_sines_is_the_same_network(init, encoding):
    x = rand(9, 2)
    folded, inside, learnable = (
        build(Siren(8, 3, 5.0, init, inside=i, learnable=free, encoding=encoding)) for i, free in ((False, False), (True, False), (True, True))
    )
    assert gap(inside(x), folded(x)) <= 1e-14
    assert gap(learnable(x), folded(x)) <= 1e-14
    assert gap(inside.layers[1].weight * 5.0, folded.layers[1].weight) <= 1e-15
    assert {n for n, _ in learnable.named_parameters()} - {n for n, _ in inside.named_parameters()} == {f"trained.{k}.omega" for k in range(3)}


def test_a_learnable_omega_has_the_gradient_of_a_difference_quotient():
    module, x = build(Siren(8, 2, 5.0, inside=True, learnable=True)), rand(9, 2)
    omega = module.trained[1].omega
    slope = torch.autograd.grad(module(x).sum(), omega)[0]
    ends = []
    for step in (1e-5, -1e-5):
        with torch.no_grad():
            omega += step
            ends.append(float(module(x).sum()))
            omega -= step
    assert float(slope) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-8)


def test_a_finer_network_is_a_composition_of_its_activation():
    module, x = build(FINER(6, 2, omega=3.0, spread=2.0)), rand(5, 2)
    first, second, last = module.layers
    h = affine(first, x)
    h = affine(second, torch.sin(3.0 * (h.abs() + 1) * h))
    assert gap(module(x), affine(last, torch.sin(3.0 * (h.abs() + 1) * h))) <= 1e-15


def test_biases_of_a_finer_network_select_its_frequencies():
    first, second, _ = build(FINER(2000, 2, omega=3.0, spread=2.0)).layers
    assert 1.99 < float(first.bias.detach().abs().max()) <= 2
    assert 0.99 < float(first.weight.detach().abs().max()) <= 1
    assert moments(second.weight)[1] * 2000 * 9 == pytest.approx(2, rel=0.01)


def test_a_gabor_network_is_a_composition_of_wavelets():
    module, x = build(Gabor(6, 1, omega=3.0, s=2.0)), rand(5, 2)
    z = affine(module.layers[0], x)
    assert gap(module(x), affine(module.layers[1], torch.cos(3 * z) * torch.exp(-((2 * z) ** 2)))) <= 1e-15


def test_mixed_layers_are_sines_in_front_and_conventional_behind():
    module, x = build(Mixed(6, 3, sines=2, omega=5.0)), rand(5, 2)
    first, second, third, last = module.layers
    assert gap(module(x), affine(last, torch.tanh(affine(third, torch.sin(affine(second, torch.sin(affine(first, x)))))))) <= 1e-15
    wide = build(Mixed(1000, 3, sines=2, omega=5.0)).layers
    assert 0.99 * 5 < float(wide[0].weight.detach().abs().max()) <= 5
    assert moments(wide[1].weight)[1] * 1000 == pytest.approx(2, rel=0.01)
    assert moments(wide[2].weight)[1] == pytest.approx((5 / 3) ** 2 / 1000, rel=0.01)


def test_gates_mix_two_functions_of_the_input():
    module, x = build(ModifiedMLP(6, 2)), rand(5, 2)
    u, v = (torch.tanh(affine(gate, x)) for gate in module.gates)
    h = x
    for layer in module.layers[:-1]:
        z = torch.tanh(affine(layer, h))
        h = (1 - z) * u + z * v
    assert gap(module(x), affine(module.layers[-1], h)) <= 1e-15
    assert sum(p.numel() for p in module.parameters()) == 2 * 18 + 18 + 42 + 7


def test_residual_blocks_add_to_what_they_take():
    module, x = build(ResidualMLP(6, 3)), rand(5, 2)
    h = torch.tanh(affine(module.layers[0], x))
    for layer in module.layers[1:-1]:
        h = h + torch.tanh(affine(layer, h))
    assert gap(module(x), affine(module.layers[-1], h)) <= 1e-15


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SimpleSine(omega=-1.0), "SimpleSine needs a whole width and depth of at least 1 and omega above 0"),
        (lambda: FINER(spread=0.0), "FINER needs a whole width and depth of at least 1 and omega and spread above 0"),
        (lambda: Gabor(s=math.inf), "omega and s above 0"),
        (lambda: Siren(init="kaiming"), "init is one of 'original', 'controlled', 'unit' or a number above 0, got 'kaiming'"),
        (lambda: Siren(init=-1.0), "or a number above 0"),
        (lambda: Siren(learnable=True), "say inside=True as well"),
        (lambda: Mixed(depth=2, sines=3), "between 1 and depth = 2 layers of sines, got 3"),
        (lambda: Mixed(sines=0), "between 1 and depth"),
        (lambda: Mixed(activation="relu"), "Unknown activation 'relu'"),
        (lambda: ModifiedMLP(width=0), "ModifiedMLP needs a whole width and depth of at least 1"),
        (lambda: ResidualMLP(activation="relu"), "Unknown activation"),
        (lambda: MLP(encoding="octaves"), "MLP's encoding is one of RandomFourier"),
    ],
)
def test_impossible_networks_are_refused(make, message):
    with pytest.raises(ProblemError, match=message):
        make()
