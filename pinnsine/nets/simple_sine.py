"""Simple sinusoidal networks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from pinnsine.nets.activations import Sine
from pinnsine.nets.encoding import Encoding
from pinnsine.nets.network import fully_connected, normal_, require_sound


@dataclass(frozen=True)
class SimpleSine:
    """x -> sin(omega (W x + b)), then x -> sin(W x + b): omega stands in the first layer alone (Belbute-Peres & Kolter 2023, section 3).

    All parameters are Kaiming normal, of variance 2 / fan_in. The kernel of the network is a low-pass filter whose bandwidth is omega
    (``pinnsine.kernel``): on d inputs in [-1, 1] wave numbers have the deviation omega sqrt(2 / d). "auto" lets
    ``solve`` find it (``pinnsine.omega``). With an ``encoding`` the frequencies are
    the encoding's and omega is not used.
    """

    width: int = 20
    depth: int = 3
    omega: float | str = 4.0
    encoding: Encoding | None = None

    def __post_init__(self):
        require_sound(self, "omega", free=["omega"])

    def build(self, inputs: int, outputs: int, generator: torch.Generator) -> nn.Module:
        """A freshly drawn module (N, inputs) -> (N, outputs)."""
        first = Sine(self.omega) if self.encoding is None else torch.sin
        net = fully_connected(self, inputs, outputs, [first, *[torch.sin] * (self.depth - 1)], generator)
        for layer in net.layers:
            normal_(layer.weight, math.sqrt(2 / layer.in_features), generator)
            normal_(layer.bias, math.sqrt(2 / layer.in_features), generator)
        return net
