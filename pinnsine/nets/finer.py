"""Sines whose frequency grows with their argument."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from pinnsine.nets.activations import FinerSine
from pinnsine.nets.encoding import Encoding
from pinnsine.nets.network import fully_connected, require_sound, start_near_zero_, uniform_


@dataclass(frozen=True)
class FINER:
    """x -> sin(omega (|z| + 1) z), z = W x + b: the larger a neuron's bias, the higher its frequency (Liu et al. 2024, arXiv 2312.02434).

    The first layer is drawn from U(-1, 1) on inputs in [-1, 1] and has biases from U(-spread, spread), so that its frequencies reach from
    omega to (2 (spread + inputs) + 1) omega; later layers are drawn like those of ``Siren(inside=True)``. The factor |z| + 1 is differentiated
    like the rest, also where the parameters' gradients are taken, which the authors' code leaves out. The second derivative of
    the activation jumps at z = 0: third derivatives by the coordinates are those between the jumps.
    """

    width: int = 20
    depth: int = 3
    omega: float = 4.0
    spread: float = 1.0
    encoding: Encoding | None = None

    def __post_init__(self):
        require_sound(self, "omega", "spread")

    def build(self, inputs: int, outputs: int, generator: torch.Generator) -> nn.Module:
        """A freshly drawn module (N, inputs) -> (N, outputs)."""
        net = fully_connected(self, inputs, outputs, FinerSine(self.omega), generator)
        for k, layer in enumerate(net.layers[:-1]):
            first = k == 0 and self.encoding is None
            uniform_(layer.weight, 1.0 if first else math.sqrt(6 / layer.in_features) / self.omega, generator)
            uniform_(layer.bias, self.spread if k == 0 else 1 / (math.sqrt(layer.in_features) * self.omega), generator)
        start_near_zero_(net.layers[-1], generator)
        return net
