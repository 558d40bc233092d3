"""What is known of a field before it is found: a part of it, and its symmetries.

    u = g + N,   N(2 c - x) = -N(x) (odd about c) or N(x) (even)

N is the network's mean over both sides, (N(x) -+ N(2 c - x)) / 2, whatever the network is: derivatives of all orders are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.index import Collapsed
from pinnsine.jet import Constant, Jet
from pinnsine.local import Local
from pinnsine.points import Points

SIGNS = {"odd": -1, "even": 1}


@dataclass(frozen=True)
class Symmetry:
    """N(2 centre - x) = sign N(x) in one coordinate."""

    coordinate: str
    sign: int
    centre: float = 0.0

    def reflected(self, points: Points) -> Points:
        """The points on the other side."""
        return Points({**points.columns, self.coordinate: 2 * self.centre - points[self.coordinate]}, points.normal)


class Reflected(Jet):
    """f(2 c - x) as a jet, from the jet of f at the reflected points: every derivative by x turns the sign."""

    def __init__(self, jet: Jet, coordinate: str):
        super().__init__(jet.context)
        self.jet, self.coordinate = jet, coordinate

    def _component(self, index):
        component = self.jet.at(index)
        odd = not isinstance(index, Collapsed) and index.count(self.coordinate) % 2
        return -component if odd and component is not None else component


def symmetries(field: str, given: Mapping[str, str | tuple[str, float]] | tuple[Symmetry, ...]) -> tuple[Symmetry, ...]:
    """Symmetries as they are declared: ``{"x": "odd"}`` about zero, ``{"x": ("even", 0.5)}`` about a centre.

    Raises ProblemError for any other form.
    """
    if isinstance(given, tuple) and all(isinstance(s, Symmetry) for s in given):
        return given
    found = []
    for name, kind in given.items() if isinstance(given, Mapping) else ((None, None),):
        word, centre = kind if isinstance(kind, tuple) and len(kind) == 2 else (kind, 0.0)
        if not isinstance(word, str) or word not in SIGNS or not isinstance(centre, int | float):
            raise ProblemError(
                f'Field {field!r}: symmetry= is "odd" or "even" by coordinate, as in {{"x": "odd"}} or {{"x": ("even", 0.5)}} about 0.5, '
                f"got {given!r}."
            )
        found.append(Symmetry(name, SIGNS[word], float(centre)))
    return tuple(found)


def symmetric(evaluate: Callable[[Points], Jet], points: Points, given: tuple[Symmetry, ...]) -> Jet:
    """A function of the points made symmetric, as a jet."""
    if not given:
        return evaluate(points)
    first, *rest = given
    here, there = (symmetric(evaluate, p, tuple(rest)) for p in (points, first.reflected(points)))
    return 0.5 * (here + first.sign * Reflected(there, first.coordinate))


def known_part(field: str, plus: Callable, s: Local, count: int) -> Jet:
    """The known part of a field as a jet (count,). Raises ProblemError where it is no smooth function of s."""
    value = plus(s)
    if isinstance(value, int | float) or (isinstance(value, Tensor) and value.ndim == 0):
        return Constant(torch.full((count,), float(value), dtype=torch.float64), s._context)
    if not isinstance(value, Jet) or tuple(value.shape) not in ((count,), ()):
        got = f"values of shape {tuple(value.shape)}" if isinstance(value, Jet) else type(value).__name__
        raise ProblemError(
            f"Field {field!r}: plus= is a function of s that returns an expression of shape (N,) in its coordinates and unknown numbers, "
            f"got {got}: a plain tensor has no derivatives, and fields are not known there."
        )
    return value
