"""A first guess on a lattice of many waves: what Newton's method finds on lattices of half as many along each space coordinate.

Far from the solution a step on few waves leads as near as one on many, in a plane at a quarter of the cost. This is nested iteration
(W. Hackbusch 1985, Multi-Grid Methods and Applications). On a window of Ginzburg-Landau's equation with 40 x 39 x 6 waves two steps remained.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from pinnsine.ansatz import build_ansatz
from pinnsine.lattice_points import lattice_points
from pinnsine.objective import Objective
from pinnsine.optim.gauss_newton import GaussNewton
from pinnsine.optim.step import Progress
from pinnsine.rest import from_rest
from pinnsine.separable import is_separable, padded

FEWEST = 10  # waves along each space coordinate of the coarsest lattice
PLANE = 2  # space coordinates from which it pays
STEPS = 6
SLOW = 0.5  # of the loss, left by a step after which no other is made


def from_fewer_waves(objective: Objective, theta: Tensor) -> Tensor:
    """The parameters (P,) that a coarser lattice leads to; those of the fields at rest, found from theta (P,), where it is coarse already."""
    ansatz = objective.ansatz
    problem, net = ansatz.problem, ansatz.net
    if len(problem.domain.space) < PLANE or not is_separable(objective):
        return from_rest(objective, theta)
    [piece] = ansatz.pieces
    lattice, time = piece.module[-1].lattice, problem.domain.time
    counts = tuple(n if name == time else math.ceil(n / 2) for n, name in zip(lattice.counts, piece.inputs, strict=True))
    if any(n < FEWEST for n, name in zip(counts, piece.inputs, strict=True) if name != time):
        return from_rest(objective, theta)
    net = replace(net, lattice=counts, omega=tuple(n * step for n, step in zip(counts, lattice.steps, strict=True)))
    fewer = build_ansatz(problem, net, ansatz.scales, torch.Generator().manual_seed(0), piece.evaluator)
    coarse = Objective(fewer.to(theta.dtype).to(theta.device), objective.terms, lattice_points(problem, net), objective.memory)
    fewer.load(_solved(coarse, from_fewer_waves(coarse, fewer.flat())))
    return padded(ansatz, fewer)


def _solved(objective: Objective, theta: Tensor) -> Tensor:
    """The parameters (P,) after a few steps."""
    before = math.inf
    for _ in range(STEPS):
        step = GaussNewton().step(objective, theta, {})
        theta = step.theta
        if step.progress is not Progress.MOVED or step.loss > SLOW * before:
            break
        before = step.loss
    return theta
