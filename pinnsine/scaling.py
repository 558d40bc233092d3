"""The size of everything, found before training: fields from data and equations, rows from the probes.

With them a problem on [0, 100] with values near 1e5 is trained like its twin on [-1, 1]: rescaling x, t or u changes nothing but rounding.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping

import torch

from pinnsine.conditions import Prior
from pinnsine.constraint import Constraint, Prescribed, Residual, Target, row_points, target_values
from pinnsine.errors import ProblemError
from pinnsine.index import Index
from pinnsine.jet import Constant, Context, Shifted, values
from pinnsine.known import known_part
from pinnsine.local import Local
from pinnsine.points import Points
from pinnsine.probe import FieldScale, coordinates_at, data_of, trace
from pinnsine.problem import Problem

SAMPLES = 256
PROBES = 4
HALVINGS = 12  # of a decade's half, to the amplitude of a balance
NUDGE = 1e-4  # of a half-length, for the wave numbers of a source
EQUATION_SHARE = 0.3  # rows of an equation count 0.3 against 1 for conditions: measured on Burgers and the wave equation


def field_scales(problem: Problem) -> dict[str, FieldScale]:
    """Shift and scale of every field.

    From the range that is declared; else from prescribed values and data (middle and half of their range) and then, where an equation with
    a source asks for more, or nothing is prescribed, from the balance: the amplitude at which the field's part of the residuals equals all
    the rest. A field that does not act while the others rest, such as a coefficient, or of which nothing is known by then, such as a
    pressure, is balanced against the others at their own size.
    """
    generator = torch.Generator().manual_seed(0)
    samples = {c.name: row_points(c, problem.domain, SAMPLES, "sobol", generator) for c in problem.constraints}
    scales = {f.name: _range_scale(f.range) if f.range else _prescribed_scale(problem, f.name, samples) for f in problem.fields}
    undecided = []
    for field in problem.fields:
        known = scales[field.name]
        if field.range is not None:
            continue
        amplitude = _balanced_amplitude(problem, field.name, scales, samples)
        scales[field.name] = FieldScale(known.shift, max(known.scale, amplitude or 0.0) or abs(known.shift))
        if amplitude == 0.0 or not scales[field.name].scale:
            undecided.append(field.name)
    for name in undecided:
        known, amplitude = scales[name], _balanced_amplitude(problem, name, scales, samples, resting=False)
        scales[name] = FieldScale(known.shift, max(known.scale, amplitude or 0.0) or 1.0)
    return scales


def _range_scale(limits: tuple[float, float]) -> FieldScale:
    return FieldScale((limits[0] + limits[1]) / 2, (limits[1] - limits[0]) / 2)


def _prescribed_scale(problem: Problem, name: str, samples: Mapping[str, Points]) -> FieldScale:
    """From the middle and half the range of given values; a given derivative tells an amplitude, what it adds up to over half-lengths."""
    found, slopes = [], [0.0]
    for constraint in problem.constraints:
        for field, index, target in constraint.prescribed(problem.names):
            known = given(problem, name, index, target, samples[constraint.name]) if field == name else None
            if known is not None and not index:
                found.append(known)
            elif known is not None:
                slopes.append(_rms(known) * math.prod(problem.domain.axis(n).length / 2 for n in index))
    if not found:
        return FieldScale(0.0, max(slopes))
    low, high = float(torch.cat(found).min()), float(torch.cat(found).max())
    middle, half = (low + high) / 2, (high - low) / 2
    return FieldScale(middle if abs(middle) > 0.05 * half else 0.0, max(half, *slopes))


def given(problem: Problem, name: str, index: Index, target: Target, points: Points) -> torch.Tensor | None:
    """A prescribed value or derivative at points (N,) or (1,), less the known part of the field; None where it is given by another field."""
    context = Context(problem.domain.names, problem.domain.space, points.normal)
    numbers = {u.name: Constant(torch.tensor(u.start, dtype=torch.float64), context) for u in problem.unknowns}
    local = Local(problem.names, context, coordinates_at(problem, points, context), {}, numbers, data_of(problem, points))
    with contextlib.suppress(ProblemError):
        value = torch.as_tensor(values(target_values(target, local)), dtype=torch.float64).reshape(-1)
        plus = problem.field(name).plus
        return value if plus is None else value - Shifted(known_part(name, plus, local, len(points)), index).values
    return None


def _balanced_amplitude(
    problem: Problem, name: str, scales: Mapping[str, FieldScale], samples: Mapping[str, Points], resting: bool = True
) -> float | None:
    """The amplitude a at which rms(R(base + a v) - R(base)) = rms(R(base)); None where R(base) vanishes, 0 where there is no such a.

    The base is every field at its shift, or, if it is not ``resting``, the other fields at their scales. v is a wave as short as the
    source R(base) itself along each coordinate, because the solution's waves are usually those of its source.
    """
    residuals = [c for c in problem.soft if isinstance(c, Residual)]
    others = {n: FieldScale(s.shift, 0.0) for n, s in scales.items()} if resting else scales

    def rows(amplitude: float, numbers: Mapping[str, float] | None = None, moved: Mapping[str, Points] | None = None) -> torch.Tensor:
        wanted = {**others, name: FieldScale(scales[name].shift, amplitude)}
        parts = [trace(problem, c, (moved or samples)[c.name], wanted, numbers=numbers).rows.values() for c in residuals]
        return torch.cat([r.nan_to_num() for group in parts for r in group])

    names = {c.name for c in residuals}
    if not residuals or not _rms(base := rows(0.0)) > 0:
        return None
    numbers = {}
    for axis in problem.domain.axes:
        moved = {
            n: Points({**p.columns, axis.name: p[axis.name] + NUDGE * axis.length / 2}, p.normal) for n, p in samples.items() if n in names
        }
        numbers[axis.name] = max(1.0, _rms(rows(0.0, moved=moved) - base) / NUDGE / _rms(base))
    base = rows(0.0, numbers)  # where the others are not at rest, they have these wave numbers as well
    size = _rms(base)
    return _crossing(lambda amplitude: _rms(rows(amplitude, numbers) - base) / size)


def _crossing(change: Callable[[float], float]) -> float:
    """The amplitude at which a growing change becomes 1, over twenty-four orders of magnitude; 0 where it never does."""
    exponents = range(-24, 25)
    changes = [change(10.0 ** (k / 2)) for k in exponents]
    for before, after, k in zip(changes, changes[1:], exponents, strict=False):
        if 0 < before <= 1 < after:
            low, high = (k / 2, before), ((k + 1) / 2, after)
            for _ in range(HALVINGS):
                middle = (low[0] + high[0]) / 2
                there = middle, change(10.0**middle)
                low, high = (there, high) if there[1] <= 1 else (low, there)
            share = math.log(1 / low[1]) / math.log(high[1] / low[1])  # exact where the change is a power of the amplitude
            return 10.0 ** (low[0] + share * (high[0] - low[0]))
    return 0.0


def row_scales(problem: Problem, constraint: Constraint, scales: Mapping[str, FieldScale]) -> dict[str, float]:
    """The factor of each named row of a constraint: one over its typical size, the weight of its kind included.

    A weight given by the user is taken as it stands, in the user's own units.
    """
    if isinstance(constraint, Prior):
        return {"": _measurement_scale(problem, scales)}
    generator = torch.Generator().manual_seed(1)
    points = row_points(constraint, problem.domain, SAMPLES, "sobol", generator)
    traces = [trace(problem, constraint, points, scales, seed=k) for k in range(PROBES)]
    sigma = points[constraint.sigma] if isinstance(constraint.sigma, str) else constraint.sigma or 1.0
    if constraint.weight is not None:
        factor = 1.0 if callable(constraint.weight) else math.sqrt(constraint.weight)
        return dict.fromkeys(traces[0].rows, factor)
    share = EQUATION_SHARE if isinstance(constraint, Residual) else 1.0
    return {name: share / (_rms(torch.cat([t.rows[name] / sigma for t in traces]).nan_to_num()) or 1.0) for name in traces[0].rows}


def _measurement_scale(problem: Problem, scales: Mapping[str, FieldScale]) -> float:
    """The factor of one measurement in units of its standard deviation: that of a row of data, N_c rows together counting as one."""
    data = [c for c in problem.constraints if isinstance(c, Prescribed) and c.sigma is not None and not isinstance(c, Prior)]
    return max((max(row_scales(problem, c, scales).values()) / math.sqrt(len(c.on)) for c in data), default=1.0)


def _rms(rows: torch.Tensor) -> float:
    return float(rows.square().mean().sqrt())
