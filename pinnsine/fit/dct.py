"""The discrete answer beside every figure: Poisson's equation on the pixel grid by the cosine transform."""

from __future__ import annotations

import numpy as np


def poisson_dct(gradient: tuple[np.ndarray, np.ndarray] | None = None, laplacian: np.ndarray | None = None, mean: float = 0.5) -> np.ndarray:
    """The image (h, w) or (h, w, 3) of a given mean whose forward differences are nearest to (gx, gy), or whose four neighbours' differences
    add up to a Laplacian, with no flux through the edges.

    The cosine transform diagonalises that Laplacian: its eigenvalues are 2 cos(pi k / h) + 2 cos(pi l / w) - 4.
    """
    from scipy.fft import dctn, idctn

    source = np.asarray(laplacian, dtype=np.float64) if gradient is None else divergence(*gradient)
    rows, columns = source.shape[:2]
    angles = np.pi * np.arange(rows) / rows, np.pi * np.arange(columns) / columns
    eigenvalues = (2 * np.cos(angles[0])[:, None] + 2 * np.cos(angles[1]) - 4).reshape(rows, columns, *[1] * (source.ndim - 2))
    eigenvalues[0, 0] = 1.0
    coefficients = dctn(source, axes=(0, 1)) / eigenvalues
    coefficients[0, 0] = 0.0
    return idctn(coefficients, axes=(0, 1)) + mean


def divergence(gx: np.ndarray, gy: np.ndarray) -> np.ndarray:
    """The backward differences of forward differences (h, w) or (h, w, 3), whose last column and row do not count."""
    gx, gy = np.array(gx, dtype=np.float64), np.array(gy, dtype=np.float64)
    gx[:, -1], gy[-1] = 0.0, 0.0
    return np.diff(gx, axis=1, prepend=0.0) + np.diff(gy, axis=0, prepend=0.0)
