"""Truncated Taylor arithmetic: functions of the points that carry exact partial derivatives.

A *jet* is a batch of values together with whichever partial derivatives are asked of it. Jets mimic tensors: they pass through
arithmetic and through torch functions that have a rule here, so an ordinary ``nn.Module`` or an ordinary expression such as
``torch.sin(s.x) * s.u_x`` runs on them unchanged.

An *index* names one derivative: the sorted tuple of the coordinates differentiated by, ``()`` for the value and ``("t", "x", "x")``
for u_txx. ``Collapsed(("x", "y"))`` names the sum u_xx + u_yy, which propagates as one component where the single second
derivatives are not needed (Bettencourt, Johnson & Duvenaud 2019; Dangel et al. 2025, arXiv 2505.13644). Components that vanish
identically are ``None`` and cost nothing.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from pinnsine.errors import EvaluationError
from pinnsine.towers import TOWERS, power_tower


class Collapsed(NamedTuple):
    """The index of a collapsed Laplacian: the sum over ``names`` of the second derivatives."""

    names: tuple[str, ...]


Index = tuple[str, ...] | Collapsed


def make_index(names: Iterable[str]) -> Index:
    """The index of the derivative by each of ``names``, in the canonical order."""
    return tuple(sorted(names))


def closure(need: Iterable[Index]) -> tuple[Index, ...]:
    """Every index that Taylor arithmetic passes through on the way to ``need``, lowest order first.

    A collapsed index is dropped where all its second derivatives are carried anyway.
    """
    need = set(need)
    single = {()}
    for index in need:
        if isinstance(index, Collapsed):
            single.update((name,) for name in index.names)
        else:
            for order in range(1, len(index) + 1):
                single.update(itertools.combinations(index, order))
    collapsed = {i for i in need if isinstance(i, Collapsed) and not all((n, n) in single for n in i.names)}
    return (*sorted(single, key=lambda i: (len(i), i)), *sorted(collapsed))


def describe(index: Index) -> str:
    """The index as it is written in a residual: ``xx``, or ``laplacian(x, y)``."""
    return f"laplacian({', '.join(index.names)})" if isinstance(index, Collapsed) else "".join(index) or "value"


@functools.lru_cache(maxsize=4096)
def splits(index: tuple[str, ...]) -> tuple[tuple[int, tuple[str, ...], tuple[str, ...]], ...]:
    """Leibniz' rule: (multiplicity, derivative of the first factor, derivative of the second)."""
    counts: Counter = Counter()
    for mask in itertools.product((True, False), repeat=len(index)):
        first = tuple(n for n, m in zip(index, mask, strict=True) if m)
        second = tuple(n for n, m in zip(index, mask, strict=True) if not m)
        counts[first, second] += 1
    return tuple((count, first, second) for (first, second), count in counts.items())


@dataclass(frozen=True)
class Context:
    """What an expression knows of the place where it is evaluated.

    ``space``: names of the space coordinates, over which grad, div and laplacian run. ``normal``: components of the outward unit
    normal by coordinate, where the points lie on a boundary. ``indices``: the derivatives that a network must carry. ``tape``:
    receives (weight, bias, input stack, output stack) of every linear layer evaluated, for the one-backward Jacobian.
    """

    space: tuple[str, ...] = ()
    normal: Mapping[str, Tensor] = field(default_factory=dict)
    indices: tuple[Index, ...] | None = None
    tape: list | None = None


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
        return apply(function, args, kwargs or {})

    def __getattr__(self, name: str):
        method = getattr(Tensor, name, None) if not name.startswith("_") else None
        if method is None or not callable(method):
            raise AttributeError(f"an expression has no attribute {name!r}")
        return lambda *args, **kwargs: apply(method, (self, *args), kwargs)

    def __add__(self, other):
        return add(self, other)

    __radd__ = __add__

    def __sub__(self, other):
        return add(self, negative(other))

    def __rsub__(self, other):
        return add(other, negative(self))

    def __mul__(self, other):
        return multiply(self, other)

    __rmul__ = __mul__

    def __truediv__(self, other):
        return divide(self, other)

    def __rtruediv__(self, other):
        return divide(other, self)

    def __pow__(self, exponent):
        return power(self, exponent)

    def __rpow__(self, base):
        return power(base, self)

    def __matmul__(self, other):
        return apply(torch.matmul, (self, other), {})

    def __neg__(self):
        return negative(self)

    def __pos__(self):
        return self

    def __abs__(self):
        return apply(torch.abs, (self,), {})

    def __getitem__(self, key):
        return Linear(lambda v: v[key], self)

    def __lt__(self, other):
        return self.values < values(other)

    def __le__(self, other):
        return self.values <= values(other)

    def __gt__(self, other):
        return self.values > values(other)

    def __ge__(self, other):
        return self.values >= values(other)

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
    """Components held in one tensor (K, N, ...), K = the indices of the context; ``offset`` is added to the value alone."""

    def __init__(self, tensor: Tensor, context: Context, offset: Tensor | None = None):
        super().__init__(context)
        self.tensor, self.offset = tensor, offset

    def stacked(self) -> Tensor:
        return self.tensor if self.offset is None else super().stacked()

    def _component(self, index):
        indices = self.context.indices
        if index == ():
            return plus(self.tensor[0], self.offset)
        if index in indices:
            return self.tensor[indices.index(index)]
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
        return self.jet.at(make_index((*self.index, *index)))


