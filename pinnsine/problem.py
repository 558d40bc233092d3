"""A problem: domain, unknown fields and numbers, constraints, and (apart from all of these) a reference to compare with."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from pinnsine.check import Report, check
from pinnsine.constraint import Constraint, Integral, Periodic, Prescribed, hard_parts
from pinnsine.domain import Box, Domain, Part, Product, Region
from pinnsine.errors import ProblemError
from pinnsine.known import Symmetry, symmetries
from pinnsine.local import Names, parts_of
from pinnsine.points import Points
from pinnsine.real_parts import real_constraint, real_reference
from pinnsine.reference import Reference

MADE_BY = {"constraints": "Residual(...), Dirichlet(...) or another of the conditions", "unknowns": 'Unknown("D", 1.0)'}
SAMPLES = 1024  # points at which the parts of a field must fill the domain


@dataclass(frozen=True)
class Field:
    """An unknown function; ``of`` names the coordinates it depends on, by default all: ``Field("q", of="x")``.

    ``range``: about where its values lie, if that is known; by default it is found from conditions, data and equations.
    ``parts``: regions that fill the domain, on each of which the field has a network of its own, so that it may have a kink or a jump
    between them: ``Field("u", parts=(left, right))``; what holds there is said by an ``Interface``.
    ``plus``: a known part g of u = g + N, a smooth function of s that unknown numbers may stand in: ``plus=lambda s: s.w * g(s.x)``.
    ``symmetry`` of the rest N, about zero or a centre: ``symmetry={"x": "odd", "y": ("even", 0.5)}``.
    ``complex``: the values are complex. Inside it is two real fields, ``psi_re`` and ``psi_im``; ``range`` is then that of each.
    """

    name: str
    of: str | tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    parts: tuple[Region, ...] = ()
    plus: Callable | None = None
    symmetry: Mapping[str, str | tuple[str, float]] | tuple[Symmetry, ...] = ()
    complex: bool = False
    whole: str = field(default="", kw_only=True)  # the complex field that this is a part of: set by Problem

    def __post_init__(self):
        object.__setattr__(self, "symmetry", symmetries(self.name, self.symmetry))
        if self.plus is not None and not callable(self.plus):
            raise ProblemError(f"Field {self.name!r}: plus= is a function of s, as in plus=lambda s: torch.sin(s.x), got {self.plus!r}.")
        if self.complex and self.plus is not None:
            raise ProblemError(f"Field {self.name!r}: a complex field takes no plus=: write its equations for what is left of it.")
        if self.range is not None and not (len(self.range) == 2 and -math.inf < self.range[0] < self.range[1] < math.inf):
            raise ProblemError(f"Field {self.name!r}: a range is two finite numbers, the lower one first, got {self.range}.")


@dataclass(frozen=True)
class Unknown:
    """An unknown number with its starting value: ``Unknown("D", 1.0, positive=True)`` or ``Unknown("D", 1.0, bounds=(0.1, 2))``.

    A positive unknown is D = start * exp(theta), so that its start must be positive; one with bounds (a, b) is
    D = a + (b - a) / (1 + exp(-theta)), so that its start lies between them.
    """

    name: str
    start: float
    positive: bool = False
    bounds: tuple[float, float] | None = None

    def __post_init__(self):
        if not isinstance(self.start, int | float) or not math.isfinite(self.start):
            raise ProblemError(f"Unknown {self.name!r} must start at a finite number, got {self.start!r}.")
        if self.positive and not self.start > 0:
            raise ProblemError(f"Unknown {self.name!r} is declared positive, so its start must be above zero, got {self.start:g}.")
        if self.bounds is None:
            return
        bounds = tuple(float(b) for b in self.bounds) if isinstance(self.bounds, Sequence) else ()
        if len(bounds) != 2 or self.positive or not -math.inf < bounds[0] < self.start < bounds[1] < math.inf:
            raise ProblemError(
                f"Unknown {self.name!r}: bounds= are two finite numbers around the start {self.start:g}, without positive=, "
                f"got {self.bounds!r}."
            )
        object.__setattr__(self, "bounds", bounds)

    def value(self, raw: Tensor) -> Tensor:
        """The number from its raw parameter theta: start + |start| theta where it is neither positive nor bounded."""
        if self.bounds is not None:
            low, high = self.bounds
            return low + (high - low) * torch.sigmoid(raw + math.log((self.start - low) / (high - self.start)))
        return self.start * torch.exp(raw) if self.positive else self.start + (abs(self.start) or 1.0) * raw

    def raw(self, value: float) -> float | None:
        """The raw parameter of a number; None for one that it cannot be."""
        low, high = self.bounds or (0.0 if self.positive else -math.inf, math.inf)
        if not low < value < high:
            return None
        if self.bounds is not None:
            return math.log((value - low) / (high - value)) - math.log((self.start - low) / (high - self.start))
        return math.log(value / self.start) if self.positive else (value - self.start) / (abs(self.start) or 1.0)


class Problem:
    """What is asked: find ``fields`` and ``unknowns`` on ``domain`` such that every constraint holds.

    ``fields``: a name, a Field, or a sequence of them. ``reference`` is for comparison alone: nothing in the solver reads it.
    Raises ProblemError for names that clash or read two ways, constraints of the same name, and conditions outside the domain.
    """

    def __init__(
        self,
        domain: Domain,
        fields: str | Field | Sequence[str | Field],
        constraints: Sequence[Constraint],
        *,
        unknowns: Sequence[Unknown] = (),
        reference: Reference | None = None,
        name: str = "problem",
    ):
        if not isinstance(domain, Domain):
            raise ProblemError(f"A problem's first argument is its domain, got {type(domain).__name__}.")
        fields = _all("fields", (fields,) if isinstance(fields, str | Field) else fields, str | Field)
        self.domain, self.reference, self.name = domain, reference, name
        self.source: dict | None = None  # set by load_problem: which shipped problem this is, with which coefficients
        declared = [_bind(Field(f) if isinstance(f, str) else f, domain) for f in fields]
        self.fields = tuple(part for f in declared for part in real_fields(f))
        self.unknowns = _all("unknowns", unknowns, Unknown)
        if not self.fields:
            raise ProblemError("A problem needs at least one field, as in fields='u'.")
        complexes = tuple(dict.fromkeys(f.whole for f in self.fields if f.whole))
        self.names = Names(domain.names, tuple(f.name for f in self.fields), tuple(u.name for u in self.unknowns), complexes)
        self.constraints = tuple(real_constraint(c, self.names) for c in _all("constraints", constraints, Constraint))
        if reference is not None:
            self.reference = real_reference(reference, complexes)
        self._validate_constraints()

    def _validate_constraints(self) -> None:
        labels = [c.name for c in self.constraints]
        twice = [n for n in labels if labels.count(n) > 1]
        if twice:
            raise ProblemError(f"Two constraints are called {twice[0]!r}: names must differ.")
        for constraint in self.constraints:
            _validate(constraint, self)

    @property
    def soft(self) -> tuple[Constraint, ...]:
        """The constraints that give rows; hard ones are built into the trial function instead."""
        return tuple(c for c in self.constraints if not c.hard)

    def field(self, name: str) -> Field:
        return next(f for f in self.fields if f.name == name)

    def check(self) -> Report:
        """The dry run: shapes, NaN, the scale of every row, derivatives needed, fields and unknowns not used. Trains nothing.

        Raises ProblemError with one clear message for the first thing that is wrong.
        """
        return check(self)


def real_fields(field: Field) -> tuple[Field, ...]:
    """A field, or the two real ones that a complex field is."""
    if not field.complex:
        return (field,)
    return tuple(replace(field, name=name, complex=False, whole=field.name) for name in parts_of(field.name))


def _all(what: str, given, kind) -> tuple:
    """The parts of a problem as a tuple. Raises ProblemError for what is no sequence, or holds anything else."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ProblemError(f"{what}= takes a list, got {type(given).__name__}: write {what}=[...].")
    for part in given:
        if not isinstance(part, kind):
            word = "a name or a Field" if what == "fields" else f"made by {MADE_BY[what]}"
            raise ProblemError(f"Every one of {what}= is {word}, got {part!r}.")
    return tuple(given)


