"""Twins: a problem in other words, with other names, units and origins, which a solver must find neither easier nor harder.

With X = a x + b for every coordinate and U = c u for every field, the twin's constraints are the problem's own, read through

    u(x) = U(X) / c,   u_x = (a / c) U_X,   u_xx = (a^2 / c) U_XX, ...

so that nothing is rewritten, and the twin's solution is the problem's to rounding.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from pinnsine.conditions import Inequality, Robin
from pinnsine.constraint import Constraint, Periodic, Prescribed, Residual, target_values
from pinnsine.domain import Axis, Box, Face, Faces, Region
from pinnsine.errors import ProblemError
from pinnsine.index import Collapsed, make_index
from pinnsine.integral import Integral
from pinnsine.jet import Context, Coordinate, Jet, times, total
from pinnsine.local import Local
from pinnsine.points import Points
from pinnsine.problem import Field, Problem
from pinnsine.reference import Reference

LETTERS = string.ascii_lowercase


@dataclass(frozen=True)
class Map:
    """A coordinate's name in the twin, and X = factor * x + shift."""

    name: str
    factor: float
    shift: float

    def forth(self, x):
        return self.factor * x + self.shift

    def back(self, x):
        return (x - self.shift) / self.factor


class Translated(Jet):
    """A jet of the coordinates of one problem as a jet of those of the other.

    ``names``: by coordinate of the outside, the inside's and the derivative of the inside's coordinate by it.
    """

    def __init__(self, jet: Jet, context: Context, names: Mapping[str, tuple[str, float]]):
        super().__init__(context)
        self.jet, self.names = jet, names

    def _component(self, index):
        if isinstance(index, Collapsed):
            return total(self.at((n, n)) for n in index.names)
        component = self.jet.at(make_index(self.names[n][0] for n in index))
        return times(component, component, math.prod(self.names[n][1] for n in index), lambda a, _: a)


