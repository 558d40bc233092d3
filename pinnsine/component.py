"""Arithmetic of the components of jets: tensors, and None for what vanishes identically."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import torch
from torch import Tensor


def plus(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    """a + b, where None stands for zero."""
    if a is None or b is None:
        return b if a is None else a
    return a + b


def times(a: Tensor | None, b: Tensor | None, factor: float = 1, operation=torch.mul) -> Tensor | None:
    """factor * operation(a, b), where None stands for zero."""
    if a is None or b is None:
        return None
    product = operation(a, b)
    return product if factor == 1 else factor * product


def total(terms: Iterable[Tensor | None]) -> Tensor | None:
    """The sum of ``terms``, where None stands for zero."""
    return functools.reduce(plus, terms, None)


def imaginary(values: Tensor) -> Tensor:
    """The imaginary part, zero for real values."""
    return values.imag if values.is_complex() else torch.zeros_like(values)
