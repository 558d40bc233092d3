"""Networks whose parameters are given by another network, and the encoders that see what is known of a function."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from pinnsine.errors import ProblemError
from pinnsine.nets.encoding import Encoding
from pinnsine.nets.network import uniform_

PARTS = ("all", "biases")
QUIET = 0.1  # the spread of freshly given parameters around their mean, against that of the mean ones


class Hypernetwork(nn.Module):
    """z (B, L), y (B, N, d) -> (B, N, m): the values at y_b of the network of a specification with parameters theta_0 + s H(z_b).

    H is a perceptron with one hidden layer of ``width``, s the deviation of each tensor of theta_0 as it was drawn, so that layers of all
    sizes are moved alike; theta_0 is trained with H (Ha, Dai & Le 2017; for networks of sines Sitzmann et al. 2020, section 4.4). ``parts``:
    "all", or "biases", which is the conditional network: z as a further input of every layer is a shift of its biases.

    Raises ProblemError for unknown ``parts``.
    """

    def __init__(self, spec, inputs: int, outputs: int, latent: int, generator: torch.Generator, width: int = 128, parts: str = "all"):
        super().__init__()
        if parts not in PARTS:
            raise ProblemError(f"A Hypernetwork gives 'all' parameters or the 'biases', got parts={parts!r}.")
        self.net = spec.build(inputs, outputs, generator)
        given = {n: p for n, p in self.net.named_parameters() if parts == "all" or n.endswith("bias")}
        self.names, self.shapes = tuple(given), tuple(p.shape for p in given.values())
        sizes = [p.numel() for p in given.values()]
        deviations = [float(p.detach().square().mean().sqrt()) or 1 / math.sqrt(spec.width) for p in given.values()]
        self.register_buffer("scale", torch.tensor(deviations, dtype=torch.float64).repeat_interleave(torch.tensor(sizes)))
        self.hidden, self.output = perceptron((latent, width), generator), affine(width, sum(sizes), generator, QUIET)

    def parameters_for(self, z: Tensor) -> dict[str, Tensor]:
        """theta_0 + s H(z) by name, each (B, ...)."""
        moves = (self.scale * self.output(self.hidden(z))).split([math.prod(shape) for shape in self.shapes], dim=1)
        own = dict(self.net.named_parameters())
        return {n: own[n] + move.unflatten(1, shape) for n, shape, move in zip(self.names, self.shapes, moves, strict=True)}

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return vmap(lambda given, points: functional_call(self.net, given, (points,)))(self.parameters_for(z), y)


class SetEncoder(nn.Module):
    """y (B, N, d), v (B, N, m), known (B, N) -> z (B, L): a perceptron of (y, v), its mean over the known points, and a perceptron of that.

    The order of the points and their number do not matter (Zaheer et al. 2017; for conditional predictions Garnelo et al. 2018). ``encoding``
    of the places as for a network; without it they enter as they are.
    """

    def __init__(self, inputs: int, values: int, latent: int, generator: torch.Generator, width: int = 128, encoding: Encoding | None = None):
        super().__init__()
        self.places = encoding.build(inputs, generator) if encoding is not None else nn.Identity()
        features = (self.places.width if encoding is not None else inputs) + values
        self.each, self.together = perceptron((features, width, width), generator), perceptron((width, width), generator)
        self.output = affine(width, latent, generator)

    def forward(self, y: Tensor, v: Tensor, known: Tensor) -> Tensor:
        places = self.places(y.flatten(0, 1)).unflatten(0, y.shape[:2])
        each = self.each(torch.cat([places, v], dim=2))
        weights = known.to(each) / known.sum(dim=1, keepdim=True).clamp(min=1)
        return self.output(self.together((weights[..., None] * each).sum(dim=1)))


class GridEncoder(nn.Module):
    """The same for points that are the pixels of an image of ``shape`` (h, w), row by row: convolutions of (known v, known), each after the
    first halving both sides, and an affine map of what is left."""

    def __init__(self, shape: Sequence[int], values: int, latent: int, generator: torch.Generator, width: int = 32):
        super().__init__()
        self.shape = tuple(shape)
        counts = (values + 1, width, 2 * width, 2 * width)
        self.layers = nn.ModuleList(
            nn.Conv2d(i, o, 3, stride=s, padding=1, dtype=torch.float64)
            for (i, o), s in zip(itertools.pairwise(counts), (1, 2, 2), strict=True)
        )
        for layer in self.layers:
            kaiming_(layer, 9 * layer.in_channels, generator)
        left = [(side + 3) // 4 for side in self.shape]  # ceil(ceil(n / 2) / 2)
        self.output = affine(counts[-1] * math.prod(left), latent, generator)

    def forward(self, y: Tensor, v: Tensor, known: Tensor) -> Tensor:
        mask = known.to(v)[..., None]
        h = torch.cat([v * mask, mask], dim=2).transpose(1, 2).unflatten(2, self.shape)
        for layer in self.layers:
            h = torch.relu(layer(h))
        return self.output(h.flatten(1))


def perceptron(sizes: Sequence[int], generator: torch.Generator) -> nn.Sequential:
    """Affine layers, each with a ReLU behind it."""
    layers = [affine(i, o, generator) for i, o in itertools.pairwise(sizes)]
    return nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))


def affine(inputs: int, outputs: int, generator: torch.Generator, factor: float = 1.0) -> nn.Linear:
    """A layer with weights of He's uniform law, times ``factor``, and no bias."""
    layer = nn.Linear(inputs, outputs, dtype=torch.float64)
    kaiming_(layer, inputs, generator, factor)
    return layer


def kaiming_(layer: nn.Linear | nn.Conv2d, fan: int, generator: torch.Generator, factor: float = 1.0) -> None:
    uniform_(layer.weight, factor * math.sqrt(6 / fan), generator)
    nn.init.zeros_(layer.bias)
