"""Samplers of the unit cube: range, determinism, and the rate at which their means converge to integrals."""

import math

import pytest
import torch

from pinnsine.errors import ProblemError
from pinnsine.sampling import SAMPLERS, sample_cube

RANDOM = ["sobol", "uniform", "latin_hypercube"]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("dimension", [1, 2, 5])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_points_lie_in_the_cube(sampler, dimension):
    points = sample_cube(sampler, 1024, dimension, generator())
    assert points.shape == (1024, dimension)
    assert points.dtype == torch.float64
    assert bool(((points >= 0) & (points <= 1)).all())
    assert len(points.unique(dim=0)) == 1024


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_generator_alone_decides_the_points(sampler):
    torch.manual_seed(1)
    first = sample_cube(sampler, 50, 2, generator(3))
    torch.manual_seed(2)
    assert torch.equal(first, sample_cube(sampler, 50, 2, generator(3)))


@pytest.mark.parametrize("sampler", RANDOM)
def test_another_seed_or_a_later_call_gives_other_points(sampler):
    shared = generator(3)
    first, second = (sample_cube(sampler, 50, 2, shared) for _ in range(2))
    assert not torch.equal(first, second)
    assert not torch.equal(first, sample_cube(sampler, 50, 2, generator(4)))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_no_global_random_state_is_touched(sampler):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    sample_cube(sampler, 16, 2, generator())
    assert torch.equal(torch.rand(3), expected)


def mean_error(sampler, count):
    """The root mean square over seeds of the error of a smooth function's mean over the square, exactly 1."""
    errors = []
    for seed in range(32):
        x, y = sample_cube(sampler, count, 2, generator(seed)).T
        values = (math.pi / 2) ** 2 * torch.sin(math.pi * x) * torch.sin(math.pi * y)
        errors.append(float(values.mean()) - 1)
    return math.sqrt(sum(e * e for e in errors) / len(errors))


def observed_rate(sampler, counts=(16, 64, 256, 1024)):
    """The exponent r of error ~ N^-r, by a line fitted in logarithms."""
    log_n = torch.tensor([math.log(n) for n in counts])
    log_e = torch.tensor([math.log(mean_error(sampler, n)) for n in counts])
    return -float(((log_n - log_n.mean()) * (log_e - log_e.mean())).sum() / (log_n - log_n.mean()).square().sum())


def test_sobol_integrates_at_a_higher_order_than_uniform_points():
    assert observed_rate("sobol") > 1.0  # scrambled nets: 3/2 up to logarithms for smooth integrands
    assert 0.35 < observed_rate("uniform") < 0.65
    assert mean_error("sobol", 1024) < 0.1 * mean_error("uniform", 1024)


@pytest.mark.parametrize("sampler", ["grid", "latin_hypercube"])
def test_every_slice_of_every_axis_holds_one_point(sampler):
    count = 16
    points = sample_cube(sampler, count, 1 if sampler == "grid" else 3, generator())
    for column in points.T:
        assert (column * count).floor().sort()[0].tolist() == list(range(count))


@pytest.mark.parametrize(("count", "dimension", "expected"), [(100, 2, 100), (120, 2, 100), (1000, 3, 1000), (7, 1, 7), (1, 4, 1)])
def test_the_grid_is_the_largest_cubic_one(count, dimension, expected):
    points = sample_cube("grid", count, dimension, generator())
    assert points.shape == (expected, dimension)
    assert torch.allclose(points.mean(dim=0), torch.full((dimension,), 0.5, dtype=torch.float64))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_cube_of_no_dimension_is_one_point(sampler):
    assert sample_cube(sampler, 100, 0, generator()).shape == (1, 0)


def test_an_unknown_sampler_names_the_known_ones():
    with pytest.raises(ProblemError, match="Unknown sampler 'soból': choose one of 'sobol', 'halton', 'uniform', 'grid', 'latin_hypercube'"):
        sample_cube("soból", 10, 2, generator())
