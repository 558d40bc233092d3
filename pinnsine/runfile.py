"""Run files: a solution in HDF5, without pickle.

The attributes of the root are JSON: what is needed to build the trial function again (domain, fields, network, scales, hard conditions with
constant values) and what was found (estimate, outcome, settings). Datasets: ``theta``, ``frozen/<buffer>`` (what networks hold fixed),
``history/<column>``, ``fingerprint/<constraint>``, and ``state``, from which the run can go on (``pinnsine.checkpoint``). A condition that was
built in with a function for its values cannot be stored: loading such a run needs ``problem=``, unless the problem is a shipped one, which
loads itself.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pinnsine import durable, tree
from pinnsine.ansatz import Ansatz, build_ansatz
from pinnsine.constraint import Constraint, Dirichlet, Periodic, row_points
from pinnsine.continuation import window_problem
from pinnsine.domain import Axis, Box, Face
from pinnsine.errors import ProblemError
from pinnsine.history import History
from pinnsine.known import Symmetry
from pinnsine.nets import from_record, to_record
from pinnsine.outcome import Outcome
from pinnsine.points import Points
from pinnsine.probe import FieldScale, trace
from pinnsine.problem import Field, Problem, Unknown, load_problem
from pinnsine.solution import Solution
from pinnsine.windows import Windowed

FORMAT = "pinnsine run"
VERSION = 1
FINGERPRINT_POINTS = 16


class UnreadableError(ProblemError):
    """A run file that is missing or damaged."""


def save(solution: Solution, path: str | Path) -> Path:
    """Write a run file; it is complete or not there at all.

    Raises ProblemError if the file cannot be written.
    """
    path = Path(path)
    try:
        durable.write(path, image(solution))
    except OSError as error:
        raise ProblemError(f"The run file {str(path)!r} cannot be written: {error}.") from error
    return path


def image(solution: Solution, state: Mapping | None = None) -> bytes:
    """The content of a run file, with the state to go on from where there is one; made in memory, so that one plain write remains."""
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w", userblock_size=durable.HEADER) as file:
        file.attrs["format"], file.attrs["version"] = FORMAT, VERSION
        file.attrs["spec"] = json.dumps(_spec(solution))
        file["theta"] = solution.ansatz.flat().cpu().double().numpy()
        for name, buffer in solution.ansatz.named_buffers():
            file[f"frozen/{name}"] = buffer.cpu().numpy()
        columns = file.create_group("history", track_order=True)
        for name in solution.history:
            columns[name] = solution.history[name]
        for name, values in fingerprint(solution.problem).items():
            file[f"fingerprint/{name}"] = values
        if state is not None:
            tree.store(file.create_group("state"), state)
    return content.getvalue()


def load(path: str | Path, problem: Problem | None = None, net: nn.Module | None = None) -> Solution:
    """Read a run file.

    Without ``problem`` the solution predicts and plots; a run of a shipped problem reloads it and also compares. ``net``: the module, where
    the run used one of the user's own.

    Raises ProblemError for a file that is missing, truncated, not ours or of a newer version, for a run of another problem (naming the
    difference), and where the file alone is not enough.
    """
    spec, theta, history, prints, frozen = _read(Path(path))
    if problem is None and spec["source"] is not None:
        problem = load_problem(spec["source"]["name"], **spec["source"]["coefficients"])
    if problem is not None:
        require_same(problem, spec, prints, path)
    else:
        problem = _bare_problem(spec, path)
    if spec.get("windows"):
        edges = spec["edges"]
        windows = [trial(window_problem(problem, edges, k), window, copy.deepcopy(net), path) for k, window in enumerate(spec["windows"])]
        ansatz = Windowed(problem, windows, edges)
    else:
        ansatz = trial(problem, spec, net, path)
    if len(theta) != ansatz.size:
        raise ProblemError(f"{path}: the run has {len(theta)} parameters, this network {ansatz.size}: give the network of the run.")
    ansatz.load(torch.from_numpy(theta))
    ansatz.load_state_dict({n: torch.from_numpy(b) for n, b in frozen.items()}, strict=False)
    estimate = {n: float("nan") if v is None else v for n, v in spec["estimate"].items()}
    return Solution(problem, ansatz, History(history), Outcome[spec["outcome"]], estimate, spec["settings"], spec.get("unknown_errors", {}))


def trial(problem: Problem, spec: dict, net: nn.Module | None, path) -> Ansatz:
    """A trial function as it was built for the run; its parameters are still to be read."""
    if net is None:
        if spec["net"] is None:
            raise ProblemError(f"{path}: the run used a module of its own: give it again, as in load(path, net=module).")
        net = from_record(spec["net"])
    scales = {n: FieldScale(*s) for n, s in spec["scales"].items()}
    symmetry = {n: tuple(Symmetry(*parts) for parts in found) for n, found in spec.get("mirrors", {}).items()}
    return build_ansatz(problem.with_symmetry(symmetry), net, scales, torch.Generator().manual_seed(0), spec["evaluator"])


def trial_spec(ansatz: Ansatz | Windowed) -> dict:
    """What ``trial`` needs to build a trial function again, but for its parameters."""
    return {
        "net": to_record(ansatz.net),
        "evaluator": ansatz.pieces[0].evaluator,
        "scales": {n: [s.shift, s.scale] for n, s in ansatz.scales.items()},
        "mirrors": {n: [list(astuple(s)) for s in p.symmetry] for p in ansatz.pieces for n in p.fields if p.symmetry},
    }


def _spec(solution: Solution) -> dict:
    problem, ansatz = solution.problem, solution.ansatz
    windowed = isinstance(ansatz, Windowed)
    return {
        "name": problem.name,
        "source": problem.source,
        "axes": [asdict(a) for a in problem.domain.axes],
        "shape": None if isinstance(problem.domain, Box) else problem.domain.describe(),
        "fields": [_field_spec(f) for f in problem.fields],
        "unknowns": [asdict(u) for u in problem.unknowns],
        "conditions": {c.name: _condition_spec(c) for c in problem.constraints},
        **trial_spec(ansatz),
        "windows": [trial_spec(window) for window in ansatz.windows] if windowed else None,
        "edges": ansatz.edges if windowed else None,
        "periodic": [c.coordinate for c in problem.constraints if isinstance(c, Periodic) and c.hard],
        "hard": [
            [p.constraint, field, p.face.name, p.face.value, p.target if isinstance(p.target, int | float) else None]
            for field, parts in ansatz.hard.items()
            for p in parts
            if isinstance(p.face, Face)
        ],
        "outcome": solution.outcome.name,
        "estimate": {n: v if np.isfinite(v) else None for n, v in solution.estimate.items()},
        "unknown_errors": {n: e for n, e in solution.unknown_errors.items() if np.isfinite(e)},
        "settings": solution.settings,
    }


def _condition_spec(constraint: Constraint) -> dict:
    """What the rows of a constraint do not tell: whether it is built in, how it counts, and how many points it was given."""
    given = {name: getattr(constraint, name) for name in ("hard", "weight", "sigma", "loss")}
    plain = {name: "a function" if callable(value) else value for name, value in given.items()}
    return {**plain, "points": len(constraint.on) if isinstance(constraint.on, Points) else None}


def _field_spec(field: Field) -> dict:
    """A field as plain values; its range, which its scales hold, is left out."""
    spec: dict = {"name": field.name, "of": field.of}
    if field.parts:
        spec["parts"] = [p.describe() for p in field.parts]
    if field.symmetry:
        spec["symmetry"] = [list(astuple(s)) for s in field.symmetry]
    if field.plus is not None:
        spec["plus"] = True  # what it is, the fingerprint tells
    if field.whole:
        spec["whole"] = field.whole
    return spec


@contextlib.contextmanager
def opened(path: Path) -> Iterator:
    """The HDF5 file of a run, its checksum and format verified; what is wrong with it becomes a ProblemError that says so."""
    import h5py

    if not path.exists():
        raise UnreadableError(f"There is no run file {str(path)!r}.")
    try:
        with h5py.File(io.BytesIO(durable.read(path))) as file:
            if file.attrs.get("format") != FORMAT:
                raise ProblemError(f"{path} is an HDF5 file, but not a run of pinnsine's.")
            if int(file.attrs["version"]) > VERSION:
                raise ProblemError(
                    f"{path} has format version {int(file.attrs['version'])}, this pinnsine reads up to {VERSION}: upgrade pinnsine."
                )
            yield file
    except durable.DamagedError as error:
        raise UnreadableError(f"{path} is damaged or truncated: {error}.") from error
    except (OSError, KeyError, json.JSONDecodeError) as error:
        raise UnreadableError(f"{path} is truncated or no run file of pinnsine's: {error}.") from error


def identity(file) -> tuple[dict, dict]:
    """The spec and the fingerprint of an open run file."""
    return json.loads(file.attrs["spec"]), _arrays(file, "fingerprint")


def _arrays(file, group: str) -> dict[str, np.ndarray]:
    return {n: np.asarray(d) for n, d in file.get(group, {}).items()}


def _read(path: Path) -> tuple[dict, np.ndarray, dict, dict, dict]:
    with opened(path) as file:
        spec, prints = identity(file)
        return spec, np.asarray(file["theta"]), _arrays(file, "history"), prints, _arrays(file, "frozen")


def fingerprint(problem: Problem) -> dict[str, np.ndarray]:
    """The rows of every constraint at 16 fixed points of a fixed analytic field: equal for equal problems."""
    generator = torch.Generator().manual_seed(0)
    scales = {f.name: FieldScale(0.5, 1.0) for f in problem.fields}
    prints = {}
    for constraint in problem.constraints:
        points = row_points(constraint, problem.domain, FINGERPRINT_POINTS, "uniform", generator).select(slice(0, FINGERPRINT_POINTS))
        rows = trace(problem, constraint, points, scales).rows
        prints[constraint.name] = torch.stack(list(rows.values())).numpy()
    return prints


def require_same(problem: Problem, spec: dict, prints: dict, path) -> None:
    """Refuse a run of another problem, naming the first difference."""
    here = {
        "domain differs": [asdict(a) for a in problem.domain.axes],
        "fields differ": [list(_field_spec(f).values()) for f in problem.fields],
        "unknowns differ": [asdict(u) for u in problem.unknowns],
    }
    there = {
        "domain differs": spec["axes"],
        "fields differ": [list(f.values()) for f in spec["fields"]],
        "unknowns differ": spec["unknowns"],
    }
    for what, own in here.items():
        if json.loads(json.dumps(own)) != there[what]:
            raise ProblemError(f"{path} is a run of another problem: its {what}: {there[what]} there, {own} here.")
    own = fingerprint(problem)
    if own.keys() != prints.keys():
        raise ProblemError(f"{path} is a run of another problem: constraints {', '.join(prints)} there, {', '.join(own)} here.")
    for name, values in own.items():
        if values.shape != prints[name].shape or not np.allclose(values, prints[name], rtol=1e-9, atol=1e-12, equal_nan=True):
            raise ProblemError(
                f"{path} is a run of another problem: constraint {name!r} gives other rows (an equation or coefficient differs)."
            )
    for constraint in problem.constraints:
        kept = spec.get("conditions", {}).get(constraint.name, {})  # files of before have none
        for word, value in _condition_spec(constraint).items():
            if kept.get(word, value) != value:
                there, here = f"{word}={kept[word]!r}", f"{word}={value!r}"
                raise ProblemError(f"{path} is a run of another problem: constraint {constraint.name!r} has {there} there, {here} here.")


def _bare_problem(spec: dict, path) -> Problem:
    """What can be rebuilt from the file alone: domain, fields, unknowns, and conditions built in with constant values."""
    if any("parts" in f for f in spec["fields"]):
        raise ProblemError(f"{path}: the file does not keep the parts of fields: give the problem again, as in load(path, problem=...).")
    if known := [f["name"] for f in spec["fields"] if "plus" in f]:
        raise ProblemError(
            f"{path}: the field {known[0]!r} has a known part, plus=, a function that a file cannot hold: give the problem again, as in "
            "load(path, problem=...)."
        )
    if spec.get("shape"):
        raise ProblemError(
            f"{path}: the file does not keep its domain, {spec['shape']}: give the problem again, as in load(path, problem=...)."
        )
    domain = Box(*(Axis(**a) for a in spec["axes"]))
    constraints: list = [Periodic(f"periodic {n}", n, hard=True) for n in spec["periodic"]]
    for k, (name, field, axis, value, target) in enumerate(spec["hard"]):
        if target is None:
            raise ProblemError(
                f"{path}: condition {name!r} was built into the trial function with a function for its values, which a file cannot hold: "
                "give the problem again, as in load(path, problem=...)."
            )
        constraints.append(Dirichlet(f"{name} {k}", on=domain.side(**{axis: value}), hard=True, **{field: target}))
    fields = [
        Field(f["name"], tuple(f["of"]), symmetry=tuple(Symmetry(*s) for s in f.get("symmetry", ())), whole=f.get("whole", ""))
        for f in spec["fields"]
    ]
    return Problem(domain, fields, constraints, unknowns=[Unknown(**u) for u in spec["unknowns"]], name=spec["name"])
