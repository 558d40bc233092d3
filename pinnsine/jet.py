"""Truncated Taylor arithmetic: functions of the points that carry exact partial derivatives.

A *jet* is a batch of values together with whichever partial derivatives are asked of it. Jets mimic tensors: they pass through
arithmetic and through torch functions that have a rule here, so an ordinary ``nn.Module`` or an ordinary expression such as
``torch.sin(s.x) * s.u_x`` runs on them unchanged.

A component is computed when it is asked for, and remembered; one that vanishes identically is ``None`` and costs nothing. Inside a network
the components lie stacked in one tensor, so that an affine layer is one matrix product.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from pinnsine.component import imaginary as imaginary
from pinnsine.component import plus, times, total
from pinnsine.errors import EvaluationError
from pinnsine.index import Collapsed, Index, describe, make_index, splits
from pinnsine.jet_base import Context as Context
from pinnsine.jet_base import Jet, full, shared_context
from pinnsine.jet_base import values as values


class Coordinate(Jet):
    """A coordinate: its derivative by itself is one, all others vanish."""

    def __init__(self, name: str, points: Tensor, context: Context | None = None):
        super().__init__(context)
        self.name, self.points = name, points

    def _component(self, index):
        if index == ():
            return self.points
        return torch.ones_like(self.points) if index == (self.name,) else None


class Constant(Jet):
    """A value that does not depend on the coordinates: a coefficient or an unknown number."""

    def __init__(self, tensor: Tensor, context: Context | None = None):
        super().__init__(context)
        self.tensor = tensor

    def _component(self, index):
        return self.tensor if index == () else None


class Opaque(Jet):
    """Values whose derivatives are not known: asking for one is an error, never a silent zero."""

    def __init__(self, tensor: Tensor, reason: str, context: Context | None = None):
        super().__init__(context)
        self.tensor, self.reason = tensor, reason

    def _component(self, index):
        if index == ():
            return self.tensor
        raise EvaluationError(f"{self.reason} (asked for its derivative {describe(index)}).")


class Stack(Jet):
    """Components held in one tensor (K, N, ...), K = ``indices``; ``offset`` is added to the value alone."""

    def __init__(self, tensor: Tensor, context: Context, offset: Tensor | None = None, indices: tuple[Index, ...] | None = None):
        super().__init__(context)
        self.tensor, self.offset, self.indices = tensor, offset, indices or context.indices

    @functools.cached_property
    def parts(self) -> tuple[Tensor, ...]:
        """The components by themselves, unbound at once: the gradient of one taken by its number is a tensor of zeros for all of them."""
        return self.tensor.unbind(0)

    def stacked(self) -> Tensor:
        return self.tensor if self.offset is None else super().stacked()

    def _component(self, index):
        indices = self.indices
        if index == ():
            return plus(self.parts[0], self.offset)
        if index in indices:
            return self.parts[indices.index(index)]
        if isinstance(index, Collapsed):
            return total(self.at((name, name)) for name in index.names)
        raise EvaluationError(
            f"The derivative {describe(index)} was not seen when the constraint was traced: a residual must ask for the same "
            f"derivatives at every call (it asked for {', '.join(map(describe, indices))})."
        )


class Composed(Jet):
    """f(z) for a scalar function f given by its tower of derivatives f, f', f'', ... (Faà di Bruno's formula).

    With i the first coordinate of the index: D_{i+rest} f(z) = sum over splits of rest of D_a f'(z) D_{i+b} z.
    """

    def __init__(self, tower: Callable[[Tensor], Callable[[int], Tensor]], argument: Jet):
        super().__init__(argument.context)
        self.argument = argument
        self._tower = tower(argument.values)
        self._partial: dict[tuple[int, Index], Tensor | None] = {}

    def _component(self, index):
        return self._derivative(0, index)

    def _derivative(self, order: int, index: Index) -> Tensor | None:
        """The component ``index`` of the jet of f^(order)(z)."""
        key = order, index
        if key not in self._partial:
            self._partial[key] = self._compute(order, index)
        return self._partial[key]

    def _compute(self, order, index):
        z = self.argument
        if index == ():
            return self._tower(order)
        if isinstance(index, Collapsed):
            squares = total(times(z.at((n,)), z.at((n,))) for n in index.names)
            first = times(self._derivative(order + 1, ()), z.at(index))
            return plus(first, times(self._derivative(order + 2, ()), squares)) if squares is not None else first
        terms = []
        for count, outer, inner in splits(index[1:]):
            slope = z.at(make_index((index[0], *inner)))
            if slope is not None:
                terms.append(times(self._derivative(order + 1, outer), slope, count))
        return total(terms)


class Product(Jet):
    """A bilinear operation of two jets, differentiated by Leibniz' rule."""

    def __init__(self, first: Jet, second: Jet, operation: Callable[[Tensor, Tensor], Tensor] = torch.mul):
        super().__init__(shared_context(first, second))
        self.first, self.second, self.operation = first, second, operation

    def _component(self, index):
        crossed = ((2, (n,), (n,)) for n in index.names) if isinstance(index, Collapsed) else ()
        terms = ((1, index, ()), (1, (), index), *crossed) if isinstance(index, Collapsed) else splits(index)
        return total(self._term(count, self.first.at(i), j) for count, i, j in terms)

    def _term(self, count: int, first: Tensor | None, index: Index) -> Tensor | None:
        second = None if first is None else self.second.at(index)
        if second is None:
            return None
        if self.operation is not torch.mul:
            first, second = full(first, self.first), full(second, self.second)
        return times(first, second, count, self.operation)


