"""A first guess for Newton's method on an eigenvalue problem: the eigenpair nearest to the start of its unknown number.

All rows but one are linear in the fields, without a source, and affine in the unknown number E: r = (J + (E - E0) N) beta on frozen sines,
E0 the start. The remaining row, an ``Integral``, is the norm. Then E - E0 = 1 / mu for an eigenvalue mu of T = -J^+ N, and the eigenvalue
nearest to the start belongs to the largest |mu|: inverse iteration on a few vectors at a time (Y. Saad 2011, Numerical Methods for Large
Eigenvalue Problems, chapter 5), J^+ being the least-squares solution.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinnsine.constraint import Residual
from pinnsine.integral import Integral
from pinnsine.linearised import Linearised
from pinnsine.nets.frozen_sines import SineLayer
from pinnsine.objective import Objective
from pinnsine.term import Term

VECTORS = 4  # iterated together, so that neighbours of the eigenvalue do not slow the iteration down
ITERATIONS = 40
SETTLED = 1e-6  # the relative change of mu that is enough for a guess
LINEAR = 1e-9
DAMPING = 1e-11  # of the largest singular value: coefficients of nearly dependent sines stay small
TILT = 3.0  # the sign is that which makes the integral of the field over exp(TILT x) positive, x in [0, 1]


def nearest_mode(objective: Objective, theta: Tensor) -> Tensor | None:
    """The parameters (P,) of the eigenpair nearest to the start; None where the problem is no eigenvalue problem, or it is not found."""
    ansatz, unknowns = objective.ansatz, objective.ansatz.problem.unknowns
    if len(unknowns) != 1 or not all(isinstance(p.module[1], SineLayer) for p in ansatz.pieces):
        return None
    norm = [t for t in objective.terms if not affine_in_fields(_alone(objective, t), theta, source=False)]
    if len(norm) != 1 or not isinstance(norm[0].constraint, Integral):
        return None
    equations = _alone(objective, *(t for t in objective.terms if t is not norm[0]))
    first, second = (_with_raw(objective, theta, raw) for raw in (0.0, 1.0))
    change = float(unknowns[0].value(torch.ones(()).to(theta))) - unknowns[0].start
    plain, moved = (_slopes(equations, t) for t in (first, second))
    pair = _largest(plain, (moved - plain) / change)
    raw = None if pair is None else unknowns[0].raw(unknowns[0].start + 1 / pair[0])
    if raw is None:
        return None
    return _normalised(objective, norm[0], equations, _joined(objective, pair[1], _with_raw(objective, theta, raw)))


def affine_in_fields(objective: Objective, theta: Tensor, source: bool = True) -> bool:
    """Whether the rows are affine in the parameters of the fields, the unknown numbers at their starts; without ``source`` linear."""
    generator, nothing = torch.Generator().manual_seed(0), torch.zeros_like(theta)
    u, v = (torch.randn(len(theta), generator=generator, dtype=torch.float64).to(theta) for _ in range(2))

    def rows(fields: Tensor) -> Tensor:
        return objective.rows(_joined(objective, fields, nothing))

    origin = rows(nothing)
    one, other = rows(u) - origin, rows(v) - origin
    size = float(one.abs().max() + other.abs().max())
    gaps = (one + other - (rows(u + v) - origin), rows(-3 * u) - origin + 3 * one, *(() if source else (origin,)))
    return all(float(gap.abs().max()) <= LINEAR * size for gap in gaps)


def _alone(objective: Objective, *terms: Term) -> Objective:
    """The objective of some of the terms."""
    return Objective(objective.ansatz, terms, objective.points, objective.memory)


def _joined(objective: Objective, fields: Tensor, numbers: Tensor) -> Tensor:
    """The parameters (P,) of ``fields`` with the unknown number of ``numbers``."""
    theta, block = fields.clone(), objective.blocks["unknowns"]
    theta[block] = numbers[block]
    return theta


def _with_raw(objective: Objective, theta: Tensor, raw: float) -> Tensor:
    return _joined(objective, theta, torch.full_like(theta, raw))


def _slopes(objective: Objective, theta: Tensor) -> Tensor:
    """The derivatives of the rows by the parameters of the fields (R, P), those by the number left at zero."""
    jacobian = objective.jacobian(theta)[1]
    jacobian[:, objective.blocks["unknowns"]] = 0
    return jacobian


def _largest(jacobian: Tensor, change: Tensor) -> tuple[float, Tensor] | None:
    """The eigenvalue of -J^+ N of the largest modulus and its eigenvector (P,); None where it is complex or none is found."""
    linearised = Linearised.dense(jacobian.new_zeros(len(jacobian)), jacobian, "qr", scaled=True)
    factor = linearised.factor(DAMPING**2 * linearised.size)
    vectors = torch.randn(jacobian.shape[1], VECTORS, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(jacobian)
    before = math.inf
    for _ in range(ITERATIONS):
        basis = torch.linalg.qr(change @ vectors)[0]  # of values at the points: coefficients of nearly dependent sines are no measure
        vectors = torch.stack([-factor.solve(linearised.project(v)) for v in basis.unbind(1)], dim=1)
        values, turns = torch.linalg.eig(basis.T @ (change @ vectors))
        k = int(values.abs().argmax())
        value = values[k]
        if not torch.isfinite(value.abs()) or value == 0:
            return None
        if abs(value - before) <= SETTLED * abs(value):
            break
        before = value
    found = (vectors.to(turns.dtype) @ turns[:, k]).real
    return None if abs(value.imag) > SETTLED * abs(value) else (float(value.real), found)


def _normalised(objective: Objective, norm: Term, equations: Objective, theta: Tensor) -> Tensor | None:
    """The eigenvector (P,) with the norm asked for, quadratic in the fields, and a sign that does not depend on chance."""
    alone = _alone(objective, norm)
    origin = float(alone.rows(_joined(objective, torch.zeros_like(theta), theta))[0])
    square = -origin / (float(alone.rows(theta)[0]) - origin)
    if not 0 < square < math.inf:
        return None
    return _joined(objective, math.copysign(math.sqrt(square), _tilted(equations, theta)) * theta, theta)


def _tilted(equations: Objective, theta: Tensor) -> float:
    """The mean of the fields over the domain, weighted so that neither side nor symmetry makes it vanish."""
    problem = equations.ansatz.problem
    points = next(equations.points[t.constraint.name] for t in equations.terms if isinstance(t.constraint, Residual))
    place = sum((points[a.name] - a.lower) / a.length for a in problem.domain.axes)
    with torch.no_grad():
        local = equations.ansatz.local(equations.views(theta), points, {f.name: {()} for f in problem.fields})
        return float(sum((getattr(local, f.name).values * torch.exp(-TILT * place)).mean() for f in problem.fields))
