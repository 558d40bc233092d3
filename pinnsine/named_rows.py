"""The rows of a constraint: what its residual returns, one batch or a tuple, a Vector or a dict of them, as batches with names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from pinnsine.calculus import Vector
from pinnsine.errors import ProblemError
from pinnsine.jet import Jet, values
from pinnsine.local import Local

if TYPE_CHECKING:
    from pinnsine.constraint import Constraint


def rows_of(constraint: Constraint, s: Local, count: int) -> dict[str, Tensor]:
    """The residual's values as named batches of rows (count,); the name is empty where there is one alone.

    Complex values are two batches, ``re`` and ``im``. Raises ProblemError for a value of any other shape.
    """
    found: dict[str, Tensor] = {}
    for name, value in batches_of(constraint, s, count).items():
        if value.is_complex():
            prefix = f"{name}." if name else ""
            found |= {f"{prefix}re": value.real, f"{prefix}im": value.imag}
        else:
            found[name] = value
    return found


def batches_of(constraint: Constraint, s: Local, count: int) -> dict[str, Tensor]:
    """The residual's values, real or complex, as named batches (count,).

    Raises ProblemError, with the constraint's name and the shapes, for a value of any other shape.
    """
    rows = dict(named("", constraint.residual(s)))
    if not rows:
        raise ProblemError(f"Constraint {constraint.name!r} returned nothing: return the expression that must vanish.")
    for name, value in rows.items():
        part = f"Constraint {constraint.name!r}" + (f", part {name!r}" if name else "")
        if not isinstance(value, Jet | Tensor):
            raise ProblemError(f"{part} must return values of shape (N,), got {type(value).__name__}: write it in terms of s.")
        if tuple(value.shape) != (count,):
            raise ProblemError(
                f"{part} must return values of shape (N,) = ({count},), got {tuple(value.shape)}: all names of s have shape (N,), so "
                "look for indexing with None, unsqueeze or a coefficient of shape (N, 1)."
            )
    return {name: values(value) for name, value in rows.items()}


def named(prefix: str, value):
    """The batches of rows that a value holds, with their names: dicts by key, tuples and vectors by number."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from named(f"{prefix}.{key}" if prefix else str(key), part)
    elif isinstance(value, tuple | list | Vector):
        for i, part in enumerate(value):
            yield from named(f"{prefix}[{i}]", part)
    else:
        yield prefix, value
