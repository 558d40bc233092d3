"""Bidirectionally self-normalising networks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from pinnsine.errors import ProblemError
from pinnsine.nets.activations import SELF_NORMALISING
from pinnsine.nets.encoding import Encoding
from pinnsine.nets.network import fully_connected, require_sound, uniform_


@dataclass(frozen=True)
class BSNN:
    """Haar-orthogonal layers with an activation f whose derivatives all have E f^(n)(Z)^2 = 1 (Lu, Gould & Ajanthan 2020, arXiv 2006.12169).

    Where the layers are wide, the length of the values and that of the gradients are equal in all layers, for the network and for its
    derivatives. "sine", sqrt(2) sin(x + pi/4), is the ``activation`` to use: its gain is one for every scale of x, not for N(0, 1)
    alone; the others are "cosine", "exp", "sine-cosh" and "cosine-sinh".

    That needs inputs of squared length equal to their number. An ``encoding`` gives them; without one the first layer does, drawn from
    U(-omega, omega) on inputs in [-1, 1] with biases over a full turn; "auto" lets ``solve`` find
    omega (``pinnsine.omega``). Layers are orthogonal when they are drawn, and trained freely.
    """

    width: int = 20
    depth: int = 3
    omega: float | str = 4.0
    activation: str = "sine"
    encoding: Encoding | None = None

    def __post_init__(self):
        require_sound(self, "omega", free=["omega"])
        if self.activation not in SELF_NORMALISING:
            raise ProblemError(f"BSNN's activation is one of {', '.join(map(repr, SELF_NORMALISING))}, got {self.activation!r}.")

    def build(self, inputs: int, outputs: int, generator: torch.Generator) -> nn.Module:
        """A freshly drawn module (N, inputs) -> (N, outputs); outputs start with the deviation 0.3."""
        net = fully_connected(self, inputs, outputs, SELF_NORMALISING[self.activation], generator)
        for layer in net.layers:
            orthogonal_(layer, generator)
        if self.encoding is None:
            uniform_(net.layers[0].weight, self.omega, generator)
            uniform_(net.layers[0].bias, math.pi, generator)
        with torch.no_grad():
            net.layers[-1].weight *= 0.3
        return net


def orthogonal_(layer: nn.Linear, generator: torch.Generator) -> None:
    """Fill with a Haar-distributed semi-orthogonal matrix, so that x with |x|^2 = fan_in is mapped to |y|^2 = fan_out; no bias."""
    nn.init.orthogonal_(layer.weight, max(1.0, math.sqrt(layer.out_features / layer.in_features)), generator)
    nn.init.zeros_(layer.bias)
