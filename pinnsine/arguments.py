"""The arguments of ``solve``, checked before any work starts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path

import torch

from pinnsine.budget import seconds
from pinnsine.errors import ProblemError
from pinnsine.optim import LevenbergMarquardt
from pinnsine.problem import Problem
from pinnsine.sampling import SAMPLERS

DEFAULT_TIME = "2m"


@dataclass(frozen=True)
class Arguments:
    """The arguments of a call of ``solve``, in its order, which says what they are.

    ``optimizer`` is kept as a tuple of phases, ``time`` in seconds, infinite where iterations alone are limited, and ``out`` as a path.
    """

    net: object = None
    optimizer: object = None
    points: int | Mapping[str, int] | None = None
    sampler: str | None = None
    evaluator: str = "auto"
    dtype: str = "float64"
    device: str = "auto"
    seed: int = 0
    time: float | str | None = None
    iterations: int | None = None
    target: float | None = None
    threads: int | None = None
    memory: float | str | None = None
    compile: bool = False
    start: object = None
    callbacks: Sequence[Callable[[Mapping], bool | None]] = ()
    out: str | Path | None = None
    resume: bool = False
    progress: bool = True
    estimate: bool = True

    def __post_init__(self):
        object.__setattr__(self, "seed", _whole(self.seed))
        if isinstance(self.points, Mapping):
            object.__setattr__(self, "points", {name: _whole(count) for name, count in self.points.items()})
        else:
            object.__setattr__(self, "points", _whole(self.points))
        limited = self.time is not None or self.iterations is not None
        object.__setattr__(self, "optimizer", phases_of(self.optimizer))
        if self.time != math.inf:  # as it is where arguments are made of others
            object.__setattr__(self, "time", seconds(self.time if limited else DEFAULT_TIME))
        object.__setattr__(self, "out", None if self.out is None else Path(self.out))


def _whole(count):
    """A whole number of any type, such as numpy's, as an int; anything else as it is."""
    return int(count) if isinstance(count, Integral) else count


def phases_of(optimizer) -> tuple:
    """The methods to run one after another; none where the choice is free."""
    if optimizer is None:
        return ()
    phases = tuple(optimizer) if isinstance(optimizer, list | tuple) else (optimizer,)
    for method in phases:
        if isinstance(method, type) or not (hasattr(method, "step") and hasattr(method, "uses")):
            got = f"the class {method.__name__}" if isinstance(method, type) else repr(method)[:60]
            raise ProblemError(f"optimizer= takes methods such as LevenbergMarquardt() or a list of them, got {got}.")
    return phases


def validate(problem: Problem, asked: Arguments) -> None:
    """Raise ProblemError where an argument is wrong, or does not go with the problem."""
    if not isinstance(problem, Problem):
        raise ProblemError(f"solve() takes a pinnsine.Problem, got {type(problem).__name__}: load a shipped one with load_problem(name).")
    for name, kind in {"iterations": Integral, "threads": Integral, "target": Real}.items():
        value = getattr(asked, name)
        if value is not None and not (isinstance(value, kind) and value > 0):
            raise ProblemError(f"{name}= is a {'whole ' * (kind is Integral)}number above zero, got {value!r}.")
    if not isinstance(asked.seed, Integral):
        raise ProblemError(f"seed= is a whole number, got {asked.seed!r}.")
    counts = asked.points.values() if isinstance(asked.points, dict) else () if asked.points is None else (asked.points,)
    if not all(isinstance(count, int) and count > 0 for count in counts):
        raise ProblemError(f"points= is a whole number above zero, or such numbers by constraint, got {asked.points!r}.")
    if not (isinstance(asked.callbacks, Sequence) and all(map(callable, asked.callbacks))):
        raise ProblemError(f"callbacks= takes a list of functions, got {asked.callbacks!r}.")
    if asked.start is not None and not hasattr(asked.start, "ansatz"):
        raise ProblemError(f"start= takes another solution, got {type(asked.start).__name__}: solve() and load() give one.")
    if asked.sampler is not None and asked.sampler not in (*SAMPLERS, "rad"):
        raise ProblemError(f"Unknown sampler {asked.sampler!r}: choose one of {', '.join(map(repr, [*SAMPLERS, 'rad']))}.")
    if asked.dtype not in ("float64", "float32"):
        raise ProblemError(f"dtype= must be 'float64' or 'float32', got {asked.dtype!r}.")
    if asked.out is not None and asked.out.suffix not in (".h5", ".hdf5"):
        raise ProblemError(f"A run file is called something.h5, got {str(asked.out)!r}.")
    if asked.resume and asked.out is None:
        raise ProblemError("resume=True goes on with a run file: name it, as in out='runs/a.h5'.")
    for constraint in problem.constraints:
        for method in asked.optimizer or (LevenbergMarquardt(),):
            if constraint.loss is not None and method.uses == "residual":
                raise ProblemError(
                    f"Constraint {constraint.name!r} has a loss of its own, which {type(method).__name__} cannot use: choose "
                    "optimizer=Adam() or LBFGS(), or drop loss=."
                )


def device_of(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ProblemError(f"Unknown device {name!r}: choose 'auto', 'cpu' or 'cuda'.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ProblemError("device='cuda' was asked for, but torch finds no GPU here: use device='auto' or 'cpu'.")
    return device
