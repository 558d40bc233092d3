"""What may be done with the record of every iteration: stop, write it down, draw it. A callback is any function of the record.

The record is a mapping: ``iteration``, ``phase``, ``seconds``, ``seconds_left``, ``loss``, ``held_out``, ``error``, ``damping`` and ``losses``
by constraint; what was not measured is NaN. A callback that returns True ends the run.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

from pinnsine.errors import ProblemError

Callback = Callable[[Mapping], bool | None]
NUMBERS = ("iteration", "seconds", "loss", "held_out", "error", "damping")


def every(count: int, callback: Callback) -> Callback:
    """The callback in one iteration of ``count`` alone. Raises ProblemError unless ``count`` is at least one."""
    if count < 1:
        raise ProblemError(f"every() needs a count of at least one iteration, got {count}.")
    return lambda record: callback(record) if record["iteration"] % count == 0 else None


def below(value: float, column: str = "held_out") -> Callback:
    """End the run once a column of the record is at or below a value."""
    _require_column(column)
    return lambda record: record[column] <= value


class EarlyStopping:
    """End the run after ``patience`` iterations in which ``column`` has not fallen below ``gain`` times its lowest.

    It counts from the call of ``solve`` that it is given to. Raises ProblemError for an unknown column, or settings out of range.
    """

    def __init__(self, patience: int, column: str = "held_out", gain: float = 1.0):
        _require_column(column)
        if patience < 1 or not 0 < gain <= 1:
            raise ProblemError(f"EarlyStopping needs patience >= 1 and 0 < gain <= 1, got {patience} and {gain}.")
        self.patience, self.column, self.gain = patience, column, gain
        self.lowest, self.since = math.inf, None

    def __call__(self, record: Mapping) -> bool:
        if record[self.column] < self.gain * self.lowest:
            self.lowest, self.since = record[self.column], record["iteration"]
        if self.since is None:
            self.since = record["iteration"]
        return record["iteration"] - self.since >= self.patience


class Log:
    """Write every record to a table: ``.jsonl``, an object a line, or ``.csv``, its first line the names.

    A run that goes on from a checkpoint goes on with its table, from which what came after the checkpoint is dropped; a run that starts
    replaces it. Raises ProblemError for another suffix.
    """

    def __init__(self, path: str | Path):
        self.path, self._begun = Path(path), False
        if self.path.suffix not in (".jsonl", ".csv"):
            raise ProblemError(f"A log is called something.jsonl or something.csv, got {str(path)!r}.")

    def __call__(self, record: Mapping) -> None:
        row = flat(record)
        if not self._begun:
            self._begin(row)
        # opened for every line, so that nothing is lost with the process
        with open(self.path, "a", newline="", encoding="utf-8") as file:
            if self.path.suffix == ".jsonl":
                file.write(json.dumps({n: v if v == v else None for n, v in row.items()}) + "\n")
            else:
                csv.writer(file).writerow(row.values())

    def _begin(self, row: Mapping) -> None:
        self._begun = True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() and row["iteration"] > 1 else []
        names = io.StringIO()
        csv.writer(names).writerow(row)
        if self.path.suffix == ".jsonl":
            kept = [line for line in lines if _iteration(line) < row["iteration"]]
        else:
            kept = [names.getvalue().strip(), *(line for line in lines[1:] if _first_column(line) < row["iteration"])]
        self.path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")


class TensorBoard:
    """Write every record where TensorBoard reads it. Raises ProblemError where tensorboard is not installed."""

    def __init__(self, folder: str | Path):
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ProblemError("TensorBoard() needs tensorboard: pip install 'pinnsine[tensorboard]'.") from error
        self.writer = SummaryWriter(str(folder))

    def __call__(self, record: Mapping) -> None:
        for name, value in flat(record).items():
            if name not in ("iteration", "phase") and math.isfinite(value):
                self.writer.add_scalar(name.replace(".", "/"), value, record["iteration"])


def flat(record: Mapping) -> dict[str, float | str]:
    """The record as one row: its numbers, the phase, and ``loss.<constraint>``."""
    return {**{n: record[n] for n in NUMBERS}, "phase": record["phase"], **{f"loss.{n}": v for n, v in record["losses"].items()}}


def _require_column(column: str) -> None:
    if column not in NUMBERS:
        raise ProblemError(f"The record has no column {column!r}: it has {', '.join(NUMBERS)}.")


def _iteration(line: str) -> float:
    """The iteration of a line of JSON; a line that was cut counts as later than all."""
    try:
        return json.loads(line)["iteration"]
    except (json.JSONDecodeError, KeyError, TypeError):
        return math.inf


def _first_column(line: str) -> float:
    try:
        return float(line.partition(",")[0])
    except ValueError:
        return math.inf
