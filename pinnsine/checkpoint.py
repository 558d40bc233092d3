"""Checkpoints: run files that hold the state of the run as well, from which it goes on bit for bit.

A checkpoint is written at intervals, at the end of every phase, when the run stops and when it is interrupted. The one before stays beside it
as ``<name>.previous`` until the run is over; where the newest is damaged, the run goes on from that. The generators of the package are stored;
torch's global one, which nothing here draws from, is not.
"""

from __future__ import annotations

import contextlib
import json
import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import nn

from pinnsine import durable, runfile, tree
from pinnsine.arguments import Arguments
from pinnsine.errors import ProblemError
from pinnsine.history import History
from pinnsine.nets import from_record, to_record
from pinnsine.objective import Objective
from pinnsine.optim import record
from pinnsine.outcome import Outcome
from pinnsine.points import Points
from pinnsine.problem import Problem, load_problem
from pinnsine.solution import Solution
from pinnsine.state import Look, Result, State
from pinnsine.version import VERSION

INTERVAL = 60.0  # seconds between two checkpoints
SHARE = 0.05  # of the time may go into writing them
# arguments that an iteration depends on
DECISIVE = ("net", "optimizer", "points", "sampler", "evaluator", "dtype", "seed", "memory", "compile", "start", "windows")
BUDGETS = ("time", "iterations", "target", "threads", "device")


class Checkpoints:
    """The last whole state of a run, written to a file from time to time; without a path nothing is kept.

    ``image``: the content of the file from the windows of time before, the best attempt before and the one that is being made, each None
    where there is none.
    """

    def __init__(self, path: Path | None, image: Callable[..., bytes]):
        self.path, self.image = path, image
        self._march = None  # a ``pinnsine.kept_march.March``
        self._whole: tuple | None = None
        self._due, self._failed = 0.0, False

    def keeper(self, best: Result | None, current: Result) -> Callable[[State], None]:
        """What the loop hands its state to."""

        def keep(state: State) -> None:
            if self.path is not None:
                self._whole = self._march, best, replace(current, state=state.snapshot())
                if state.memory is None or time.perf_counter() >= self._due:
                    self.write()

        return keep

    def turn(self, march, best: Result | None = None) -> None:
        """Go over to what follows some windows of time; ``best``: what was found on the whole domain."""
        self._march = march
        if self.path is not None:
            self._whole = march, best, None
            if time.perf_counter() >= self._due:
                self.write()

    def write(self) -> None:
        """Write the last whole state; a file that cannot be written is a warning, and the run goes on."""
        if self._whole is None or not (any(self._whole[1:]) or self._whole[0].chain.solved):  # there is no answer yet
            return
        started = time.perf_counter()
        try:
            durable.write(self.path, self.image(*self._whole), keep=True)
            self._failed = False
        except OSError as error:
            if not self._failed:
                warnings.warn(f"The checkpoint {str(self.path)!r} cannot be written ({error}); the run goes on without.", stacklevel=2)
            self._failed = True
        now = time.perf_counter()
        self._due = now + max(INTERVAL, (now - started) / SHARE)

    def finish(self, content: Callable[[tuple], bytes]) -> None:
        """Write the answer, with the last whole state beside it; the checkpoint before is no longer needed."""
        try:
            durable.write(self.path, content(self._whole))
            durable.previous(self.path).unlink(missing_ok=True)
        except OSError as error:
            warnings.warn(
                f"The run file {str(self.path)!r} cannot be written ({error}): the solution is in memory alone, so save it elsewhere.",
                stacklevel=2,
            )


@contextlib.contextmanager
def terminable(path: Path | None) -> Iterator[None]:
    """SIGTERM counts as Ctrl-C while there is a file to save the run to."""
    if path is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def packed(arguments: Mapping, seconds: float, march, best: Result | None, current: Result | None) -> dict:
    """The tree of a run: its arguments, the seconds it has taken, the windows of time, the best attempt before and the one being made."""
    state = (current or best).state if current or best else None
    return {
        "versions": versions(),
        "arguments": dict(arguments),
        "seconds": seconds,
        "march": march and march.packed(),
        "best": best and _packed_result(best),
        "current": current and _packed_result(current),
        "history": state.history.packed(state.iteration) if march and state else None,  # the file has that of all windows
    }


def _packed_result(result: Result) -> dict:
    state = result.state
    return {
        "number": result.number,
        "net": to_record(result.attempt.net),
        "trial_seconds": result.trial_seconds,
        "gain": result.gain,
        "outcome": result.outcome and result.outcome.name,
        "frozen": dict(result.ansatz.named_buffers()),
        "held_out": _packed_points(result.held_out),
        "points": _packed_points(state.objective),
        "generator": state.generator.get_state(),
        "seen": state.seen and asdict(state.seen),
        "ended": state.ended and state.ended.name,
        **{name: getattr(state, name) for name in PLAIN},
    }


PLAIN = (
    *("theta", "memory", "weights", "phase", "since", "iteration", "evaluations"),
    *("best", "best_held_out", "merit", "stale", "converged", "estimated"),
)


def _packed_points(objective: Objective) -> dict:
    return {n: {"columns": dict(p.columns), "normal": dict(p.normal)} for n, p in objective.points.items()}


