"""One-dimensional domains by role; ``*`` makes boxes and space-time of them."""

from __future__ import annotations

from pinnsine.domain.axis import Axis
from pinnsine.domain.box import Box
from pinnsine.errors import ProblemError


def Interval(name: str, lower: float, upper: float) -> Box:
    """The space interval [lower, upper] of a coordinate: ``Interval("x", -1, 1)``."""
    return Box(Axis(name, lower, upper, "space"))


def Time(lower: float, upper: float, name: str = "t") -> Box:
    """The time interval [lower, upper], with the coordinate named t unless said otherwise."""
    return Box(Axis(name, lower, upper, "time"))


def Parameter(name: str, lower: float, upper: float) -> Box:
    """A coefficient as an extra coordinate: one training solves the whole family."""
    return Box(Axis(name, lower, upper, "parameter"))


def Rectangle(**intervals: tuple[float, float]) -> Box:
    """The rectangle of two space coordinates: ``Rectangle(x=(0, 2), y=(0, 1))``."""
    if len(intervals) != 2:
        raise ProblemError(f"A rectangle has two coordinates, as in Rectangle(x=(0, 2), y=(0, 1)), got {len(intervals)}.")
    return Box(**intervals)
