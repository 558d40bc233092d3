"""Frozen sines of the coordinates and of what a trained network makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from pinnsine.errors import ProblemError
from pinnsine.nets.bsnn import BSNN
from pinnsine.nets.finer import FINER
from pinnsine.nets.gabor import Gabor
from pinnsine.nets.mixed import Mixed
from pinnsine.nets.mlp import MLP
from pinnsine.nets.modified_mlp import ModifiedMLP, ResidualMLP
from pinnsine.nets.network import Network
from pinnsine.nets.simple_sine import SimpleSine
from pinnsine.nets.siren import Siren
from pinnsine.plane_waves import plane_waves


@dataclass(frozen=True)
class LiftedSines:
    """u = N(y) + sum_j beta_j sin(v_j . y + w_j . h(y) + b_j), N a network with last hidden layer h, ``core``; both are held as they are.

    Where h has learned to resolve a front, so do smooth functions of it, and of these the unknowns beta are found by least squares, as for
    ``FrozenSines``. v_j and w_j are normal, of deviations ``outer`` and ``inner`` (random features: Rahimi & Recht 2007).
    """

    core: BSNN | FINER | Gabor | MLP | Mixed | ModifiedMLP | ResidualMLP | SimpleSine | Siren = field(default_factory=MLP)
    width: int = 1000
    outer: float = 2.0
    inner: float = 1.0

    def __post_init__(self):
        if not (self.width >= 1 and self.outer > 0 and self.inner > 0):
            raise ProblemError(f"LiftedSines needs a width of at least 1, outer and inner above 0, got {self}.")

    def build(self, inputs: int, outputs: int, generator: torch.Generator) -> nn.Module:
        """A freshly drawn module (N, inputs) -> (N, outputs), equal to its core."""
        core = self.core.build(inputs, outputs, generator)
        spread = torch.tensor([self.outer] * inputs + [self.inner] * core.seen, dtype=torch.float64)
        weight = spread * torch.randn(self.width, len(spread), generator=generator, dtype=torch.float64)
        phase = 2 * math.pi * torch.rand(self.width, generator=generator, dtype=torch.float64)
        return Lifted(core, weight, phase, outputs)


class Lifted(nn.Module):
    """x (N, d) -> core(x) + output(sin(weight (x, h(x)) + phase)) (N, m); the parameters of ``core`` become buffers."""

    def __init__(self, core: Network, weight: Tensor, phase: Tensor, outputs: int):
        super().__init__()
        self.core = _held(core)
        self.register_buffer("weight", weight)
        self.register_buffer("phase", phase)
        self.output = nn.Linear(len(phase), outputs, bias=False, dtype=torch.float64)
        nn.init.zeros_(self.output.weight)

    @property
    def seen(self) -> int:
        """See ``Network``."""
        return self.core.seen

    def both(self, x):
        """The last hidden layer of the core, and the outputs."""
        hidden, out = self.core.both(x)
        return hidden, out + self.output(plane_waves(torch.cat([x, hidden], dim=-1), self.weight, self.phase))

    def forward(self, x):
        return self.both(x)[1]


def _held(module: nn.Module) -> nn.Module:
    """The module with buffers for parameters."""
    for part in module.modules():
        for name, parameter in list(part.named_parameters(recurse=False)):
            delattr(part, name)
            part.register_buffer(name, parameter.detach())
    return module
