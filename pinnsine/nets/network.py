"""The shared shape of all fully connected networks, and the map from coordinates to their inputs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from pinnsine.domain import Domain


class FullyConnected(nn.Module):
    """Affine layers with an activation between them: (N, d) -> (N, m), on tensors and on jets alike."""

    def __init__(self, sizes: Sequence[int], activation: Callable):
        super().__init__()
        self.activation = activation
        self.layers = nn.ModuleList(nn.Linear(i, o, dtype=torch.float64) for i, o in itertools.pairwise(sizes))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)


class Embedding(nn.Module):
    """Coordinates (N, d) scaled from the domain to [-1, 1]; periodic ones become the pair (cos, sin) of their angle.

    A network behind it sees a problem on [0, 100] as one on [-1, 1], and is exactly periodic, with all derivatives, where asked.
    """

    def __init__(self, domain: Domain, names: Sequence[str], periodic: Sequence[str] = ()):
        super().__init__()
        axes = [domain.axis(n) for n in names]
        self.register_buffer("middle", torch.tensor([(a.lower + a.upper) / 2 for a in axes], dtype=torch.float64))
        self.register_buffer("radius", torch.tensor([a.length / 2 for a in axes], dtype=torch.float64))
        self.plain = [i for i, n in enumerate(names) if n not in periodic]
        self.wrapped = [i for i, n in enumerate(names) if n in periodic]

    @property
    def width(self) -> int:
        return len(self.plain) + 2 * len(self.wrapped)

    def forward(self, x):
        y = (x - self.middle) / self.radius
        if not self.wrapped:
            return y
        angle = y[..., self.wrapped] * torch.pi
        return torch.cat([y[..., self.plain], torch.cos(angle), torch.sin(angle)], dim=-1)


def uniform_(tensor: Tensor, bound: float, generator: torch.Generator) -> None:
    """Fill with U(-bound, bound)."""
    with torch.no_grad():
        tensor.uniform_(-bound, bound, generator=generator)
