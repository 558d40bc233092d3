"""Conventional multilayer perceptrons."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from pinnsine.errors import ProblemError
from pinnsine.nets.encoding import Encoding
from pinnsine.nets.network import FullyConnected, require_sound, uniform_

GAINS = {"tanh": 5 / 3, "sigmoid": 1.0, "softplus": 1.0, "sin": 1.0}


@dataclass(frozen=True)
class Perceptron(ABC):
    """Layers of a smooth activation with Glorot's uniform weights: what conventional networks share."""

    width: int = 20
    depth: int = 3
    activation: str = "tanh"
    encoding: Encoding | None = None

    def __post_init__(self):
        require_sound(self)
        conventional(self.activation)

    def build(self, inputs: int, outputs: int, generator: torch.Generator) -> nn.Module:
        """A freshly drawn module (N, inputs) -> (N, outputs)."""
        encoding = self.encoding.build(inputs, generator) if self.encoding is not None else None
        sizes = [encoding.width if encoding else inputs, *[self.width] * self.depth, outputs]
        net = self.module(sizes, conventional(self.activation), encoding)
        for layer in net.modules():
            if isinstance(layer, nn.Linear):
                glorot_(layer, self.activation, generator)
        return net

    @staticmethod
    @abstractmethod
    def module(sizes: list[int], activation: Callable, encoding: nn.Module | None) -> nn.Module:
        """The module of these layers, still to be drawn."""


@dataclass(frozen=True)
class MLP(Perceptron):
    """h <- f(W h + b): ``depth`` hidden layers of ``width`` with ``activation`` f and Glorot's uniform weights (Glorot & Bengio 2010)."""

    module = FullyConnected


def conventional(activation: str):
    """The function of a name. Raises ProblemError for an unknown one."""
    if activation not in GAINS:
        raise ProblemError(f"Unknown activation {activation!r}: choose one of {', '.join(map(repr, GAINS))}.")
    return getattr(torch, activation, None) or nn.functional.softplus


def glorot_(layer: nn.Linear, activation: str, generator: torch.Generator) -> None:
    """Draw a layer from Glorot's uniform law for an activation; no bias."""
    uniform_(layer.weight, GAINS[activation] * math.sqrt(6 / (layer.in_features + layer.out_features)), generator)
    nn.init.zeros_(layer.bias)
