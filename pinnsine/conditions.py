"""Conditions on boundaries and interfaces, and inequalities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from pinnsine.constraint import Constraint, Prescribed, Target, Weight
from pinnsine.domain import Region
from pinnsine.errors import ProblemError
from pinnsine.jet import values
from pinnsine.local import Local, TwoSided
from pinnsine.named_rows import named
from pinnsine.points import Points

SIDE = "interface_side"  # of an evaluation point: -1 behind the interface, 1 before it


def Neumann(name: str, *, on: Region | None = None, weight: Weight = None, **targets: Target) -> Prescribed:
    """Normal derivatives on a part of the boundary, by default all of it: ``Neumann("wall", u=0.0)`` is n . grad u = 0, n pointing outwards."""
    return Prescribed(name, {f"{field}_n": target for field, target in targets.items()}, on=on, weight=weight)


@dataclass(frozen=True)
class Samples(Prescribed):
    """Exact values at given points, such as pixels and sounds: all are to be met, where ``Data`` are measured."""


@dataclass(frozen=True)
class Prior(Prescribed):
    """What is known of an unknown number beforehand: the row (D - mean) / sigma, weighted like one measurement among the data."""


@dataclass(frozen=True)
class Robin(Constraint):
    """A condition between values and derivatives: ``Robin("right", lambda s: s.u_n + 2 * (s.u - 1), on=domain.side(x=1))``.

    Any expression that must vanish on ``on``; as fields of two subdomains may stand in it, it couples them on their interface as well.
    """

    function: Callable[[Local], object]

    def __post_init__(self):
        super().__post_init__()
        if not callable(self.function) or self.on is None:
            raise ProblemError(f"Constraint {self.name!r}: a condition is a function of s on a part of the boundary: give on=.")

    def residual(self, s):
        return self.function(s)


@dataclass(frozen=True)
class Interface(Constraint):
    """A condition between the two sides of an interface, for fields with a network on each part of the domain (``Field(parts=...)``).

        Interface("joint", lambda s: {"value": s.minus.u - s.plus.u, "flux": s.minus.u_n - 4 * s.plus.u_n}, on=left.side(x=0.5))

    ``on``: a part of the boundary of one of the parts; its outward normal points from ``s.minus`` to ``s.plus``, and is that of both.
    """

    function: Callable[[TwoSided], object]

    nodes = 2

    def __post_init__(self):
        super().__post_init__()
        if not callable(self.function) or not isinstance(self.on, Region):
            raise ProblemError(f"Constraint {self.name!r}: an interface is a function of s on the boundary of a part: give on=.")

    def expand(self, points, domain):
        if not points.normal:
            raise ProblemError(f"Constraint {self.name!r}: an interface has a normal, but {self.on.describe()} has none: take a boundary.")
        columns = {n: c.repeat_interleave(2) for n, c in points.columns.items()}
        side = torch.ones_like(columns[points.names[0]])
        side[::2] = -1
        return Points({**columns, SIDE: side}, {n: c.repeat_interleave(2) for n, c in points.normal.items()})

    def residual(self, s):
        return self.function(TwoSided(s))


@dataclass(frozen=True)
class Inequality(Constraint):
    """An expression that must not be negative: ``Inequality("obstacle", lambda s: s.u - psi(s.x))`` for u >= psi; only violations count.

    The rows are min(g, 0), a penalty: the larger the weight, the smaller the violation.
    """

    function: Callable[[Local], object]

    def __post_init__(self):
        super().__post_init__()
        if not callable(self.function):
            raise ProblemError(f"Constraint {self.name!r}: an inequality is a function of s, as in lambda s: s.u, got {self.function!r}.")

    def residual(self, s):
        return {name or "violation": torch.clamp(values(g), max=0.0) for name, g in named("", self.function(s))}
