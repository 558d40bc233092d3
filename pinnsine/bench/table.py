"""The acceptance table as files: records appended as they are finished, and the page and the package's data that are made of them.

The records (``benchmarks/results/acceptance.jsonl``) are the only thing that is measured; of several with one label the last counts.
"""

from __future__ import annotations

import concurrent.futures
import json
import math
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pinnsine.bench.measure import MEASURED, PACKAGE, digest, measured
from pinnsine.bench.rows import ROWS, Row
from pinnsine.errors import ProblemError

LATE = 1.1  # of the seconds allowed
HONEST = 10.0  # an estimate may be so many times the error, or so small a part of it
HEAD = (
    "| problem | network | parameters | rows | seconds | iterations | errors by field | worst seed | estimate / error | reference floor "
    "| target | | best published | dsyrk s | threads | load | seeds | commit |"
)
PREFACE = """# Acceptance

Every shipped problem, solved by `make acceptance` within the seconds stated; written by it, never by hand. Errors are relative L2 on the
domain's grid against the problem's own reference; for an inverse problem those of its unknown numbers, which count, stand first. Where there
are several seeds the row is that of the median, and the worst stands beside it. A row of `FAILED`, `MISSED` or `LATE` does not keep what it
promises; an empty one is not measured yet, and `stale` is said of figures that belong to other sources than these. Published figures are on
other hardware, and where it is said on other cases. The time of one dsyrk of 8,000 x 1,500, and the load at the start, are the machine's
measure.
"""


def checkout() -> Path:
    """The root of the checkout. Raises ProblemError for an installed package, which has no place for results."""
    root = PACKAGE.parent
    if not (root / "pyproject.toml").exists():
        raise ProblemError("--write keeps the table in a checkout of the package's repository, and this package is installed: leave it out.")
    return root


def records_file() -> Path:
    return checkout() / "benchmarks" / "results" / "acceptance.jsonl"


def records(path: Path) -> dict[str, dict]:
    """The last record of every label."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {record["label"]: record for record in map(json.loads, lines)}


def chosen(names: Sequence[str]) -> list[Row]:
    """The rows of problems, or with labels; all of them for no names. Raises ProblemError for a name without a row."""
    unknown = [n for n in names if n not in {r.problem for r in ROWS} | {r.label for r in ROWS}]
    if unknown:
        raise ProblemError(f"No row solves {unknown[0]!r}: choose among {', '.join(sorted({r.problem for r in ROWS}))}.")
    return [r for r in ROWS if not names or {r.problem, r.label} & set(names)]


def is_stale(row: Row, record: Mapping | None, seeds: Sequence[int]) -> bool:
    """Whether a row is to be measured again: it never was, or something it depends on has changed."""
    return record is None or record["digest"] != digest(row) or not set(seeds) <= set(record["seeds"])


def finished(rows: Sequence[Row], seeds: Sequence[int], jobs: int, threads: int) -> Iterator[dict]:
    """The records of rows as they are finished, ``jobs`` of them at a time in processes of their own."""
    if jobs == 1:
        yield from (measured(row.label, seeds, threads) for row in rows)
        return
    context = multiprocessing.get_context("spawn")  # a fork would share the threads of torch
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))  # read when a process begins
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=context) as pool:
        for future in concurrent.futures.as_completed([pool.submit(measured, row.label, seeds, threads) for row in rows]):
            yield future.result()


def run(names: Sequence[str], seeds: Sequence[int], jobs: int, threads: int, write: bool, again: bool, show: Callable[[str], None]) -> None:
    """Measure rows and show each as it is finished; with ``write`` append it to the records and renew what is made of them.

    ``again``: measure rows that are not stale as well.
    """
    rows = chosen(names)
    if write:
        known = records(records_file())
        rows = [r for r in rows if again or is_stale(r, known.get(r.label), seeds)]
        renew()
    if not rows:
        show("Nothing to do: no row is stale.")
        return
    show("\n".join([HEAD, rule()]))
    for record in finished(rows, seeds, jobs, threads):
        if write:
            with records_file().open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
            renew()
        show(line(next(r for r in ROWS if r.label == record["label"]), record))


def renew() -> None:
    """Write the page and the package's data from the records."""
    known = records(records_file())
    page = [PREFACE, HEAD, rule(), *(line(row, known.get(row.label)) for row in ROWS), "", *notes(known)]
    (checkout() / "docs" / "acceptance.md").write_text("\n".join(page), encoding="utf-8")
    defaults = {r.problem: known[r.label] for r in ROWS if r.default and "error" in known.get(r.label, {})}
    data = {name: {key: record[key] for key in ("error", "seconds", "commit")} for name, record in sorted(defaults.items())}
    MEASURED.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def rule() -> str:
    return "|---" * (HEAD.count("|") - 1) + "|"


def line(row: Row, record: Mapping | None) -> str:
    """The row of the table."""
    label = row.label if row.label == row.problem else f"{row.label} (`{row.problem}`)"
    if record is None:
        return f"| {label} | | | | of {row.seconds:g} | | | | | | {row.target:.0e} | not measured | {row.published} | | | | | |"
    end = f"{row.target:.0e} | {verdict(row, record)} | {row.published} | {record['dsyrk']:.2f} | {record['threads']} | {record['load']:.1f} "
    end += f"| {', '.join(map(str, record['seeds']))} | {record['commit']} |"
    if "failure" in record:
        return f"| {label} | | | | of {row.seconds:g} | | | | | | {end}"
    errors = ", ".join(f"{name} {error:.1e}" for name, error in record["errors"].items())
    ratio = f"{estimated(record):.2g}" if estimated(record) is not None else ""
    return (
        f"| {label} | {record['net']} | {record['parameters']} | {record['points']} | {record['seconds']:.0f} of {row.seconds:g} | "
        f"{record['iterations']} | {errors} | {record['worst']:.1e} | {ratio} | {record['floor']:.0e} | {end}"
    )


def estimated(record: Mapping) -> float | None:
    """The estimate over the error; None for a row that failed, and for one without an error."""
    return record["estimate"] / record["error"] if record.get("error") and record["estimate"] is not None else None


def verdict(row: Row, record: Mapping) -> str:
    """Whether the row keeps what it promises, and whether it still is what was measured."""
    if "failure" in record:
        word = "FAILED"
    elif not record["error"] <= row.target:
        word = "MISSED"
    else:
        word = "LATE" if record["seconds"] > LATE * row.seconds else "met"
    return word if record["digest"] == digest(row) else f"{word}, stale"


def honesty(known: Mapping[str, Mapping]) -> list[str]:
    """On how many rows the estimate is near the error, and the smallest part of the error that it was; nothing without rows."""
    ratios = [ratio for row in ROWS if row.label in known and (ratio := estimated(known[row.label])) is not None]
    within = sum(1 / HONEST <= ratio <= HONEST for ratio in ratios)
    least = min((ratio for ratio in ratios if not math.isnan(ratio)), default=math.nan)
    told = f"Estimate over error is within {1 / HONEST:g} and {HONEST:g} on {within} of {len(ratios)} rows, and {least:.2g} at least.\n"
    return [told] if ratios else []


def notes(known: Mapping[str, Mapping]) -> list[str]:
    """How honest the estimates are, the machines of the records, and what made rows fail."""
    machines = dict.fromkeys(record["machine"] for record in known.values())
    failures = [f"- {label}: {record['failure']}" for label, record in known.items() if "failure" in record]
    return [*honesty(known), *(f"{machine}." for machine in machines), *failures, ""]
