"""A problem: domain, unknown fields and numbers, constraints, and (apart from all of these) a reference to compare with."""

from __future__ import annotations

import copy
import difflib
import importlib.util
import inspect
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from pinnsine.check import Report, check
from pinnsine.conditions import Interface, Prior
from pinnsine.constraint import Constraint, Periodic, Prescribed, hard_parts
from pinnsine.domain import Box, Domain, Part, Product, Region
from pinnsine.errors import ProblemError
from pinnsine.integral import Integral
from pinnsine.known import Symmetry
from pinnsine.local import Names
from pinnsine.points import Points
from pinnsine.real_parts import real_constraint, real_reference
from pinnsine.reference import Reference
from pinnsine.unknowns import Field, Unknown, real_fields

MADE_BY = {"constraints": "Residual(...), Dirichlet(...) or another of the conditions", "unknowns": 'Unknown("D", 1.0)'}
SAMPLES = 1024  # points at which the parts of a field must fill the domain


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
        constraints = _all("constraints", constraints, Constraint)
        known = {c.name for c in constraints}
        priors = [p for p in (_prior(u, domain) for u in self.unknowns if u.prior) if p.name not in known]
        self.constraints = tuple(real_constraint(c, self.names) for c in (*constraints, *priors))
        if reference is not None:
            if not isinstance(reference, Reference):
                got = type(reference).__name__
                raise ProblemError(f"reference= takes a Reference, as in Reference.exact(u=lambda s: torch.sin(s.x)), got {got}.")
            self.reference = real_reference(reference, complexes)
        self._validate_constraints()

    def __repr__(self) -> str:
        sought = ", ".join((*self.names.shown, *self.names.unknowns))
        return f"<problem {self.name!r}: {sought} on {self.domain.describe()}, from {', '.join(c.name for c in self.constraints)}>"

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

    def with_symmetry(self, found: Mapping[str, tuple[Symmetry, ...]]) -> Problem:
        """The same problem, with symmetries declared of some of its fields."""
        other = copy.copy(self)
        other.fields = tuple(replace(f, symmetry=found.get(f.name, f.symmetry)) for f in self.fields)
        return other

    def field(self, name: str) -> Field:
        return next(f for f in self.fields if f.name == name)

    def check(self) -> Report:
        """The dry run: shapes, NaN, the scale of every row, derivatives needed, fields and unknowns not used. Trains nothing.

        Raises ProblemError with one clear message for the first thing that is wrong.
        """
        return check(self)


def _prior(unknown: Unknown, domain: Domain) -> Prior:
    """The prior of an unknown number as a constraint, at some point of the domain."""
    mean, sigma = unknown.prior
    place = domain.sample(1, "sobol", torch.Generator().manual_seed(0))
    return Prior(f"prior of {unknown.name}", {unknown.name: mean}, on=place, sigma=sigma)


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
    for name in domain.names if isinstance(region, Points) else ():
        if not bool(torch.isfinite(region[name]).all()):
            raise ProblemError(f"Constraint {constraint.name!r}: coordinate {name} of its points is not finite everywhere: leave those out.")
    if isinstance(constraint, Periodic):
        for name in constraint.fields:
            if name not in names.fields:
                raise ProblemError(f"Constraint {constraint.name!r} names {name!r}, which is no field: {', '.join(names.fields)}.")
    if isinstance(constraint, Interface) and not any(f.parts for f in problem.fields):
        raise ProblemError(
            f"Constraint {constraint.name!r} is an interface, but every field has one network on the whole domain, so that it is smooth there: "
            "give the field a network on each side, as in Field('u', parts=(left, right))."
        )
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
