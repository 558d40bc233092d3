"""Conventional multilayer perceptrons."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from pinnsine.errors import ProblemError
from pinnsine.nets.network import FullyConnected, uniform_

GAINS = {"tanh": 5 / 3, "sigmoid": 1.0, "softplus": 1.0, "sin": 1.0}


@dataclass(frozen=True)
class MLP:
    """``depth`` hidden layers of ``width`` with tanh, or another smooth activation, and Glorot's uniform weights (Glorot & Bengio 2010)."""

    width: int = 20
    depth: int = 3
    activation: str = "tanh"

    def __post_init__(self):
        if self.width < 1 or self.depth < 1:
            raise ProblemError(f"MLP needs width and depth of at least 1, got {self}.")
        if self.activation not in GAINS:
            raise ProblemError(f"Unknown activation {self.activation!r}: choose one of {', '.join(map(repr, GAINS))}.")

    def build(self, inputs: int, outputs: int, generator: torch.Generator) -> nn.Module:
        """A freshly drawn module (N, inputs) -> (N, outputs)."""
        function = getattr(torch, self.activation, None) or nn.functional.softplus
        net = FullyConnected([inputs, *[self.width] * self.depth, outputs], function)
        for layer in net.layers:
            fan_in, fan_out = layer.in_features, layer.out_features
            uniform_(layer.weight, GAINS[self.activation] * math.sqrt(6 / (fan_in + fan_out)), generator)
            nn.init.zeros_(layer.bias)
        return net
