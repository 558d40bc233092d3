"""One coordinate of a domain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pinnsine.errors import ProblemError

Role = Literal["space", "time", "parameter"]


@dataclass(frozen=True)
class Axis:
    """One coordinate: its name, its range, and whether it is space, time or a parameter.

    Raises ProblemError if the name is no identifier or the range is empty, inverted or not finite.
    """

    name: str
    lower: float
    upper: float
    role: Role = "space"

    def __post_init__(self):
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise ProblemError(f"A coordinate's name must be an identifier such as 'x', got {self.name!r}.")
        try:
            lower, upper = float(self.lower), float(self.upper)
        except (TypeError, ValueError) as error:
            raise ProblemError(f"Coordinate {self.name!r}: a range is two numbers, got {self.lower!r} and {self.upper!r}.") from error
        if not (math.isfinite(lower) and math.isfinite(upper) and lower < upper):
            raise ProblemError(
                f"Coordinate {self.name!r}: the lower end must be below the upper one and both finite, got [{lower:g}, {upper:g}]."
            )
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)

    @property
    def length(self) -> float:
        return self.upper - self.lower
