"""How the learning rate of a first-order method goes on: a factor of its ``lr`` by the number of the iteration."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from pinnsine.errors import ProblemError


class Schedule(ABC):
    """``factor(k, n)``: of iteration k = 1, 2, ... out of n, None where their number is open; linear over the first ``warmup`` iterations."""

    warmup: int

    def factor(self, iteration: int, iterations: int | None) -> float:
        """The learning rate of an iteration against ``lr``."""
        rise = min(1.0, iteration / self.warmup) if self.warmup else 1.0
        return rise * self.decay(max(0, iteration - self.warmup), None if iterations is None else iterations - self.warmup)

    @abstractmethod
    def decay(self, iteration: int, iterations: int | None) -> float:
        """The factor at an iteration counted from the end of the warm-up."""

    def _require(self, *conditions: bool) -> None:
        if not (self.warmup >= 0 and all(conditions)):
            raise ProblemError(f"{type(self).__name__} needs warmup >= 0, every >= 1 and factors in (0, 1], got {self}.")


@dataclass(frozen=True)
class Constant(Schedule):
    """The rate stays where it is."""

    warmup: int = 0

    def __post_init__(self):
        self._require()

    def decay(self, iteration: int, iterations: int | None) -> float:
        return 1.0


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from one down to ``floor`` over the method's ``iterations`` (Loshchilov & Hutter 2017, without restarts)."""

    floor: float = 0.01
    warmup: int = 0

    def __post_init__(self):
        self._require(0 < self.floor <= 1)

    def decay(self, iteration: int, iterations: int | None) -> float:
        done = min(1.0, iteration / max(1, iterations))
        return (1 + self.floor) / 2 + (1 - self.floor) / 2 * math.cos(math.pi * done)


@dataclass(frozen=True)
class Steps(Schedule):
    """The rate times ``ratio`` after every ``every`` iterations."""

    ratio: float = 0.9
    every: int = 1000
    warmup: int = 0

    def __post_init__(self):
        self._require(0 < self.ratio <= 1, self.every >= 1)

    def decay(self, iteration: int, iterations: int | None) -> float:
        return self.ratio ** (max(0, iteration - 1) // self.every)


SCHEDULES = {kind.__name__.lower(): kind for kind in (Constant, Cosine, Steps)}
