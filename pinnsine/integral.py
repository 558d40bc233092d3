"""Integrals, inside residuals and as constraints, by Gauss quadrature at nodes of each row's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pinnsine.constraint import Constraint
from pinnsine.domain import Box
from pinnsine.errors import EvaluationError, ProblemError
from pinnsine.jet import Jet, Opaque, values
from pinnsine.local import Local
from pinnsine.points import Points
from pinnsine.quadrature import tensor_rule, unit_rule


def integral(s: Local, integrand, /, *, points: int = 32, **limits):
    """The integral of an expression over some coordinates, as a term of a residual, by Gauss-Legendre quadrature.

        s.u - f(s.x) - ps.integral(s, lambda s, y: torch.exp(s.x - y.x) * y.u, x=(0, 1))        Fredholm
        s.u_t + ps.integral(s, lambda s, y: torch.exp(y.t - s.t) * y.u, t=(0, s.t))             Volterra

    Args:
        s: the state at the points (N,) of the residual.
        integrand: a function of two states: ``s`` itself, and the one at the nodes, where the coordinates integrated over run between
            their limits and all others are those of ``s``.
        points: nodes along each coordinate; the rule is exact for polynomials of degree 2 points - 1, so split an integral at a kink.
        limits: by coordinate, (lower, upper), each a number or a function of the coordinates of ``s`` such as ``s.x``.

    Returns:
        A batch of values (N,). It cannot be differentiated: differentiate under the integral sign.

    Raises:
        ProblemError: no coordinate is named, a limit depends on a field or an unknown, nodes lie outside the domain, or the integrand is
            not of the nodes' shape.
    """
    if not limits or points < 1:
        raise ProblemError("integral() needs at least one coordinate with its limits, as in x=(0, 1), and at least one node.")
    place = s.coordinates
    if unknown := [n for n in limits if n not in place]:
        raise ProblemError(f"integral() over {unknown[0]!r}: there is no such coordinate, only {', '.join(place)}.")
    like = next(iter(place.values()))
    unit, weights = unit_rule(len(limits), points, like)  # (Q, d), (Q,)
    columns = {n: c.repeat_interleave(len(weights)) for n, c in place.items()}
    weights = weights.repeat(len(like))
    for k, (name, pair) in enumerate(limits.items()):
        lower, upper = (_limit(name, limit, like) for limit in _ends(name, pair))
        length = upper - lower
        columns[name] = (lower[:, None] + length[:, None] * unit[:, k]).reshape(-1)
        weights = weights * length.repeat_interleave(len(unit))
    here, there = s.repeated(len(unit)), s.elsewhere(Points(columns))
    try:
        terms = values(integrand(here, there))
        total = (terms * weights).view(len(like), -1).sum(dim=1)
    except EvaluationError:
        raise
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ProblemError(
            f"The integrand of {', '.join(limits)} must return values at all nodes, of shape {tuple(weights.shape)}, which failed ({error}): "
            "read every name from the integrand's own arguments, lambda s, y: ..., not from the residual's s."
        ) from error
    return Opaque(total, "An integral is known by its values: differentiate under the integral sign", s.context)


def _ends(name: str, pair) -> tuple:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ProblemError(f"integral(): {name}= takes its lower and upper limit, as in {name}=(0, 1), got {pair!r}.")
    return tuple(pair)


def _limit(name: str, limit, like: torch.Tensor) -> torch.Tensor:
    """A limit at every row (N,)."""
    found = torch.as_tensor(values(limit), dtype=like.dtype, device=like.device)
    if found.requires_grad:
        raise ProblemError(
            f"integral(): a limit of {name} depends on a field or an unknown, with which its nodes would move: substitute the variable, so "
            "that the limits are numbers or functions of the coordinates."
        )
    return found.expand_as(like)


QUADRATURE = "quadrature_weight"


@dataclass(frozen=True)
class Integral(Constraint):
    """The integral of an expression over some coordinates: ``Integral("mass", lambda s: s.u, over="x", equals=1.0)``.

    One row for each value of the other coordinates, a single row where there are none. Gauss quadrature with ``points`` nodes along
    each coordinate integrated over; ``equals`` is a number or a function of the other coordinates.
    """

    integrand: Callable[[Local], object]
    over: str | tuple[str, ...] = field(kw_only=True)
    equals: float | Callable = field(default=0.0, kw_only=True)
    points: int = field(default=32, kw_only=True)

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "over", (self.over,) if isinstance(self.over, str) else tuple(self.over))
        if not callable(self.integrand):
            raise ProblemError(f"Constraint {self.name!r}: an integrand is a function of s, got {self.integrand!r}.")
        if not self.over or self.points < 1:
            raise ProblemError(f"Constraint {self.name!r}: an integral runs over at least one coordinate with at least one node each.")

    @property
    def nodes(self) -> int:
        return self.points ** len(self.over)

    def region(self, domain):
        rest = [a for a in domain.axes if a.name not in self.over]
        return Box(*rest) if rest else Points({a.name: [a.lower] for a in domain.axes})

    def expand(self, points, domain):
        nodes, weights = tensor_rule([domain.axis(n) for n in self.over], self.points)
        like = points[points.names[0]]
        nodes, weights = nodes.to(like.dtype, like.device), weights.to(like)
        rows = len(points)
        columns = {n: nodes[n].repeat(rows) if n in self.over else points[n].repeat_interleave(self.nodes) for n in domain.names}
        return Points({**columns, QUADRATURE: weights.repeat(rows)})

    def residual(self, s):
        integrand, weights = self.integrand(s), values(getattr(s.data, QUADRATURE))
        if not isinstance(integrand, Jet | Tensor) or tuple(integrand.shape) != tuple(weights.shape):
            got = tuple(integrand.shape) if isinstance(integrand, Jet | Tensor) else type(integrand).__name__
            raise ProblemError(
                f"Constraint {self.name!r}: an integrand has values of shape (N,) = ({len(weights)},), got {got}: write it in s."
            )
        terms = values(integrand) * weights
        equals = self.equals(s.node(0, self.nodes)) if callable(self.equals) else self.equals
        return terms.view(-1, self.nodes).sum(dim=1) - values(equals)
