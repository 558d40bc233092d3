"""A linear layer of which every point sees a few columns: those of the functions that do not vanish there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.jet import Jet, Stack
from pinnsine.layer_input import by_row

CACHED = 2**21  # weights gathered at a time


def local_sum(x, weight: Tensor, columns: Tensor):
    """sum over l of weight[o, columns[n, l]] x[n, l]: (N, L) -> (N, m), on tensors and on jets inside a network.

    ``weight`` (m, P) and the ``columns`` (N, L) that the points see, all different at each of them.
    """
    if not isinstance(x, Jet):
        return _combined(x[None], weight, columns)[0]
    inputs, tape = LocalInput(x.stacked(), columns, weight.shape[1]), x.context.tape
    outputs = inputs.times(weight if tape is None else weight.detach())  # slopes by the outputs are all that is asked for then
    if tape is not None:
        tape.append((weight, None, inputs, outputs.requires_grad_()))
    return Stack(outputs, x.context)


@dataclass(frozen=True)
class LocalInput:
    """The inputs of such a layer with all their derivatives: ``tensor`` (K, N, L) in the ``columns`` (N, L) of ``width``."""

    tensor: Tensor
    columns: Tensor
    width: int

    def stacked(self) -> Tensor:
        """The inputs with their zeros (K, N, width)."""
        full = self.tensor.new_zeros(*self.tensor.shape[:2], self.width)
        return full.scatter_(2, self.columns.expand_as(self.tensor), self.tensor.detach())

    def times(self, weight: Tensor) -> Tensor:
        """The layer's outputs (K, N, m) for weight (m, width)."""
        return _combined(self.tensor, weight, self.columns)

    def outer(self, slopes: Tensor, nodes: int, rows: slice) -> Tensor:
        """sum over derivatives and a row's nodes of slopes (x) inputs: (rows, m, width), for slopes (K, N, m), N = rows times nodes."""
        part = slice(rows.start * nodes, rows.stop * nodes)
        inputs = LocalInput(self.tensor[:, part], self.columns[part], self.width).stacked()
        return torch.einsum("kno,kni->noi", by_row(slopes[:, part], nodes), by_row(inputs, nodes))


def _combined(x: Tensor, weight: Tensor, columns: Tensor) -> Tensor:
    """x (K, N, L) times the weights (m, P) of its columns (N, L), summed over L: (K, N, m)."""
    step = max(1, CACHED // (columns.shape[1] * len(weight)))
    parts = [slice(start, start + step) for start in range(0, len(columns), step)]
    return torch.cat([torch.einsum("knl,mnl->knm", x[:, p], weight[:, columns[p]]) for p in parts], dim=1)