class Linear(Jet):
    """A linear map applied to every component alike: sums over an axis, indexing, reshaping, scaling by a number."""

    def __init__(self, function: Callable[..., Tensor], *arguments: Jet):
        super().__init__(shared_context(*arguments))
        self.function, self.arguments = function, arguments

    def _component(self, index):
        parts = [a.at(index) for a in self.arguments]
        if all(p is None for p in parts):
            return None
        return self.function(*(full(p, a) for p, a in zip(parts, self.arguments, strict=True)))


class Sum(Jet):
    """The sum of two jets; a vanishing component of one costs nothing."""

    def __init__(self, first: Jet, second: Jet):
        super().__init__(shared_context(first, second))
        self.first, self.second = first, second

    def _component(self, index):
        return plus(self.first.at(index), self.second.at(index))


class Shifted(Jet):
    """The derivative of a jet by ``index``: component i of it is component index + i of the jet."""

    def __init__(self, jet: Jet, index: tuple[str, ...]):
        super().__init__(jet.context)
        self.jet, self.index = jet, index

    def _component(self, index):
        if not self.index:
            return self.jet.at(index)
        if isinstance(index, Collapsed):
            return total(self.jet.at(make_index((*self.index, n, n))) for n in index.names)
        component = self.jet.at(make_index((*self.index, *index)))
        return full(component, self.jet) if index == () else component  # a value is never None


class CollapsedLaplacian(Jet):
    """The sum over ``names`` of the second derivatives of a jet, propagated as one component while it is not differentiated."""

    def __init__(self, jet: Jet, names: tuple[str, ...]):
        super().__init__(jet.context)
        self.jet, self.names = jet, names

    def _component(self, index):
        if index == ():
            return full(self.jet.at(Collapsed(self.names)), self.jet)
        return total(Shifted(self.jet, (n, n)).at(index) for n in self.names)


def as_jet(value) -> Jet:
    """``value`` itself if it is a jet, else a constant."""
    if isinstance(value, Jet):
        return value
    dtype = torch.complex128 if isinstance(value, complex) else torch.float64
    return Constant(value if isinstance(value, Tensor) else torch.as_tensor(value, dtype=dtype))
