"""Fourier series against their own sums, term by term."""

import numpy as np
import pytest

from pinnsine.reference.fourier import Fourier


def draw(line, highest, decay=0.0, seed=0):
    """A random spectrum."""
    generator = np.random.default_rng(seed)
    numbers = line.numbers(highest)
    spectrum = (generator.standard_normal(len(numbers)) + 1j * generator.standard_normal(len(numbers))) * np.exp(-decay * abs(numbers))
    if line.real:
        spectrum[0] = spectrum[0].real
    return spectrum


def summed(line, spectrum, x):
    series = np.exp(np.outer(x - line.lower, line.derivative(line.highest(spectrum)))) @ spectrum
    return 2 * series.real - spectrum[0].real if line.real else series


@pytest.fixture(params=[True, False], ids=["real", "complex"])
def line(request):
    return Fourier(-1.5, 4.0, request.param)


def test_values_and_spectrum_are_inverse(line):
    spectrum = draw(line, 10)
    values = line.values(spectrum, 32)
    np.testing.assert_allclose(values, summed(line, spectrum, line.points(32)), rtol=0, atol=1e-13)
    np.testing.assert_allclose(line.spectrum(values, 10), spectrum, rtol=0, atol=1e-15)


def test_derivatives(line):
    x = line.points(16)
    values = np.sin(np.pi * x) if line.real else np.exp(-1j * np.pi * x)
    slope = np.pi * np.cos(np.pi * x) if line.real else -1j * np.pi * values
    spectrum = line.spectrum(values, 7)
    np.testing.assert_allclose(line.values(line.derivative(7) * spectrum, 16), slope, rtol=0, atol=1e-13)


def test_resizing_keeps_the_function(line):
    spectrum = draw(line, 5)
    x = np.linspace(-1, 1, 9)
    longer = line.resized(spectrum, 12)
    assert line.highest(longer) == 12
    np.testing.assert_allclose(summed(line, longer, x), summed(line, spectrum, x), rtol=0, atol=1e-14)
    np.testing.assert_array_equal(line.resized(longer, 5), spectrum)
    assert line.resized(np.stack([spectrum, spectrum]), 3).shape == (2, len(line.numbers(3)))


def test_the_significant_modes_are_found(line):
    spectra = np.stack([draw(line, 50, decay=1.0), 0.0 * draw(line, 50)])
    assert 25 <= line.significant(spectra, 1e-12) <= 30
    assert line.significant(spectra, 0.0) == 50
    assert line.significant(spectra[1:], 1e-12) == 50


@pytest.mark.parametrize("highest", [0, 1, 7, 100, 1023])
def test_values_between_the_points(line, highest):
    spectrum = draw(line, highest)
    x = np.random.default_rng(1).uniform(-1.5, 2.5, 300)
    x[:2] = line.lower, line.lower + line.length
    expected = summed(line, spectrum, x)
    np.testing.assert_allclose(line.evaluate(spectrum, x), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_values_of_a_long_series_of_a_smooth_function(line):
    """As references are evaluated: 16,384 modes of which the high ones are small."""
    spectrum = draw(line, 8191, decay=0.005)
    x = np.random.default_rng(1).uniform(-1.5, 2.5, 100)
    expected = summed(line, spectrum, x)
    np.testing.assert_allclose(line.evaluate(spectrum, x), expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_values_are_periodic(line):
    spectrum, x = draw(line, 20), np.linspace(-1, 1, 11)
    for shift in (-8.0, 4.0):
        np.testing.assert_allclose(line.evaluate(spectrum, x + shift), line.evaluate(spectrum, x), rtol=0, atol=1e-12)
