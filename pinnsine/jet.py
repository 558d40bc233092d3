"""Truncated Taylor arithmetic: functions of the points that carry exact partial derivatives.

A *jet* is a batch of values together with whichever partial derivatives are asked of it. Jets mimic tensors: they pass through
arithmetic and through torch functions that have a rule here, so an ordinary ``nn.Module`` or an ordinary expression such as
``torch.sin(s.x) * s.u_x`` runs on them unchanged.

A component is computed when it is asked for, and remembered; one that vanishes identically is ``None`` and costs nothing. Inside a network
the components lie stacked in one tensor, so that an affine layer is one matrix product.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Number

import numpy as np
import torch
from torch import Tensor

from pinnsine.errors import EvaluationError
from pinnsine.index import Collapsed, Index, describe, make_index, splits
from pinnsine.layer_input import StackedInput
from pinnsine.towers import TOWERS, power_tower


@dataclass(frozen=True)
class Context:
    """What an expression knows of the place where it is evaluated.

    ``names``: names of all coordinates, where they are known. ``space``: names of the space coordinates, over which grad, div and
    laplacian run. ``normal``: components of the outward unit normal by coordinate, where the points lie on a boundary. ``indices``: the
    derivatives that a network must carry, ``wanted``: those of them that its result must have, where its last layer needs no others.
    ``tape``: receives (weight, bias, layer input, output stack) of every linear layer evaluated, for the one-backward Jacobian.
    """

    names: tuple[str, ...] = ()
    space: tuple[str, ...] = ()
    normal: Mapping[str, Tensor] = field(default_factory=dict)
    indices: tuple[Index, ...] | None = None
    wanted: tuple[Index, ...] | None = None
    tape: list | None = None


def binary(operation: Callable) -> Callable:
    """An operator of a jet with numbers, arrays, tensors and jets; anything else is asked for its own rule."""

    def method(self, other):
        if isinstance(other, np.ndarray):
            other = torch.as_tensor(other)
        return operation(self, other) if isinstance(other, Jet | Tensor | Number) else NotImplemented

    return method


class Jet:
    """A batch of values that mimics a tensor and carries exact derivatives. Abstract: see the final classes below."""

    __array_ufunc__ = None  # a numpy scalar on the left must defer to __rmul__ and its kind

    def __init__(self, context: Context | None):
        self.context = context
        self._components: dict[Index, Tensor | None] = {}

    def at(self, index: Index = ()) -> Tensor | None:
        """The derivative named by ``index``; None where it vanishes identically."""
        if index not in self._components:
            self._components[index] = self._component(index)
        return self._components[index]

    def _component(self, index: Index) -> Tensor | None:
        raise NotImplementedError

    @property
    def values(self) -> Tensor:
        """The values themselves, without derivatives."""
        return self.at(())

    def stacked(self) -> Tensor:
        """All components that the context asks for as one tensor (K, N, ...)."""
        return torch.stack([full(self.at(index), self) for index in self.context.indices])

    def layer_input(self) -> StackedInput:
        """These values as what a linear layer is fed."""
        return StackedInput(self.stacked())

    real = property(lambda self: Linear(torch.real, self))
    imag = property(lambda self: Linear(imaginary, self))
    shape = property(lambda self: self.values.shape)
    ndim = property(lambda self: self.values.ndim)
    dtype = property(lambda self: self.values.dtype)
    device = property(lambda self: self.values.device)

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self):
        raise EvaluationError("A batch of values cannot be iterated over: write the expression for the whole batch at once.")

    def __bool__(self) -> bool:
        raise EvaluationError("A batch of values has no single truth value: use torch.where(condition, a, b) in place of `if` or `and`.")

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        from pinnsine.rules import apply

        return apply(function, args, kwargs or {})

    def __getattr__(self, name: str):
        method = getattr(Tensor, name, None) if not name.startswith("_") else None
        if method is None or not callable(method):
            raise AttributeError(f"an expression has no attribute {name!r}")
        return lambda *args, **kwargs: self.__torch_function__(method, (type(self),), (self, *args), kwargs)

    __add__ = __radd__ = binary(lambda self, other: add(self, other))
    __sub__ = binary(lambda self, other: add(self, negative(other)))
    __rsub__ = binary(lambda self, other: add(other, negative(self)))
    __mul__ = __rmul__ = binary(lambda self, other: multiply(self, other))
    __truediv__ = binary(lambda self, other: divide(self, other))
    __rtruediv__ = binary(lambda self, other: divide(other, self))
    __pow__ = binary(lambda self, exponent: power(self, exponent))
    __rpow__ = binary(lambda self, base: power(base, self))

    def __matmul__(self, other):
        return self.__torch_function__(torch.matmul, (type(self),), (self, other))

    def __neg__(self):
        return negative(self)

    def __pos__(self):
        return self

    def __abs__(self):
        return self.__torch_function__(torch.abs, (type(self),), (self,))

    def __getitem__(self, key):
        return Linear(lambda v: v[key], self)

    __lt__ = binary(lambda self, other: self.values < values(other))
    __le__ = binary(lambda self, other: self.values <= values(other))
    __gt__ = binary(lambda self, other: self.values > values(other))
    __ge__ = binary(lambda self, other: self.values >= values(other))
    __eq__ = binary(lambda self, other: self.values == values(other))
    __ne__ = binary(lambda self, other: self.values != values(other))

    __hash__ = object.__hash__


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


def plus(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    """a + b, where None stands for zero."""
    if a is None or b is None:
        return b if a is None else a
    return a + b


def times(a: Tensor | None, b: Tensor | None, factor: float = 1, operation=torch.mul) -> Tensor | None:
    """factor * operation(a, b), where None stands for zero."""
    if a is None or b is None:
        return None
    product = operation(a, b)
    return product if factor == 1 else factor * product


def total(terms: Iterable[Tensor | None]) -> Tensor | None:
    """The sum of ``terms``, where None stands for zero."""
    return functools.reduce(plus, terms, None)


def imaginary(values: Tensor) -> Tensor:
    """The imaginary part, zero for real values."""
    return values.imag if values.is_complex() else torch.zeros_like(values)


def full(component: Tensor | None, jet: Jet) -> Tensor:
    """A component in the shape of the jet's values: broadcasting and vanishing are spelt out."""
    return torch.zeros_like(jet.values) if component is None else component.expand_as(jet.values)


