"""The table of a run: one row an iteration, columns by name."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor


class History(Mapping[str, np.ndarray]):
    """Columns as float64 arrays: iteration, seconds, loss, held_out, error, damping and ``loss.<constraint>``.

    NaN stands where a quantity was not measured at that iteration. ``rows`` is the number of iterations.
    """

    def __init__(self, columns: Mapping[str, np.ndarray] | None = None):
        self._columns = {name: array("d", np.asarray(column, dtype=np.float64).tobytes()) for name, column in (columns or {}).items()}
        self.rows = len(next(iter(self._columns.values()), ()))

    def append(self, row: Mapping[str, float]) -> None:
        """Add an iteration."""
        for name in [n for n in row if n not in self._columns]:
            self._columns[name] = array("d", [math.nan] * self.rows)
        for name, column in self._columns.items():
            column.append(row.get(name, math.nan))
        self.rows += 1

    def packed(self, rows: int | None = None) -> dict[str, Tensor]:
        """The columns of the first rows as tensors, or of all."""
        return {name: torch.tensor(column[:rows], dtype=torch.float64) for name, column in self._columns.items()}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._columns:
            raise KeyError(f"the history has no column {name!r}: it has {', '.join(self)}")
        return np.array(self._columns[name], dtype=np.float64)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)
