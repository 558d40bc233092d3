"""What every jet has: components that are computed when they are asked for, the operators of a tensor, and the place it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Number

import numpy as np
import torch
from torch import Tensor

from pinnsine.errors import EvaluationError
from pinnsine.index import Index
from pinnsine.layer_input import StackedInput


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


def operator(function: Callable, reflected: bool = False) -> Callable:
    """The operator that a torch function stands for, by the function's own rule; ``reflected``: with the jet on the right."""
    return binary(lambda self, other: self.__torch_function__(function, (type(self),), (other, self) if reflected else (self, other)))


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

    real = property(lambda self: self.__torch_function__(torch.real, (type(self),), (self,)))
    imag = property(lambda self: self.__torch_function__(torch.imag, (type(self),), (self,)))
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

    __add__ = __radd__ = operator(torch.add)
    __sub__ = operator(torch.sub)
    __rsub__ = operator(torch.sub, reflected=True)
    __mul__ = __rmul__ = operator(torch.mul)
    __truediv__ = operator(torch.div)
    __rtruediv__ = operator(torch.div, reflected=True)
    __pow__ = operator(torch.pow)
    __rpow__ = operator(torch.pow, reflected=True)

    def __matmul__(self, other):
        return self.__torch_function__(torch.matmul, (type(self),), (self, other))

    def __neg__(self):
        return self.__torch_function__(torch.neg, (type(self),), (self,))

    def __pos__(self):
        return self

    def __abs__(self):
        return self.__torch_function__(torch.abs, (type(self),), (self,))

    def __getitem__(self, key):
        return self.__torch_function__(Tensor.__getitem__, (type(self),), (self, key))

    __lt__ = binary(lambda self, other: self.values < values(other))
    __le__ = binary(lambda self, other: self.values <= values(other))
    __gt__ = binary(lambda self, other: self.values > values(other))
    __ge__ = binary(lambda self, other: self.values >= values(other))
    __eq__ = binary(lambda self, other: self.values == values(other))
    __ne__ = binary(lambda self, other: self.values != values(other))

    __hash__ = object.__hash__


def full(component: Tensor | None, jet: Jet) -> Tensor:
    """A component in the shape of the jet's values: broadcasting and vanishing are spelt out."""
    return torch.zeros_like(jet.values) if component is None else component.expand_as(jet.values)


def shared_context(*jets: Jet) -> Context | None:
    """The context of the first jet that has one, one that a network must fill first."""
    known = [j.context for j in jets if j.context is not None]
    return next((c for c in known if c.indices is not None), known[0] if known else None)


def values(value):
    """The plain tensor of a jet; anything else unchanged."""
    return value.values if isinstance(value, Jet) else value
