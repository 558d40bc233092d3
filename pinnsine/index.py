"""The names of derivatives.

An *index* names one derivative: the sorted tuple of the coordinates differentiated by, ``()`` for the value and ``("t", "x", "x")`` for u_txx.
``Collapsed(("x", "y"))`` names the sum u_xx + u_yy, which propagates as one component where the single second derivatives are not needed
(Bettencourt, Johnson & Duvenaud 2019; Dangel et al. 2025, arXiv 2505.13644).
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple


class Collapsed(NamedTuple):
    """The index of a collapsed Laplacian: the sum over ``names`` of the second derivatives."""

    names: tuple[str, ...]


Index = tuple[str, ...] | Collapsed


def make_index(names: Iterable[str]) -> Index:
    """The index of the derivative by each of ``names``, in the canonical order."""
    return tuple(sorted(names))


def closure(need: Iterable[Index]) -> tuple[Index, ...]:
    """Every index that Taylor arithmetic passes through on the way to ``need``, lowest order first.

    A collapsed index is dropped where all its second derivatives are carried anyway.
    """
    need = set(need)
    single = {()}
    for index in need:
        if isinstance(index, Collapsed):
            single.update((name,) for name in index.names)
        else:
            for order in range(1, len(index) + 1):
                single.update(itertools.combinations(index, order))
    collapsed = {i for i in need if isinstance(i, Collapsed) and not all((n, n) in single for n in i.names)}
    return (*sorted(single, key=lambda i: (len(i), i)), *sorted(collapsed))


def held(need: Iterable[Index]) -> tuple[Index, ...]:
    """Those of the closure of ``need`` from which it can be answered, and the value."""
    need = set(need)
    carried = closure(need)
    parts = {(n, n) for i in need if isinstance(i, Collapsed) and i not in carried for n in i.names}
    return tuple(i for i in carried if i == () or i in need | parts)


def describe(index: Index) -> str:
    """The index as it is written in a residual: ``xx``, or ``laplacian(x, y)``."""
    return f"laplacian({', '.join(index.names)})" if isinstance(index, Collapsed) else "".join(index) or "value"


@functools.lru_cache(maxsize=4096)
def splits(index: tuple[str, ...]) -> tuple[tuple[int, tuple[str, ...], tuple[str, ...]], ...]:
    """Leibniz' rule: (multiplicity, derivative of the first factor, derivative of the second)."""
    counts: Counter = Counter()
    for mask in itertools.product((True, False), repeat=len(index)):
        first = tuple(n for n, m in zip(index, mask, strict=True) if m)
        second = tuple(n for n, m in zip(index, mask, strict=True) if not m)
        counts[first, second] += 1
    return tuple((count, first, second) for (first, second), count in counts.items())
