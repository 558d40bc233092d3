"""Analytic fields of the problem's own size: what residuals are traced, checked and scaled with before there is a network.

A probe is u = shift + scale * sin(k . y + phase), y the coordinates scaled to [-1, 1], plus what is known
of the field; its exact derivatives of every order are jets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from pinnsine.conditions import SIDE
from pinnsine.constraint import Constraint
from pinnsine.errors import ProblemError
from pinnsine.index import Collapsed, Index
from pinnsine.jet import Constant, Context, Coordinate, Jet, full, values
from pinnsine.known import Reflected, Symmetry, known_part
from pinnsine.local import Local
from pinnsine.named_rows import rows_of
from pinnsine.points import Points

if TYPE_CHECKING:
    from pinnsine.problem import Problem


BEYOND = 1000  # what is added to the seed of a probe on the other side of an interface


@dataclass(frozen=True)
class FieldScale:
    """The expected range of a field: about shift +- scale."""

    shift: float = 0.0
    scale: float = 1.0


class Affine(Jet):
    """A constant plus a combination of coordinates: of many of them it has as many components, and no chain of sums."""

    def __init__(self, values: torch.Tensor, slopes: Mapping[str, float], context: Context):
        super().__init__(context)
        self.at_points, self.slopes = values, slopes

    def _component(self, index):
        if index == ():
            return self.at_points
        single = not isinstance(index, Collapsed) and len(index) == 1 and index[0] in self.slopes
        return torch.full_like(self.at_points, self.slopes[index[0]]) if single else None


class Recorder(Jet):
    """A jet that notes which of its derivatives are asked for; one of them may be shifted."""

    def __init__(self, jet: Jet, log: set[Index], shift: tuple[Index, float] | None = None):
        super().__init__(jet.context)
        self.jet, self.log, self.shift = jet, log, shift

    def _component(self, index):
        self.log.add(index)
        component = full(self.jet.at(index), self.jet)
        return component + self.shift[1] if self.shift and self.shift[0] == index else component


@dataclass(frozen=True)
class Trace:
    """What one evaluation of a constraint on a probe told: its rows by name, derivatives needed by field, unknowns used."""

    rows: Mapping[str, torch.Tensor]
    need: Mapping[str, set[Index]]
    unknowns: frozenset[str]
    fixed: frozenset[str]  # names of rows that depend on no field and no unknown
    evaluations: int  # points at which the fields are evaluated for one row


def coordinates_at(problem: Problem, points: Points, context: Context) -> dict[str, Jet]:
    """The coordinates as jets."""
    return {n: Coordinate(n, points[n], context) for n in problem.domain.names if n in points.names}


def data_of(problem: Problem, points: Points) -> dict[str, torch.Tensor]:
    """The columns that are no coordinates."""
    return {n: c for n, c in points.columns.items() if n not in problem.domain.names}


def weights_at(problem: Problem, constraint: Constraint, points: Points) -> torch.Tensor:
    """The weights w(x) of a constraint that has a function for them, at its row points: (N,), or () where they are all one number.

    Raises ProblemError for another shape.
    """
    context = Context(problem.domain.names, problem.domain.space, points.normal)
    local = Local(problem.names, context, coordinates_at(problem, points, context), {}, data=data_of(problem, points))
    given = values(constraint.weight(local))
    if not isinstance(given, torch.Tensor | int | float) or getattr(given, "shape", ()) not in ((), (len(points),)):
        got = f"values of shape {tuple(given.shape)}" if isinstance(given, torch.Tensor) else type(given).__name__
        raise ProblemError(f"Constraint {constraint.name!r}: its weight must return values of shape (N,) = ({len(points)},), got {got}.")
    return torch.as_tensor(given, dtype=torch.float64)


def require_weights(problem: Problem, constraint: Constraint, points: Points) -> None:
    """Raise ProblemError for weights w(x) that are negative or not finite at a row point."""
    weights = weights_at(problem, constraint, points)
    if not bool((torch.isfinite(weights) & (weights >= 0)).all()):
        raise ProblemError(f"Constraint {constraint.name!r}: its weight must be finite and nowhere negative, got {float(weights.min()):g}.")


def trace(
    problem: Problem,
    constraint: Constraint,
    points: Points,
    scales: Mapping[str, FieldScale],
    seed: int | Mapping[int, float] = 0,
    shift: tuple[str, Index, float] | None = None,
    numbers: Mapping[str, float] | None = None,
    image: Mapping[str, Symmetry] | None = None,
) -> Trace:
    """Evaluate a constraint at row points on the probe of a seed, or on a combination of probes given as factors by seed.

    ``shift``: (field, index, amount) added to that one derivative of the probe, to see how the rows depend on it. ``numbers``: wave
    numbers by coordinate in place of random ones. ``image``: the mirror, one for all
    fields but for its sign, whose image of the probe is taken.
    """
    need: dict[str, set[Index]] = {f.name: set() for f in problem.fields}
    used: dict[str, set[Index]] = {u.name: set() for u in problem.unknowns}
    factors, evaluated = {seed: 1.0} if isinstance(seed, int) else seed, []

    def state_at(nodes: Points) -> Local:
        evaluated.append(len(nodes))
        context = Context(problem.domain.names, problem.domain.space, nodes.normal)
        coordinates = coordinates_at(problem, nodes, context)
        if image is None:
            probes = _probe_fields(problem, coordinates, scales, factors, numbers or {})
        else:
            there = coordinates_at(problem, next(iter(image.values())).reflected(nodes), context)
            beside = _probe_fields(problem, there, scales, factors, numbers or {})
            probes = {n: image[n].sign * Reflected(jet, image[n].coordinate) for n, jet in beside.items()}
        if SIDE in nodes.names:  # a probe that is smooth across an interface would not show the size of a jump
            beyond = _probe_fields(problem, coordinates, scales, {k + BEYOND: factor for k, factor in factors.items()}, numbers or {})
            probes = {n: torch.where(nodes[SIDE] < 0, jet, beyond[n]) for n, jet in probes.items()}
        starts = {u.name: torch.tensor(u.start, dtype=torch.float64, requires_grad=True).expand(len(nodes)) for u in problem.unknowns}
        unknowns = {n: Recorder(Constant(start, context), used[n]) for n, start in starts.items()}
        given = Local(problem.names, context, coordinates, {}, unknowns)
        for field in (f for f in problem.fields if f.plus is not None):
            probes[field.name] = probes[field.name] + known_part(field.name, field.plus, given, len(nodes))
        fields = {n: Recorder(jet, need[n], shift[1:] if shift and shift[0] == n else None) for n, jet in probes.items()}
        return Local(problem.names, context, coordinates, fields, unknowns, data_of(problem, nodes), elsewhere)

    def elsewhere(nodes: Points) -> Local:
        outside = ~problem.domain.contains(nodes)
        if bool(outside.any()):
            place = ", ".join(f"{n} = {float(nodes[n][outside][0]):.4g}" for n in problem.domain.names)
            raise ProblemError(f"An integral has nodes outside the domain {problem.domain.describe()}, one at {place}: change its limits.")
        return state_at(nodes)

    rows = rows_of(constraint, state_at(constraint.expand(points, problem.domain)), len(points))
    fixed = frozenset(n for n, r in rows.items() if not r.requires_grad)
    known = frozenset(n for n, log in used.items() if log)
    return Trace({n: r.detach() for n, r in rows.items()}, need, known, fixed, sum(evaluated) // len(points))


def _probe_fields(problem, coordinates, scales, factors: Mapping[int, float], numbers) -> dict[str, Jet]:
    """The combination of the probes of several seeds, by field."""
    combined: dict[str, Jet] = {}
    for seed, factor in factors.items():
        generator = torch.Generator().manual_seed(seed)
        for field in problem.fields:
            wave = factor * _wave(problem, field, coordinates, scales, generator, numbers)
            combined[field.name] = combined[field.name] + wave if field.name in combined else wave
    return combined


def _wave(problem, field, coordinates, scales, generator, numbers) -> Jet:
    """The probe of one field: a plane wave, of wave number about 2 along each of its own coordinates unless given."""
    phase, slopes = 2 * torch.pi * torch.rand((), generator=generator, dtype=torch.float64), {}
    for name in field.of:
        axis = problem.domain.axis(name)
        number = float(1 + 2 * torch.rand((), generator=generator)) * (1 if torch.rand((), generator=generator) < 0.5 else -1)
        slopes[name] = numbers.get(name, number) / (axis.length / 2)
        phase = phase + slopes[name] * (coordinates[name].values - (axis.lower + axis.upper) / 2)
    phase = Affine(phase, slopes, coordinates[field.of[0]].context)
    size = scales.get(field.name, FieldScale())
    return size.shift + Constant(torch.tensor(size.scale, dtype=torch.float64, requires_grad=True)) * torch.sin(phase)