def _bind(field: Field, domain: Domain) -> Field:
    of = tuple(field.of.replace(",", " ").split()) if isinstance(field.of, str) else tuple(field.of)
    for name in of:
        domain.axis(name)
        if of.count(name) > 1:
            raise ProblemError(f"Field {field.name!r} names the coordinate {name!r} twice: of={field.of!r}.")
    for symmetry in field.symmetry:
        domain.axis(symmetry.coordinate)
        if field.parts or symmetry.coordinate not in (of or domain.names):
            raise ProblemError(
                f"Field {field.name!r}: a symmetry in {symmetry.coordinate} needs a field that depends on it and has one network, no parts=."
            )
    return replace(field, of=of or domain.names, parts=_filling(field, domain))


def _filling(field: Field, domain: Domain) -> tuple[Region, ...]:
    """The parts of a field. Raises ProblemError unless they fill the domain."""
    parts = tuple(field.parts)
    if not parts:
        return ()
    if len(parts) < 2 or not all(isinstance(p, Domain) for p in parts):
        raise ProblemError(f"Field {field.name!r}: parts= are at least two domains, got {field.parts!r}.")
    points = domain.sample(SAMPLES, "sobol", torch.Generator().manual_seed(0))
    for part in parts:
        if missing := [n for n in part.names if n not in domain.names]:
            raise ProblemError(f"Field {field.name!r}: its part {part.describe()} has the coordinate {missing[0]!r}, which the domain has not.")
    left = ~torch.stack([p.contains(points) for p in parts]).any(dim=0)
    if bool(left.any()):
        place = ", ".join(f"{n} = {float(points[n][left][0]):.4g}" for n in domain.names)
        raise ProblemError(f"Field {field.name!r}: its parts must fill the domain, but none holds the point {place}.")
    return parts


