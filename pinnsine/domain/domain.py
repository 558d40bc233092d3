"""What a problem can be posed on: a region of named coordinates with roles, a boundary with parts, and a grid to compare on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch

from pinnsine.domain.axis import Axis
from pinnsine.domain.region import Region
from pinnsine.errors import ProblemError
from pinnsine.points import Points


class Domain(Region):
    """A box, a shape, or a product of one with time and parameters. ``axes`` is its bounding box, one axis a coordinate.

    ``a + b`` or ``a | b`` is the union, ``a & b`` the intersection, ``a - b`` the difference of domains of space.
    """

    axes: tuple[Axis, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(a.name for a in self.axes)

    @property
    def space(self) -> tuple[str, ...]:
        """Names of the space coordinates."""
        return tuple(a.name for a in self.axes if a.role == "space")

    @property
    def time(self) -> str | None:
        """Name of the time coordinate, if there is one."""
        return next((a.name for a in self.axes if a.role == "time"), None)

    def axis(self, name: str) -> Axis:
        """The axis of a coordinate. Raises ProblemError for an unknown name."""
        for a in self.axes:
            if a.name == name:
                return a
        raise ProblemError(f"The domain has no coordinate {name!r}: it has {', '.join(self.names)}.")

    @abstractmethod
    def boundary(self, *names: str) -> Region:
        """The boundary in space, times everything else."""

    @abstractmethod
    def side(self, **place: float) -> Region:
        """The part of the boundary where one coordinate has one value: ``domain.side(x=1)``."""

    @abstractmethod
    def grid(self, total: int = 50_000) -> Points:
        """About ``total`` points for comparisons and pictures."""

    @abstractmethod
    def __mul__(self, other: Domain) -> Domain: ...

    def __or__(self, other: Domain) -> Domain:
        return self._combined("union", other)

    __add__ = __or__

    def __and__(self, other: Domain) -> Domain:
        return self._combined("intersection", other)

    def __sub__(self, other: Domain) -> Domain:
        return self._combined("difference", other)

    def _combined(self, operation: str, other: Domain) -> Domain:
        from pinnsine.domain.csg import combined  # which builds on this module

        return combined(operation, self, other)

    def translate(self, *shift: float) -> Domain:
        """The domain moved by a vector, one number for each coordinate."""
        from pinnsine.domain.moved import translated

        return translated(self, shift)

    def rotate(self, angle: float, axis: Sequence[float] | None = None, about: Sequence[float] | None = None) -> Domain:
        """The domain turned by an angle in radians, counter-clockwise, about a point (the origin unless given).

        ``axis``: the direction turned about, in three dimensions.
        """
        from pinnsine.domain.moved import rotated

        return rotated(self, angle, axis, about)

    def scale(self, factor: float, about: Sequence[float] | None = None) -> Domain:
        """The domain enlarged by a factor from a point (the origin unless given)."""
        from pinnsine.domain.moved import scaled

        return scaled(self, factor, about)


def no_product(other: object) -> ProblemError:
    """The refusal of a factor that is no domain."""
    return ProblemError(f"A domain is multiplied by another domain, got {type(other).__name__}.")


def fixed_generator() -> torch.Generator:
    """The generator of everything that must be the same in every run: measures and comparison points."""
    return torch.Generator().manual_seed(0)
