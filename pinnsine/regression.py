"""What ``solve`` chooses for measurements without an equation: a regression by frozen sines, judged by measurements held out.

Nothing but the measurements says what the fields are between them, and what is measured is not exact. So a part of them is kept back: how
many sines are fitted to the others, and of which bandwidth, is decided there (M. Stone 1974, J. R. Stat. Soc. B 36, cross-validation), and
so is how far off the fields are.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinnsine.conditions import Samples
from pinnsine.constraint import Prescribed, target_values
from pinnsine.jet import values
from pinnsine.objective import Objective
from pinnsine.points import Points
from pinnsine.problem import Problem
from pinnsine.signals import LEAST, samples_on_raster

APART = 5  # one measurement of so many is held out
PER_SINE = (16, 4, 2)  # measurements to be fitted for each sine: few for a smooth curve in noise, more for exact data
FIRST, MOST = 700, 2800  # sines: those that are tried at once, where there are measurements for more, and at last
TANH, PER_PARAMETER = (24, 30), 8  # the widths of a tanh network between which it has so many measurements for each of its parameters


def is_regression(problem: Problem) -> bool:
    """Whether there are measurements of fields alone, with noise (a declared ``sigma``), too few to be a signal, or scattered.

    As many functions as points, right on a grid, say nothing between scattered ones: 10,000 exact values of a smooth function in the plane
    were met to 1e-9 by sines under windows that were wrong by 0.3 elsewhere.
    """
    if problem.unknowns or not all(_measures(c) for c in problem.constraints):
        return False
    scattered = not samples_on_raster(max((c.on for c in problem.constraints), key=len), problem.domain)
    return scattered or any(c.sigma is not None for c in problem.constraints) or _count(problem) < LEAST


def _measures(constraint) -> bool:
    placed = isinstance(constraint, Prescribed) and isinstance(constraint.on, Points)
    return placed and constraint.loss is None and not isinstance(constraint, Samples)


def _count(problem: Problem) -> int:
    return sum(len(c.on) for c in problem.constraints)


def widths(problem: Problem) -> tuple[int, ...]:
    """The numbers of sines for each field that are tried."""
    fitted = _count(problem) * (1 - 1 / APART) / len(problem.fields)
    most = MOST // len(problem.fields)
    found = [min(max(1, round(fitted / each)), most) for each in PER_SINE]
    return tuple(dict.fromkeys([min(found[0], FIRST), *found]))


def tanh_width(problem: Problem) -> int:
    """The width w of a tanh network of three layers, about 2 w^2 parameters: with what they are told, creases are resolved."""
    fitted = _count(problem) * (1 - 1 / APART) / len(problem.fields)
    return min(max(TANH[0], math.isqrt(round(fitted / (2 * PER_PARAMETER)))), TANH[1])


def apart(points: Points, seed: int, held_out: bool) -> Points:
    """The measurements that are fitted, in their order, or those ``held_out``: every fifth of a random order. A single one is both."""
    order = torch.randperm(len(points), generator=torch.Generator().manual_seed(seed))
    if len(points) == 1:
        return points
    kept = order[::APART] if held_out else order[torch.arange(len(points)) % APART != 0]
    return points.select(kept.sort().values)


def misfit(objective: Objective, theta: Tensor) -> dict[str, float]:
    """The relative error of every field at the measurements of ``objective``, less what is their own; NaN where no value is held out.

    With n measurements of standard deviation sigma, |u - y|^2 / n exceeds the squared error by sigma^2, known to sqrt(2 / n): no smaller
    error than that is claimed.
    """
    names, theta = objective.ansatz.problem.names, theta.detach()
    fields = [f.name for f in objective.ansatz.problem.fields]
    squares, sizes = dict.fromkeys(fields, 0.0), dict.fromkeys(fields, 0.0)
    for term in objective.terms:
        constraint, points = term.constraint, objective.points[term.constraint.name]
        local = objective.ansatz.local(objective.ansatz.views(theta), points, {n: {()} for n in fields})
        for field, index, target in constraint.prescribed(names):
            if index == () and len(constraint.on) > 1:
                value = values(getattr(local, field))
                sigma = 0.0 if constraint.sigma is None else values(target_values(constraint.sigma, local))
                squares[field] += _beyond_noise(value - values(target_values(target, local)), sigma)
                sizes[field] += float(value.square().mean())
    errors, sizes = (names.joined({n: math.sqrt(s) for n, s in found.items()}, math.hypot) for found in (squares, sizes))
    return {n: error / sizes[n] if sizes[n] > 0 else math.nan for n, error in errors.items()}


def _beyond_noise(gap: Tensor, sigma: Tensor | float) -> float:
    """The mean squared gap (N,) less the noise's, and at least what is unknown of that."""
    noise = float((torch.zeros_like(gap) + sigma).square().mean())
    return max(float(gap.square().mean()) - noise, noise * math.sqrt(2 / len(gap)))
