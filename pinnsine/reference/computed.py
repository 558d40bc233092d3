"""Numerical references computed when they are first asked for, kept on disk, with the floors that were measured with them."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pinnsine.domain import Box
from pinnsine.errors import ProblemError
from pinnsine.reference import cache
from pinnsine.reference.exact import Reference
from pinnsine.reference.grid import Grid, Panels

EVALUATION = 1e-13  # error of the evaluation between grid points: no floor is below it
CHUNK = 1 << 17  # points evaluated at once
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Computed:
    """A numerical solution: how it is computed, under which key it is kept, and how its arrays are read.

    ``compute`` gives the arrays, among them ``floor`` (fields,); ``read`` makes of them what can be evaluated.
    """

    key: str
    compute: Callable[[], Arrays]
    read: Callable[[Arrays], Grid | Panels]

    @functools.cached_property
    def solution(self) -> tuple[Grid | Panels, np.ndarray]:
        """The solution and its floors by field."""
        kept = cache.read(self.key)
        if kept is None:
            kept = self.compute()
            cache.write(self.key, kept)
        return self.read(kept), kept["floor"]

    def evaluate(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """The fields (N, fields) at points given by coordinate."""
        return self.solution[0].evaluate(columns)


class Floor(Mapping):
    """Floors by field, measured when they are first asked for: those of ``evolution.solution``, at least the error of the evaluation."""

    def __init__(self, names: tuple[str, ...], evolution):
        self.names, self.evolution = names, evolution

    def __getitem__(self, name: str) -> float:
        return max(EVALUATION, float(dict(zip(self.names, self.evolution.solution[1], strict=True))[name]))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def digest(method: str, settings, arrays: Sequence[np.ndarray]) -> str:
    """A key of all that a solution depends on: settings as JSON, functions by their values at fixed points."""
    found = hashlib.sha256(json.dumps([method, settings]).encode())
    for array in arrays:
        found.update(np.ascontiguousarray(array, dtype=complex if np.iscomplexobj(array) else float).tobytes())
    return found.hexdigest()


def reference_of(computed: Computed, domain: Box, fields: Sequence[str], description: str) -> Reference:
    """The reference whose fields are those of a numerical solution on a domain, outside of which it is not known."""

    last: list = [(), None]  # the points evaluated last and all fields there: the fields are asked for one by one

    def evaluated(columns: Mapping[str, Tensor]) -> Tensor:
        if not all(isinstance(column, Tensor) for column in columns.values()):
            raise ProblemError("A numerical reference has values only: derivatives of it are not known.")
        points = tuple(columns.values())
        if len(points) != len(last[0]) or any(a is not b for a, b in zip(points, last[0], strict=True)):
            found = computed.evaluate({name: inside(domain.axis(name), column.cpu().numpy()) for name, column in columns.items()})
            last[:] = points, torch.from_numpy(found).to(points[0].device)
        return last[1]

    def field(part: int) -> Callable:
        return lambda s: evaluated({name: getattr(s, name) for name in domain.names})[:, part]

    return Reference({n: field(k) for k, n in enumerate(fields)}, Floor(tuple(fields), computed), description, chunk=CHUNK)


def inside(axis, column: np.ndarray) -> np.ndarray:
    """The coordinates (N,), rounding at the ends taken off. Raises ProblemError for points outside the axis."""
    slack = 1e-9 * axis.length
    if len(column) and not (axis.lower - slack <= column.min() and column.max() <= axis.upper + slack):
        raise ProblemError(
            f"This reference is made for {axis.lower:g} <= {axis.name} <= {axis.upper:g}, got {axis.name} from {column.min():g} to "
            f"{column.max():g}: leave out other points, or give its domain a larger range."
        )
    return np.clip(column, axis.lower, axis.upper)
