"""Values on tensor grids and what lies between them: barycentric interpolation along every coordinate.

Values between nodes are l(x) f, with cardinal functions l_k(x) = (w_k / (x - x_k)) / sum_j w_j / (x - x_j): the polynomial through Chebyshev's
points (J.-P. Berrut & L. N. Trefethen 2004, SIAM Review 46); a rational function without poles through any others (M. S. Floater &
K. Hormann 2007, Numer. Math. 107); the trigonometric polynomial through equidistant points of one period (P. Henrici 1979, Numer. Math. 33).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

MEMORY = 1 << 22  # numbers held at once while values are combined


@dataclass(frozen=True, eq=False)
class Line:
    """The nodes (n,) of one coordinate with their barycentric weights (n,).

    ``period``: its length where the function is periodic. ``degree``: of the polynomials that rational interpolation blends.
    """

    name: str
    nodes: np.ndarray
    weights: np.ndarray
    period: float | None = None
    degree: int | None = None

    def cardinal(self, x: np.ndarray) -> np.ndarray:
        """The cardinal functions (N, n) at ``x`` (N,)."""
        if self.period is not None:
            x = x - self.period * np.floor((x - self.nodes[0]) / self.period)
        distance = x[:, None] - self.nodes
        if self.period is not None:
            turn = math.pi / self.period * distance
            distance = np.sin(turn) if len(self.nodes) % 2 else np.tan(turn)
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = self.weights / distance
            result = terms / terms.sum(axis=1, keepdims=True)
        hit = np.abs(distance) <= 4 * np.finfo(float).eps * (self.nodes[-1] - self.nodes[0])
        rows = hit.any(axis=1)
        result[rows] = hit[rows] / hit[rows].sum(axis=1, keepdims=True)
        return result

    def derivative(self) -> np.ndarray:
        """The matrix (n, n) that differentiates values at the nodes; its rows sum to zero (Berrut & Trefethen, section 9.3)."""
        gaps = self.nodes[:, None] - self.nodes
        np.fill_diagonal(gaps, 1.0)
        matrix = self.weights / self.weights[:, None] / gaps
        np.fill_diagonal(matrix, 0.0)
        np.fill_diagonal(matrix, -matrix.sum(axis=1))
        return matrix

    def every_second(self) -> Line:
        """The same interpolation from every second node."""
        nodes = self.nodes[::2]
        if self.period is not None:
            return periodic_line(self.name, nodes[0], self.period, len(nodes))
        return (
            chebyshev_line(self.name, nodes[0], nodes[-1], len(nodes) - 1)
            if self.degree is None
            else rational_line(self.name, nodes, self.degree)
        )


def chebyshev_line(name: str, lower: float, upper: float, degree: int) -> Line:
    """Chebyshev's points of the second kind, ends included."""
    k = np.arange(degree + 1)
    nodes = (lower + upper) / 2 - (upper - lower) / 2 * np.sin(math.pi * (degree - 2 * k) / (2 * degree))
    weights = (-1.0) ** k
    weights[[0, -1]] /= 2
    return Line(name, nodes, weights)


def periodic_line(name: str, lower: float, period: float, count: int) -> Line:
    """Equidistant points of one period, without its other end."""
    return Line(name, lower + period * np.arange(count) / count, (-1.0) ** np.arange(count), period)


def rational_line(name: str, nodes: np.ndarray, degree: int) -> Line:
    """Any increasing nodes, by Floater and Hormann's blend of polynomials of one degree: errors fall like its power plus one."""
    count = len(nodes)
    degree = min(degree, count - 1)
    gaps = np.abs(nodes[:, None] - nodes) / (nodes[-1] - nodes[0]) * (count - 1)
    weights = np.zeros(count)
    for start in range(count - degree):
        part = slice(start, start + degree + 1)
        inside = gaps[part, part] + np.eye(degree + 1)
        weights[part] += (-1.0) ** start / inside.prod(axis=1) * (-1.0) ** (np.arange(degree + 1) + degree)
    return Line(name, nodes, weights, degree=degree)


def is_chebyshev(nodes: np.ndarray) -> bool:
    """Whether nodes are Chebyshev's points of the second kind."""
    found = chebyshev_line("", nodes[0], nodes[-1], len(nodes) - 1).nodes
    return len(nodes) > 3 and bool(np.abs(nodes - found).max() <= 1e-9 * (nodes[-1] - nodes[0]))


@dataclass(frozen=True, eq=False)
class Grid:
    """Fields on a tensor grid: ``values`` (n_1, ..., n_d, fields), one line of nodes for each of the d coordinates."""

    lines: tuple[Line, ...]
    values: np.ndarray

    def evaluate(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """The fields (N, fields) at points given by coordinate."""
        first = columns[self.lines[0].name]
        rest = self.values[0].size
        chunk = max(1, MEMORY // rest)
        parts = [self._at({line.name: columns[line.name][k : k + chunk] for line in self.lines}) for k in range(0, len(first), chunk)]
        return np.concatenate(parts) if parts else np.empty((0, self.values.shape[-1]))

    def _at(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Combined along one coordinate after another, the first by one matrix product."""
        result = np.tensordot(self.lines[0].cardinal(columns[self.lines[0].name]), self.values, 1)
        for line in self.lines[1:]:
            result = np.einsum("nk,nk...->n...", line.cardinal(columns[line.name]), result)
        return result


@dataclass(frozen=True, eq=False)
class Panels:
    """Fields on successive panels of one coordinate: ``grids`` between ``edges``, one more than panels."""

    name: str
    edges: np.ndarray
    grids: Sequence[Grid]

    def evaluate(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """The fields (N, fields) at points given by coordinate."""
        panel = np.clip(np.searchsorted(self.edges, columns[self.name], side="right") - 1, 0, len(self.grids) - 1)
        result = np.empty((len(panel), self.grids[0].values.shape[-1]))
        for k in np.unique(panel):
            own = panel == k
            result[own] = self.grids[k].evaluate({n: c[own] for n, c in columns.items()})
        return result


def difference(fine: np.ndarray, coarse: np.ndarray) -> np.ndarray:
    """By field, the relative L2 difference of values (N, fields); absolute for a field that vanishes."""
    norm = np.linalg.norm(fine, axis=0)
    return np.linalg.norm(fine - coarse, axis=0) / np.where(norm > 0, norm, math.sqrt(len(fine)))
