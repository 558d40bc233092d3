"""How far a solution is from a reference: errors by field in several norms, at given times, and away from where the reference is singular."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.points import Points
from pinnsine.real_parts import real_reference
from pinnsine.reference import Reference
from pinnsine.reference.exact import State

if TYPE_CHECKING:
    from pinnsine.solution import Solution

GAP = 1e-3  # between the points of a difference, as a part of the axis
SLOPE = (1 / 280, -4 / 105, 1 / 5, -4 / 5, 0.0, 4 / 5, -1 / 5, 4 / 105, -1 / 280)  # a first derivative of eighth order


@dataclass(frozen=True)
class Comparison:
    """Errors by field against a reference on ``count`` points, and the reference's own floor.

    Relative errors of a field whose reference vanishes at all points are absolute root mean squares. ``relative_h1``: in the norm of values and
    first derivatives by all coordinates, if it was asked for. ``at``: the comparisons at single times. ``away``: those on parts of the points.
    """

    relative_l2: Mapping[str, float]
    max_error: Mapping[str, float]
    floor: Mapping[str, float]
    count: int
    relative_h1: Mapping[str, float] = field(default_factory=dict)
    at: Mapping[float, Comparison] = field(default_factory=dict)
    away: Mapping[str, Comparison] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = []
        for n, e in self.relative_l2.items():
            h1 = f"H1 {self.relative_h1[n]:.1e}, " if n in self.relative_h1 else ""
            lines.append(
                f"{n}: relative L2 {e:.1e}, {h1}max {self.max_error[n]:.1e} on {self.count:,} points (reference floor {self.floor[n]:.0e})"
            )
        parts = [(f"at {time:g}", c) for time, c in self.at.items()] + [(f"away from {name}", c) for name, c in self.away.items()]
        return "\n".join([*lines, *(f"  {label}: {line}" for label, c in parts for line in str(c).splitlines())])


def compare(
    solution: Solution,
    reference: Reference | None = None,
    points: int | Points | None = None,
    times: Sequence[float] = (),
    away: Mapping[str, Callable] | None = None,
    h1: bool = False,
) -> Comparison:
    """See ``Solution.compare``."""
    reference = reference or solution.problem.reference
    if reference is None:
        raise ProblemError(
            "There is no reference to compare with: give the problem reference=, or compare() one (`pinnsine compare --reference FILE`)."
        )
    reference = real_reference(reference, solution.problem.names.complexes)
    domain = solution.problem.domain
    everywhere = places(solution, points)
    if times and domain.time is None:
        raise ProblemError("times= needs a time coordinate, which this domain lacks.")
    slices = {float(t): at_time(solution, points, float(t)) for t in times}
    total = compared(solution, reference, everywhere, h1)
    return Comparison(
        total.relative_l2,
        total.max_error,
        total.floor,
        total.count,
        total.relative_h1,
        {t: compared(solution, reference, p, h1) for t, p in slices.items()},
        {n: compared(solution, reference, kept(everywhere, n, inside), h1) for n, inside in (away or {}).items()},
    )


def places(solution: Solution, points: int | Points | None) -> Points:
    """The domain's grid, a number of random points, or the points given."""
    domain = solution.problem.domain
    if points is None:
        return domain.grid()
    if isinstance(points, Points):
        missing = [n for n in domain.names if n not in points.names]
        if missing:
            raise ProblemError(f"points= lack the coordinate {missing[0]!r}: the domain has {', '.join(domain.names)}.")
        return points
    if points < 1:
        raise ProblemError(f"points= is a positive number of random points, or Points, got {points!r}.")
    return domain.sample(points, "uniform", torch.Generator().manual_seed(0))


