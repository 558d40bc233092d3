"""Perceptrons with short ways past their layers: gates from the input, and residual blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from pinnsine.nets.mlp import Perceptron
from pinnsine.nets.network import Network, affine_layers


class Gated(Network):
    """The module of ``ModifiedMLP``."""

    def __init__(self, sizes: list[int], activation: Callable, encoding: nn.Module | None):
        super().__init__()
        self.activation, self.encoding = activation, encoding or nn.Identity()
        self.gates, self.layers = nn.ModuleList(affine_layers(sizes[:2])[0] for _ in range(2)), affine_layers(sizes)

    def hidden(self, x):
        h = x = self.encoding(x)
        u, v = (self.activation(gate(x)) for gate in self.gates)
        for layer in self.layers[:-1]:
            h = u + self.activation(layer(h)) * (v - u)
        return h


class Residual(Network):
    """The module of ``ResidualMLP``."""

    def __init__(self, sizes: list[int], activation: Callable, encoding: nn.Module | None):
        super().__init__()
        self.activation, self.encoding, self.layers = activation, encoding or nn.Identity(), affine_layers(sizes)

    def hidden(self, x):
        first, *blocks = self.layers[:-1]
        h = self.activation(first(self.encoding(x)))
        for layer in blocks:
            h = h + self.activation(layer(h))
        return h


@dataclass(frozen=True)
class ModifiedMLP(Perceptron):
    """h <- (1 - z) u + z v, z = f(W h + b), with two gates u, v = f(affine map of the inputs) (Wang, Teng & Perdikaris 2021, section 3.3).

    ``depth`` hidden layers of ``width`` beside the gates; ``activation`` f and Glorot's weights as in ``MLP``.
    """

    module = Gated


@dataclass(frozen=True)
class ResidualMLP(Perceptron):
    """h <- h + f(W h + b) after a first layer h = f(W x + b): ``depth`` hidden layers of ``width`` (He et al. 2016).

    ``activation`` f and Glorot's weights as in ``MLP``.
    """

    module = Residual
