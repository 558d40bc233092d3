"""Standard errors of unknown numbers.

The data rows d, in units of their standard deviations, and all other rows c are linearised in the parameters theta of the fields and in the
unknowns p. The fields are eliminated by least squares with the other rows ahead of the data by FIRST, so that they are what the equations
make of p, and fitted to the data only where the equations leave them free. What is left of the data's dependence on p,
E = d_p - d_theta (...), is the information of the best use of the data: cov(p) = (E^T E)^-1, into which the weights of the loss do not enter.

The answer, though, is the minimiser of the loss, and a loss that lets the field follow the noise uses the data less well. What noise in the
data does to it is (A^T A)^-1 A^T N A (A^T A)^-1, with A made like E from all rows in the units of the loss, none of them ahead, and N
the covariance of the noise in them. Where no ``sigma`` is known, what the data differ by need not be noise: at a front that is not resolved
neighbours miss the solution together. N then is r r^T within patches of neighbours if that tells more (K.-Y. Liang & S. L. Zeger 1986,
Biometrika 73, section 2). The standard error of each unknown is the largest of these, and so never below that of the best use; they
agree where the equations weigh enough, as they do after a constrained fit (``pinnsine.constrained``). Correlations, of which a trade-off is
warned, are those of the first.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from pinnsine.budget import Clock
from pinnsine.constraint import Prescribed
from pinnsine.cost import SAFETY, OutOfTime, factorisation_seconds, jacobian_seconds
from pinnsine.least_squares import Factors
from pinnsine.objective import Objective
from pinnsine.points import Points
from pinnsine.term import Term

FIRST = 1e4  # the weight of equations and conditions against data
DAMPING = 1e-10  # see least_squares
CHANCE = 2.0  # standard deviations of a chi-squared variable that are taken for chance
TRADE_OFF = 0.99  # a correlation above which two unknowns are said to trade off
TINY = 1e-150  # stands for a norm of zero
ROWS_PER_PARAMETER = 4  # rows beyond so many tell nothing new of the fields


def unknown_errors(objective: Objective, theta: Tensor, clock: Clock | None = None) -> dict[str, float]:
    """The standard error of every unknown number, to first order: the larger of that of the best use of the data and of the loss's own.

    NaN without data rows, in float32 and where the Jacobian is too large. Where the data have no ``sigma`` it is estimated from what they
    differ by from the solution, alone and together with their neighbours. Warns of unknowns that the data cannot tell apart. Raises
    OutOfTime where ``clock`` does not leave enough.
    """
    names = [u.name for u in objective.ansatz.problem.unknowns]
    few = _linearisable(objective, theta)
    if few is None:
        return dict.fromkeys(names, math.nan)
    if clock and clock.left < _seconds(few, theta):
        raise OutOfTime("the standard errors of the unknown numbers")
    rows, jacobian = few.jacobian(theta)
    noise = _noise(few, rows)
    kept, block = noise > 0, few.blocks["unknowns"]
    left = _eliminated(jacobian, block)
    bread = torch.linalg.pinv(left.T @ left, hermitian=True)
    influence = left @ bread
    spread = _together(few, rows, influence, (noise[:, None] * influence).norm(dim=0))
    jacobian[kept] /= noise[kept, None]
    jacobian[~kept] *= FIRST * jacobian[kept].norm() / jacobian[~kept].norm().clamp(min=TINY)
    left = _eliminated(jacobian, block)[kept]
    covariance = torch.linalg.pinv(left.T @ left, hermitian=True)
    deviations = covariance.diagonal().sqrt()
    _warn_of_trade_offs(names, covariance / deviations[:, None] / deviations)
    deviations = torch.maximum(deviations, spread)
    slopes = few.ansatz.unknown_slopes(theta)
    return {n: abs(slopes[n]) * float(d) for n, d in zip(names, deviations, strict=True)}


def error_seconds(objective: Objective, theta: Tensor) -> float:
    """What ``unknown_errors`` are expected to take."""
    few = _linearisable(objective, theta)
    return 0.0 if few is None else _seconds(few, theta)


def _seconds(few: Objective, theta: Tensor) -> float:
    return SAFETY * (jacobian_seconds(few, theta) + 2 * factorisation_seconds(few.count, len(theta), theta))


def _linearisable(objective: Objective, theta: Tensor) -> Objective | None:
    """The objective at as many points as are wanted; None where no standard errors are to be had."""
    data = [t for t in objective.terms if is_data(t)]
    squares = all(t.constraint.loss is None for t in objective.terms)
    if not (objective.ansatz.problem.unknowns and data and squares) or theta.dtype != torch.float64:
        return None
    few = objective.with_points(thinned(objective, len(theta)))
    return few if few.count * len(theta) * theta.element_size() <= few.memory else None


def is_data(term: Term) -> bool:
    return isinstance(term.constraint, Prescribed) and isinstance(term.constraint.on, Points)


def _noise(objective: Objective, rows: Tensor) -> Tensor:
    """The standard deviation (R,) of the noise in every row, in the units of the loss: 0 but for data."""
    noise = torch.zeros_like(rows)
    for term, points, parts in _data(objective):
        for part, scale in zip(parts, term.scales.values(), strict=True):
            known = term.constraint.sigma is not None
            noise[part] = scale / math.sqrt(len(points)) if known else rows[part].square().mean().sqrt().clamp(min=TINY)
    return noise


def _together(objective: Objective, rows: Tensor, influence: Tensor, alone: Tensor) -> Tensor:
    """What the data do to the unknown numbers (n,): ``alone`` by independent noise, or more where neighbours miss the solution together.

    Sums over m patches of independent noise would have alone^2 times a chi-squared variable of m degrees of freedom over m for their square.
    ``influence``: (R, n).
    """
    squares, count, names = torch.zeros_like(alone), 0, objective.ansatz.problem.domain.names
    for term, points, parts in _data(objective):
        if term.constraint.sigma is None:
            moves = sum(rows[part, None] * influence[part] for part in parts)
            sums = [moves[patch].sum(dim=0).square() for patch in patches(points.matrix([n for n in names if n in points.names]))]
            squares, count = squares + sum(sums), count + len(sums)
    by_chance = 1 + CHANCE * math.sqrt(2 / max(count, 1))
    return torch.where(squares > by_chance * alone.square(), squares.sqrt(), alone)


def patches(places: Tensor) -> list[np.ndarray]:
    """Places (N, d) by patches of neighbours, N^(2/3) at most in each, along coordinates scaled to the same length.

    Of a front that a network had not resolved, patches of N^(1/2) told a viscosity's error 0.7 times as large.
    """
    from scipy.spatial import cKDTree

    places = places.cpu().numpy()
    lengths = np.ptp(places, axis=0)
    tree = cKDTree(places / np.where(lengths > 0, lengths, 1.0), leafsize=math.ceil(len(places) ** (2 / 3)))
    return _leaves(tree.tree)


def _leaves(node) -> list[np.ndarray]:
    return [node.indices] if node.split_dim < 0 else _leaves(node.lesser) + _leaves(node.greater)


def _data(objective: Objective) -> Iterator[tuple[Term, Points, list[slice]]]:
    """The terms of measurements with their points, and their rows field by field."""
    start = 0
    for term in objective.terms:
        points = objective.points[term.constraint.name]
        count = len(points)
        parts = [slice(start + k * count, start + (k + 1) * count) for k in range(len(term.scales))]
        start += count * len(term.scales)
        if is_data(term):
            yield term, points, parts


def _eliminated(jacobian: Tensor, block: slice) -> Tensor:
    """The columns of the unknowns (R, n) less what the fields can make of them."""
    fields = torch.cat([jacobian[:, : block.start], jacobian[:, block.stop :]], dim=1)
    columns, factors = jacobian[:, block].unbind(1), Factors.of(fields, DAMPING)
    return torch.stack([column - fields @ factors.solve(column) for column in columns], dim=1)


def thinned(objective: Objective, parameters: int) -> Mapping[str, Points]:
    """Points of equations and conditions, thinned to ROWS_PER_PARAMETER rows for each parameter; the data stay whole."""
    others = [t for t in objective.terms if not is_data(t)]
    count = sum(len(objective.points[t.constraint.name]) * len(t.scales) for t in others)
    share = min(1.0, ROWS_PER_PARAMETER * parameters / max(count, 1))
    thinned = objective.thinned(share)
    return {t.constraint.name: thinned.points[t.constraint.name] for t in others}


def _warn_of_trade_offs(names: list[str], correlation: Tensor) -> None:
    for (i, a), (j, b) in itertools.combinations(enumerate(names), 2):
        if abs(float(correlation[i, j])) > TRADE_OFF:
            warnings.warn(
                f"The unknowns {a!r} and {b!r} trade off: the data hardly tell them apart (correlation {float(correlation[i, j]):.4f}). "
                "Fix one of them, or measure something else.",
                stacklevel=3,
            )
