"""What the command line prints of a run, in words or as one JSON object, and the status it exits with."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pinnsine.distributed import leads
from pinnsine.outcome import Outcome

if TYPE_CHECKING:
    from pinnsine.comparison import Comparison
    from pinnsine.solution import Solution

NOT_FINITE, INTERRUPTED = 3, 130
REPORTED = (
    *("loss", "iterations", "evaluations", "seconds", "parameters", "points"),
    *("dtype", "device", "seed", "versions"),
)


def tell(solution: Solution, out: Path | None, written: Sequence[Path], as_json: bool, quiet: bool) -> None:
    """Print what was found, and exit by how the run ended."""
    if leads():
        comparison = compared(solution)
        if as_json:
            print(report(solution, comparison))
        elif not quiet:
            print(summary(solution, comparison, written))
    exit_by_outcome(solution, out)


def compared(solution: Solution) -> Comparison | None:
    """The comparison with the problem's reference; None where it has none that knows a field."""
    reference = solution.problem.reference
    known = reference is not None and any(f.name in reference.fields for f in solution.problem.fields)
    return solution.compare() if known else None


def summary(solution: Solution, comparison: Comparison | None, written: Sequence[Path]) -> str:
    """What was chosen and why, how the run ended, what was found and how good it is."""
    s = solution.settings
    lines = [
        f"{solution.problem.name}: {solution.outcome.value}",
        f"  network    {s['net']} ({s['parameters']:,} parameters; {s['reason']})",
        f"  run        {s['optimizer']}, {s['iterations']:,} iterations in {s['seconds']:.1f} s, loss {s['loss']:.1e}",
        f"  on         {s['points']:,} points, {s['dtype']}, {s['device']}, {s['threads']} thread(s), seed {s['seed']}",
        *(f"  unknown    {name} = {float(value):.8g}" for name, value in solution.unknowns.items()),
        *(f"  estimate   {name}: relative L2 {value:.1e}, without the reference" for name, value in solution.estimate.items()),
        *(f"  compared   {line}" for line in str(comparison or "").splitlines()),
        *(f"  written    {path}" for path in written),
    ]
    return "\n".join(lines)


def report(solution: Solution, comparison: Comparison | None) -> str:
    """The run as one JSON object; numbers that are not finite are null."""
    found = {
        "problem": solution.problem.name,
        "outcome": solution.outcome.name.lower(),
        "unknowns": {name: float(value) for name, value in solution.unknowns.items()},
        "relative_l2": comparison.relative_l2 if comparison else {},
        "max_error": comparison.max_error if comparison else {},
        "estimate": solution.estimate,
    }
    return json.dumps(plain({**found, **{key: solution.settings[key] for key in REPORTED}}), allow_nan=False)


def plain(value):
    """The value in JSON's own types."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value if isinstance(value, bool | int | str | None) else plain(value.item())


def exit_by_outcome(solution: Solution, out: Path | None) -> None:
    """Nothing where a run ended well; else its message and its status."""
    if solution.outcome is Outcome.BROKEN:
        print("error:", solution.outcome.value, file=sys.stderr)
        raise typer.Exit(NOT_FINITE)
    if solution.outcome is Outcome.INTERRUPTED:
        print("interrupted:", f"saved to {out}" if out else "not saved, since --out names no file", file=sys.stderr)
        raise typer.Exit(INTERRUPTED)
