"""What a linear layer is fed, and the products that its values, its Jacobian and its kernel need."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class StackedInput:
    """The inputs of a layer with all their derivatives as one tensor (K, N, in)."""

    tensor: Tensor

    def times(self, weight: Tensor) -> Tensor:
        """The layer's outputs (K, N, out) without bias, for weight (out, in)."""
        return self.tensor @ weight.T

    def outer(self, slopes: Tensor, nodes: int, rows: slice) -> Tensor:
        """sum over derivatives and a row's nodes of slopes (x) inputs: (rows, out, in), for slopes (K, N, out), N = rows times nodes."""
        left, right = (by_row(t[:, rows.start * nodes : rows.stop * nodes], nodes) for t in (slopes, self.tensor.detach()))
        return torch.einsum("kno,kni->noi", left, right)

    def by_row(self, nodes: int) -> Tensor:
        """The inputs with the derivatives and nodes of a row side by side (K Q, N, in)."""
        return by_row(self.tensor.detach(), nodes)


def by_row(tensor: Tensor, nodes: int) -> Tensor:
    """(K, N Q, w) -> (K Q, N, w): the nodes of a row are summed over like the derivatives."""
    if nodes == 1:
        return tensor
    components, _, width = tensor.shape
    return tensor.view(components, -1, nodes, width).transpose(1, 2).reshape(components * nodes, -1, width)
