"""Networks of wavelets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from pinnsine.nets.activations import Wavelet
from pinnsine.nets.encoding import Encoding
from pinnsine.nets.network import fully_connected, require_sound, start_near_zero_, uniform_


@dataclass(frozen=True)
class Gabor:
    """x -> cos(omega z) exp(-(s z)^2), z = W x + b: the real form of WIRE's Gabor wavelets (Saragadam et al. 2023, arXiv 2301.05187).

    The first layer is drawn from U(-1, 1) on inputs in [-1, 1], with biases over the same range, so that the wavelets' middles spread over
    the domain; ``s`` is one over their width. Later layers are drawn like those of ``Siren(inside=True)``.
    """

    width: int = 20
    depth: int = 3
    omega: float = 4.0
    s: float = 1.0
    encoding: Encoding | None = None

    def __post_init__(self):
        require_sound(self, "omega", "s")

    def build(self, inputs: int, outputs: int, generator: torch.Generator) -> nn.Module:
        """A freshly drawn module (N, inputs) -> (N, outputs)."""
        net = fully_connected(self, inputs, outputs, Wavelet(self.omega, self.s), generator)
        for k, layer in enumerate(net.layers[:-1]):
            first = k == 0 and self.encoding is None
            uniform_(layer.weight, 1.0 if first else math.sqrt(6 / layer.in_features) / self.omega, generator)
            uniform_(layer.bias, 1.0 if first else 1 / (math.sqrt(layer.in_features) * self.omega), generator)
        start_near_zero_(net.layers[-1], generator)
        return net
