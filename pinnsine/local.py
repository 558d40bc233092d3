"""The ``s`` of a residual: coordinates, fields, derivatives, unknowns and data at a batch of points, by name."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace

from torch import Tensor

from pinnsine.calculus import Vector, normal_derivative
from pinnsine.complex_jet import ComplexJet
from pinnsine.errors import ProblemError
from pinnsine.index import make_index
from pinnsine.jet import Constant, Context, Jet, Linear, Opaque, Shifted
from pinnsine.points import Points

RESERVED = ("data", "vector", "normal", "minus", "plus", "node", "repeated", "elsewhere", "coordinates", "context", "field_names")


@dataclass(frozen=True)
class Names:
    """The declared names of a problem, and how a name in a residual is read; a complex field is two of the ``fields``, its parts."""

    coordinates: tuple[str, ...]
    fields: tuple[str, ...]
    unknowns: tuple[str, ...] = ()
    complexes: tuple[str, ...] = ()

    def __post_init__(self):
        declared = (*self.coordinates, *self.fields, *self.unknowns, *self.complexes)
        for name in declared:
            if not name.isidentifier() or name in RESERVED or name.startswith("_"):
                raise ProblemError(f"{name!r} cannot name a coordinate, field or unknown: it must be an identifier and no reserved word.")
            if declared.count(name) > 1:
                raise ProblemError(f"The name {name!r} is declared twice: coordinates, fields and unknowns share one namespace.")
            if self._derivative(name) is not None:
                field, index = self._derivative(name)
                raise ProblemError(
                    f"The name {name!r} reads two ways, as declared and as the derivative of {field!r} by {', '.join(index)}: rename it."
                )
            if self._normal(name) is not None:
                raise ProblemError(f"The name {name!r} reads two ways, as declared and as a {self._normal(name)[0]}: rename it.")

    @property
    def shown(self) -> tuple[str, ...]:
        """The fields as they were declared, a complex one once."""
        whole = {part: name for name in self.complexes for part in parts_of(name)}
        return tuple(dict.fromkeys(whole.get(f, f) for f in self.fields))

    def joined(self, found: Mapping[str, object], join: Callable) -> dict[str, object]:
        """What was found by field, with that of the parts of each complex field joined."""
        result: dict[str, object] = {}
        for name in self.shown:
            known = [n for n in (parts_of(name) if name in self.complexes else (name,)) if n in found]
            result |= {name: join(*(found[n] for n in known))} if len(known) == 2 else {n: found[n] for n in known}
        return result

    def _derivative(self, name: str) -> tuple[str, tuple[str, ...]] | None:
        for field in sorted((*self.fields, *self.complexes), key=len, reverse=True):
            suffix = name[len(field) + 1 :]
            if name.startswith(f"{field}_") and suffix and all(c in self.coordinates for c in suffix):
                return field, make_index(suffix)
        return None

    def _normal(self, name: str) -> tuple[str, str, tuple[str, ...]] | None:
        base, _, suffix = name.rpartition("_")
        if base in (*self.fields, *self.complexes) and suffix == "n" and "n" not in (*self.coordinates, *self.fields):
            return "normal derivative", base, ()
        if base == "n" and suffix in self.coordinates and "n" not in self.fields:
            return "normal", suffix, ()
        return None

    @functools.cache  # noqa: B019 - a problem has one Names, and it lives as long as the problem
    def resolve(self, name: str) -> tuple[str, str, tuple[str, ...]]:
        """(kind, name, index) of a name in a residual. Raises ProblemError, with the known names, if it has no meaning."""
        for kind in ("coordinates", "fields", "unknowns"):
            if name in getattr(self, kind):
                return kind, name, ()
        if name in self.complexes:
            return "fields", name, ()
        derivative = self._derivative(name)
        if derivative is not None:
            return "fields", *derivative
        normal = self._normal(name)
        if normal is not None:
            return normal
        raise ProblemError(
            f"s.{name} has no meaning here. Known: coordinates {', '.join(self.coordinates)}; fields {', '.join(self.shown)}"
            + (f"; unknowns {', '.join(self.unknowns)}" if self.unknowns else "")
            + f"; derivatives as in s.{self.fields[0]}_{self.coordinates[0]}, data columns as in s.data.name."
        )


def parts_of(name: str) -> tuple[str, str]:
    """The names of the real and the imaginary part of a complex field."""
    return f"{name}_re", f"{name}_im"


class Local:
    """The state at a batch of points, as a residual sees it.

    ``s.x`` a coordinate, ``s.u`` a field, ``s.u_xx`` a derivative, ``s.D`` an unknown, ``s.n_x`` a component of the outward normal,
    ``s.u_n`` the normal derivative, ``s.data.c`` a column of the data, ``s.minus`` and ``s.plus`` the two sides of a two-point
    condition; each is a batch of values (N,) that can be computed with and differentiated.
    """

    def __init__(
        self,
        names: Names,
        context: Context,
        coordinates: Mapping[str, Jet],
        fields: Mapping[str, Jet],
        unknowns: Mapping[str, Jet] | None = None,
        data: Mapping[str, Tensor] | None = None,
        elsewhere: Callable[[Points], Local] | None = None,
    ):
        self._names, self._context, self._elsewhere = names, context, elsewhere
        self._coordinates, self._fields, self._unknowns = coordinates, fields, unknowns or {}
        self._data = data or {}

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        kind, base, index = self._names.resolve(name)
        known = {"coordinates": self._coordinates, "unknowns": self._unknowns, "normal": (base,)}.get(kind, self._fields)
        needed = parts_of(base) if base in self._names.complexes else (base,)
        if not all(n in known for n in needed):
            raise ProblemError(f"s.{name} is not known here: only {', '.join((*self._coordinates, *self._fields, *self._unknowns))}.")
        if kind == "coordinates":
            return self._coordinates[base]
        if kind == "unknowns":
            return self._unknowns[base]
        if kind == "normal":
            return self.normal(base)
        field = ComplexJet(*(self._fields[n] for n in needed)) if len(needed) == 2 else self._fields[base]
        if kind == "normal derivative":
            return normal_derivative(field)
        return Shifted(field, index) if index else field

    @property
    def context(self) -> Context:
        return self._context

    @property
    def coordinates(self) -> dict[str, Tensor]:
        """The coordinates' values (N,) by name."""
        return {n: c.values for n, c in self._coordinates.items()}

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names of all fields."""
        return self._names.fields

    @property
    def data(self) -> SimpleNamespace:
        return _Columns(self._data)

    def vector(self, *names: str) -> Vector:
        """The vector whose components are the named fields."""
        return Vector(*(getattr(self, n) for n in names))

    def normal(self, name: str) -> Jet:
        """The component of the outward unit normal along a coordinate."""
        if name not in self._context.normal:
            raise ProblemError(f"There is no normal n_{name} here: only points on a boundary have one (give the constraint on=...).")
        return Constant(self._context.normal[name], self._context)

    def node(self, position: int, count: int) -> Local:
        """The state at one of the ``count`` nodes of every row, where rows have several."""

        return self._mapped(lambda values: values.view(-1, count)[:, position])

    def repeated(self, count: int) -> Local:
        """The state with every point ``count`` times in a row."""
        return self._mapped(lambda values: values.repeat_interleave(count))

    def _mapped(self, function: Callable[[Tensor], Tensor]) -> Local:
        """The state with a map of batches applied to everything in it."""

        def chosen(values: Tensor) -> Tensor:
            return function(values) if values.ndim else values

        context = replace(self._context, normal={n: chosen(v) for n, v in self._context.normal.items()})

        def pick(jet: Jet) -> Jet:
            picked = Linear(chosen, jet)
            picked.context = context
            return picked

        parts = ({n: pick(j) for n, j in group.items()} for group in (self._coordinates, self._fields, self._unknowns))
        return Local(self._names, context, *parts, {n: chosen(c) for n, c in self._data.items()})

    def elsewhere(self, points: Points) -> Local:
        """The state at other points, a fixed number of them for each of these, side by side."""
        if self._elsewhere is None:
            raise ProblemError("There are no integrals here: only in residuals and conditions, and not at one side of a two-point condition.")
        return self._elsewhere(points)


class _Columns(SimpleNamespace):
    """Data columns by name: values that refuse to be differentiated, because they are known at the points alone."""

    def __init__(self, columns: Mapping[str, Tensor]):
        super().__init__(**{n: Opaque(c, f"The data column {n!r} is known at its points only") for n, c in columns.items()})

    def __getattr__(self, name: str):
        raise ProblemError(f"The data have no column {name!r}: they have {', '.join(vars(self)) or 'none'}.")


class TwoSided:
    """The state of a two-point condition: ``s.minus`` at the lower end or behind the boundary, ``s.plus`` at the upper end or before it."""

    def __init__(self, local: Local):
        self.minus, self.plus = local.node(0, 2), local.node(1, 2)
