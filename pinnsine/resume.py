"""``resume``: an interrupted run goes on from its file alone."""

from __future__ import annotations

import functools
from pathlib import Path

from pinnsine.checkpoint import arguments_of
from pinnsine.march import march
from pinnsine.problem import Problem
from pinnsine.solution import Solution
from pinnsine.solve import solve


def resume(path: str | Path, problem: Problem | None = None, **changes) -> Solution:
    """Go on with the run of a file, with the arguments that it was started with and what was left of its budget.

    Args:
        path: a run file that ``solve`` or ``march`` wrote; it is written again.
        problem: that of the run, unless it is a shipped one.
        changes: other ``time``, ``iterations``, ``target``, ``threads``, ``callbacks`` or ``progress``.

    Raises:
        ProblemError: the file is damaged, holds no state, or not all of the arguments; a change would make it another run.
    """
    found, arguments = arguments_of(Path(path), problem)
    windows = arguments.pop("windows")
    method = solve if windows is None else functools.partial(march, windows=windows)
    return method(found, **{**arguments, **changes}, out=path, resume=True)
