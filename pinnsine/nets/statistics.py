"""What a freshly drawn network does to values, derivatives and gradients, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.jet import Coordinate
from pinnsine.nets.network import FullyConnected


@dataclass(frozen=True)
class LayerStatistics:
    """Means over units and points of a hidden layer h' = f(z), z = W h + b.

    ``inputs``: z^2. ``outputs``: f^(n)(z)^2 for n = 0, 1, ... ``gain``: |J v|^2 / |v|^2 of the layer's Jacobian J = dh' / dh, for tangents v
    that started random behind the first layer and came through all layers since; None for the first layer.
    """

    inputs: float
    outputs: tuple[float, ...]
    gain: float | None


def layer_statistics(net: FullyConnected, x: Tensor, orders: int = 1, seed: int = 1) -> list[LayerStatistics]:
    """The statistics of every hidden layer of a network at points x (N, d), with derivatives of its activations up to ``orders``.

    ``seed`` draws the tangents; it must not be the one that the network was drawn with.
    """
    found, tangent = [], None
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for k, z, f in _responses(net, x):
            outputs = tuple(_mean_square(f.at(("z",) * n)) for n in range(orders + 1))
            if tangent is None:
                tangent, gain = torch.randn(z.shape, generator=generator, dtype=z.dtype), None
            else:
                moved = f.at(("z",)) * (tangent @ net.layers[k].weight.T)
                gain = _mean_square(moved) / _mean_square(tangent)
                tangent = moved
            found.append(LayerStatistics(_mean_square(z), outputs, gain))
    return found


def activations_and_gradients(net: FullyConnected, x: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
    """What goes into each hidden layer's activation, what comes out, and the gradient of the first output by the former, (N, width)."""
    inputs, outputs, h = [], [], net.encoding(x)
    for layer, activation in zip(net.layers, net.activations, strict=False):
        inputs.append(layer(h))
        h = activation(inputs[-1])
        outputs.append(h)
    gradients = torch.autograd.grad(net.layers[-1](h)[:, 0].sum(), inputs)
    return [(z.detach(), h.detach(), g) for z, h, g in zip(inputs, outputs, gradients, strict=True)]


def _responses(net: FullyConnected, x: Tensor) -> Iterator[tuple[int, Tensor, object]]:
    """The number of each hidden layer, what goes into its activation, and the activation as a jet of that."""
    h = net.encoding(x)
    for k, (layer, activation) in enumerate(zip(net.layers, net.activations, strict=False)):
        z = layer(h)
        f = activation(Coordinate("z", z))
        yield k, z, f
        h = f.values


def _mean_square(values: Tensor) -> float:
    return float(values.square().mean())
