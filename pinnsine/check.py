"""The dry run of a problem: everything that can be found wrong before any training."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from pinnsine.constraint import Constraint, Residual, row_points
from pinnsine.domain import Region
from pinnsine.errors import EvaluationError, ProblemError
from pinnsine.index import Index, describe
from pinnsine.points import Points
from pinnsine.probe import FieldScale, Trace, require_weights, trace

if TYPE_CHECKING:
    from pinnsine.problem import Problem

SAMPLES = 128  # rows per constraint in the dry run
PROBES = 3
HINTS = {  # what to do about what Python says of common slips
    "does not support ufuncs": "use torch's functions in place of numpy's",
    "must be real number, not": "use torch's functions in place of those of math",
    "must be Tensor, not Local": "its argument is the state s, so write s.x for the coordinate x",
    "Boolean value of Tensor": "use torch.where(condition, a, b) in place of `if`",
}
SIZES = (1e-6, 1e-3, 1e3, 1e6)  # of further probes: a row counts as broken only if it is not finite on every probe of every size


@dataclass(frozen=True)
class ConstraintReport:
    """What the dry run saw of one constraint: its rows' root mean square on the probes, and the derivatives it needs."""

    name: str
    place: str
    scale: Mapping[str, float]
    need: Mapping[str, set[Index]]
    hard: bool


@dataclass(frozen=True)
class Report:
    """The dry run of a problem, constraint by constraint; ``str(report)`` is a table."""

    constraints: tuple[ConstraintReport, ...]
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{'constraint':<20} {'where':<42} {'typical size':>12}  needs"]
        for c in self.constraints:
            need = ", ".join(f if i == () else f"{f}_{describe(i)}" for f, log in c.need.items() for i in sorted(log, key=describe))
            for part, scale in c.scale.items():
                label = f"{c.name}.{part}" if part else c.name
                lines.append(f"{label:<20} {c.place:<42} {'built in' if c.hard else format(scale, '.2e'):>12}  {need}")
        return "\n".join([*lines, *(f"warning: {w}" for w in self.warnings)])


def check(problem: Problem) -> Report:
    """Trace every constraint at sample points on several probes; see ``Problem.check``."""
    generator = torch.Generator().manual_seed(0)
    reports, used = [], set()
    for constraint in problem.constraints:
        points = row_points(constraint, problem.domain, SAMPLES, "uniform", generator)
        _check_region(problem, constraint, points)
        try:
            traces = [trace(problem, constraint, points, _probe_scales(problem, k), seed=k) for k in range(PROBES)]
            if callable(constraint.weight):
                require_weights(problem, constraint, points)
        except (ProblemError, EvaluationError) as error:
            named = repr(constraint.name) in str(error)
            raise ProblemError(str(error) if named else f"Constraint {constraint.name!r}: {error}") from error
        except Exception as error:  # whatever the user's own function raises
            raise ProblemError(f"Constraint {constraint.name!r}: its function raises {_words(error)}.") from error
        if not all(bool(torch.isfinite(r).all()) for t in traces for r in t.rows.values()):
            _check_finite(problem, constraint, points, traces)
        _check_dependence(constraint, traces)
        used |= {f for f, log in traces[0].need.items() if log} | traces[0].unknowns
        scale = {n: float(torch.stack([t.rows[n] for t in traces]).nan_to_num().square().mean().sqrt()) for n in traces[0].rows}
        region = constraint.region(problem.domain)
        place = region.describe() if isinstance(region, Region) else f"{len(points)} points"
        reports.append(ConstraintReport(constraint.name, place, scale, traces[0].need, constraint.hard))
    for field in problem.fields:
        if field.name not in used:
            raise ProblemError(f"No constraint mentions the field {field.name!r}: remove it from fields= or write a constraint on it.")
    idle = [u.name for u in problem.unknowns if u.name not in used]
    return Report(tuple(reports), tuple(f"no constraint mentions the unknown {n!r}: it will keep its start" for n in idle))


def _probe_scales(problem: Problem, k: int, size: float = 1.0) -> dict[str, FieldScale]:
    """Probes that take both signs, stay positive and stay near zero, so that a logarithm or a root finds one it can bear."""
    shift, scale = ((0.0, 1.0), (2.0, 1.0), (0.5, 0.25))[k]
    return {f.name: FieldScale(size * shift, size * scale) for f in problem.fields}


def _words(error: Exception) -> str:
    """An exception in one line, with the last place outside of libraries that it went through."""
    libraries = Path(__file__).parent, Path(torch.__file__).parent
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not any(p in Path(f.filename).parents for p in libraries)]
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    said = " ".join(str(error).split()).rstrip(".")
    hint = next((f": {hint}" for slip, hint in HINTS.items() if slip in said), "")
    return f"{type(error).__name__}: {said}{place}{hint}"


def _place(problem: Problem, points: Points, row: int) -> str:
    return ", ".join(f"{n} = {float(points[n][row]):.4g}" for n in problem.domain.names if n in points.names)


def _check_region(problem: Problem, constraint: Constraint, points: Points) -> None:
    if set(problem.domain.names) <= set(points.names):
        outside = ~problem.domain.contains(points)
        if bool(outside.any()):
            place = _place(problem, points, int(outside.nonzero()[0, 0]))
            raise ProblemError(
                f"Constraint {constraint.name!r} has points outside the domain {problem.domain.describe()}, one at {place}: "
                "enlarge the domain or move the region."
            )


def _check_finite(problem: Problem, constraint: Constraint, points: Points, traces: list[Trace]) -> None:
    """Refuse a row that is finite for no probe: those tried and others, since a field's size is not known yet (exp(u / 1e-3))."""
    traces = [*traces, *(trace(problem, constraint, points, _probe_scales(problem, k, z), seed=k) for z in SIZES for k in range(PROBES))]
    for name in traces[0].rows:
        broken = torch.stack([~torch.isfinite(t.rows[name]) for t in traces]).all(dim=0)
        if bool(broken.any()):
            row = int(broken.nonzero()[0, 0])
            part = f", part {name!r}" if name else ""
            raise ProblemError(
                f"Constraint {constraint.name!r}{part} is {float(traces[0].rows[name][row])} at {_place(problem, points, row)} for every "
                "field tried: look for a division by zero, a root or logarithm of a negative number, or exclude the point from the region."
            )


def _check_dependence(constraint: Constraint, traces: list[Trace]) -> None:
    rows, fixed = traces[0].rows, traces[0].fixed
    if len(fixed) == len(rows) or (fixed and isinstance(constraint, Residual)):
        name = next(iter(fixed))
        raise ProblemError(
            f"Constraint {constraint.name!r}{f', part {name!r},' if name else ''} does not depend on the parameters: its rows are the same for "
            "every field. Write it in terms of the fields of s, and without detach()."
        )
