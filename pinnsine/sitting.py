"""What surrounds a call of ``solve``: the number of threads, the progress line and signals."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator

import torch

from pinnsine import distributed, omega
from pinnsine.arguments import Arguments, device_of, validate
from pinnsine.checkpoint import terminable
from pinnsine.export import require_writable
from pinnsine.problem import Problem


def prepare(problem: Problem, asked: Arguments) -> None:
    """Refuse what is wrong before anything is computed, and join the processes of the run."""
    validate(problem, asked)
    if asked.out is not None:
        require_writable(asked.out, (".h5", ".hdf5"), "A run")
    for warning in problem.check().warnings if distributed.leads() else ():
        warnings.warn(f"Problem {problem.name!r}: {warning}.", stacklevel=4)
    omega.warn_beyond(asked.net, problem)
    distributed.join(device_of(asked.device))


@contextlib.contextmanager
def sitting(asked: Arguments) -> Iterator[list[Callable]]:
    """Threads, progress line and signals for the length of a call; gives what is called after every iteration, by the first process alone."""
    leads = distributed.leads()
    with thread_limit(asked.threads), progress_line(asked.progress and leads) as line, terminable(asked.out if leads else None):
        yield [*asked.callbacks, *line] if leads else []


@contextlib.contextmanager
def thread_limit(count: int | None):
    """Limit torch to ``count`` threads, and put everything back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def progress_line(show: bool):
    """The progress line as a list of callbacks, empty if it is not wanted."""
    if not show:
        yield []
        return
    from pinnsine.progress import ProgressLine

    with ProgressLine() as line:
        yield [line]
