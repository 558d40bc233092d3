"""Networks whose parameters are given: what is given, to which points it belongs, and what the encoders see."""

import math

import pytest
import torch
from helpers import gap, rand
from torch.func import functional_call

from pinnsine.errors import ProblemError
from pinnsine.nets import BSNN, MLP, GridEncoder, Hypernetwork, Octaves, SetEncoder, Siren

SPECS = [Siren(7, 2), BSNN(7, 2, encoding=Octaves(2)), MLP(7, 2)]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def shuffled(seed, *tensors):
    order = torch.randperm(tensors[0].shape[1], generator=generator(seed))
    return (t[:, order] for t in tensors)


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: type(s).__name__)
def test_every_sample_has_the_network_of_its_own_code(spec):
    hyper = Hypernetwork(spec, 2, 3, 5, generator(), width=6)
    z, y = rand(4, 5), rand(4, 9, 2)
    found, given = hyper(z, y), hyper.parameters_for(z)
    for b in range(4):
        own = {n: p[b] for n, p in given.items()}
        assert gap(found[b], functional_call(hyper.net, own, (y[b],))) <= 1e-14
    assert gap(found[0], hyper(z[:1], y[:1])[0]) <= 1e-14
    assert float((hyper(z, y[:1].expand(4, -1, -1))[0] - found[1]).detach().abs().max()) > 1e-3


def test_a_code_of_zero_gives_the_network_as_it_was_drawn():
    hyper, y = Hypernetwork(Siren(7, 2), 2, 1, 5, generator(3)), rand(1, 9, 2)
    assert gap(hyper(torch.zeros(1, 5, dtype=torch.float64), y)[0], Siren(7, 2).build(2, 1, generator(3))(y[0])) <= 1e-14


def test_given_parameters_spread_in_proportion_to_those_drawn():
    """Over codes of N(0, 1): 0.1 sqrt(2 (1 - 1/pi)) of their deviation, as the ReLU of a normal variable keeps 1 - 1/pi of its square."""
    hyper = Hypernetwork(Siren(30, 3, omega=20.0), 2, 1, 60, generator(), width=200)
    with torch.no_grad():
        given = hyper.parameters_for(torch.randn(400, 60, generator=generator(1), dtype=torch.float64))
        for name, values in given.items():
            drawn = dict(hyper.net.named_parameters())[name].square().mean().sqrt()
            part = float(values.std(dim=0).square().mean().sqrt() / drawn)
            assert part == pytest.approx(0.1 * math.sqrt(2 * (1 - 1 / math.pi)), rel=0.15), name


def test_biases_alone_are_a_further_input_of_every_layer():
    hyper = Hypernetwork(Siren(7, 2), 2, 1, 5, generator(), parts="biases")
    given = hyper.parameters_for(rand(4, 5))
    assert list(given) == ["layers.0.bias", "layers.1.bias", "layers.2.bias"]
    assert given["layers.1.bias"].shape == (4, 7)
    assert hyper(rand(4, 5), rand(4, 9, 2)).shape == (4, 9, 1)


def test_the_network_as_it_was_drawn_is_trained_too():
    hyper = Hypernetwork(Siren(7, 2), 2, 1, 5, generator())
    hyper(rand(4, 5), rand(4, 9, 2)).square().sum().backward()
    assert all(float(p.grad.abs().max()) > 0 for p in hyper.parameters())


@pytest.mark.parametrize("encoding", [None, Octaves(2)])
def test_a_set_has_no_order_and_unknown_points_no_part_in_it(encoding):
    encoder = SetEncoder(2, 3, 5, generator(), width=11, encoding=encoding)
    y, v, known = rand(4, 20, 2), rand(4, 20, 3), rand(4, 20) > 0
    z = encoder(y, v, known)
    assert z.shape == (4, 5)
    assert gap(z, encoder(*shuffled(1, y, v, known))) <= 1e-14
    assert gap(z, encoder(y, torch.where(known[..., None], v, 9.0), known)) <= 1e-14
    assert gap(z[:1], encoder(y[:1, known[0]], v[:1, known[0]], known[:1, known[0]])) <= 1e-14


def test_a_grid_is_seen_row_by_row_without_its_unknown_pixels():
    encoder = GridEncoder((6, 9), 1, 5, generator(), width=3)
    v, known = rand(4, 54, 1), rand(4, 54) > 0
    z = encoder(None, v, known)
    assert z.shape == (4, 5)
    assert gap(z, encoder(None, torch.where(known[..., None], v, 9.0), known)) <= 1e-14
    image = v.unflatten(1, (6, 9))
    assert float((z - encoder(None, image.transpose(1, 2).flatten(1, 2), known)).detach().abs().max()) > 1e-3


def test_unknown_parts_are_refused():
    with pytest.raises(ProblemError, match="gives 'all' parameters or the 'biases', got parts='weights'"):
        Hypernetwork(Siren(7, 2), 2, 1, 5, generator(), parts="weights")
