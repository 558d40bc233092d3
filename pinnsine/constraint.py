"""Constraints: what must vanish, where, and how it counts.

A constraint is sampled at N row points; each row may be evaluated at several nodes (two for a two-point condition, Q for an
integral), which lie side by side in the batch: row i owns the nodes i Q ... i Q + Q - 1. ``residual`` turns the state at all nodes into
one batch of rows (N,), a tuple, a Vector or a dict of them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pinnsine.domain import Domain, Face, Faces, Part, Product, Region
from pinnsine.errors import ProblemError
from pinnsine.index import Index
from pinnsine.jet import Shifted
from pinnsine.local import Local, Names, TwoSided
from pinnsine.points import Points

Target = float | Callable | str
Weight = float | Callable | None


@dataclass(frozen=True)
class Constraint(ABC):
    """Something that must vanish on a part of the domain.

    ``weight``: w_c or w(x) in the row sqrt(w_c m_i w(x_i)) r_i / sigma_i; None lets the package balance it. ``loss``: a function of
    the rows (N,) in place of the mean square; such a constraint is for gradient methods only.
    """

    name: str
    on: Region | Points | None = field(default=None, kw_only=True)
    weight: Weight = field(default=None, kw_only=True)
    loss: Callable[[Tensor], Tensor] | None = field(default=None, kw_only=True)

    nodes = 1
    hard = False
    sigma = None

    def __post_init__(self):
        if not isinstance(self.name, str) or not self.name:
            raise ProblemError(f"A constraint's first argument is its name, a string, got {self.name!r}.")
        number = isinstance(self.weight, int | float) and 0 < self.weight < math.inf
        if not (self.weight is None or callable(self.weight) or number):
            raise ProblemError(f"Constraint {self.name!r}: a weight is a positive, finite number or a function of s, got {self.weight!r}.")
        if self.loss is not None and not callable(self.loss):
            raise ProblemError(f"Constraint {self.name!r}: loss= is a function of the rows (N,), got {self.loss!r}.")

    def region(self, domain: Domain) -> Region | Points:
        """Where the rows are: ``on``, by default the whole domain."""
        return domain if self.on is None else self.on

    def expand(self, points: Points, domain: Domain) -> Points:
        """The evaluation points of the rows, ``nodes`` of them for each."""
        return points

    @abstractmethod
    def residual(self, s: Local):
        """What must vanish, from the state at the evaluation points."""

    def prescribed(self, names: Names) -> Iterable[tuple[str, Index, Target]]:
        """The fields and derivatives that have given values, and these."""
        return ()


@dataclass(frozen=True)
class Residual(Constraint):
    """The residual of an equation: ``Residual("burgers", lambda s: s.u_t + s.u * s.u_x - nu * s.u_xx)``.

    ``function`` maps the state to a batch (N,), a tuple, a Vector or a dict of them.
    """

    function: Callable[[Local], object]

    def __post_init__(self):
        super().__post_init__()
        if not callable(self.function):
            raise ProblemError(f"Constraint {self.name!r}: a residual is a function of s, got {self.function!r}.")

    def residual(self, s):
        return self.function(s)


@dataclass(frozen=True)
class Prescribed(Constraint):
    """Fields or derivatives with given values: the common part of Initial, Dirichlet and Data.

    ``targets`` maps a name of the state (``u``, ``u_t``) to a number, a function of s, or the name of a data column.
    """

    targets: Mapping[str, Target]
    hard: bool = field(default=False, kw_only=True)
    sigma: float | str | None = field(default=None, kw_only=True)

    def __post_init__(self):
        super().__post_init__()
        if not self.targets:
            raise ProblemError(f"Constraint {self.name!r} prescribes nothing: name a field, as in u=0.0.")
        for name, target in self.targets.items():
            if not (callable(target) or isinstance(target, str | int | float | complex | Tensor)):
                raise ProblemError(
                    f"Constraint {self.name!r}: {name}= takes a number, a function of s or a column's name, got {type(target).__name__}."
                )

    def region(self, domain):
        return domain.boundary() if self.on is None else self.on

    def residual(self, s):
        rows = {name: getattr(s, name) - target_values(target, s) for name, target in self.targets.items()}
        return rows if len(rows) > 1 else next(iter(rows.values()))

    def prescribed(self, names):
        found = [(*names.resolve(name), target) for name, target in self.targets.items()]
        return [(field, index, target) for kind, field, index, target in found if kind == "fields"]


@dataclass(frozen=True)
class InitialCondition(Prescribed):
    """Values at the start of time."""

    def region(self, domain):
        if self.on is not None:
            return self.on
        if domain.time is None:
            raise ProblemError(f"Constraint {self.name!r} is an initial condition, but the domain has no time: multiply it by Time(0, 1).")
        return domain.side(**{domain.time: domain.axis(domain.time).lower})


def Initial(name: str, *, on: Region | None = None, hard: bool = False, weight: Weight = None, **targets: Target) -> InitialCondition:
    """An initial condition u(x, t0) = f(x): ``Initial("start", u=lambda s: -torch.sin(torch.pi * s.x), u_t=0.0)``."""
    return InitialCondition(name, targets, on=on, hard=hard, weight=weight)


def Dirichlet(name: str, *, on: Region | None = None, hard: bool = False, weight: Weight = None, **targets: Target) -> Prescribed:
    """Values on a part of the boundary, by default all of it; with ``hard=True`` built into the trial function by a cutoff.

    That takes whole sides of boxes, or the whole boundary of a shape without corners and a value that is smooth inside as well.
    """
    return Prescribed(name, targets, on=on, hard=hard, weight=weight)


def Data(name: str, points: Points, *, sigma: float | str | None = None, weight: Weight = None, **targets: Target) -> Prescribed:
    """Measurements at given points: ``Data("probe", Points.read("probe.csv"), u="u_measured", sigma="err")``.

    ``sigma``: the standard deviation, a number or the name of a column. Raises ProblemError for unknown columns and values not finite.
    """
    if not isinstance(points, Points):
        raise ProblemError(f"Constraint {name!r}: data are given as Points, got {type(points).__name__}: use Points({{...}}) or Points.read.")
    for column in (c for c in (*targets.values(), sigma) if isinstance(c, str)):
        points.require(column, f"Constraint {name!r}", finite=column != sigma)
    if not isinstance(sigma, str | int | float | None):
        raise ProblemError(f"Constraint {name!r}: sigma= takes a number or the name of a column of the points, got {type(sigma).__name__}.")
    errors = points[sigma] if isinstance(sigma, str) else torch.tensor(1.0 if sigma is None else sigma)
    if not (errors > 0).all():
        raise ProblemError(f"Constraint {name!r}: sigma is a standard deviation, above zero at every point, got {float(errors.min())}.")
    return Prescribed(name, targets, on=points, sigma=sigma, weight=weight)


@dataclass(frozen=True)
class Periodic(Constraint):
    """Equal values, and equal derivatives up to order ``derivatives``, at both ends of a coordinate: ``Periodic("wrap", "x")``.

    ``fields``: which ones, by default all. ``hard=True`` makes every network periodic exactly, by the embedding
    x -> (cos, sin)(2 pi x / L), with derivatives of all orders.
    """

    coordinate: str
    fields: tuple[str, ...] = field(default=(), kw_only=True)
    derivatives: int = field(default=1, kw_only=True)
    hard: bool = field(default=False, kw_only=True)

    nodes = 2

    def __post_init__(self):
        super().__post_init__()
        if not isinstance(self.derivatives, int) or self.derivatives < 0:
            raise ProblemError(
                f"Constraint {self.name!r}: derivatives= is how many are equal at both ends, 0 or more, got {self.derivatives!r}."
            )

    def region(self, domain):
        return domain.side(**{self.coordinate: domain.axis(self.coordinate).lower})

    def expand(self, points, domain):
        columns = {n: c.repeat_interleave(2) for n, c in points.columns.items()}
        columns[self.coordinate][1::2] = domain.axis(self.coordinate).upper
        return Points(columns)

    def residual(self, s):
        sides = TwoSided(s)
        orders = [(self.coordinate,) * order for order in range(self.derivatives + 1)]
        return {
            f"{name}_{''.join(index)}" if index else name: Shifted(getattr(sides.minus, name), index)
            - Shifted(getattr(sides.plus, name), index)
            for name in self.fields or s.field_names
            for index in orders
        }


def target_values(target: Target, s: Local):
    """A prescribed value at the points of ``s``: a number, a function of s, or a data column."""
    if isinstance(target, str):
        return getattr(s.data, target)
    return target(s) if callable(target) else target


def hard_parts(constraint: Prescribed, domain: Domain) -> tuple[Face, ...] | tuple[Part]:
    """The faces of a hard condition, or the boundary of a shape. Raises ProblemError where a hard condition cannot be built."""
    region = constraint.region(domain)
    if isinstance(region, Part):
        return (_hard_boundary(constraint, region, domain),)
    faces = region.faces if isinstance(region, Faces) else (region,) if isinstance(region, Face) else None
    if faces is None:
        raise ProblemError(
            f"Constraint {constraint.name!r}: hard=True needs sides of a box, got {type(region).__name__}: use hard=False there."
        )
    if any(face.box.axes != domain.axes for face in faces):
        raise ProblemError(f"Constraint {constraint.name!r}: hard=True needs whole sides of the domain itself: use hard=False on a part.")
    return faces


def _hard_boundary(constraint: Prescribed, region: Part, domain: Domain) -> Part:
    """The whole boundary of a shape, on which its cutoff vanishes."""
    shape, rest = (domain.shape, domain.rest.axes) if isinstance(domain, Product) else (domain, ())
    if region.shape is not shape or region.pieces != shape.pieces or getattr(region.rest, "axes", ()) != rest:
        raise ProblemError(
            f"Constraint {constraint.name!r}: hard=True needs the whole boundary of the domain, got {region.describe()}: use hard=False there."
        )
    if shape.corners:
        raise ProblemError(
            f"Constraint {constraint.name!r}: {shape.describe()} has corners or edges, where a cutoff has no second derivatives: "
            "use hard=False."
        )
    return region


def row_points(constraint: Constraint, domain: Domain, count: int, sampler: str, generator: torch.Generator) -> Points:
    """The row points of a constraint: about ``count`` samples of its region, or all its data points.

    No side of a box gets less than half of an even share: in other units, or on a long box, it counts as much.
    """
    place = constraint.region(domain)
    if not isinstance(place, Faces):
        return place if isinstance(place, Points) else place.sample(count, sampler, generator)
    shares = [max(f.measure / place.measure, 1 / (2 * len(place.faces))) for f in place.faces]
    counts = [max(1, round(count * share / sum(shares))) for share in shares]
    return Points.join([f.sample(n, sampler, generator) for f, n in zip(place.faces, counts, strict=True)])
