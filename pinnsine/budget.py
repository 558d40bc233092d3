"""Budgets of time, written as numbers of seconds or as "60s", "2m", "1.5h"."""

from __future__ import annotations

import math
import re
import time

from pinnsine.distributed import agreed
from pinnsine.errors import ProblemError

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds(budget: float | str | None) -> float:
    """A time budget in seconds; None is no limit. Raises ProblemError unless it is positive."""
    if budget is None:
        return math.inf
    match = re.fullmatch(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(s|m|min|h)?\s*", str(budget))
    value = float(match[1]) * UNITS[match[2] or ""] if match else math.nan
    if not value > 0:
        raise ProblemError(f"A time budget is a positive number of seconds or a text such as '60s', '2m' or '1.5h', got {budget!r}.")
    return value


class Clock:
    """Wall time since the start, and what is left of a budget; ``earlier``: seconds that the run has taken in calls before this one."""

    def __init__(self, budget: float):
        self.started, self.budget, self.earlier = time.perf_counter(), budget, 0.0

    @property
    def elapsed(self) -> float:
        return self.earlier + time.perf_counter() - self.started

    @property
    def left(self) -> float:
        """The same for all processes of a run, which ask together."""
        return agreed(self.budget - (time.perf_counter() - self.started))
