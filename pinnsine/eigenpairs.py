"""``eigenpairs``: several eigenvalues with their functions, one after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from pinnsine.errors import ProblemError
from pinnsine.integral import Integral
from pinnsine.local import Local
from pinnsine.points import Points
from pinnsine.problem import Problem
from pinnsine.solution import Solution
from pinnsine.solve import solve


def eigenpairs(problem: Problem, count: int, **choices) -> list[Solution]:
    """The eigenpairs of a self-adjoint problem whose eigenvalues are nearest to the start of its unknown number, the nearest first.

    L u = E u, linear in u with boundary conditions that are zero, and a norm, |u|^2 = 1. Each is found with the ones before it deflated: it is
    orthogonal to them, in the inner product of the norm, so that a multiple eigenvalue is found as often as it is one.

    Args:
        problem: with real fields, one ``Unknown``, the eigenvalue, and one ``Integral``, the norm, over the squares of the fields.
        count: how many.
        choices: the arguments of ``solve``, for each of them; ``time`` as well.

    Returns:
        Solutions: ``solution.unknowns["E"]`` is the eigenvalue. Only the first knows the problem's reference.

    Raises:
        ProblemError: the problem has not one unknown and one integral, or complex fields.

    Source: Y. Saad 2011, Numerical Methods for Large Eigenvalue Problems, chapters 4 and 5.
    """
    norms = [c for c in problem.constraints if isinstance(c, Integral)]
    if count < 1 or len(problem.unknowns) != 1 or len(norms) != 1 or problem.names.complexes:
        raise ProblemError(
            "eigenpairs() takes a problem of real fields with one unknown, the eigenvalue, and one Integral, the norm, and a count of at least "
            f"one; got {len(problem.unknowns)} unknowns, {len(norms)} integrals, {len(problem.names.complexes)} complex fields, count {count}."
        )
    found: list[Solution] = []
    for _ in range(count):
        found.append(solve(_deflated(problem, norms[0], found), **choices))
    return found


def _deflated(problem: Problem, norm: Integral, found: Sequence[Solution]) -> Problem:
    """The problem with its solution orthogonal to those found."""
    if not found:
        return problem
    apart = [Integral(f"orthogonal to {k}", _product(mode), over=norm.over, points=norm.points) for k, mode in enumerate(found, start=1)]
    return Problem(problem.domain, problem.fields, [*problem.constraints, *apart], unknowns=problem.unknowns, name=problem.name)


def _product(mode: Solution) -> Callable[[Local], object]:
    """The product, point by point, of the fields with those of a solution."""

    def product(s: Local):
        names, like = mode.problem.names.fields, next(iter(s.coordinates.values()))
        with torch.no_grad():
            known = mode.evaluate(Points(s.coordinates))
        return sum(getattr(s, n) * values.to(like) for n, values in zip(names, known, strict=True))

    return product
