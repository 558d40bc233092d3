"""Sums, products, quotients and powers of jets, tensors and numbers: what the operators of a jet do."""

from __future__ import annotations

import torch
from torch import Tensor

from pinnsine.jet import Composed, Constant, Jet, Linear, Product, Sum, as_jet
from pinnsine.towers import TOWERS, power_tower


def is_number(value) -> bool:
    return not isinstance(value, Jet | Tensor)


def add(a, b, *, alpha=1) -> Jet:
    if alpha != 1:
        b = multiply(b, alpha)
    if is_number(a) or is_number(b):
        jet, number = (b, a) if is_number(a) else (a, b)
        dtype = jet.values.dtype.to_complex() if isinstance(number, complex) else jet.values.dtype
        return jet if number == 0 else Sum(jet, Constant(jet.values.new_tensor(number, dtype=dtype), None))
    return Sum(as_jet(a), as_jet(b))


def negative(a):
    return Linear(torch.neg, a) if isinstance(a, Jet) else -a


def multiply(a, b) -> Jet:
    if is_number(a) or is_number(b):
        jet, number = (b, a) if is_number(a) else (a, b)
        return Linear(lambda v: number * v, jet)
    return Product(as_jet(a), as_jet(b))


def divide(a, b) -> Jet:
    if not isinstance(b, Jet):
        return Linear(lambda v: v / b, a)
    return multiply(a, Composed(power_tower(-1), b))


def power(base, exponent) -> Jet:
    if isinstance(exponent, Tensor) and exponent.ndim == 0 and not exponent.requires_grad:
        exponent = exponent.item()
    if isinstance(exponent, Jet | Tensor):
        logarithm = torch.log(base) if isinstance(base, Jet | Tensor) else torch.log(torch.as_tensor(base, dtype=torch.float64))
        return Composed(TOWERS["exp"], as_jet(exponent) * logarithm)
    return Composed(power_tower(exponent), base)
