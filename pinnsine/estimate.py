"""The error of a solution, estimated without a reference.

If u solves F(u) = 0 and v is the solution found, the error e = u - v solves, to first order, the linearised equation F'(v) e = -F(v) with
the same conditions. It is solved by least squares at points of its own, over functions of another kind: random sines of the coordinates and
of the network's own last hidden layer (which already resolves fronts), in several bandwidths, or where the network is one of frozen sines,
others of about its own bandwidth; among those that explain most of the residual the smallest correction counts. A correction that explains
the part q of the residual is taken for the part q of the error.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pinnsine.ansatz import Ansatz, Piece
from pinnsine.budget import Clock
from pinnsine.constraint import Periodic
from pinnsine.cost import OutOfTime, factorisation_seconds
from pinnsine.distributed import agreed
from pinnsine.least_squares import least_squares
from pinnsine.nets.frozen_sines import SineLayer
from pinnsine.nets.lifted_sines import Lifted
from pinnsine.nets.network import Network
from pinnsine.objective import Objective
from pinnsine.places import points_for
from pinnsine.plane_waves import plane_waves
from pinnsine.points import Points
from pinnsine.regression import is_regression, misfit

FEATURES, LEAST = 400, 100
BANDWIDTHS = ((0.8, 0.4), (5.0, 0.0), (2.0, 1.0), (12.0, 0.0))  # of the coordinates in [-1, 1], of the hidden layer
REACHES = (1.0, 0.5, 2.0)  # the bandwidth of the correction over that of frozen sines
ROWS = 3  # points per training point, so that noise explains little
MOST_ROWS = 9000  # beyond which there are enough of them for so few unknowns
GENERIC_ROWS = 800  # where the Jacobian costs a backward pass a row
LEAST_ROWS = 2  # per function of the correction
CORRECTION = 2.0  # times its factorisation, which a correction takes: with the Jacobian and the values on the grid
DAMPING = 1e-9  # see least_squares
LEAST_EXPLAINED = 0.01
NEARLY = 0.9  # of what the best correction explains: among those that explain as much, the smallest is the likeliest
GRID = 10_000


class Corrected(nn.Module):
    """A frozen network plus ``correction``, a linear combination of ``features`` random sines of its last hidden layer and of the coordinates;
    where it has functions about holes and corners, others of that kind beside them.

    ``spread``: the standard deviations of their wave numbers, for every coordinate and hidden unit (w,), or for each sine (F, w). ``whole``:
    coordinates in [-1, 1] along which the sines have whole periods, because the network is periodic by its wave numbers.
    """

    def __init__(self, module: nn.Sequential, outputs: int, features: int, spread: Tensor, generator: torch.Generator, whole: Sequence[int]):
        super().__init__()
        self.embedding, self.core = module
        self.sums_waves = isinstance(self.core, SineLayer)
        like = next(self.core.parameters())
        weight = (torch.randn(features, spread.shape[-1], generator=generator) * spread).to(like)
        for i in whole:
            weight[:, i] = torch.pi * torch.round(weight[:, i] / torch.pi)
        phase = 2 * math.pi * torch.rand(features, generator=generator)
        self.register_buffer("weight", weight)
        self.register_buffer("phase", phase.to(like))
        self.correction = nn.Linear(features, outputs, bias=False, dtype=like.dtype, device=like.device)
        nn.init.zeros_(self.correction.weight)
        about = getattr(self.core, "about", None)
        self.about = about and about.redrawn(int(torch.randint(2**31, (), generator=generator))).to(like)
        if self.about is not None:
            self.about_correction = nn.Linear(self.about.count, outputs, bias=False, dtype=like.dtype, device=like.device)
            nn.init.zeros_(self.about_correction.weight)

    def forward(self, x):
        y = self.embedding(x)
        parts = [y]
        if isinstance(self.core, Network | Lifted):
            hidden, out = self.core.both(y)
            parts.append(hidden)
        else:
            out = self.core(y)
        inputs = torch.cat(parts, dim=-1)
        out = out + self.correction(plane_waves(inputs, self.weight, self.phase, last=self.sums_waves))
        return out if self.about is None else out + self.about_correction(self.about(y))


@dataclass(frozen=True)
class Correction:
    """A trial function corrected by the solution of the error equation.

    ``explained``: the part of |residual|^2 that the correction takes away beyond what it would of noise. ``errors``, ``sizes``: root mean
    squares of the estimated error and of the solution on a grid, by field. ``numbers``: how far the unknown numbers are moved, to first order.
    """

    ansatz: Ansatz
    explained: float
    errors: Mapping[str, float]
    sizes: Mapping[str, float]
    numbers: Mapping[str, float] = field(default_factory=dict)

    def relative(self) -> dict[str, float]:
        """The relative error of every field; NaN for a field that vanishes."""
        eps = torch.finfo(next(self.ansatz.parameters()).dtype).eps  # no value is known better than to rounding
        names = self.ansatz.problem.names
        errors, sizes = (names.joined(found, math.hypot) for found in (self.errors, self.sizes))
        return {n: max(error / sizes[n], eps) if sizes[n] > 0 else math.nan for n, error in errors.items()}


class Estimate(NamedTuple):
    """What is estimated without a reference: the relative L2 errors of the fields, and how far the unknown numbers are off.

    The latter are not divided by the part of the residual that is explained: what cannot be explained is the noise of the data, as a rule,
    and that is what their standard errors tell (``pinnsine.uncertainty``).
    """

    fields: Mapping[str, float]
    numbers: Mapping[str, float]


def estimate_error(objective: Objective, theta: Tensor, clock: Clock | None = None, seed: int = 7) -> Estimate:
    """The estimated errors; NaN for the fields where constraints have losses of their own, and in float32.

    ``objective``: bound at points that were not trained on; of a regression, the measurements held out, whose misfit counts. ``theta``:
    the parameters (P,). ``clock``: no further bandwidth is tried when less time is left than the last one took, and the first is at fewer
    points where it does not leave enough for all of them. Raises OutOfTime where those would be too few.
    """
    if any(t.constraint.loss is not None for t in objective.terms) or theta.dtype != torch.float64:
        return Estimate(dict.fromkeys(objective.ansatz.problem.names.shown, math.nan), {})
    if is_regression(objective.ansatz.problem):
        return Estimate(misfit(objective, theta), {})
    correction = correct(_affordable(_fresh(objective, seed), theta, clock), theta, clock, seed)
    return Estimate(correction.relative(), correction.numbers)


def _affordable(objective: Objective, theta: Tensor, clock: Clock | None) -> Objective:
    """The objective at as many of its points as there is time to linearise and factorise."""
    left = clock.left if clock else math.inf
    if left == math.inf:
        return objective
    ansatz = objective.ansatz
    columns = sum(enough(p.module[1], ansatz) * len(p.fields) for p in ansatz.pieces)
    share = left / (CORRECTION * factorisation_seconds(objective.count, columns, theta))
    if share >= 1:
        return objective
    if share * objective.count < LEAST_ROWS * columns:
        raise OutOfTime("the error estimate")
    return objective.thinned(share)


def correct(objective: Objective, theta: Tensor, clock: Clock | None = None, seed: int = 7, share: float = 1.0) -> Correction:
    """The smallest of the corrections that explain nearly the most of the residual rows of ``objective`` at theta (P,).

    ``share``: the part of the time left that this may take.
    """
    corrections = list(_corrections(objective, theta, clock, seed, share))
    most = max(c.explained for c in corrections)
    nearly = [c for c in corrections if c.explained >= most - (1 - NEARLY) * abs(most)]
    return min(nearly, key=lambda c: sum(error for error in c.relative().values() if not math.isnan(error)))


def field_values(ansatz: Ansatz, theta: Tensor, points: Points) -> dict[str, Tensor]:
    """All fields (N,) at points."""
    names = [f.name for f in ansatz.problem.fields]
    with torch.no_grad():
        local = ansatz.local(ansatz.views(theta), points, {n: {()} for n in names})
        return {n: getattr(local, n).values for n in names}


def _corrections(objective: Objective, theta: Tensor, clock: Clock | None, seed: int, share: float) -> Iterator[Correction]:
    """A correction for each bandwidth that there is time for, and for one at least."""
    frozen = any(isinstance(p.module[1], SineLayer) for p in objective.ansatz.pieces)
    began, allowed = (clock.elapsed, share * clock.left) if clock else (0.0, math.inf)
    for trial in range(len(REACHES if frozen else BANDWIDTHS)):
        before = clock.elapsed if clock else 0.0
        yield _correction(objective, theta, trial, seed)
        if clock and allowed - agreed(clock.elapsed - began) < agreed(clock.elapsed - before):
            return


def _fresh(objective: Objective, seed: int) -> Objective:
    """The objective at new points, more of them."""
    problem, generator = objective.ansatz.problem, torch.Generator().manual_seed(seed)
    share, points = min(ROWS, max(1, MOST_ROWS / objective.count)), {}
    for term in objective.terms:
        old = objective.points[term.constraint.name]
        count = int(share * len(old)) if term.route == "one backward" else min(len(old), GENERIC_ROWS)
        like = old[old.names[0]]
        points[term.constraint.name] = points_for(objective.ansatz.net, term.constraint, problem.domain, count, "sobol", generator).to(
            like.dtype, like.device
        )
    return objective.with_points(points)


def _correction(objective: Objective, theta: Tensor, trial: int, seed: int) -> Correction:
    """The linearised error equation solved on random sines of one bandwidth."""
    old = objective.ansatz
    generator = torch.Generator().manual_seed(seed)
    periodic = [c.coordinate for c in old.problem.constraints if isinstance(c, Periodic) and c.hard]
    pieces = [_with_correction(p, trial, generator, periodic, enough(p.module[1], old)) for p in old.pieces]
    new = Ansatz(old.problem, pieces, old.scales)
    new.to(theta.dtype).to(theta.device)
    start = _inherit(new, old, theta)
    free = [n for n, _ in new.named_parameters() if n.endswith("correction.weight") or n == "unknowns"]
    small = Objective(new, objective.terms, objective.points, objective.memory).restrict(free, start)
    origin = torch.cat([new.views(start)[n].reshape(-1) for n in small.blocks])
    rows, jacobian = small.jacobian(origin)
    step = least_squares(jacobian, -rows, DAMPING)
    left = float((rows + jacobian @ step).square().sum() / rows.square().sum().clamp(min=1e-300))
    explained = 1 - left / max(1 - jacobian.shape[1] / len(rows), 0.1)
    found = small.views(origin + step)
    new.load(torch.cat([found[n].reshape(-1) for n, _ in new.named_parameters()]))
    grid = old.problem.domain.grid(GRID).to(theta.dtype, theta.device)
    before, after = field_values(old, theta, grid), field_values(new, new.flat(), grid)
    errors = {n: root_mean_square(after[n] - value) / max(explained, LEAST_EXPLAINED) for n, value in before.items()}
    numbers = _moved(old, theta, step[small.blocks["unknowns"]]) if "unknowns" in small.blocks else {}
    return Correction(new, explained, errors, {n: root_mean_square(value) for n, value in before.items()}, numbers)


def _moved(ansatz: Ansatz, theta: Tensor, step: Tensor) -> dict[str, float]:
    """How far a step (n,) of the raw unknown numbers moves each, and no less than rounding does."""
    values, eps = ansatz.unknown_values(theta), torch.finfo(theta.dtype).eps
    moves = zip(ansatz.unknown_slopes(theta).items(), step.tolist(), strict=True)
    return {n: max(abs(slope * move), eps * abs(values[n])) for (n, slope), move in moves}


def root_mean_square(values: Tensor) -> float:
    return float(values.square().mean().sqrt())


def _inherit(trial: Ansatz, ansatz: Ansatz, theta: Tensor) -> Tensor:
    """The flat parameters of the corrected trial function that start from those of the solution."""
    known = {_inner_name(n): v for n, v in ansatz.views(theta).items()}
    return torch.cat([known.get(n, p.detach()).reshape(-1) for n, p in trial.named_parameters()])


def _inner_name(name: str) -> str:
    """The name of a parameter once its network, the pair (embedding, core), is part of a Corrected one."""
    return re.sub(r"^(networks\.\d+)\.1\.", r"\1.core.", name)


def _with_correction(piece: Piece, trial: int, generator: torch.Generator, periodic: Sequence[str], features: int) -> Piece:
    module = copy.deepcopy(piece.module)
    whole = [] if module[0].wrapped else [i for i, n in enumerate(piece.inputs) if n in periodic]
    spread = _spread(module, trial, generator, features)
    return replace(piece, module=Corrected(module, len(piece.fields), features, spread, generator, whole))


def enough(core: nn.Module, ansatz: Ansatz) -> int:
    """The sines of a correction: few do in a window of time that few solve, but more than those that they correct.

    No fewer than those where an unknown function of some of the coordinates is sought: directions in which the data leave it free are seen
    only if what it does to the other fields is resolved as well as they are. Of a slowness from its echo, known to 2e-7, 400 sines a field
    corrected 1e-10 and 1,000 1e-8.
    """
    if not isinstance(core, SineLayer):
        return FEATURES
    partial = any(len(piece.inputs) < len(ansatz.problem.domain.names) for piece in ansatz.pieces)
    return max(min(FEATURES, LEAST + 2 * len(core.weight)), len(core.weight) if partial else 0)


def _spread(module: nn.Sequential, trial: int, generator: torch.Generator, features: int) -> Tensor:
    """The standard deviations of the correction's wave numbers, for every coordinate and every unit of the last hidden layer.

    Where some of the frozen sines vary along one coordinate alone, so do as many of the correction's.
    """
    embedding, core = module
    if isinstance(core, SineLayer) and core.alone:
        return REACHES[trial] * core.weight[torch.randint(len(core.weight), (features,), generator=generator)].abs()
    if isinstance(core, SineLayer):
        return REACHES[trial] * core.weight.abs().amax(dim=0) / math.sqrt(3)
    inner = core.seen if isinstance(core, Network | Lifted) else 0
    outer, hidden = BANDWIDTHS[trial]
    return torch.cat([torch.full((embedding.width,), outer), torch.full((inner,), hidden)])