def shared_context(*jets: Jet) -> Context | None:
    """The context of the first jet that has one, one that a network must fill first."""
    known = [j.context for j in jets if j.context is not None]
    return next((c for c in known if c.indices is not None), known[0] if known else None)


def as_jet(value) -> Jet:
    """``value`` itself if it is a jet, else a constant."""
    if isinstance(value, Jet):
        return value
    dtype = torch.complex128 if isinstance(value, complex) else torch.float64
    return Constant(value if isinstance(value, Tensor) else torch.as_tensor(value, dtype=dtype))


def values(value):
    """The plain tensor of a jet; anything else unchanged."""
    return value.values if isinstance(value, Jet) else value


def is_number(value) -> bool:
    return not isinstance(value, Jet | Tensor)


def add(a, b, *, alpha=1) -> Jet:
    if alpha != 1:
        b = multiply(b, alpha)
    if is_number(a) or is_number(b):
        jet, number = (b, a) if is_number(a) else (a, b)
        dtype = jet.values.dtype.to_complex() if isinstance(number, complex) else jet.values.dtype
        return jet if number == 0 else Sum(jet, Constant(jet.values.new_tensor(number, dtype=dtype), None))
    return Sum(as_jet(a), as_jet(b))


def negative(a):
    return Linear(torch.neg, a) if isinstance(a, Jet) else -a


def multiply(a, b) -> Jet:
    if is_number(a) or is_number(b):
        jet, number = (b, a) if is_number(a) else (a, b)
        return Linear(lambda v: number * v, jet)
    return Product(as_jet(a), as_jet(b))


def divide(a, b) -> Jet:
    if not isinstance(b, Jet):
        return Linear(lambda v: v / b, a)
    return multiply(a, Composed(power_tower(-1), b))


def power(base, exponent) -> Jet:
    if isinstance(exponent, Tensor) and exponent.ndim == 0 and not exponent.requires_grad:
        exponent = exponent.item()
    if isinstance(exponent, Jet | Tensor):
        logarithm = torch.log(base) if isinstance(base, Jet | Tensor) else torch.log(torch.as_tensor(base, dtype=torch.float64))
        return Composed(TOWERS["exp"], as_jet(exponent) * logarithm)
    return Composed(power_tower(exponent), base)