class Twin:
    """What turns a problem into its twin: a map for every coordinate, and a name and a factor for every field."""

    def __init__(self, problem: Problem, maps: Mapping[str, Map], fields: Mapping[str, tuple[str, float]]):
        self.problem, self.maps, self.fields = problem, maps, fields
        self.inwards = {n: (m.name, m.factor) for n, m in maps.items()}
        self.outwards = {m.name: (n, 1 / m.factor) for n, m in maps.items()}

    def problem_itself(self) -> Problem:
        """The twin."""
        old = self.problem
        if any(f.parts or f.plus or f.symmetry for f in old.fields):
            raise ProblemError("A twin has no fields in parts, with a known part or a symmetry.")
        fields = [Field(self.fields[f.name][0], tuple(self.maps[n].name for n in f.of), self._range(f)) for f in old.fields]
        constraints = [self.constraint(c) for c in old.constraints]
        reference = None if old.reference is None else self._reference(old.reference)
        return Problem(self.domain(old.domain), fields, constraints, unknowns=old.unknowns, reference=reference, name=f"twin of {old.name}")

    def _range(self, field: Field):
        return field.range and tuple(self.fields[field.name][1] * end for end in field.range)

    def domain(self, domain) -> Box:
        if not isinstance(domain, Box):
            raise ProblemError(f"A twin is made of problems on boxes, got {domain.describe()}.")
        return Box(*(Axis(self.maps[a.name].name, *(self.maps[a.name].forth(e) for e in (a.lower, a.upper)), a.role) for a in domain.axes))

    def region(self, region: Region | Points | None):
        """The same place in the twin's coordinates; the sign of every map is positive, so that normals stay."""
        if region is None or isinstance(region, Box):
            return region and self.domain(region)
        if isinstance(region, Points):
            return Points({m.name: m.forth(region[n]) for n, m in self.maps.items()} | self._data(region))
        if isinstance(region, Faces):
            return Faces(tuple(self.region(f) for f in region.faces))
        if isinstance(region, Face):
            return Face(self.domain(region.box), self.maps[region.name].name, self.maps[region.name].forth(region.value), region.sign)
        raise ProblemError(f"A twin has no {type(region).__name__}.")

    def _data(self, points: Points) -> dict[str, Tensor]:
        return {n: c for n, c in points.columns.items() if n not in self.maps}

    def constraint(self, constraint: Constraint) -> Constraint:
        """A constraint that holds for the twin's fields where the given one holds for the problem's."""
        on = self.region(constraint.on)
        if isinstance(constraint, Residual | Robin | Inequality):
            return replace(constraint, on=on, function=self._read(constraint.function))
        if isinstance(constraint, Periodic):
            names = tuple(self.fields[f][0] for f in constraint.fields)
            return replace(constraint, coordinate=self.maps[constraint.coordinate].name, fields=names)
        if isinstance(constraint, Integral):
            over = tuple(self.maps[n].name for n in constraint.over)
            volume = math.prod(self.maps[n].factor for n in constraint.over)
            equals = self._read(constraint.equals) if callable(constraint.equals) else constraint.equals
            return replace(constraint, over=over, integrand=lambda s: constraint.integrand(self.state(s)) * (1 / volume), equals=equals)
        if isinstance(constraint, Prescribed) and constraint.sigma is None:
            return replace(constraint, on=on, targets=dict(self._target(n, t) for n, t in constraint.targets.items()))
        raise ProblemError(f"A twin has no {type(constraint).__name__}.")

    def _read(self, function: Callable) -> Callable:
        return lambda s: function(self.state(s))

    def _target(self, name: str, target):
        """A prescribed field, derivative or normal derivative in the twin's units."""
        kind, field, index = self.problem.names.resolve(name)
        new, factor = self.fields[field]
        if kind != "fields" or len(index) > 1:
            raise ProblemError(f"A twin prescribes values and first derivatives along a coordinate, not {name!r}.")
        for n in index:
            factor /= self.maps[n].factor
        label = "_".join((new, *(self.maps[n].name for n in index)))

        def moved(s):
            value = factor * target_values(target, self.state(s))
            return Translated(value, s._context, self.outwards) if isinstance(value, Jet) else value

        return label, moved

    def state(self, s: Local) -> Local:
        """The state of the problem that stands behind a state of the twin."""
        outside = s._context
        back = {m.name: n for n, m in self.maps.items()}
        normal = {back[n]: v for n, v in outside.normal.items()}
        context = Context(self.problem.domain.names, self.problem.domain.space, normal)
        coordinates = {n: Coordinate(n, m.back(getattr(s, m.name).values), context) for n, m in self.maps.items() if m.name in s._coordinates}
        fields = {n: Translated((1 / c) * s._fields[new], context, self.inwards) for n, (new, c) in self.fields.items() if new in s._fields}
        return Local(self.problem.names, context, coordinates, fields, s._unknowns, s._data)

    def _reference(self, reference: Reference) -> Reference:
        def of(name: str) -> Callable:
            def function(s):
                behind = _Plain({n: m.back(getattr(s, m.name)) for n, m in self.maps.items()})
                return self.fields[name][1] * reference.fields[name](behind)

            return function

        fields = {new: of(name) for name, (new, _) in self.fields.items() if name in reference.fields}
        floor = {self.fields[n][0]: reference.floor[n] for n in reference.fields if n in self.fields}
        return replace(reference, fields=fields, floor=floor, description=f"{reference.description}, of the twin")


class _Plain:
    """Columns as attributes."""

    def __init__(self, columns: Mapping[str, Tensor]):
        vars(self).update(columns)


def twin(problem: Problem, coordinate: float = 1e3, field: float = 1e3, shift: float = 3.0) -> Problem:
    """A problem on a box in other coordinates and units, under other names (every letter a to z becomes that of z to a).

    Args:
        coordinate: the factor of the coordinates of space, whose inverse is that of time and parameters.
        field: the factor of the first field, and so on in turn.
        shift: how far the origin of every coordinate moves, in lengths of its range.

    Raises:
        ProblemError: the domain is no box, or a constraint is of a kind that has no twin.
    """
    maps, fields = {}, {}
    for axis in problem.domain.axes:
        factor = coordinate if axis.role == "space" else 1 / coordinate
        maps[axis.name] = Map(_other(axis.name), factor, shift * factor * axis.length)
    for k, f in enumerate(problem.fields):
        fields[f.name] = (_other(f.name), field ** (-1) ** k)
    return Twin(problem, maps, fields).problem_itself()


def _other(name: str) -> str:
    return name.translate(str.maketrans(LETTERS, LETTERS[::-1]))
