"""Derivatives and vector calculus of expressions: what a residual is written with.

Operators without a coordinate in their name (grad, div, curl, laplacian, advect) run over the space coordinates only.
"""

from __future__ import annotations

from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.index import make_index
from pinnsine.jet import CollapsedLaplacian, Constant, Jet, Shifted, as_jet


class Vector:
    """A vector with fixed components, each a batch of values: supports + - * / with vectors, expressions and numbers.

    ``Vector(a, b)`` has components a and b; ``*`` and ``/`` with another vector are refused: use ``dot``.
    """

    __array_ufunc__ = None

    def __init__(self, *components):
        if not components:
            raise ProblemError("A Vector needs at least one component, got none.")
        self.components = components

    def __len__(self) -> int:
        return len(self.components)

    def __iter__(self):
        return iter(self.components)

    def __getitem__(self, i: int):
        return self.components[i]

    def __add__(self, other):
        return Vector(*(a + b for a, b in self._pairs(other)))

    __radd__ = __add__

    def __sub__(self, other):
        return Vector(*(a - b for a, b in self._pairs(other)))

    def __rsub__(self, other):
        return Vector(*(b - a for a, b in self._pairs(other)))

    def __mul__(self, scalar):
        return Vector(*(a * scalar for a in self._scaled(scalar)))

    __rmul__ = __mul__

    def __truediv__(self, scalar):
        return Vector(*(a / scalar for a in self._scaled(scalar)))

    def __neg__(self):
        return Vector(*(-a for a in self))

    def dot(self, other: Vector):
        """The scalar product sum_i a_i b_i."""
        pairs = [a * b for a, b in self._pairs(other)]
        return sum(pairs[1:], start=pairs[0])

    def _pairs(self, other):
        others = other if isinstance(other, Vector) else Vector(*other) if isinstance(other, list | tuple) else None
        if others is None or len(others) != len(self):
            got = f"{len(others)} components" if others is not None else type(other).__name__
            raise ProblemError(f"A vector of {len(self)} components needs another of the same length here, got {got}.")
        return zip(self, others, strict=True)

    def _scaled(self, scalar):
        if isinstance(scalar, Vector):
            raise ProblemError("The product of two vectors is ambiguous: write a.dot(b) for the scalar product.")
        return self.components


def D(expression, *names: str):
    """The partial derivative of an expression by each of ``names`` in turn: ``D(k(s.x) * s.u_x, "x")``.

    A vector is differentiated component by component. A tensor that is no expression (a data column, say) is refused, because it
    carries no derivatives; a number is constant.
    """
    if isinstance(expression, Vector):
        return Vector(*(D(c, *names) for c in expression))
    if isinstance(expression, Tensor) and expression.ndim:
        raise ProblemError(
            "D() needs an expression of the state's names (s.x, s.u_x, ...), got a plain tensor, whose derivatives are not known: "
            "write it in terms of s."
        )
    if not names:
        raise ProblemError('D() needs the coordinate to differentiate by: D(expression, "x").')
    jet = as_jet(expression)
    known = jet.context.names if jet.context is not None else ()
    if known and (unknown := [n for n in names if n not in known]):
        raise ProblemError(f"D() by {unknown[0]!r}: there is no such coordinate, only {', '.join(known)}.")
    return Shifted(jet, make_index(names))


def space_of(expressions, operator: str) -> tuple[str, ...]:
    contexts = [e.context for e in expressions if isinstance(e, Jet) and e.context is not None]
    space = contexts[0].space if contexts else ()
    if not space:
        raise ProblemError(f"{operator} runs over the space coordinates, but this expression depends on none.")
    return space


def grad(expression) -> Vector:
    """The gradient (f_x, f_y, ...) over the space coordinates."""
    jet = as_jet(expression)
    return Vector(*(Shifted(jet, (n,)) for n in space_of([jet], "grad")))


def div(vector: Vector):
    """The divergence sum_i D_i v_i over the space coordinates; one component for each of them."""
    space = space_of(vector, "div")
    if len(space) != len(vector):
        raise ProblemError(f"div needs one component for each of {', '.join(space)}, got {len(vector)}.")
    parts = [D(v, n) for v, n in zip(vector, space, strict=True)]
    return sum(parts[1:], start=parts[0])


def curl(vector: Vector):
    """The curl: a Vector in three dimensions, the scalar v_x - u_y in two."""
    space = space_of(vector, "curl")
    if len(space) != len(vector) or len(space) not in (2, 3):
        raise ProblemError(f"curl needs two or three components, one for each space coordinate ({', '.join(space)}), got {len(vector)}.")
    if len(space) == 2:
        return D(vector[1], space[0]) - D(vector[0], space[1])
    pairs = ((1, 2), (2, 0), (0, 1))
    return Vector(*(D(vector[j], space[i]) - D(vector[i], space[j]) for i, j in pairs))


def laplacian(expression):
    """The Laplacian sum_i D_ii f over the space coordinates, of an expression or of each component of a vector.

    Carried as one component where the single second derivatives are not needed (see ``pinnsine.jet.Collapsed``).
    """
    if isinstance(expression, Vector):
        return Vector(*(laplacian(c) for c in expression))
    jet = as_jet(expression)
    return CollapsedLaplacian(jet, space_of([jet], "laplacian"))


def advect(velocity: Vector, expression):
    """The advection term (v . grad) f, of an expression or of each component of a vector."""
    if isinstance(expression, Vector):
        return Vector(*(advect(velocity, c) for c in expression))
    return velocity.dot(grad(expression))


def normal_derivative(expression):
    """The derivative n . grad f along the outward unit normal, at points of a boundary."""
    jet = as_jet(expression)
    normal = jet.context.normal if jet.context is not None else {}
    if not normal:
        raise ProblemError("The normal derivative exists on a boundary only: give the constraint a region with normals (on=...).")
    parts = [Shifted(jet, (n,)) * Constant(component) for n, component in normal.items()]
    return sum(parts[1:], start=parts[0])
