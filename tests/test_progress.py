"""The progress line: in place on a terminal, sparse elsewhere."""

import io
import math

import pytest
from rich.console import Console

from pinnsine.progress import ProgressLine, clock, describe


def record(**changes):
    losses = {"burgers": 2e-6, "a_very_long_name": 3e-8}
    known = {"iteration": 12, "phase": "LevenbergMarquardt", "seconds": 5.0, "seconds_left": 83.4, "loss": 3.2e-6}
    return {**known, "held_out": 4.1e-6, "losses": losses, "damping": 1e-5, "error": 3.1e-6, **changes}


def test_a_line_tells_everything_with_the_time_left_before_the_details():
    line = describe(record())
    assert line.startswith("LM 12  loss 3.2e-06  held-out 4.1e-06  error 3.1e-06  1:23 left")
    assert line.endswith("damping 1e-05  burgers 2e-06  a_very_lo… 3e-08")


def test_what_was_not_measured_is_left_out():
    nothing = {"held_out": math.nan, "error": math.nan, "damping": math.nan, "losses": {}, "seconds_left": math.inf}
    assert describe(record(phase="Adam", **nothing)) == "Adam 12  loss 3.2e-06  0:05"


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (65, "1:05"), (7209, "2:00:09"), (-3, "0:00")])
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_without_a_terminal_there_is_a_plain_line_every_ten_seconds_and_nothing_else():
    file = io.StringIO()
    with ProgressLine(Console(file=file, width=30)) as line:
        for tick in range(70):
            assert line(record(iteration=tick, seconds=tick / 2)) is None
    assert [text.split()[1] for text in file.getvalue().splitlines()] == ["20", "40", "60"]
    assert "\x1b" not in file.getvalue()


def test_a_short_run_without_a_terminal_prints_nothing():
    file = io.StringIO()
    with ProgressLine(Console(file=file)) as line:
        line(record(seconds=9.9))
    assert file.getvalue() == ""


def test_on_a_terminal_the_line_fits_and_vanishes():
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=40, color_system=None)
    with ProgressLine(console) as line:
        line(record())
    shown = [part.split("\x1b")[0] for text in file.getvalue().splitlines() for part in text.split("K")]
    assert any("LM 12  loss 3.2e-06" in part and part.endswith("…") for part in shown)
    assert max(map(len, shown)) <= 40
    assert file.getvalue().endswith("\x1b[1A\x1b[2K")
