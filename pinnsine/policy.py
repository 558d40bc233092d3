"""What ``solve`` chooses when nothing is said, and why: an interim rule read off the traced residual.

An evolution equation whose leading space derivative has a small coefficient develops fronts: there a tanh network with residual-adaptive
points was measured 6.5 times better than sines (Burgers at nu = 0.01/pi, two minutes: benchmarks/results/acceptance.md). Everything
else is smooth: a sine network on Sobol points.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from pinnsine.constraint import Periodic, Residual, row_points
from pinnsine.index import Collapsed, Index
from pinnsine.nets import MLP, Siren
from pinnsine.probe import trace
from pinnsine.problem import Problem

SMALL = 0.02  # the leading term against the time derivative, both in coordinates scaled to [-1, 1]
POINTS = 2500  # row points of equations together: between two and three for each parameter of the networks below
CONDITION_POINTS = 500  # row points of all other constraints together
HELD_OUT = 0.8  # held-out points per training point


@dataclass(frozen=True)
class Choice:
    """A network, a sampler, and the reason in words."""

    net: object
    sampler: str
    reason: str


def choose(problem: Problem, scales) -> Choice:
    """Network and sampler for a problem, from the trace of its residuals."""
    ratio = min((front_ratio(problem, c, scales) for c in problem.constraints if isinstance(c, Residual)), default=1.0)
    if ratio < SMALL:
        reason = f"evolution equation with a small leading term ({ratio:.1e} of the time derivative): fronts are to be expected"
        return Choice(MLP(width=20, depth=3), "rad", reason)
    wrapped = any(isinstance(c, Periodic) and c.hard for c in problem.constraints)
    return Choice(Siren(width=20, depth=3, omega=2.0 if wrapped else 4.0), "sobol", "smooth solution expected: sines, fixed points")


def front_ratio(problem: Problem, constraint: Residual, scales) -> float:
    """The size of the leading even space derivative against the time derivative in a residual; 1 where either is missing.

    Both are measured by how much the rows of a probe change with that derivative, times the derivative's natural size: the amplitude of
    the field over half-lengths of the coordinates.
    """
    domain = problem.domain
    if domain.time is None:
        return 1.0
    points = row_points(constraint, domain, 64, "sobol", torch.Generator().manual_seed(2))
    need = trace(problem, constraint, points, scales).need
    ratios = [1.0]
    for field, indices in need.items():
        leading = _leading(indices, domain.space)
        if leading is None or (domain.time,) not in indices:
            continue
        slow = _sensitivity(problem, constraint, points, scales, field, (domain.time,))
        fast = _sensitivity(problem, constraint, points, scales, field, leading)
        if slow > 0 and fast > 0:
            ratios.append(fast / slow)
    return min(ratios)


def _leading(indices: set[Index], space: tuple[str, ...]) -> Index | None:
    """The highest space derivative among the indices, if its order is even."""

    def order(index: Index) -> int:
        return 2 if isinstance(index, Collapsed) else len(index)

    found = [i for i in indices if i and (isinstance(i, Collapsed) or all(n in space for n in i))]
    top = max(found, key=order, default=None)
    return top if top is not None and order(top) % 2 == 0 else None


def _sensitivity(problem, constraint, points, scales, field: str, index: Index) -> float:
    """rms of d row / d (derivative) times half-lengths, found by perturbing that derivative of the probe alone."""
    names = index.names[:1] * 2 if isinstance(index, Collapsed) else index
    size = scales[field].scale
    for name in names:
        size /= problem.domain.axis(name).length / 2
    step = 1e-6 * size
    plain = trace(problem, constraint, points, scales).rows
    moved = trace(problem, constraint, points, scales, shift=(field, index, step)).rows
    change = torch.cat([moved[n] - plain[n] for n in plain]).nan_to_num()
    return float(change.square().mean().sqrt()) / 1e-6


def share_points(problem: Problem, points) -> dict[str, int]:
    """Row points by constraint: ``points`` as given (a total for equations, or by name), the rest by the defaults above."""
    equations = [c for c in problem.soft if isinstance(c, Residual) and c.on is None]
    others = [c for c in problem.soft if c not in equations]
    total = points if isinstance(points, int) else POINTS
    shares = {c.name: max(1, total // max(1, len(equations))) for c in equations}
    shares.update({c.name: max(1, CONDITION_POINTS * total // POINTS // max(1, len(others))) for c in others})
    return {**shares, **(points if isinstance(points, dict) else {})}
