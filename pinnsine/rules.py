"""Which torch functions run on jets, and how: ``apply`` is what ``Jet.__torch_function__`` calls."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from pinnsine.arithmetic import add, divide, multiply, negative, power
from pinnsine.complex_jet import Modulus
from pinnsine.component import imaginary, plus, times, total
from pinnsine.errors import EvaluationError
from pinnsine.index import Collapsed
from pinnsine.jet import Composed, Jet, Linear, Opaque, Product, Shifted, Stack, as_jet, shared_context, values
from pinnsine.towers import TOWERS


def where(condition, a, b) -> Jet:
    condition = values(condition)
    return Linear(functools.partial(torch.where, condition), as_jet(a), as_jet(b))


def linear(jet, weight: Tensor, bias: Tensor | None = None) -> Jet:
    """The affine layer of a network: one matrix product for all components, the bias in the value alone."""
    context = jet.context
    if context is None or context.indices is None:
        product = Linear(lambda v: v @ weight.T, jet)
        return product if bias is None else add(product, bias)
    inputs = jet.layer_input()
    outputs = inputs.times(weight)  # (K, N, out)
    if context.tape is not None:
        if not outputs.requires_grad:  # the first layer with its weight held: its bias may be free
            outputs.requires_grad_()
        context.tape.append((weight, bias, inputs, outputs))
    return Stack(outputs, context, bias)


class Angle(Jet):
    """atan2(y, x) of two jets: its derivative by any coordinate is (x y' - y x') / (x^2 + y^2), across the cut as well."""

    def __init__(self, y: Jet, x: Jet):
        super().__init__(shared_context(y, x))
        self.y, self.x = y, x

    def _component(self, index):
        if index == ():
            return torch.atan2(self.y.values, self.x.values)
        if isinstance(index, Collapsed):
            return self._laplacian(index)
        dy, dx = Shifted(self.y, index[:1]), Shifted(self.x, index[:1])
        return divide(self.x * dy - self.y * dx, self.x * self.x + self.y * self.y).at(index[1:])

    def _laplacian(self, index: Collapsed) -> Tensor | None:
        """(x lap y - y lap x) / r^2 - 2 (x grad y - y grad x) . (x grad x + y grad y) / r^4: of single second derivatives there may be none."""
        x, y = self.x.values, self.y.values
        squares, parts = x * x + y * y, []
        for n in index.names:
            dx, dy = self.x.at((n,)), self.y.at((n,))
            across = plus(times(dy, x), times(dx, y, -1))
            along = plus(times(dx, x), times(dy, y))
            parts.append(times(times(across, along), 1 / squares**2, -2))
        bent = plus(times(self.y.at(index), x), times(self.x.at(index), y, -1))
        return total([times(bent, 1 / squares), *parts])


def angle(y, x) -> Jet:
    return Angle(as_jet(y), as_jet(x))


def modulus(jet: Jet) -> Jet:
    """|z|, real or complex."""
    return Modulus(jet) if jet.values.is_complex() else Composed(TOWERS["abs"], jet)


def sequence_map(function: Callable, jets: Sequence, *args, **kwargs) -> Jet:
    """A function of a list of tensors that acts on every component alike (cat, stack)."""
    return Linear(lambda *parts: function(list(parts), *args, **kwargs), *map(as_jet, jets))


LINEAR = {"neg", "negative", "sum", "mean", "reshape", "view", "unsqueeze", "squeeze", "flatten", "expand", "transpose", "permute",
          "narrow", "select", "index_select", "movedim", "t", "cumsum", "diff", "contiguous", "to", "double", "float", "clone",
          "__getitem__", "unflatten", "repeat", "roll", "flip", "detach", "real", "conj", "conj_physical"}  # fmt: skip
BILINEAR = {"mul": torch.mul, "multiply": torch.mul, "matmul": torch.matmul, "mm": torch.mm, "bmm": torch.bmm, "dot": torch.dot}
SPLITTING = {"chunk", "split", "unbind", "tensor_split"}
PLAIN = {"lt", "le", "gt", "ge", "eq", "ne", "sign", "isfinite", "isnan", "zeros_like", "ones_like", "numel", "size", "dim",
         "floor", "ceil", "round", "logical_and", "logical_or", "is_floating_point"}  # fmt: skip
SPECIAL = {"add": add, "sub": lambda a, b, alpha=1: add(a, multiply(b, -alpha) if alpha != 1 else negative(b)),
           "rsub": lambda a, b: add(b, negative(a)), "div": divide, "true_divide": divide, "pow": power, "float_power": power,
           "linear": linear, "where": where, "rdiv": lambda a, b: divide(b, a), "abs": modulus,
           "imag": lambda jet: Linear(imaginary, jet), "atan2": angle, "arctan2": angle}  # fmt: skip
ALIASES = {"subtract": "sub", "divide": "div", "absolute": "abs", "arctan": "atan", "concat": "cat", "concatenate": "cat"}


def apply(function: Callable, args: tuple, kwargs: dict) -> Jet | Tensor:
    """One torch function on jets: its Taylor rule, or values that refuse to be differentiated."""
    name = getattr(function, "__name__", str(function))
    if name.endswith("_") and not name.endswith("__"):
        raise EvaluationError(f"Expressions are not changed in place, as torch's {name!r} does: write y = x.{name[:-1]}(...).")
    name = name if name == "__getitem__" else name.strip("_")
    name = {"radd": "add", "rmul": "mul", "truediv": "div", "rtruediv": "rdiv", "rpow": "rpow"}.get(name, ALIASES.get(name, name))
    if name in TOWERS and name not in SPECIAL and isinstance(args[0], Jet) and len(args) == 1 and not kwargs:
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
        return Linear(lambda v: function(v.contiguous() if name == "view" else v, *args[1:], **kwargs), args[0])
    if name in SPLITTING and isinstance(args[0], Jet):
        count = len(function(args[0].values, *args[1:], **kwargs))
        return tuple(Linear(lambda v, i=i: function(v, *args[1:], **kwargs)[i], args[0]) for i in range(count))
    if name in ("cat", "stack"):
        return sequence_map(function, *args, **kwargs)
    plain = [[values(b) for b in a] if isinstance(a, list | tuple) else values(a) for a in args]
    result = function(*plain, **{k: values(v) for k, v in kwargs.items()})
    if name in PLAIN:
        return result
    context = shared_context(*(a for a in args if isinstance(a, Jet)))
    reason = f"torch's {name!r} has no Taylor rule, so its result cannot be differentiated; evaluator='forward' or 'reverse' runs any network"

    def guarded(value):
        return Opaque(value, reason, context) if isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex()) else value

    return tuple(map(guarded, result)) if isinstance(result, tuple | list) else guarded(result)
