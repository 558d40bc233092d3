"""Complex fields are two real ones inside: what is said of them, said of their real and imaginary parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from numbers import Number

from torch import Tensor

from pinnsine.constraint import Constraint, Periodic, Prescribed, Target
from pinnsine.errors import ProblemError
from pinnsine.jet import Jet, imaginary
from pinnsine.local import Names, parts_of
from pinnsine.reference import Reference


def real_constraint(constraint: Constraint, names: Names) -> Constraint:
    """The constraint with what it prescribes of complex fields prescribed of their parts; any other as it is."""
    if isinstance(constraint, Prescribed):
        targets = {n: t for name, target in constraint.targets.items() for n, t in _real_targets(constraint, name, target, names)}
        return replace(constraint, targets=targets)
    if isinstance(constraint, Periodic):
        return replace(constraint, fields=tuple(p for f in constraint.fields for p in (parts_of(f) if f in names.complexes else (f,))))
    return constraint


def _real_targets(constraint: Prescribed, name: str, target: Target, names: Names) -> Sequence[tuple[str, Target]]:
    try:
        _, base, _ = names.resolve(name)
    except ProblemError as error:
        raise ProblemError(f"Constraint {constraint.name!r}: {error}") from error
    if base not in names.complexes:
        if isinstance(target, complex):
            raise ProblemError(f"Constraint {constraint.name!r}: {name}={target} is complex: declare Field({base!r}, complex=True).")
        return [(name, target)]
    derivative = name[len(base) :]
    if isinstance(target, str):
        re, im = (f"{part}{derivative}" for part in parts_of(base))
        raise ProblemError(f"Constraint {constraint.name!r}: data columns are real, so {name!r} needs two: write {re}={target!r}, {im}=...")
    parts = zip(parts_of(base), (real, imag), strict=True)
    return [(f"{part}{derivative}", _composed(take, target) if callable(target) else take(target)) for part, take in parts]


def real_reference(reference: Reference, complexes: Sequence[str]) -> Reference:
    """The reference with the complex fields that it has as two real ones."""
    known = [n for n in complexes if n in reference.fields]
    if not known:
        return reference
    fields: dict[str, Callable] = {n: f for n, f in reference.fields.items() if n not in known}
    floor: dict[str, float] = {n: reference.floor[n] for n in fields}
    for name in known:
        for part, take in zip(parts_of(name), (real, imag), strict=True):
            fields[part], floor[part] = _composed(take, reference.fields[name]), reference.floor[name]
    return replace(reference, fields=fields, floor=floor)


def real_arrays(found: Mapping) -> dict:
    """Arrays by name, complex ones as two real ones."""
    parts: dict = {}
    for name, array in found.items():
        parts |= dict(zip(parts_of(name), (array.real, array.imag), strict=True)) if array.dtype.kind == "c" else {name: array}
    return parts


def _composed(take: Callable, function: Callable) -> Callable:
    return lambda s: take(function(s))


def real(value: Jet | Tensor | Number):
    """The real part."""
    return value.real


def imag(value: Jet | Tensor | Number):
    """The imaginary part, zero for what is real."""
    return imaginary(value) if isinstance(value, Tensor) else value.imag
