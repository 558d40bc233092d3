"""Coordinates that are functions of the domain's own: domains that move, or whose size is unknown, on a fixed one."""

from __future__ import annotations

from collections.abc import Mapping

from pinnsine.calculus import D, Vector
from pinnsine.errors import ProblemError
from pinnsine.jet import Jet, as_jet


class Chart:
    """Derivatives by coordinates that are expressions of the state, in place of one or two of the domain's own.

        chart = ps.domain.Chart("xi", x=s.h * s.xi)    x in [0, h(t)] for xi in [0, 1], h a field of t or an unknown number
        chart.D(s.u, "t") - chart.D(s.u, "x", "x")     u_t at fixed x, less u_xx

    f_x = f_xi / x_xi, f_t at fixed x = f_t - f_x x_t; for two coordinates by the inverse of their Jacobian matrix.

    Args:
        replaces: the domain's coordinates that are replaced.
        coordinates: the new ones, expressions of the state, as many. Coordinates that are not replaced, such as time, are kept.

    Raises:
        ProblemError: their numbers differ, or are above two; a coordinate is no expression of the state.
    """

    def __init__(self, replaces: str | tuple[str, ...], **coordinates: Jet):
        self.replaced = (replaces,) if isinstance(replaces, str) else tuple(replaces)
        self.coordinates: Mapping[str, Jet] = coordinates
        if len(self.replaced) != len(coordinates) or not coordinates:
            raise ProblemError(f"A chart replaces as many coordinates as it has, got {', '.join(self.replaced)} for {', '.join(coordinates)}.")
        if plain := [n for n, x in coordinates.items() if not isinstance(x, Jet)]:
            raise ProblemError(
                f"A chart's coordinates are expressions of the state, as in lambda s: Chart('xi', x=s.h * s.xi).D(s.u, 'x'), got "
                f"{type(coordinates[plain[0]]).__name__} for {plain[0]!r}: make the chart inside the constraint."
            )
        self._inverse = _inverse([[D(x, old) for old in self.replaced] for x in coordinates.values()])

    def D(self, expression, *names: str):
        """The derivative of an expression by each of ``names`` in turn, new coordinates or kept ones; of a vector by components."""
        if isinstance(expression, Vector):
            return Vector(*(self.D(c, *names) for c in expression))
        for name in names:
            expression = self._derivative(as_jet(expression), name)
        return expression

    def _derivative(self, f: Jet, name: str) -> Jet:
        slopes = [D(f, old) for old in self.replaced]
        if name in self.coordinates:
            return self._along(slopes, list(self.coordinates).index(name))
        if name in self.replaced:
            raise ProblemError(f"The chart replaces {name!r}: differentiate by {', '.join(self.coordinates)}, or call ps.D() for the old one.")
        moved = [self._along(slopes, i) * D(x, name) for i, x in enumerate(self.coordinates.values())]
        return D(f, name) - sum(moved[1:], start=moved[0])

    def _along(self, slopes: list[Jet], i: int) -> Jet:
        """sum_j (d xi_j / d X_i) f_xi_j."""
        terms = [self._inverse[j][i] * slope for j, slope in enumerate(slopes)]
        return sum(terms[1:], start=terms[0])

    def laplacian(self, expression):
        """The sum of the second derivatives by the new coordinates."""
        terms = [self.D(expression, n, n) for n in self.coordinates]
        return sum(terms[1:], start=terms[0])


def _inverse(matrix: list[list[Jet]]) -> list[list[Jet]]:
    """The inverse of a matrix of expressions with one or two rows."""
    if len(matrix) == 1:
        return [[1 / matrix[0][0]]]
    if len(matrix) == 2:
        (a, b), (c, d) = matrix
        determinant = a * d - b * c
        return [[d / determinant, -b / determinant], [-c / determinant, a / determinant]]
    raise ProblemError(f"A chart replaces one or two coordinates, got {len(matrix)}.")
