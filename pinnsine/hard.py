"""Conditions built into the trial function: u = g + cutoff * N on a box, or on a shape without corners.

``g`` takes the prescribed values on every face by blending from face to face (a Boolean sum of projections: Gordon & Hall 1973), the
``cutoff`` is the product of the distances to the faces, scaled to be of order one (Lagaris, Likas & Fotiadis 1998). Both are smooth. On a shape
the cutoff is its own, and g the prescribed function itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.constraint import Target, hard_parts, target_values
from pinnsine.domain import Axis, Face, Part
from pinnsine.errors import ProblemError
from pinnsine.jet import Constant, Jet
from pinnsine.known import known_part

Coordinates = Mapping[str, Jet]


@dataclass(frozen=True)
class HardPart:
    """One face, or the boundary of a shape, with its prescribed value; ``plus``: the known part of the field, which is taken off it."""

    constraint: str
    face: Face | Part
    target: Target
    field: str
    plus: Callable | None = None


def hard_conditions(problem) -> dict[str, list[HardPart]]:
    """The hard parts of every field. Raises ProblemError where two of them prescribe the same face."""
    parts: dict[str, list[HardPart]] = {}
    for constraint in problem.constraints:
        if not getattr(constraint, "targets", None) or not constraint.hard:
            continue
        for field, target in constraint.targets.items():
            for face in hard_parts(constraint, problem.domain):
                known = parts.setdefault(field, [])
                if any(isinstance(f, Part) for f in (face, *(p.face for p in known))):
                    if known:
                        raise ProblemError(f"Constraint {constraint.name!r}: a hard boundary of a shape stands alone: use hard=False here.")
                elif any((p.face.name, p.face.value) == (face.name, face.value) for p in known):
                    raise ProblemError(f"Constraint {constraint.name!r}: {field} is prescribed twice on {face.describe()}: keep one of them.")
                known.append(HardPart(constraint.name, face, target, field, problem.field(field).plus))
    return parts


def cutoff(parts: Sequence[HardPart], coordinates: Coordinates) -> Jet:
    """The product over the faces of the distance to each, scaled by the length: 4 (x-a)(b-x) / L^2 between two opposite faces.

    On a shape its own cutoff, scaled by the depth of the shape.
    """
    if isinstance(parts[0].face, Part):
        shape = parts[0].face.shape
        return shape.cutoff(coordinates) * (1 / shape.depth)
    result = None
    for axis, faces in _by_axis(parts):
        x = coordinates[axis.name]
        factors = [(x - f.face.value) * (-f.face.sign / axis.length) for f in faces]
        factor = 4.0 * factors[0] * factors[1] if len(factors) == 2 else factors[0]
        result = factor if result is None else result * factor
    return result


def lift(parts: Sequence[HardPart], coordinates: Coordinates, local: Callable[[Coordinates], object]) -> Jet:
    """A smooth function that takes the prescribed values on every face; ``local(coordinates)`` makes the state targets are read from."""
    if isinstance(parts[0].face, Part):
        value = smooth_value(parts[0], local(coordinates))
        return value if isinstance(value, Jet) else Constant(torch.full_like(next(iter(coordinates.values())).values, value))
    return _blend(_by_axis(parts), coordinates, local)


def _blend(groups, coordinates, local) -> Jet:
    if not groups:
        return Constant(torch.zeros_like(next(iter(coordinates.values())).values))
    (axis, faces), *rest = groups
    base = _blend(rest, coordinates, local)
    x = coordinates[axis.name]
    for part in faces:
        there = {**coordinates, axis.name: Constant(torch.full_like(x.values, part.face.value), x.context)}
        value = smooth_value(part, local(there))
        gap = value - _blend(rest, there, local)
        opposite = axis.lower if part.face.sign > 0 else axis.upper
        base = base + (gap * ((x - opposite) * (part.face.sign / axis.length)) if len(faces) == 2 else gap)
    return base


def smooth_value(part: HardPart, s):
    """A prescribed value with its derivatives, or a number."""
    value = target_values(part.target, s)
    if isinstance(value, Tensor) and value.ndim:
        raise ProblemError(
            f"Constraint {part.constraint!r}: a hard value must be written in terms of s, got a plain tensor, whose derivatives are not "
            "known: use hard=False for tabulated values."
        )
    if part.plus is None:
        return value
    return value - known_part(part.field, part.plus, s, len(next(iter(s._coordinates.values()))))


def _by_axis(parts: Sequence[HardPart]) -> list[tuple[Axis, list[HardPart]]]:
    names = dict.fromkeys(p.face.name for p in parts)
    return [(parts[0].face.box.axis(n), [p for p in parts if p.face.name == n]) for n in names]
