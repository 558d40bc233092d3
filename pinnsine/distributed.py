"""Several processes on one run, under torchrun: who this one is, and what all of them agree on. Nothing else imports torch.distributed.

Work is cut into ``BLOCKS`` logical blocks whatever the number of processes; a block is computed by its owner and handed to all, and sums are
added in the order of the blocks. Results are then the same, bit for bit, for any number of processes.
"""

from __future__ import annotations

import atexit
import math
import os
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from pinnsine.errors import ProblemError, RankError

BLOCKS = 8


def join(device: torch.device) -> None:
    """Join the processes that torchrun has started, if it has and they are not joined yet.

    Raises ProblemError for more processes than there are blocks.
    """
    import torch.distributed as dist

    if "WORLD_SIZE" in os.environ and dist.is_available() and not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        atexit.register(dist.destroy_process_group)  # before the interpreter goes, under which gloo's threads would abort
    if size() > BLOCKS:
        raise ProblemError(f"A run takes at most {BLOCKS} processes, one for each block of points, got {size()}: start fewer.")


def active() -> bool:
    """Whether this is one of the processes of a joint run; a single one under torchrun counts."""
    dist = torch.distributed
    return dist.is_available() and dist.is_initialized()


def size() -> int:
    """The number of processes."""
    return torch.distributed.get_world_size() if active() else 1


def rank() -> int:
    """The number of this process; 0 leads: it factorises, decides and writes."""
    return torch.distributed.get_rank() if active() else int(os.environ.get("RANK", 0))


def leads() -> bool:
    """Whether this process is the first."""
    return rank() == 0


def owner(block: int) -> int:
    """The process that computes a block."""
    return block * size() // BLOCKS


def shared(make: Callable[[int], Tensor], shapes: Sequence[tuple[int, ...]], like: Tensor) -> Iterator[Tensor]:
    """The tensors of all blocks in order, each made by its owner; ``shapes`` of all of them, and ``like`` for type and device."""
    blocks = [[b for b in range(len(shapes)) if owner(b) == source] for source in range(size())]
    own = torch.cat([make(b).reshape(-1) for b in blocks[rank()]] or [like.new_empty(0)])
    for source, those in enumerate(blocks):
        sizes = [math.prod(shapes[b]) for b in those]
        flat = handed(own if source == rank() else None, (sum(sizes),), like, source)
        yield from (part.view(shapes[b]) for b, part in zip(those, flat.split(sizes), strict=True))


def handed(tensor: Tensor | None, shape: tuple[int, ...], like: Tensor, source: int = 0) -> Tensor:
    """The tensor of process ``source``, on all of them.

    Raises RankError if another process has ended.
    """
    if tensor is None:
        tensor = like.new_empty(shape)
    if size() == 1:
        return tensor
    tensor = tensor.detach().contiguous()
    try:
        torch.distributed.broadcast(tensor, source)
    except RuntimeError as error:
        raise RankError(
            f"Process {rank()} of {size()}: another process of this run has ended. The run goes on from its last checkpoint with resume=True, "
            "on any number of processes."
        ) from error
    return tensor


def agreed(value: float) -> float:
    """The number that the first process has."""
    return float(handed(torch.tensor(float(value), dtype=torch.float64), (), torch.empty(0))) if size() > 1 else value
