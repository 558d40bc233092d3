"""A first guess for Newton's method on an evolution equation: every field stays as its conditions have it.

Newton's method on frozen sines converges from zero where the equation is weakly nonlinear. Where it is not, a short evolution is close to rest,
u_t = 0 with the given conditions, which is one linear least-squares problem on the same sines.
"""

from __future__ import annotations

from torch import Tensor

from pinnsine.calculus import D
from pinnsine.constraint import Residual
from pinnsine.objective import Objective, Term
from pinnsine.optim.gauss_newton import GaussNewton


def from_rest(objective: Objective, theta: Tensor) -> Tensor:
    """The parameters (P,) of the evolution at rest, found from theta (P,); theta itself where there is no equation in time."""
    problem = objective.ansatz.problem
    time = problem.domain.time
    equation = next((t for t in objective.terms if isinstance(t.constraint, Residual) and t.constraint.on is None), None)
    moving = [f.name for f in problem.fields if time in f.of]
    if equation is None or not moving:
        return theta
    constraint = Residual("rest", lambda s: {n: D(getattr(s, n), time) for n in moving})
    half = problem.domain.axis(time).length / 2
    need = {f.name: {(time,)} if f.name in moving else set() for f in problem.fields}
    rest = Term(constraint, need, {n: half / objective.ansatz.scales[n].scale for n in moving}, "one backward")
    conditions = tuple(t for t in objective.terms if not isinstance(t.constraint, Residual))
    points = {**objective.points, "rest": objective.points[equation.constraint.name]}
    return GaussNewton().step(Objective(objective.ansatz, (rest, *conditions), points, objective.memory), theta, {}).theta
