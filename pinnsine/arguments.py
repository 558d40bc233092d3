"""The arguments of ``solve``, checked before any work starts."""

from __future__ import annotations

from pathlib import Path

import torch

from pinnsine.errors import ProblemError
from pinnsine.problem import Problem
from pinnsine.sampling import SAMPLERS


def phases_of(optimizer) -> tuple:
    """The methods to run one after another; none where the choice is free."""
    if optimizer is None:
        return ()
    phases = tuple(optimizer) if isinstance(optimizer, list | tuple) else (optimizer,)
    for method in phases:
        if not (hasattr(method, "step") and hasattr(method, "uses")):
            raise ProblemError(f"optimizer= takes methods such as LevenbergMarquardt() or a list of them, got {method!r}.")
    return phases


def validate(problem, phases, iterations, target, sampler, threads, dtype, out, resume=False) -> None:
    if not isinstance(problem, Problem):
        raise ProblemError(f"solve() takes a pinnsine.Problem, got {type(problem).__name__}: load a shipped one with load_problem(name).")
    for name, value in (("iterations", iterations), ("threads", threads), ("target", target)):
        if value is not None and not value > 0:
            raise ProblemError(f"{name}= must be above zero, got {value!r}.")
    if sampler is not None and sampler not in (*SAMPLERS, "rad"):
        raise ProblemError(f"Unknown sampler {sampler!r}: choose one of {', '.join(map(repr, [*SAMPLERS, 'rad']))}.")
    if dtype not in ("float64", "float32"):
        raise ProblemError(f"dtype= must be 'float64' or 'float32', got {dtype!r}.")
    if out is not None and Path(out).suffix not in (".h5", ".hdf5"):
        raise ProblemError(f"A run file is called something.h5, got {str(out)!r}.")
    if resume and out is None:
        raise ProblemError("resume=True goes on with a run file: name it, as in out='runs/a.h5'.")
    for constraint in problem.constraints:
        for method in phases:
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
