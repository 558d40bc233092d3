"""R-functions: smooth functions whose sign is the Boolean combination of the signs of their arguments.

    a and b:  a + b - sqrt(a^2 + b^2),    a or b:  a + b + sqrt(a^2 + b^2),    not a:  -a

Where one argument vanishes and the other does not, the result vanishes with the same slope, so that unit normal derivatives are kept; all
derivatives exist but where both vanish, at corners (V. L. Rvachev; V. Shapiro 2007, Acta Numerica 16).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch


def conjunction(a, b):
    return a + b - torch.sqrt(a * a + b * b)


def disjunction(a, b):
    return a + b + torch.sqrt(a * a + b * b)


def all_of(parts: Sequence):
    """The conjunction of all parts, from the last to the first."""
    return functools.reduce(lambda late, early: conjunction(early, late), reversed(parts))


def any_of(parts: Sequence):
    """The disjunction of all parts, from the last to the first."""
    return functools.reduce(lambda late, early: disjunction(early, late), reversed(parts))


def normalised(function, gradient: Sequence):
    """f / sqrt(f^2 + |grad f|^2), which vanishes where f does, with unit slope."""
    return function / torch.sqrt(sum((g * g for g in gradient), start=function * function))