def _validate(constraint: Constraint, problem: Problem) -> None:
    domain, names = problem.domain, problem.names
    if not isinstance(constraint.on, Region | Points | None):
        raise ProblemError(f"Constraint {constraint.name!r}: on= takes a part of the domain or Points, got {type(constraint.on).__name__}.")
    if isinstance(constraint, Integral):
        if constraint.on is not None:
            raise ProblemError(f"Constraint {constraint.name!r}: an integral runs over whole coordinates, so it takes no on=.")
        for name in constraint.over:
            _require_interval(constraint, domain, name)
    if isinstance(constraint, Periodic):
        _require_interval(constraint, domain, constraint.coordinate)
    region = constraint.region(domain)
    if isinstance(region, Points) and not len(region):
        raise ProblemError(f"Constraint {constraint.name!r} has no points: give at least one.")
    missing = [n for n in domain.names if n not in region.names] if constraint.on is not None else []
    if missing:
        raise ProblemError(
            f"Constraint {constraint.name!r}: its points lack the coordinate {missing[0]!r}; the domain has {', '.join(domain.names)}."
        )
    if isinstance(constraint, Periodic):
        for name in constraint.fields:
            if name not in names.fields:
                raise ProblemError(f"Constraint {constraint.name!r} names {name!r}, which is no field: {', '.join(names.fields)}.")
    if isinstance(constraint, Prescribed):
        for target in constraint.targets:
            try:
                kind, _, index = names.resolve(target)
            except ProblemError as error:
                raise ProblemError(f"Constraint {constraint.name!r}: {error}") from error
            if constraint.hard and (kind != "fields" or index):
                raise ProblemError(f"Constraint {constraint.name!r}: hard=True prescribes values of fields, not {target!r}: use hard=False.")
            if constraint.hard:
                _validate_faces(constraint, problem.field(target), domain)


def _require_interval(constraint: Constraint, domain: Domain, name: str) -> None:
    """Refuse a coordinate that runs along a shape, where it has no range of its own."""
    domain.axis(name)
    if not isinstance(domain, Box) and not (isinstance(domain, Product) and name in domain.rest.names):
        raise ProblemError(
            f"Constraint {constraint.name!r} runs along {name}, which needs a range of its own, as on a box; here it is {domain.describe()}."
        )


def _validate_faces(constraint: Prescribed, field: Field, domain: Domain) -> None:
    for face in hard_parts(constraint, domain):
        if isinstance(face, Part):
            if missing := [n for n in face.shape.names if n not in field.of]:
                raise ProblemError(f"Constraint {constraint.name!r}: {field.name!r} does not depend on {missing[0]}: use hard=False.")
        elif face.name not in field.of:
            raise ProblemError(
                f"Constraint {constraint.name!r}: {field.name!r} does not depend on {face.name}, so it cannot be hard on {face.describe()}: "
                "use hard=False."
            )


def problems_folder() -> Path:
    """The folder of the shipped problems: inside an installed package, beside the package in a checkout."""
    package = Path(__file__).parent
    return package / "problems" if (package / "problems").is_dir() else package.parent / "problems"


def shipped_problems() -> list[str]:
    """The names of the shipped problems."""
    return sorted(p.stem for p in problems_folder().glob("*.py") if not p.stem.startswith("_"))


def load_problem(name: str | Path, **coefficients) -> Problem:
    """The problem of a shipped name, a file ``mine.py`` with a function ``problem(**coefficients)``, or ``module:factory``.

    Raises ProblemError for an unknown name (with the near misses), a file without ``problem``, or an unknown coefficient.
    """
    name = str(name)
    if ":" in name and not Path(name).exists():
        factory, label = _imported_factory(name), name.partition(":")[2]
    else:
        path = Path(name) if name.endswith(".py") else problems_folder() / f"{name}.py"
        if not path.exists():
            near = difflib.get_close_matches(name, shipped_problems(), n=3, cutoff=0.4)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise ProblemError(f"There is no problem {name!r}.{hint} `pinnsine list` names all of them; a file is given as mine.py.")
        factory, label = _file_factory(path), path.stem
    known = inspect.signature(factory).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in known.values())
    if not takes_any and (unknown := [c for c in coefficients if c not in known]):
        raise ProblemError(f"Problem {label!r} has no coefficient {unknown[0]!r}: it has {', '.join(known) or 'none'}.")
    problem = factory(**coefficients)
    if not isinstance(problem, Problem):
        raise ProblemError(f"{name}: problem() must return a pinnsine.Problem, got {type(problem).__name__}.")
    problem.name = label
    if label in shipped_problems() and name == label:
        problem.source = {"name": label, "coefficients": coefficients}
    return problem


def _file_factory(path: Path):
    spec = importlib.util.spec_from_file_location(f"pinnsine_problem_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses in the file look their module up there
    spec.loader.exec_module(module)
    if not callable(getattr(module, "problem", None)):
        raise ProblemError(f"{path.name} defines no function problem(): write `def problem(): return pinnsine.Problem(...)`.")
    return module.problem


def _imported_factory(name: str):
    module_name, _, factory_name = name.partition(":")
    try:
        return getattr(importlib.import_module(module_name), factory_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ProblemError(f"{name!r} cannot be imported ({error}): give module:factory, both importable from here.") from error
