"""The last steps of a fit to measurements: the equations hold, and the data weigh as their standard deviations say.

The loss of a run balances equations and data so that a search from far away finds its way, and at its minimum the field follows the noise
wherever that pays for a small residual: how closely depends on the weights. Measurements with ``sigma`` say more: the answer sought is the
least-squares fit to the data among the solutions of the equations. From the end of the run a few Gauss-Newton steps lead there, with the
equations weighted so heavily that they are constraints (G. H. Golub & C. F. Van Loan 2013, Matrix Computations, section 6.2), too heavily for
a search from the start. Weights then no longer enter the unknown numbers, nor their standard errors.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from pinnsine.budget import Clock
from pinnsine.cost import SAFETY, factorisation_seconds, jacobian_seconds
from pinnsine.objective import Objective
from pinnsine.optim.gauss_newton import GaussNewton
from pinnsine.optim.step import Progress
from pinnsine.uncertainty import is_data, thinned

AHEAD = 100.0  # the weight of equations against data: with 1e4 steps followed the curved solutions of the equations by a tenth of the way
STEPS = 8
MISFIT, WORSE = 1.5, 2.0  # of the data in standard deviations: so much is noise, and no more than this times what it was before


def constrained_fit(objective: Objective, theta: Tensor, clock: Clock) -> tuple[Objective, Tensor]:
    """The objective with the equations ahead of the data and its minimiser (P,), sought from theta (P,); what was given where that fails.

    It is sought where there are unknown numbers and all data have a ``sigma``, in float64, where the Jacobian fits the memory and there is
    time. It fails where the network cannot satisfy the equations, so that data would be left for the sake of residuals.
    """
    ahead = _equations_ahead(objective, theta, clock)
    if ahead is None:
        return objective, theta
    found, before = theta, _misfit(ahead, theta)
    taken = 0.0
    for _ in range(STEPS):
        left = clock.left
        if left <= taken:
            break
        step = GaussNewton().step(ahead, found, {})
        found = step.theta
        if step.progress is Progress.STALLED:
            break
        taken = left - clock.left
    after = _misfit(ahead, found)
    return (ahead, found) if math.isfinite(after) and after <= max(WORSE * before, MISFIT) else (objective, theta)


def _equations_ahead(objective: Objective, theta: Tensor, clock: Clock) -> Objective | None:
    """The rows of the data in standard deviations and each other constraint ahead by AHEAD; None where no constrained fit is to be sought."""
    squares = all(t.constraint.loss is None for t in objective.terms)
    data = [t for t in objective.terms if is_data(t)]
    sigmas = data and all(t.constraint.sigma is not None for t in data)
    if not (objective.ansatz.problem.unknowns and squares and sigmas) or theta.dtype != torch.float64:
        return None
    few = objective.with_points(thinned(objective, len(theta)))
    if few.count * len(theta) * theta.element_size() > few.memory:
        return None
    if clock.left < math.inf and clock.left < SAFETY * (2 * jacobian_seconds(few, theta) + factorisation_seconds(few.count, len(theta), theta)):
        return None  # not even one step fits
    units = {t.constraint.name: math.sqrt(len(few.points[t.constraint.name])) for t in data}
    terms = [replace(t, weight=1.0, scales=dict.fromkeys(t.scales, units[t.constraint.name])) if is_data(t) else t for t in few.terms]
    sizes = [float(Objective(few.ansatz, (t,), few.points, few.budget, few.fixed).jacobian(theta)[1].square().sum()) for t in terms]
    unit = AHEAD**2 * sum(size for t, size in zip(terms, sizes, strict=True) if is_data(t))
    terms = [replace(t, weight=t.weight * unit / size) if size > 0 and not is_data(t) else t for t, size in zip(terms, sizes, strict=True)]
    return Objective(few.ansatz, tuple(terms), few.points, few.budget, few.fixed)


def _misfit(ahead: Objective, theta: Tensor) -> float:
    """The root of the mean square of the data's rows, in standard deviations."""
    data = [t for t in ahead.terms if is_data(t)]
    part = Objective(ahead.ansatz, tuple(data), ahead.points, ahead.budget, ahead.fixed)
    return math.sqrt(part.loss(theta) / part.count)
