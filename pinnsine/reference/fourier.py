"""Fourier series of periodic functions: transforms, derivatives, and values at arbitrary points.

Between the equidistant points a series of M modes is summed by the nonuniform FFT (type 2: A. H. Barnett, J. F. Magland & L. af Klinteberg
2019, SIAM J. Sci. Comput. 41): the coefficients are divided by the transform of a kernel of compact support, summed by an FFT of at least
twice the length, and convolved with the kernel at each point. With their kernel exp(beta (sqrt(1 - z^2) - 1)) over 16 points the error is
rounding, for all modes alike.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import torch

WIDTH = 16  # grid points under the kernel; errors are about 10^(1 - WIDTH)
BETA = 2.30 * WIDTH
LARGE = 1 << 17  # from here on torch's transforms take a quarter of the time of numpy's, which are quicker below


@dataclass(frozen=True)
class Fourier:
    """Series in exp(2 pi i m (x - lower) / length).

    A *spectrum* (..., modes) holds the coefficients m = 0 ... M of a real function, whose others are their conjugates, or m = -M ... M of
    a complex one.
    """

    lower: float
    length: float
    real: bool

    def numbers(self, highest: int) -> np.ndarray:
        """The m of a spectrum up to M = ``highest``."""
        return np.arange(0 if self.real else -highest, highest + 1)

    def highest(self, spectrum: np.ndarray) -> int:
        """The M of a spectrum."""
        return spectrum.shape[-1] - 1 if self.real else spectrum.shape[-1] // 2

    def derivative(self, highest: int) -> np.ndarray:
        """The factors (modes,) that differentiate a spectrum."""
        return 2j * math.pi / self.length * self.numbers(highest)

    def points(self, count: int) -> np.ndarray:
        """Equidistant points (count,) from ``lower`` on, without the other end."""
        return self.lower + self.length * np.arange(count) / count

    def spectrum(self, values: np.ndarray, highest: int) -> np.ndarray:
        """The coefficients up to M = ``highest`` of the function with ``values`` (..., count) at the equidistant points, count > 2 M."""
        if self.real:
            return np.fft.rfft(values, norm="forward")[..., : highest + 1]
        found = np.fft.fft(values, norm="forward")
        return np.concatenate([found[..., found.shape[-1] - highest :], found[..., : highest + 1]], axis=-1)

    def values(self, spectrum: np.ndarray, count: int) -> np.ndarray:
        """The values (..., count) at the equidistant points, count > 2 M."""
        if self.real:
            return np.fft.irfft(spectrum, count, norm="forward")
        highest = self.highest(spectrum)
        padded = np.zeros((*spectrum.shape[:-1], count), dtype=spectrum.dtype)
        padded[..., : highest + 1] = spectrum[..., highest:]
        padded[..., count - highest :] = spectrum[..., :highest]
        if count >= LARGE:
            return torch.fft.ifft(torch.from_numpy(padded), norm="forward").numpy()
        return np.fft.ifft(padded, norm="forward")

    def resized(self, spectrum: np.ndarray, highest: int) -> np.ndarray:
        """The spectrum cut off, or filled up with zeros, to M = ``highest``."""
        extra = highest - self.highest(spectrum)
        if extra <= 0:
            return spectrum[..., (0 if self.real else -extra) : spectrum.shape[-1] + extra]
        return np.pad(spectrum, [(0, 0)] * (spectrum.ndim - 1) + [(0 if self.real else extra, extra)])

    def significant(self, spectra: np.ndarray, tail: float) -> int:
        """The highest m in spectra (K, modes) whose coefficient exceeds ``tail`` times the largest."""
        size = np.abs(spectra).max(axis=0)
        return int(np.abs(self.numbers(self.highest(spectra)))[size >= tail * size.max()].max())

    def evaluate(self, spectrum: np.ndarray, x: np.ndarray) -> np.ndarray:
        """The values (N,) of one series at the points ``x`` (N,), in the precision of its spectrum."""
        highest = self.highest(spectrum)
        count = max(2 * WIDTH, 1 << (4 * highest + 1).bit_length())
        transform = kernel_transform(highest, count).astype(spectrum.real.dtype)
        smooth = self.values(spectrum / (transform if self.real else np.concatenate([transform[:0:-1], transform])), count)
        place = (x - self.lower) * (count / self.length)
        near = np.ceil(place - WIDTH / 2)[:, None] + np.arange(WIDTH)  # (N, WIDTH)
        distance = (place[:, None] - near) * (2 / WIDTH)
        weights = np.exp(BETA * (np.sqrt(np.maximum(1 - distance**2, 0)) - 1))
        return (weights * smooth[near.astype(int) % count]).sum(axis=1)


@functools.lru_cache(maxsize=32)
def kernel_transform(highest: int, count: int) -> np.ndarray:
    """The Fourier transform (highest + 1,) of the kernel at frequencies m / count, by the trapezoidal rule in z = sin(theta)."""
    theta = math.pi * (np.arange(64) + 0.5) / 64 - math.pi / 2
    weights = np.exp(BETA * (np.cos(theta) - 1)) * np.cos(theta) * (math.pi / 64 * WIDTH / 2)
    return np.cos(np.outer(np.arange(highest + 1) * (math.pi * WIDTH / count), np.sin(theta))) @ weights
