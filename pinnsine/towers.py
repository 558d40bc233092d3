"""Towers of derivatives f, f', f'', ... of scalar functions, each evaluated once per batch from shared values.

``TOWERS[name](z)`` returns a function of the order that gives f^(order)(z), a tensor of the shape of z.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

Tower = Callable[[Tensor], Callable[[int], Tensor]]


def cyclic(first: Callable, second: Callable, signs: tuple[int, int, int, int]) -> Tower:
    """Derivatives that alternate between two functions: sin, cos, -sin, -cos, ..."""

    def tower(z: Tensor):
        base = functools.cache(lambda parity: (second if parity else first)(z))
        return functools.cache(lambda order: base(order % 2) if signs[order % 4] > 0 else -base(order % 2))

    return tower


def polynomial(function: Callable, slope: tuple[float, ...]) -> Tower:
    """Functions with y' = S(y), S the polynomial with coefficients ``slope``: every derivative is a polynomial in y.

    tanh: y' = 1 - y^2; the logistic function: y' = y - y^2; exp: y' = y.
    """
    S = np.polynomial.Polynomial(slope)

    @functools.cache
    def coefficients(order: int) -> tuple[float, ...]:
        if order == 0:
            return (0.0, 1.0)
        return tuple((np.polynomial.Polynomial(coefficients(order - 1)).deriv() * S).coef.tolist())

    def tower(z: Tensor):
        y = function(z)
        return functools.cache(lambda order: y if order == 0 else horner(coefficients(order), y))

    return tower


def horner(coefficients: tuple[float, ...], y: Tensor) -> Tensor:
    """The polynomial sum_k coefficients[k] y^k; factors out the powers of y^2 where all exponents are of one parity."""
    nonzero = [k for k, c in enumerate(coefficients) if c]
    step = 2 if len({k % 2 for k in nonzero}) == 1 else 1
    base = y * y if step == 2 and nonzero[-1] > 1 else y
    parts = coefficients[nonzero[0] % step :: step]
    parts = parts[: (nonzero[-1] - nonzero[0] % step) // step + 1]
    result = torch.full_like(y, parts[-1]) if len(parts) == 1 else parts[-1] * base + parts[-2]
    for c in reversed(parts[:-2]):
        result = result * base + c
    return result * y if nonzero[0] % step else result


def power_tower(exponent: float) -> Tower:
    """z^p and its derivatives p (p-1) ... z^(p-k)."""

    def tower(z: Tensor):
        @functools.cache
        def derivative(order: int) -> Tensor:
            factor = math.prod(exponent - k for k in range(order))
            if factor == 0:
                return torch.zeros_like(z)
            return factor * z.pow(exponent - order) if order else z.pow(exponent)

        return derivative

    return tower


def after_first(function: Callable, slope: Tower, inner: Callable[[Tensor], Tensor] = lambda z: z) -> Tower:
    """A function whose first derivative has a tower of its own: log and 1/z, softplus and the logistic function."""

    def tower(z: Tensor):
        derivatives = slope(inner(z))
        return functools.cache(lambda order: function(z) if order == 0 else derivatives(order - 1))

    return tower


def absolute(z: Tensor):
    """abs where it is smooth: the derivative is the sign, all others vanish."""
    return lambda order: (z.abs(), z.sign(), torch.zeros_like(z))[min(order, 2)]


def gaussian(z: Tensor):
    """2/sqrt(pi) exp(-z^2), the slope of erf: derivatives by Hermite's recurrence H_{k+1} = 2 z H_k - 2 k H_{k-1}."""
    value = (2 / math.sqrt(math.pi)) * torch.exp(-z * z)

    @functools.cache
    def hermite(k: int) -> Tensor:
        return torch.ones_like(z) if k == 0 else 2 * z if k == 1 else 2 * z * hermite(k - 1) - 2 * (k - 1) * hermite(k - 2)

    return lambda order: (-1) ** order * hermite(order) * value


sigmoid = polynomial(torch.sigmoid, (0.0, 1.0, -1.0))

TOWERS: dict[str, Tower] = {
    "sin": cyclic(torch.sin, torch.cos, (1, 1, -1, -1)),
    "cos": cyclic(torch.cos, torch.sin, (1, -1, -1, 1)),
    "sinh": cyclic(torch.sinh, torch.cosh, (1, 1, 1, 1)),
    "cosh": cyclic(torch.cosh, torch.sinh, (1, 1, 1, 1)),
    "tanh": polynomial(torch.tanh, (1.0, 0.0, -1.0)),
    "tan": polynomial(torch.tan, (1.0, 0.0, 1.0)),
    "sigmoid": sigmoid,
    "exp": lambda z: (lambda y: lambda order: y)(torch.exp(z)),
    "log": after_first(torch.log, power_tower(-1)),
    "sqrt": power_tower(0.5),
    "rsqrt": power_tower(-0.5),
    "reciprocal": power_tower(-1),
    "square": power_tower(2),
    "abs": absolute,
    "erf": after_first(torch.erf, gaussian),
    "softplus": after_first(torch.nn.functional.softplus, sigmoid),
}
