"""Encodings: the thin shell, the wave vectors, the lines of the rotated axes, and the Nyquist limit."""

import math
import warnings

import pytest
import torch
from helpers import gap, rand

from pinnsine.errors import ProblemError
from pinnsine.nets import BSNN, Fourier, Octaves, RandomFourier, RotatedOctaves

SPECS = [RandomFourier(33, 5.0), Fourier(2), Octaves(4), RotatedOctaves(4), RotatedOctaves(3, rotations=5), Octaves(2, base=1.0)]


def build(spec, inputs=2, seed=0):
    return spec.build(inputs, torch.Generator().manual_seed(seed))


def wave_vectors(module):
    return module.weight[: module.width // 2]


@pytest.mark.parametrize("inputs", [1, 2, 3, 5])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_encoded_points_lie_on_the_thin_shell(spec, inputs):
    module = build(spec, inputs)
    out = module(rand(50, inputs))
    assert out.shape == (50, module.width)
    assert gap(out.square().sum(1), torch.full((50,), float(module.width), dtype=torch.float64)) <= 1e-14


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_features_are_sines_and_cosines_of_plane_waves(spec):
    module, y = build(spec), rand(7, 2)
    z = y @ wave_vectors(module).T
    assert gap(module(y), math.sqrt(2) * torch.cat([torch.sin(z), torch.cos(z)], 1)) <= 1e-14
    assert not list(module.parameters())


def test_octaves_are_those_of_nerf():
    module, y = build(Octaves(3, base=math.pi)), rand(5, 2)
    nerf = [f(2**k * math.pi * y[:, i]) for f in (torch.sin, torch.cos) for k in range(3) for i in range(2)]
    assert gap(module(y), math.sqrt(2) * torch.stack(nerf, 1)) <= 1e-14


def test_three_rotations_are_none_one_third_and_two_thirds_of_a_turn():
    module = build(RotatedOctaves(2))
    turned = []
    for octave in (1, 2):
        for turn in range(3):
            angle = 2 * math.pi * turn / 3
            c, s = math.cos(angle), math.sin(angle)
            turned += [octave * math.pi / 2 * torch.tensor(v, dtype=torch.float64) for v in ([c, -s], [s, c])]
    found = wave_vectors(module)
    for wanted in turned:  # each wave once, up to the sign of its wave vector
        hits = torch.minimum((found - wanted).norm(dim=1), (found + wanted).norm(dim=1)) < 1e-14
        assert int(hits.sum()) == 1
    assert len(found) == len(turned) == 12


@pytest.mark.parametrize("rotations", [1, 2, 3, 4, 7])
def test_axes_of_the_copies_share_out_the_half_turn_evenly(rotations):
    directions = wave_vectors(build(RotatedOctaves(1, rotations)))
    angles = torch.sort(torch.atan2(directions[:, 1], directions[:, 0]) % math.pi)[0]
    assert gap(angles.diff(), torch.full((2 * rotations - 1,), math.pi / (2 * rotations), dtype=torch.float64)) <= 1e-13


@pytest.mark.parametrize("inputs", [3, 4])
def test_copies_in_more_dimensions_are_rotations_that_the_generator_decides(inputs):
    first, second = (wave_vectors(build(RotatedOctaves(1, base=1.0), inputs, seed)) for seed in (0, 0))
    assert torch.equal(first, second)
    assert not torch.equal(first, wave_vectors(build(RotatedOctaves(1, base=1.0), inputs, 1)))
    eye = torch.eye(inputs, dtype=torch.float64)
    copies = first.view(3, inputs, inputs)
    assert torch.equal(copies[0], eye)
    for copy in copies[1:]:
        assert gap(copy @ copy.T, eye) <= 1e-14
        assert (copy - eye).abs().max() > 0.1


def test_one_coordinate_has_no_copies():
    assert torch.equal(build(RotatedOctaves(4), 1).weight, build(Octaves(4), 1).weight)


def test_a_fourier_lattice_has_one_of_each_pair_of_opposite_waves():
    vectors = wave_vectors(build(Fourier(2, base=1.0)))
    assert len(vectors) == ((2 * 2 + 1) ** 2 - 1) // 2
    every = torch.cat([vectors, -vectors])
    assert len(every.unique(dim=0)) == 24
    assert float(every.abs().max()) == 2


def test_waves_on_base_pi_repeat_over_the_domain_and_on_the_default_base_tell_its_ends_apart():
    ends = torch.tensor([[-1.0, 0.3], [1.0, 0.3]], dtype=torch.float64)
    for kind in (Octaves, RotatedOctaves, Fourier):
        left, right = build(kind(3))(ends)
        assert float((left - right).abs().max()) > 1
    for kind in (Octaves, Fourier):
        left, right = build(kind(3, base=math.pi))(ends)
        assert gap(left, right) <= 1e-14


def test_random_wave_vectors_have_the_deviation_omega():
    vectors = wave_vectors(build(RandomFourier(20_000, 5.0)))
    assert float(vectors.std()) == pytest.approx(5.0, rel=0.02)


@pytest.mark.parametrize("kind", [Octaves, RotatedOctaves])
@pytest.mark.parametrize(("nyquist", "kept"), [(math.pi / 2, 1), (math.pi, 2), (3.1, 1), (100.0, 6), (2**9 * math.pi / 2, 10)])
def test_octaves_above_the_nyquist_limit_are_left_out_with_a_warning(kind, nyquist, kept):
    with pytest.warns(UserWarning, match=f"only {kept} of 20 octaves lie below the Nyquist limit"):
        spec = kind(20, nyquist=nyquist)
    assert spec.octaves == kept
    assert float(build(spec).weight.norm(dim=1).max()) <= nyquist * (1 + 1e-12) < 2 * float(build(spec).weight.norm(dim=1).max())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kind(kept, nyquist=nyquist).octaves == kept


def test_modes_above_the_nyquist_limit_are_left_out_with_a_warning():
    with pytest.warns(UserWarning, match="only 3 of 9 modes"):
        assert Fourier(9, base=1.0, nyquist=3.5) == Fourier(3, base=1.0, nyquist=3.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Octaves(0), "Octaves needs at least 1 octave and base above 0"),
        (lambda: RotatedOctaves(3, base=0.0), "RotatedOctaves needs at least 1 octave and base above 0"),
        (lambda: RotatedOctaves(3, rotations=0), "at least 1 rotation"),
        (lambda: RandomFourier(0), "at least 1 feature and omega above 0"),
        (lambda: RandomFourier(3, math.nan), "omega above 0"),
        (lambda: Fourier(0), "at least 1 mode"),
        (lambda: Octaves(3, nyquist=1.0), "the Nyquist limit 1 lies below the lowest wave number 1.5708"),
        (lambda: BSNN(encoding=3), "encoding is one of RandomFourier, Fourier, Octaves, RotatedOctaves, got 3"),
    ],
)
def test_impossible_encodings_are_refused(make, message):
    with pytest.raises(ProblemError, match=message):
        make()
