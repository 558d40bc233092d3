"""Sinusoidal representation networks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from pinnsine.errors import ProblemError
from pinnsine.nets.network import FullyConnected, uniform_


@dataclass(frozen=True)
class Siren:
    """A network of sines: x -> sin(W x + b), ``depth`` hidden layers of ``width`` (Sitzmann et al. 2020, section 3.2).

    ``omega`` is the bandwidth: the first layer is drawn from U(-omega, omega) on inputs in [-1, 1], with biases over a full turn; later
    layers from U(-c, c), c = sqrt(6 / width), the frequency folded into the weights; the output layer is shrunk so that training
    starts near zero.
    """

    width: int = 20
    depth: int = 3
    omega: float = 4.0

    def __post_init__(self):
        if self.width < 1 or self.depth < 1 or not self.omega > 0:
            raise ProblemError(f"Siren needs width and depth of at least 1 and omega above 0, got {self}.")

    def build(self, inputs: int, outputs: int, generator: torch.Generator) -> nn.Module:
        """A freshly drawn module (N, inputs) -> (N, outputs)."""
        net = FullyConnected([inputs, *[self.width] * self.depth, outputs], torch.sin)
        first, *hidden, last = net.layers
        uniform_(first.weight, self.omega, generator)
        uniform_(first.bias, math.pi, generator)
        for layer in hidden:
            uniform_(layer.weight, math.sqrt(6 / self.width), generator)
            uniform_(layer.bias, 1 / math.sqrt(self.width), generator)
        uniform_(last.weight, 0.3 * math.sqrt(6 / self.width), generator)
        uniform_(last.bias, 0.3 / math.sqrt(self.width), generator)
        return net
