"""Why a run ended."""

from enum import Enum


class Outcome(Enum):
    """One enumeration whose values are messages."""

    CONVERGED = "converged: no further step lowers the loss"
    TARGET = "the estimated error reached the target"
    TIME = "the time budget is spent"
    ITERATIONS = "all iterations are done"
    CALLBACK = "stopped by a callback"
    INTERRUPTED = "interrupted: this is the best solution so far"
    HALTED = "a window of time cannot be solved, however short: this is the solution until there"
    BROKEN = "stopped on numbers that are not finite: this is the best solution before; try a smaller learning rate or check the problem"
