"""Three ways to the derivatives of a network, with one signature and one answer.

``evaluator(module, points, names, need) -> Stack``: ``module`` maps (N, d) to (N, m), ``points`` is (N, d) with columns ``names``,
``need`` the indices wanted; the result carries all of ``closure(need)`` as one tensor (K, N, m).

``taylor`` runs the module itself on jets: the fastest, for every module whose operations have a rule. ``forward`` nests
``torch.func.jvp``; ``reverse`` nests ``torch.autograd.grad`` and takes any module whatever, but cannot run inside ``torch.func``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from pinnsine.errors import EvaluationError, ProblemError
from pinnsine.index import Collapsed, Index, closure
from pinnsine.jet import Context, Jet, Stack

Evaluator = Callable[..., Stack]


def taylor(module: nn.Module, points: Tensor, names: Sequence[str], need: Iterable[Index], context: Context | None = None) -> Stack:
    """The module run on jets of its inputs: one matrix product a layer for all derivatives together."""
    context = replace(context or Context(), indices=closure(need))
    inputs = points.new_zeros((len(context.indices), *points.shape))
    inputs[0] = points
    for k, index in enumerate(context.indices):
        if len(index) == 1 and not isinstance(index, Collapsed):
            inputs[k, :, list(names).index(index[0])] = 1
    out = module(Stack(inputs, context))
    if not isinstance(out, Jet):
        raise EvaluationError(f"The network lost its derivatives: it returned {type(out).__name__} where an expression went in.")
    return _filled(out.stacked(), out.context if out.context is not None and out.context.indices else context)


def forward(module: nn.Module, points: Tensor, names: Sequence[str], need: Iterable[Index], context: Context | None = None) -> Stack:
    """Nested forward-mode differentiation, one chain of jvp per derivative."""
    context = replace(context or Context(), indices=closure(need))

    def along(function: Callable, name: str) -> Callable:
        direction = torch.zeros_like(points)
        direction[:, list(names).index(name)] = 1
        return lambda x: torch.func.jvp(function, (x,), (direction,))[1]

    def component(index: Index) -> Tensor:
        if isinstance(index, Collapsed):
            return sum(component((n, n)) for n in index.names)
        function = module
        for name in index:
            function = along(function, name)
        return function(points)

    return _filled(torch.stack([component(index) for index in context.indices]), context)


def reverse(module: nn.Module, points: Tensor, names: Sequence[str], need: Iterable[Index], context: Context | None = None) -> Stack:
    """Nested reverse-mode differentiation of each output column; every derivative is found from one of lower order."""
    context = replace(context or Context(), indices=closure(need))
    with torch.enable_grad():
        x = points.detach().requires_grad_()
        parts = {(): module(x)}  # index -> (N, m)
        for index in context.indices[1:]:
            if isinstance(index, Collapsed):
                for name in index.names:
                    parts.setdefault((name, name), column_slopes(parts[(name,)], x)[..., list(names).index(name)])
                parts[index] = sum(parts[(name, name)] for name in index.names)
            else:
                parts[index] = column_slopes(parts[index[:-1]], x)[..., list(names).index(index[-1])]
        return _filled(torch.stack([parts[index] for index in context.indices]), context)


def _filled(components: Tensor, context: Context) -> Stack:
    """The outputs of a network: outside of it, expressions carry what they are asked for and nothing else."""
    return Stack(components, replace(context, indices=None, tape=None), indices=context.indices)


def column_slopes(values: Tensor, x: Tensor) -> Tensor:
    """The derivatives of each column of ``values`` (N, m) by the inputs (N, d): (N, m, d), still differentiable."""
    if not values.requires_grad:
        return values.new_zeros((*values.shape, x.shape[1]))
    columns = [torch.autograd.grad(v.sum(), x, create_graph=True, allow_unused=True, materialize_grads=True)[0] for v in values.unbind(1)]
    return torch.stack(columns, dim=1)


EVALUATORS: dict[str, Evaluator] = {"taylor": taylor, "forward": forward, "reverse": reverse}


def choose_evaluator(name: str, module: nn.Module, points: Tensor, names: Sequence[str]) -> str:
    """The evaluator to use: ``name`` itself, or for "auto" the first of taylor, forward, reverse that can run the module.

    Raises ProblemError for an unknown name.
    """
    if name != "auto":
        if name not in EVALUATORS:
            raise ProblemError(f"Unknown evaluator {name!r}: choose one of 'auto', {', '.join(map(repr, EVALUATORS))}.")
        return name
    need = [(a, b) for a in sorted(names) for b in sorted(names) if a <= b]
    inside = (points[:1] + points[-1:]) / 2 + 0.137 * (points[-1:] - points[:1]) * torch.tensor([[-1.0], [0.3], [1.0]], dtype=points.dtype)
    truth = _derivatives("reverse", module, inside, names, need)
    for candidate in ("taylor", "forward"):
        found = _derivatives(candidate, module, inside, names, need)
        if found is not None and (truth is None or _agree(found, truth)):
            return candidate
    return "reverse"


def _derivatives(name: str, module: nn.Module, points: Tensor, names: Sequence[str], need) -> Tensor | None:
    """All components by one evaluator, or None where it cannot run the module, whatever the module raises then."""
    try:
        return EVALUATORS[name](module, points, names, need).tensor.detach()
    except Exception:
        return None


def _agree(found: Tensor, truth: Tensor) -> bool:
    """Equal to rounding: torch's own forward rules are wrong for some functions (layer_norm, twice differentiated)."""
    return found.shape == truth.shape and bool(((found - truth).abs().amax((1, 2)) <= 1e-9 * (1 + truth.abs().amax((1, 2)))).all())
