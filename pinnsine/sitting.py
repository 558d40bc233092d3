"""What surrounds a call of ``solve``: the number of threads and the progress line."""

from __future__ import annotations

import contextlib

import torch


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