def at_time(solution: Solution, points: int | Points | None, time: float) -> Points:
    """The points, moved to one time; those of a grid once each. Raises ProblemError for a time outside the domain."""
    domain = solution.problem.domain
    axis = domain.axis(domain.time)
    if not axis.lower <= time <= axis.upper:
        raise ProblemError(f"times= holds {time:g}, which is outside {axis.name} in [{axis.lower:g}, {axis.upper:g}].")
    found = places(solution, points)
    if points is None:
        found = found.select(found[axis.name] == found[axis.name][0]) if len(domain.axes) <= 3 else found
    return Points({**found.columns, axis.name: torch.full_like(found[axis.name], time)})


def kept(points: Points, name: str, inside: Callable) -> Points:
    """The points of a part. Raises ProblemError where the function does not say which, or there are none."""
    mask = inside(State(points.columns, name))
    if not isinstance(mask, Tensor) or mask.dtype is not torch.bool or mask.shape != (len(points),) or not bool(mask.any()):
        raise ProblemError(f"away= {name!r} must be a function of s that is true at the points that count, at least at one of them.")
    return points.select(mask)


def errors_at(solution: Solution, reference: Reference, points: Points) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The differences and the reference (N,), by fields that both know. Raises ProblemError if there is none."""
    own = solution.problem.names
    truth, names = reference.evaluate({n: points[n] for n in solution.problem.domain.names}), own.fields
    if not set(names) & set(truth):
        raise ProblemError(f"The reference has fields {', '.join(truth)}, none of which is a field of the problem.")
    found = dict(zip(names, solution.evaluate(points), strict=True))
    differences = {n: found[n] - truth[n] for n in names if n in truth}
    return own.joined(differences, torch.complex), own.joined(truth, torch.complex)


def compared(solution: Solution, reference: Reference, points: Points, h1: bool) -> Comparison:
    """The comparison at points, of which those are left out where the reference is not finite."""
    differences, truth = errors_at(solution, reference, points)
    known = torch.stack([torch.isfinite(truth[n]) for n in differences]).all(dim=0)
    if not bool(known.any()):
        raise ProblemError("The reference has no finite value at any of the points to compare at.")
    differences, truth = ({n: values[n][known] for n in differences} for values in (differences, truth))
    return Comparison(
        {n: relative(squares(d), squares(truth[n]), len(d)) for n, d in differences.items()},
        {n: float(d.abs().max()) for n, d in differences.items()},
        solution.problem.names.joined({n: float(reference.floor[n]) for n in reference.fields}, max),
        int(known.sum()),
        sobolev(solution, reference, points.select(known)) if h1 else {},
    )


def squares(values: Tensor) -> Tensor:
    """The sum of squared moduli."""
    return values.abs().square().sum()


def relative(error: Tensor, norm: Tensor, count: int) -> float:
    """The root of a ratio of sums of squares, of the mean square where there is nothing to compare with."""
    return math.sqrt(float(error) / (float(norm) or count))


def sobolev(solution: Solution, reference: Reference, points: Points) -> dict[str, float]:
    """Relative errors in the norm of values and first derivatives, these by differences of eighth order.

    Not every reference can be differentiated. Points closer to an end of an axis than the differences reach are moved inwards.
    """
    domain = solution.problem.domain
    reach = GAP * (len(SLOPE) // 2)
    columns = {}
    for axis in domain.axes:
        margin = reach * axis.length
        columns[axis.name] = points[axis.name].clamp(axis.lower + margin, axis.upper - margin)
    differences, truth = errors_at(solution, reference, Points(columns))
    sums = {n: [squares(differences[n]), squares(truth[n])] for n in differences}
    for axis in domain.axes:
        gap = GAP * axis.length
        moved = [
            errors_at(solution, reference, Points({**columns, axis.name: columns[axis.name] + k * gap})) if weight else ({}, {})
            for k, weight in enumerate(SLOPE, start=-(len(SLOPE) // 2))
        ]
        for n, pair in sums.items():
            for part in (0, 1):
                slope = sum(weight * found[part][n] for weight, found in zip(SLOPE, moved, strict=True) if weight) / gap
                pair[part] = pair[part] + squares(slope.nan_to_num(posinf=0.0, neginf=0.0))
    return {n: relative(error, norm, len(points)) for n, (error, norm) in sums.items()}