class CollapsedLaplacian(Jet):
    """The sum over ``names`` of the second derivatives of a jet, propagated as one component while it is not differentiated."""

    def __init__(self, jet: Jet, names: tuple[str, ...]):
        super().__init__(jet.context)
        self.jet, self.names = jet, names

    def _component(self, index):
        if index == ():
            return self.jet.at(Collapsed(self.names))
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
    return Constant(value if isinstance(value, Tensor) else torch.as_tensor(value, dtype=torch.float64))


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
        return jet if number == 0 else Sum(jet, Constant(jet.values.new_tensor(number), None))
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
    if isinstance(exponent, Jet | Tensor):
        logarithm = torch.log(base) if isinstance(base, Jet | Tensor) else torch.log(torch.as_tensor(base, dtype=torch.float64))
        return Composed(TOWERS["exp"], as_jet(exponent) * logarithm)
    return Composed(power_tower(exponent), base)


def where(condition, a, b) -> Jet:
    condition = values(condition)
    return Linear(functools.partial(torch.where, condition), as_jet(a), as_jet(b))


def linear(jet, weight: Tensor, bias: Tensor | None = None) -> Jet:
    """The affine layer of a network: one matrix product for all components, the bias in the value alone."""
    context = jet.context
    if context is None or context.indices is None:
        product = Linear(lambda v: v @ weight.T, jet)
        return product if bias is None else add(product, bias)
    inputs = jet.stacked()  # (K, N, in)
    outputs = inputs @ weight.T  # (K, N, out)
    if context.tape is not None:
        context.tape.append((weight, bias, inputs, outputs))
    return Stack(outputs, context, bias)


def sequence_map(function: Callable, jets: Sequence, *args, **kwargs) -> Jet:
    """A function of a list of tensors that acts on every component alike (cat, stack)."""
    return Linear(lambda *parts: function(list(parts), *args, **kwargs), *map(as_jet, jets))


LINEAR = {"neg", "negative", "sum", "mean", "reshape", "view", "unsqueeze", "squeeze", "flatten", "expand", "transpose", "permute",
          "narrow", "select", "index_select", "movedim", "t", "cumsum", "diff", "contiguous", "to", "double", "float", "clone",
          "__getitem__", "unflatten", "repeat", "roll", "flip"}  # fmt: skip
BILINEAR = {"mul": torch.mul, "multiply": torch.mul, "matmul": torch.matmul, "mm": torch.mm, "bmm": torch.bmm, "dot": torch.dot}
PLAIN = {"lt", "le", "gt", "ge", "eq", "ne", "sign", "isfinite", "isnan", "zeros_like", "ones_like", "numel", "size", "dim", "detach",
         "floor", "ceil", "round", "logical_and", "logical_or", "is_floating_point"}  # fmt: skip
SPECIAL = {"add": add, "sub": lambda a, b, alpha=1: add(a, multiply(b, -alpha) if alpha != 1 else negative(b)),
           "rsub": lambda a, b: add(b, negative(a)), "div": divide, "true_divide": divide, "pow": power, "float_power": power,
           "linear": linear, "where": where, "rdiv": lambda a, b: divide(b, a)}  # fmt: skip
ALIASES = {"subtract": "sub", "divide": "div", "absolute": "abs", "arctan": "atan", "concat": "cat", "concatenate": "cat"}


def apply(function: Callable, args: tuple, kwargs: dict) -> Jet | Tensor:
    """One torch function on jets: its Taylor rule, or values that refuse to be differentiated."""
    name = getattr(function, "__name__", str(function))
    name = name if name == "__getitem__" else name.strip("_")
    name = {"radd": "add", "rmul": "mul", "truediv": "div", "rtruediv": "rdiv", "rpow": "rpow"}.get(name, ALIASES.get(name, name))
    if name in TOWERS and isinstance(args[0], Jet) and len(args) == 1:
        return Composed(TOWERS[name], args[0])
    if name in SPECIAL:
        return SPECIAL[name](*args, **kwargs)
    if name == "rpow":
        return power(args[1], args[0])
    if name in ("mul", "multiply"):
        return multiply(*args)
    if name in BILINEAR:
        return Product(as_jet(args[0]), as_jet(args[1]), BILINEAR[name])
    if name in LINEAR and isinstance(args[0], Jet):
        return Linear(lambda v: function(v, *args[1:], **kwargs), args[0])
    if name in ("cat", "stack"):
        return sequence_map(function, *args, **kwargs)
    plain = [[values(b) for b in a] if isinstance(a, list | tuple) else values(a) for a in args]
    result = function(*plain, **{k: values(v) for k, v in kwargs.items()})
    if name in PLAIN or not isinstance(result, Tensor):
        return result
    context = shared_context(*(a for a in args if isinstance(a, Jet)))
    if context is not None and context.indices is not None and len(context.indices) > 1:
        raise EvaluationError(f"torch's {name!r} has no Taylor rule: choose evaluator='forward' or 'reverse' for this network.")
    return Opaque(result, f"torch's {name!r} has no Taylor rule, so its result cannot be differentiated", context)
