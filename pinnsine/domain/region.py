"""What every part of a domain can do: be sampled, be measured, and tell which points lie in it."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from pinnsine.points import Points


class Region(ABC):
    """A part of a domain: its interior, a face, a union of faces."""

    def __repr__(self) -> str:
        return f"<{self.describe()}>"

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The names of all coordinates."""

    @property
    @abstractmethod
    def measure(self) -> float:
        """Length, area or volume (of all coordinates together); 1 for a single point."""

    @abstractmethod
    def sample(self, count: int, sampler: str, generator: torch.Generator) -> Points:
        """About ``count`` points of the region, with normals where it is a boundary."""

    @abstractmethod
    def contains(self, points: Points) -> Tensor:
        """Which of the points lie in the region, up to rounding: a boolean tensor (N,)."""

    @abstractmethod
    def describe(self) -> str:
        """The region in words, for messages."""