def unpacked(kept: Mapping, fresh: Result, history: History) -> Result:
    """The attempt of a tree, from the same attempt freshly bound and the history of the run.

    Raises ProblemError if the network has other parameters.
    """
    if kept["theta"].shape != fresh.state.theta.shape:
        raise ProblemError(f"The run has {len(kept['theta'])} parameters, this network {len(fresh.state.theta)}: give the network of the run.")
    fresh.ansatz.load_state_dict(kept["frozen"], strict=False)
    generator = torch.Generator()
    generator.set_state(kept["generator"].cpu())
    state = State(
        objective=fresh.state.objective.with_points(_unpacked_points(kept["points"])),
        generator=generator,
        seen=kept["seen"] and Look(**kept["seen"]),
        ended=kept["ended"] and Outcome[kept["ended"]],
        history=history,
        **{name: kept[name] for name in PLAIN},
    )
    held_out = fresh.held_out.with_points(_unpacked_points(kept["held_out"]))
    outcome = kept["outcome"] and Outcome[kept["outcome"]]
    return replace(fresh, state=state, held_out=held_out, trial_seconds=kept["trial_seconds"], gain=kept["gain"], outcome=outcome)


def _unpacked_points(kept: Mapping) -> dict[str, Points]:
    return {name: Points(parts["columns"], parts["normal"]) for name, parts in kept.items()}


def net_of(kept: Mapping, given):
    """The network of an attempt: as it was stored, or the module given."""
    return given if kept["net"] is None else from_record(kept["net"])


def described(asked: Arguments, windows: Sequence[float] | str | None = None) -> dict:
    """What a run is told apart by, in JSON's types; modules, methods of the user's own and a start by what can be said of them.

    ``windows``: those of a march.
    """
    told = {"windows": windows, **{name: getattr(asked, name) for name in (*DECISIVE, *BUDGETS) if name != "windows"}}
    return json.loads(json.dumps({**told, "time": asked.time if math.isfinite(asked.time) else None}, default=_described))


def _described(value):
    if isinstance(value, nn.Module):
        return {"module": type(value).__name__, "parameters": {n: list(p.shape) for n, p in value.named_parameters()}}
    if isinstance(value, Solution):
        return "a solution"
    if (spec := to_record(value)) is not None:
        return spec
    return method if (method := record.to_record(value)) is not None else repr(value)


def versions() -> dict[str, str]:
    """What the bits of an iteration depend on beside the arguments."""
    return {"pinnsine": VERSION, "torch": torch.__version__}


def found(path: Path, problem: Problem, arguments: Mapping, device: torch.device) -> tuple[dict, History] | None:
    """The tree of a run to go on with, and its history; None where there is no file yet.

    Raises ProblemError for a file that is damaged, has no state, or belongs to a run of another problem, other arguments or another version.
    """
    kept = _newest(path, problem, device)
    if kept is None:
        return None
    state, history = kept
    for what, here in versions().items():
        if state["versions"][what] != here:
            raise ProblemError(
                f"{path} was written by {what} {state['versions'][what]}, this is {here}, and the run would not go on bit for bit: take the "
                "same version, or start from its best solution, start=pinnsine.load(path)."
            )
    for name in DECISIVE:
        there, here = state["arguments"][name], arguments[name]
        if there != here:
            raise ProblemError(f"{path} is a run with {name}={there!r}, and this call has {name}={here!r}: give the same, or another out=.")
    return state, history


def _newest(path: Path, problem: Problem, device: torch.device) -> tuple[dict, History] | None:
    """State and history of the file, or of the one before where it is missing or damaged."""
    before = durable.previous(path)
    if not path.exists():
        return _read(before, problem, device) if before.exists() else None
    try:
        return _read(path, problem, device)
    except runfile.UnreadableError as error:
        if not before.exists():
            raise
        kept = _read(before, problem, device)
        warnings.warn(f"{error} The run goes on from the checkpoint before, {before}.", stacklevel=2)
        return kept


def _read(path: Path, problem: Problem, device: torch.device | None) -> tuple[dict, History]:
    with runfile.opened(path) as file:
        _require_state(file, path)
        runfile.require_same(problem, *runfile.identity(file), path)
        kept = tree.restore(file["state"], device)
        if kept["march"] is not None:
            return kept, History(kept["history"])
        rows = kept["current"]["iteration"]
        return kept, History({n: column[:rows] for n, column in file["history"].items()})


def _require_state(file, path: Path) -> None:
    if "state" not in file:
        windowed = json.loads(file.attrs["spec"]).get("windows")
        remedy = "solve it anew, with another out=" if windowed else "start from it, start=pinnsine.load(path)"
        raise ProblemError(f"{path} holds a solution{' in windows of time' if windowed else ''}, but no state to go on from: {remedy}.")


def arguments_of(path: Path, problem: Problem | None = None) -> tuple[Problem, dict]:
    """The problem and the arguments of a run, with what is left of its budget of time; ``problem``: of a run that is of no shipped one.

    Raises ProblemError where the file does not say all of them.
    """
    before = durable.previous(path)
    with runfile.opened(path if path.exists() or not before.exists() else before) as file:
        source = json.loads(file.attrs["spec"])["source"]
        _require_state(file, path)
        kept = tree.restore(file["state"])
    if problem is None and source is None:
        raise ProblemError(f"{path} is a run of a problem of your own: give it again, as in `pinnsine resume {path.name} mine.py`.")
    arguments = {name: kept["arguments"][name] for name in (*DECISIVE, *BUDGETS)}
    if arguments.pop("start") is not None or _foreign(arguments["net"]) or any(map(_foreign, arguments["optimizer"] or ())):
        raise ProblemError(
            f"{path}: the run has arguments that a file cannot hold: call solve(..., out={str(path)!r}, resume=True) with the same."
        )
    arguments["net"] = net_of(arguments, None)
    arguments["optimizer"] = [record.from_record(method) for method in arguments["optimizer"]] or None
    if arguments["time"] is not None and arguments["time"] > kept["seconds"]:
        arguments["time"] -= kept["seconds"]
    return problem or load_problem(source["name"], **source["coefficients"]), arguments


def _foreign(spec) -> bool:
    return spec is not None and not (isinstance(spec, dict) and "kind" in spec)
