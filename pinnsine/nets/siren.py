"""Sinusoidal representation networks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from pinnsine.errors import ProblemError
from pinnsine.nets.activations import Sine
from pinnsine.nets.encoding import Encoding
from pinnsine.nets.network import fully_connected, normal_, require_sound, start_near_zero_, uniform_

# c of the hidden weights U(-c / sqrt(n), c / sqrt(n))
SPREADS = {"original": math.sqrt(6), "controlled": math.sqrt(3), "unit": math.sqrt(6 / (1 + math.exp(-2)))}


@dataclass(frozen=True)
class Siren:
    """A network of sines: x -> sin(W x + b), ``depth`` hidden layers of ``width`` (Sitzmann et al. 2020, section 3.2).

    ``omega`` is the bandwidth, a number or "auto" (``solve`` finds it, see ``pinnsine.omega``): the first layer is drawn from
    U(-omega, omega) on inputs in [-1, 1], with biases over a full turn; the output layer is shrunk so that training starts near zero.
    ``init`` draws the hidden layers, U(-c, c) / sqrt(width):

    - "original": c = sqrt(6). The variance of what goes into the sines tends to 0.797, and that of the Jacobian grows 1.203 per layer.
    - "controlled": c = sqrt(3), no biases: neither gradients nor frequencies grow with depth (Combette et al. 2025, arXiv 2512.06427).
    - "unit": c = sqrt(6 / (1 + e^-2)), biases N(0, c^2 e^-2 / 3): what goes into the sines has variance 1, the Jacobian too (the same).
    - a number is c itself.

    ``inside`` writes the layers as sin(omega (W x + b)), weights smaller by omega: the same network, but gradient methods move its
    frequencies faster. ``learnable`` makes that omega a parameter of each layer. With an ``encoding`` the frequencies are the encoding's,
    and all layers are drawn alike.
    """

    width: int = 20
    depth: int = 3
    omega: float | str = 4.0
    init: str | float = "original"
    inside: bool = False
    learnable: bool = False
    encoding: Encoding | None = None

    def __post_init__(self):
        require_sound(self, "omega", free=["omega"])
        if self.init not in SPREADS and not (isinstance(self.init, int | float) and 0 < self.init < math.inf):
            raise ProblemError(f"Siren's init is one of {', '.join(map(repr, SPREADS))} or a number above 0, got {self.init!r}.")
        if self.learnable and not self.inside:
            raise ProblemError("A learnable omega stands inside the sines: say inside=True as well.")

    def build(self, inputs: int, outputs: int, generator: torch.Generator) -> nn.Module:
        """A freshly drawn module (N, inputs) -> (N, outputs)."""
        sines = [Sine(self.omega, self.learnable) for _ in range(self.depth)] if self.inside else torch.sin
        net = fully_connected(self, inputs, outputs, sines, generator)
        for k, layer in enumerate(net.layers[:-1]):
            if k == 0 and self.encoding is None:
                uniform_(layer.weight, self.omega, generator)
                uniform_(layer.bias, math.pi, generator)
            else:
                self._draw_hidden(layer, generator)
            if self.inside:
                with torch.no_grad():
                    layer.weight /= self.omega
                    layer.bias /= self.omega
        start_near_zero_(net.layers[-1], generator)
        return net

    def _draw_hidden(self, layer: nn.Linear, generator: torch.Generator) -> None:
        spread = SPREADS.get(self.init, self.init)
        uniform_(layer.weight, spread / math.sqrt(layer.in_features), generator)
        if self.init == "controlled":
            nn.init.zeros_(layer.bias)
        elif self.init == "unit":
            normal_(layer.bias, spread * math.exp(-1) / math.sqrt(3), generator)
        else:
            uniform_(layer.bias, 1 / math.sqrt(layer.in_features), generator)
