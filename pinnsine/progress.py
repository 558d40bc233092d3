"""The progress of a run: one live line on a terminal, an occasional plain line elsewhere."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

REDRAWS = 10  # a second, at most
PLAIN_INTERVAL = 10.0  # seconds between two plain lines


class ProgressLine:
    """A callback and context manager that shows how a run goes.

    On a terminal one line is redrawn in place, at most ten times a second, and vanishes at the end. Elsewhere (a file,
    a pipe, a batch system) a plain line is printed at most every ten seconds, none in the first ten.

    Args:
        console: a rich Console; by default one on the standard error, which leaves the standard output to results.
    """

    def __init__(self, console: Console | None = None):
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        self._console = console or Console(stderr=True)
        self._spinner = Spinner("dots", text="starting")
        # what the user's own code prints goes through the live display only where it would hit the same screen
        self._live = Live(
            self._spinner,
            console=self._console,
            refresh_per_second=REDRAWS,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        )
        self._open = contextlib.ExitStack()
        self._last_plain = 0.0

    def __enter__(self) -> ProgressLine:
        if self._console.is_interactive:
            self._open.enter_context(self._live)
        return self

    def __exit__(self, *error) -> None:
        self._open.close()

    def __call__(self, record: Mapping) -> None:
        """Show the record of an iteration: the mapping that ``solve`` hands to its callbacks."""
        if self._console.is_interactive:
            from rich.text import Text

            text = Text(describe(record))
            text.truncate(max(1, self._console.width - 3), overflow="ellipsis")
            self._spinner.update(text=text)
        elif record["seconds"] - self._last_plain >= PLAIN_INTERVAL:
            self._last_plain = record["seconds"]
            self._console.print(describe(record), soft_wrap=True, markup=False, highlight=False)


def describe(record: Mapping) -> str:
    """The record of an iteration on one line, what matters most first, and without what was not measured."""
    parts = [f"{_short_phase(record['phase'])} {record['iteration']:.0f}", f"loss {record['loss']:.1e}"]
    for key, label in (("held_out", "held-out"), ("error", "error")):
        if not math.isnan(record[key]):
            parts.append(f"{label} {record[key]:.1e}")
    left = record["seconds_left"]
    parts.append(f"{clock(left)} left" if math.isfinite(left) else clock(record["seconds"]))
    if not math.isnan(record["damping"]):
        parts.append(f"damping {record['damping']:.0e}")
    parts += [f"{_short(name)} {loss:.0e}" for name, loss in record["losses"].items()]
    return "  ".join(parts)


def clock(seconds: float) -> str:
    """Seconds as 1:05 or 2:00:09."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _short(name: str, length: int = 10) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"


def _short_phase(name: str) -> str:
    """LevenbergMarquardt becomes LM; short names stay."""
    return name if len(name) <= 6 else "".join(c for c in name if c.isupper()) or _short(name)
