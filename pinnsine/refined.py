"""The error of a window of time on a lattice of sines, from one step of Newton's method on a finer one.

The finer lattice holds the coarser one: it begins from the window's own solution, and from the corrected end of the window before, so that
the step is the linearised error with all that the coarser lattice could not hold.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from pinnsine.ansatz import Ansatz, build_ansatz
from pinnsine.estimate import LEAST_EXPLAINED, Correction, field_values, root_mean_square
from pinnsine.lattice_points import lattice_points, points_on
from pinnsine.objective import bind
from pinnsine.optim.gauss_newton import GaussNewton
from pinnsine.problem import Problem
from pinnsine.separable import gauss_newton_step, padded, periodic_inputs

FINER, LATER = 1.25, 2  # waves along space for those of the solution, and more along time
ACCURACY = 1e-3  # of the step, a thousandth of the error
MEMORY = 2e9


def is_refinable(ansatz: Ansatz) -> bool:
    """Whether a finer lattice costs no factorisation of all its coefficients."""
    return getattr(ansatz.net, "lattice", None) is not None and any(periodic_inputs(ansatz))


def refine(problem: Problem, old: Ansatz) -> Correction:
    """The solution ``old`` of a window corrected on a finer lattice, and how far it was off; ``problem``: that of the window."""
    [piece], time = old.pieces, problem.domain.time
    lattice = piece.module[-1].lattice
    counts = tuple(n + LATER if name == time else math.ceil(FINER * n) for n, name in zip(lattice.counts, piece.inputs, strict=True))
    omega = tuple(n * step for n, step in zip(counts, lattice.steps, strict=True))
    net = replace(old.net, lattice=counts, omega=omega)
    ansatz = build_ansatz(problem, net, old.scales, torch.Generator().manual_seed(0), piece.evaluator)
    ansatz.to(next(old.parameters()))
    objective = bind(ansatz, lattice_points(problem, net), MEMORY)
    start = padded(ansatz, old)
    found = gauss_newton_step(objective, start, GaussNewton().damping, ACCURACY)
    ansatz.load(start + found.step)
    explained = 1 - float(found.left.square().sum() / found.rows.square().sum().clamp(min=1e-300))
    grid = points_on(problem, problem.domain, net, torch.Generator().manual_seed(1))
    before, after = (field_values(a, a.flat(), grid) for a in (old, ansatz))
    errors = {n: root_mean_square(after[n] - value) / max(explained, LEAST_EXPLAINED) for n, value in before.items()}
    return Correction(ansatz, explained, errors, {n: root_mean_square(value) for n, value in before.items()})
