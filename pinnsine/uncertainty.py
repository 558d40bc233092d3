"""Standard errors of unknown numbers.

The data rows d, in units of their standard deviations, and all other rows c are linearised in the parameters theta of the fields and in the
unknowns p. The fields are eliminated by least squares with the other rows ahead of the data by FIRST, so that they are what the equations
make of p, and fitted to the data only where the equations leave them free. What is left of the data's dependence on p,
E = d_p - d_theta (...), is the information of the best use of the data: cov(p) = (E^T E)^-1, into which the weights of the loss do not enter.

The answer, though, is the minimiser of the loss, and a loss that lets the field follow the noise uses the data less well. What noise in the
data does to it is (A^T A)^-1 A^T N A (A^T A)^-1, with A made like E from all rows in the units of the loss, none of them ahead, and N
the covariance of the noise in them. The standard error of each unknown is the larger of the two, and so never below that of the best use; they
agree where the equations weigh enough, as they do after a constrained fit (``pinnsine.constrained``). Correlations, of which a trade-off is
warned, are those of the first.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Mapping

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
TRADE_OFF = 0.99  # a correlation above which two unknowns are said to trade off
TINY = 1e-150  # stands for a norm of zero
ROWS_PER_PARAMETER = 4  # rows beyond so many tell nothing new of the fields


def unknown_errors(objective: Objective, theta: Tensor, clock: Clock | None = None) -> dict[str, float]:
    """The standard error of every unknown number, to first order: the larger of that of the best use of the data and of the loss's own.

    NaN without data rows, in float32 and where the Jacobian is too large. Where the data have no ``sigma`` it is estimated from what they
    differ by from the solution. Warns of unknowns that the data cannot tell apart. Raises OutOfTime where ``clock`` does not leave enough.
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
    spread = (noise[:, None] * left @ bread).norm(dim=0)
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
    noise, start = torch.zeros_like(rows), 0
    for term in objective.terms:
        count = len(objective.points[term.constraint.name])
        for scale in term.scales.values():
            part = slice(start, start + count)
            if is_data(term) and term.constraint.sigma is None:
                noise[part] = rows[part].square().mean().sqrt().clamp(min=TINY)
            elif is_data(term):
                noise[part] = scale / math.sqrt(count)
            start += count
    return noise


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
