"""Why a solution is not better than it is: causes in words, with the remedy, found from fresh points, the history and the reference.

Every check reads the same evidence (``pinnsine.evidence``) and returns a finding or None; the likeliest causes are asked for first.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pinnsine.constraint import Constraint, Prescribed, Residual, row_points
from pinnsine.errors import ProblemError
from pinnsine.evidence import Evidence, wave_number
from pinnsine.least_squares import least_squares
from pinnsine.named_rows import rows_of
from pinnsine.objective import Objective
from pinnsine.points import Points
from pinnsine.probe import trace
from pinnsine.solution import Solution
from pinnsine.windows import Windowed

if TYPE_CHECKING:
    from pinnsine.diagnose_windows import MarchDiagnosis

VISIBLE = 1e-2  # a violation, in natural units, that is worth a word
UNSEEN = 1e-4  # the part of a change of unknowns that nothing makes good, below which they are not determined
DAMPING = 1e-8
ROUNDING = 1e-14  # a relative error that is rounding
ROUNDED = 1e-10  # a violation that leaves nothing to be gained


@dataclass(frozen=True)
class Finding:
    """A cause by name, what was seen, what helps, and the figures behind it."""

    cause: str
    seen: str
    remedy: str
    data: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.cause}: {self.seen} {self.remedy}"


@dataclass(frozen=True)
class Diagnosis:
    """What was found, the likeliest cause first; by constraint the violation in natural units, fresh points and the residual there."""

    findings: tuple[Finding, ...]
    violations: Mapping[str, float]
    residuals: Mapping[str, tuple[Points, Tensor]]

    @property
    def causes(self) -> tuple[str, ...]:
        """The names of the causes."""
        return tuple(f.cause for f in self.findings)

    def plot(self, path: str | Path) -> Path:
        """A picture of the residuals, one panel a constraint (.png, .pdf, .svg)."""
        from pinnsine.residual_map import plot_diagnosis

        return plot_diagnosis(self, path)

    def __str__(self) -> str:
        rows = [f"{name}: violated by {size:.1e} of its natural size" for name, size in self.violations.items()]
        return "\n".join([*rows, *map(str, self.findings or ("nothing found that stands in the way of this solution.",))])


def diagnose(solution: Solution) -> Diagnosis | MarchDiagnosis:
    """The causes that keep a solution from being better; those of every window, where it is one in windows of time.

    Raises ProblemError for a solution whose problem has no residuals, as one that was loaded without ``problem=``.
    """
    if not any(isinstance(c, Residual) for c in solution.problem.constraints):
        raise ProblemError(
            "A diagnosis needs the equations: give the run its problem, as in load(path, problem=...) or `pinnsine diagnose RUN.h5 mine.py`."
        )
    if isinstance(solution.ansatz, Windowed):
        from pinnsine.diagnose_windows import diagnose_windows

        return diagnose_windows(solution)
    evidence = Evidence(solution)
    found = [finding for check in CHECKS if (finding := check(evidence)) is not None]
    return Diagnosis(tuple(found), evidence.violations, {n: (evidence.points[n], r.norm(dim=0)) for n, r in evidence.rows.items()})


def contradiction(evidence: Evidence) -> Finding | None:
    """Two conditions that prescribe different values at the same place."""
    conditions = [c for c in evidence.problem.constraints if isinstance(c, Prescribed) and not isinstance(c.on, Points)]
    for i, first in enumerate(conditions):
        for second in conditions[i + 1 :]:
            for name in set(first.targets) & set(second.targets):
                points = _shared(evidence, first, second)
                if not len(points):
                    continue
                gap = (_misfit(evidence, first, name, points) - _misfit(evidence, second, name, points)).abs()
                size = evidence.ansatz.scales[name].scale if name in evidence.ansatz.scales else float(gap.max())
                if float(gap.max()) > VISIBLE * size:
                    at = _place(points, int(gap.argmax()))
                    return Finding(
                        "contradictory conditions",
                        f"{first.name!r} and {second.name!r} differ by {float(gap.max()):.2g} in {name} at {at}, so no function meets both.",
                        "Correct one of them, or take it from a part of its region where the other does not hold.",
                        {"constraints": (first.name, second.name), "gap": float(gap.max()), "place": at},
                    )
    return None


def _shared(evidence: Evidence, first: Constraint, second: Constraint) -> Points:
    """Points that lie in the regions of both: samples of the first, and the same moved to the ends of every coordinate."""
    domain = evidence.problem.domain
    sample = Points(row_points(first, domain, 64, "sobol", torch.Generator().manual_seed(0)).columns)
    ends = [(a.name, end) for a in domain.axes for end in (a.lower, a.upper)]
    points = Points.join([sample, *(Points({**sample.columns, n: torch.full_like(sample[n], end)}) for n, end in ends)])
    both = first.region(domain).contains(points) & second.region(domain).contains(points)
    return points.select(both)


def _misfit(evidence: Evidence, condition: Prescribed, name: str, points: Points) -> Tensor:
    """u - g (N,) for one target of a condition."""
    alone = Prescribed(condition.name, {name: condition.targets[name]})
    need = trace(evidence.problem, alone, points.select(slice(0, 16)), evidence.ansatz.scales).need
    with torch.no_grad():
        local = evidence.ansatz.local(evidence.ansatz.views(evidence.theta), points, need)
        [row] = rows_of(alone, local, len(points)).values()
    return row


def trade(evidence: Evidence) -> Finding | None:
    """Unknown numbers that the rows do not tell apart: J v is made good by the network, or by nothing at all."""
    problem = evidence.problem
    if not problem.unknowns:
        return None
    block = evidence.objective.blocks["unknowns"]
    own = evidence.jacobian[:, block]
    others = torch.cat([evidence.jacobian[:, : block.start], evidence.jacobian[:, block.stop :]], dim=1)
    left = torch.stack([c - others @ least_squares(others, c, DAMPING) for c in own.T], dim=1)
    sizes = own.norm(dim=0)
    seen = torch.where(sizes > 0, 1 / sizes, 0.0)
    _, values, directions = torch.linalg.svd(left * seen, full_matrices=False)
    if float(values[-1]) > UNSEEN:
        return None
    parts = {u.name: float(v) for u, v in zip(problem.unknowns, directions[-1], strict=True)}
    involved = [n for n, v in parts.items() if abs(v) > 0.1]
    return Finding(
        "unknowns that trade off",
        f"a change of {' and '.join(involved)} together changes the rows by {float(values[-1]):.0e} of what it would alone: "
        "the conditions do not determine them.",
        "Fix one of them, or add data that tell them apart.",
        {"unknowns": tuple(involved), "direction": parts, "sensitivity": float(values[-1])},
    )


def weights(evidence: Evidence) -> Finding | None:
    """A constraint whose weight is so small that it is not met."""
    ratios = {n: max(rows[r] / evidence.natural[n][r] for r in rows) ** 2 for n, rows in evidence.given.items()}
    light = min(ratios, key=ratios.get)
    spread = max(ratios.values()) / ratios[light]
    if spread < 1e4 or evidence.violations[light] < VISIBLE or light != evidence.worst:
        return None
    return Finding(
        "weights",
        f"{light!r} counts {1 / spread:.0e} of the heaviest constraint, and is violated by {evidence.violations[light]:.1g} of its size.",
        "Leave weight= away, so that they are balanced, or give this one more.",
        {"constraint": light, "weights": ratios},
    )


def points(evidence: Evidence) -> Finding | None:
    """A held-out loss far above the training loss: the residual is small at the points and large between them."""
    if not evidence.overfit > 10 or evidence.equation is None or evidence.violations[evidence.worst] < VISIBLE**2:
        return None
    size, where = evidence.rows[evidence.equation].square().sum(dim=0), evidence.points[evidence.equation]
    top = size.sort(descending=True)
    share = float(top.values[: max(1, len(size) // 20)].sum() / size.sum())
    seen = f"the held-out loss is {evidence.overfit:.0f} times the training loss"
    place = _place(where, int(top.indices[0]))
    if share > 0.6:
        seen += f", and a twentieth of the domain holds {share:.0%} of the residual, most of it near {place}: a front with too few points."
        remedy = "Take sampler='rad', which moves points there, or more points."
    else:
        seen += ": the network fits the points and not what lies between them."
        remedy = "Take more points=, or a smaller network."
    return Finding("too few points", seen, remedy, {"ratio": evidence.overfit, "share": share, "place": place})


def bandwidth(evidence: Evidence) -> Finding | None:
    """A residual with waves that are shorter than those of the network."""
    name = evidence.equation
    if name is None or evidence.violations[name] < VISIBLE or evidence.overfit > 10:
        return None
    ratios = {}
    for axis in evidence.problem.domain.axes:
        lines = evidence.lines(axis.name)
        like = [f for f in evidence.problem.fields if axis.name in f.of]
        shortest = max(wave_number(evidence.values(f.name, lines)) for f in like)
        ratios[axis.name] = wave_number(evidence.rows_at(name, lines)) / shortest
    worst = max(ratios, key=ratios.get)
    if ratios[worst] < 2.0:
        return None
    return Finding(
        "bandwidth",
        f"along {worst} the residual of {name!r} has waves {ratios[worst]:.1f} times shorter than the solution found: the network lacks them.",
        f"Take sines of an omega about {ratios[worst]:.0f} times as large, or a wider network.",
        {"coordinate": worst, "ratios": ratios},
    )


def equation(evidence: Evidence) -> Finding | None:
    """Rows that are met by something else than the reference."""
    if evidence.comparison is None or max(evidence.violations.values()) > VISIBLE:
        return None
    errors, estimate = evidence.comparison.relative_l2, evidence.solution.estimate
    name = max(errors, key=errors.get)
    known = estimate[name] if math.isfinite(estimate[name]) else 0.0
    if errors[name] < max(0.05, 30 * known):
        return None
    return Finding(
        "equation",
        f"all conditions are met to {max(evidence.violations.values()):.0e} of their size, yet {name} is {errors[name]:.1g} off the reference.",
        "The problem and its reference are not the same: look for a wrong sign or coefficient, or a condition that is missing.",
        {"errors": errors, "estimate": dict(estimate)},
    )


def precision(evidence: Evidence) -> Finding | None:
    """Rows in float32 that are rounding for the most part."""
    if evidence.solution.settings.get("dtype") != "float32":
        return None
    points = {n: p.to(torch.float32, torch.device("cpu")) for n, p in evidence.points.items()}
    single = Objective(copy.deepcopy(evidence.ansatz).float(), evidence.objective.terms, points, evidence.objective.memory)
    exact = evidence.objective.rows(evidence.theta)
    noise = float((single.rows(evidence.theta.float()).double() - exact).norm() / exact.norm())
    if noise < 0.1:
        return None
    return Finding(
        "float32",
        f"the rounding of float32 is {noise:.1g} of the residual: the loss cannot fall further.",
        "Take dtype='float64', from here with start=.",
        {"noise": noise},
    )


def damping(evidence: Evidence) -> Finding | None:
    """A Levenberg-Marquardt damping that has come down to the rounding of J^T J, or of J (see ``pinnsine.linearised``)."""
    used = [d for d in evidence.solution.history.get("damping", ()) if d == d]
    if not used or max(evidence.violations.values()) < ROUNDED or evidence.solution.settings.get("dtype") != "float64":
        return None
    size, rounding = float(evidence.jacobian.square().sum(dim=0).max()), 4 * torch.finfo(torch.float64).eps
    for floor, what, remedy in (
        (rounding * size, "J^T J", "Take LevenbergMarquardt(factorisation='staged')."),
        (rounding**2 * size, "J", "Nothing is left to be gained by this network: take a larger one."),
    ):
        if 0.1 < used[-1] / floor < 10:
            seen = f"the damping {used[-1]:.0e} is at the rounding of {what}, below which no directions are told apart."
            return Finding("damping", seen, remedy, {"damping": float(used[-1]), "floor": floor})
    return None


def reference_floor(evidence: Evidence) -> Finding | None:
    """An error that the reference itself may have made, unless both are rounding."""
    if evidence.comparison is None:
        return None
    errors, floors = evidence.comparison.relative_l2, evidence.comparison.floor
    reached = [n for n, e in errors.items() if ROUNDING < e <= 5 * floors[n]]
    if len(reached) < len(errors):
        return None
    return Finding(
        "reference floor",
        f"the error of {', '.join(reached)} is that of the reference itself ({max(floors.values()):.0e}).",
        "Trust the estimate, or compare with a finer reference.",
        {"errors": errors, "floors": floors},
    )


def _place(where: Points, index: int) -> str:
    return ", ".join(f"{n} = {float(c[index]):.3g}" for n, c in where.columns.items())


CHECKS: Sequence[Callable[[Evidence], Finding | None]] = (
    *(contradiction, trade, weights, points, bandwidth, equation),
    *(precision, reference_floor, damping),
)
