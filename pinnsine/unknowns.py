"""What is sought: functions, each of some of the coordinates, and numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from pinnsine.domain import Region
from pinnsine.errors import ProblemError
from pinnsine.known import Symmetry, symmetries
from pinnsine.local import parts_of

DECADE = 10.0  # a number is thought to be known within so many times its start
EDGE = 1e-3  # of the distance between bounds: which are not reached themselves


@dataclass(frozen=True)
class Field:
    """An unknown function; ``of`` names the coordinates it depends on, by default all: ``Field("q", of="x")``.

    ``range``: about where its values lie, if that is known; by default it is found from conditions, data and equations.
    ``parts``: regions that fill the domain, on each of which the field has a network of its own, so that it may have a kink or a jump
    between them: ``Field("u", parts=(left, right))``; what holds there is said by an ``Interface``.
    ``plus``: a known part g of u = g + N, a smooth function of s that unknown numbers may stand in: ``plus=lambda s: s.w * g(s.x)``.
    ``symmetry`` of the rest N, about zero or a centre: ``symmetry={"x": "odd", "y": ("even", 0.5)}``.
    ``complex``: the values are complex. Inside it is two real fields, ``psi_re`` and ``psi_im``; ``range`` is then that of each.
    """

    name: str
    of: str | tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    parts: tuple[Region, ...] = ()
    plus: Callable | None = None
    symmetry: Mapping[str, str | tuple[str, float]] | tuple[Symmetry, ...] = ()
    complex: bool = False
    whole: str = field(default="", kw_only=True)  # the complex field that this is a part of: set by Problem

    def __post_init__(self):
        object.__setattr__(self, "symmetry", symmetries(self.name, self.symmetry))
        if self.plus is not None and not callable(self.plus):
            raise ProblemError(f"Field {self.name!r}: plus= is a function of s, as in plus=lambda s: torch.sin(s.x), got {self.plus!r}.")
        if self.complex and self.plus is not None:
            raise ProblemError(f"Field {self.name!r}: a complex field takes no plus=: write its equations for what is left of it.")
        if self.range is not None and not (len(self.range) == 2 and -math.inf < self.range[0] < self.range[1] < math.inf):
            raise ProblemError(f"Field {self.name!r}: a range is two finite numbers, the lower one first, got {self.range}.")


@dataclass(frozen=True)
class Unknown:
    """An unknown number with its starting value: ``Unknown("D", 1.0, positive=True)`` or ``Unknown("D", 1.0, bounds=(0.1, 2))``.

    A positive unknown is D = start * exp(theta), so that its start must be positive; one with bounds (a, b) is
    D = a + (b - a) / (1 + exp(-theta)), so that its start lies between them. ``prior``: the mean and the standard deviation of what is known
    of it beforehand, one more measurement among the data.
    """

    name: str
    start: float
    positive: bool = False
    bounds: tuple[float, float] | None = None
    prior: tuple[float, float] | None = None

    def __post_init__(self):
        if not isinstance(self.start, int | float) or not math.isfinite(self.start):
            raise ProblemError(f"Unknown {self.name!r} must start at a finite number, got {self.start!r}.")
        if self.prior is not None:
            prior = tuple(float(p) for p in self.prior) if isinstance(self.prior, Sequence) else ()
            if len(prior) != 2 or not (math.isfinite(prior[0]) and 0 < prior[1] < math.inf):
                raise ProblemError(f"Unknown {self.name!r}: prior= is a mean and a standard deviation above zero, got {self.prior!r}.")
            object.__setattr__(self, "prior", prior)
        if self.positive and not self.start > 0:
            raise ProblemError(f"Unknown {self.name!r} is declared positive, so its start must be above zero, got {self.start:g}.")
        if self.bounds is None:
            return
        bounds = tuple(float(b) for b in self.bounds) if isinstance(self.bounds, Sequence) else ()
        if len(bounds) != 2 or self.positive or not -math.inf < bounds[0] < self.start < bounds[1] < math.inf:
            raise ProblemError(
                f"Unknown {self.name!r}: bounds= are two finite numbers around the start {self.start:g}, without positive=, "
                f"got {self.bounds!r}."
            )
        object.__setattr__(self, "bounds", bounds)

    @property
    def reach(self) -> tuple[float, float]:
        """Two numbers between which it may be expected: nearly its bounds, else a decade about its start, or -1 and 1 about zero."""
        if self.bounds is not None:
            low, high = self.bounds
            margin = EDGE * (high - low)
            return min(low + margin, self.start), max(high - margin, self.start)
        return (self.start / DECADE, self.start * DECADE) if self.start else (-1.0, 1.0)

    def value(self, raw: Tensor) -> Tensor:
        """The number from its raw parameter theta: start + |start| theta where it is neither positive nor bounded."""
        if self.bounds is not None:
            low, high = self.bounds
            return low + (high - low) * torch.sigmoid(raw + math.log((self.start - low) / (high - self.start)))
        return self.start * torch.exp(raw) if self.positive else self.start + (abs(self.start) or 1.0) * raw

    def raw(self, value: float) -> float | None:
        """The raw parameter of a number; None for one that it cannot be."""
        low, high = self.bounds or (0.0 if self.positive else -math.inf, math.inf)
        if not low < value < high:
            return None
        if self.bounds is not None:
            return math.log((value - low) / (high - value)) - math.log((self.start - low) / (high - self.start))
        return math.log(value / self.start) if self.positive else (value - self.start) / (abs(self.start) or 1.0)


def real_fields(field: Field) -> tuple[Field, ...]:
    """A field, or the two real ones that a complex field is."""
    if not field.complex:
        return (field,)
    return tuple(replace(field, name=name, complex=False, whole=field.name) for name in parts_of(field.name))
