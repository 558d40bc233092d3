"""The table of a run: one row an iteration, columns by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np


class History(Mapping[str, np.ndarray]):
    """Columns as float64 arrays: iteration, phase, seconds, loss, held_out, error, damping, points and ``loss.<constraint>``.

    NaN stands where a quantity was not measured at that iteration.
    """

    def __init__(self, columns: Mapping[str, np.ndarray] | None = None):
        self._rows: list[dict[str, float]] = []
        for i in range(len(next(iter(columns.values()), ())) if columns else 0):
            self.append({name: float(column[i]) for name, column in columns.items()})

    def append(self, row: Mapping[str, float]) -> None:
        """Add an iteration."""
        self._rows.append(dict(row))

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in set(self):
            raise KeyError(f"the history has no column {name!r}: it has {', '.join(self)}")
        return np.array([row.get(name, np.nan) for row in self._rows], dtype=np.float64)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for row in self._rows for name in row))

    def __len__(self) -> int:
        return len(dict.fromkeys(name for row in self._rows for name in row))

    @property
    def rows(self) -> int:
        """The number of iterations."""
        return len(self._rows)
