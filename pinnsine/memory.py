"""How much is computed at a time: pieces of the points that fit a stated or measured budget, and smaller ones where memory runs out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from pinnsine.errors import ProblemError
from pinnsine.index import Index, closure
from pinnsine.points import Points

T = TypeVar("T")
USUAL = 2e9  # bytes, unless a call says otherwise or so much is not there
SHARE = 0.5  # of the memory available, where the budget is measured
FEWEST = 16  # points of a piece: below, one evaluation is no smaller
UNITS = {"GB": 1e9, "MB": 1e6, "KB": 1e3}
SIGNS = ("can't allocate memory", "not enough memory", "out of memory", "alloc_failed", "cannot allocate memory")


class Budget:
    """So many bytes for what an evaluation holds at a time; halved, for all who share it, where they turn out not to be there."""

    def __init__(self, size: float):
        self.bytes = size

    def pieces(self, points: Points, each: float, work: Callable[[Points, slice], T]) -> Iterator[T]:
        """``work`` done on consecutive pieces of the points, ``each`` of which takes so many bytes, and on their slice.

        Where memory runs out the piece is halved, with a warning, and tried again: nothing of it may count before it is whole.
        """
        start = 0
        while start < len(points):
            size = min(max(FEWEST, int(self.bytes / each)), len(points) - start)
            part, failed = slice(start, start + size), False
            try:
                done = work(points.select(part), part)
            except (MemoryError, RuntimeError) as error:
                if size <= FEWEST or not out_of_memory(error):
                    raise
                failed = True
            if failed:  # said here, after the error is gone, whose traceback holds on to what was computed
                self.bytes = each * size / 2
                message = f"Memory ran out on {size:,} points at a time: going on with {size // 2:,}, as with memory={self.bytes:.1e}."
                warnings.warn(message, stacklevel=2)
                continue
            yield done
            start += size


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is not there, of the machine or of a GPU."""
    told = str(error).lower()
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(sign in told for sign in SIGNS)


def bytes_per_point(module: nn.Module, need: Iterable[Index]) -> int:
    """What the graph of a module's derivatives holds for one point: about eight numbers for each neuron and derivative.

    Measured on sines of width 16 and 64: between 0.45 (values alone) and 0.95 (fourth derivatives, gradient) of it.
    """
    return 8 * 8 * len(closure(need)) * sum(p.shape[0] for p in module.parameters() if p.ndim == 2) + 1


def budget(memory: float | str | None, device: torch.device) -> float:
    """The bytes of ``memory=``: a number, a text such as "500MB", "auto" for half of what is there, None for 2 GB but no more than that.

    Raises ProblemError for anything else.
    """
    if memory is None or memory == "auto":
        measured = SHARE * available(device)
        return measured if memory == "auto" else min(USUAL, measured)
    unit = UNITS.get(memory[-2:].upper()) if isinstance(memory, str) else None
    number, unit = (memory, 1.0) if unit is None else (memory[:-2], unit)
    try:
        size = float(number) * unit
    except (TypeError, ValueError):
        size = 0.0
    if not size > 0:
        raise ProblemError(f"memory= takes a number of bytes, a text such as '500MB' or '4GB', or 'auto', got {memory!r}.")
    return size


def available(device: torch.device) -> float:
    """The bytes that are free on a GPU, or on the machine and within the limit of its control group."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    fields = dict(line.split(":", 1) for line in _read("/proc/meminfo").splitlines())
    told = float(fields["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in fields else 2 * USUAL
    limit, used = (_read(f"/sys/fs/cgroup/memory.{name}").strip() for name in ("max", "current"))
    return min(told, float(limit) - float(used)) if limit.isdigit() and used.isdigit() else told


def _read(path: str) -> str:
    """The text of a file of the kernel's; nothing where there is no such file."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""
