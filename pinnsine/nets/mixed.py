"""Layers of sines in front, conventional layers behind."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from pinnsine.errors import ProblemError
from pinnsine.nets.encoding import Encoding
from pinnsine.nets.mlp import conventional, glorot_
from pinnsine.nets.network import fully_connected, require_sound, uniform_


@dataclass(frozen=True)
class Mixed:
    """The first ``sines`` of ``depth`` hidden layers are those of a ``Siren``, the others those of an ``MLP``.

    Sines in front bring in all frequencies up to ``omega``, a conventional ``activation`` behind them forms fronts.
    """

    width: int = 20
    depth: int = 3
    sines: int = 1
    omega: float = 4.0
    activation: str = "tanh"
    encoding: Encoding | None = None

    def __post_init__(self):
        require_sound(self, "omega")
        conventional(self.activation)
        if not 1 <= self.sines <= self.depth:
            raise ProblemError(f"Mixed takes between 1 and depth = {self.depth} layers of sines, got {self.sines}.")

    def build(self, inputs: int, outputs: int, generator: torch.Generator) -> nn.Module:
        """A freshly drawn module (N, inputs) -> (N, outputs)."""
        activations = [torch.sin] * self.sines + [conventional(self.activation)] * (self.depth - self.sines)
        net = fully_connected(self, inputs, outputs, activations, generator)
        for k, layer in enumerate(net.layers):
            if k >= self.sines:
                glorot_(layer, self.activation, generator)
            elif k == 0 and self.encoding is None:
                uniform_(layer.weight, self.omega, generator)
                uniform_(layer.bias, math.pi, generator)
            else:
                uniform_(layer.weight, math.sqrt(6 / layer.in_features), generator)
                uniform_(layer.bias, 1 / math.sqrt(layer.in_features), generator)
        return net
