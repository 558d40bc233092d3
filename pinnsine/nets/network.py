"""The shared shape of all fully connected networks, and the map from coordinates to their inputs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from numbers import Integral

import torch
from torch import Tensor, nn

from pinnsine.domain import Domain
from pinnsine.errors import ProblemError
from pinnsine.nets.encoding import ENCODINGS

AUTO = "auto"


class Network(nn.Module):
    """(N, d) -> (N, m), on tensors and on jets alike, with an affine output layer, the last of ``layers``. Abstract."""

    layers: nn.ModuleList

    def hidden(self, x):
        """The values (N, width) that the output layer combines."""
        raise NotImplementedError

    @property
    def seen(self) -> int:
        """The width of what an error estimate or ``LiftedSines`` takes sines of: the last hidden layer."""
        return self.layers[-1].in_features

    def both(self, x):
        """The last hidden layer (N, seen) and the outputs (N, m)."""
        hidden = self.hidden(x)
        return hidden, self.layers[-1](hidden)

    def forward(self, x):
        return self.both(x)[1]


class FullyConnected(Network):
    """An encoding, if there is one, then affine layers with an activation between them, one for all or one for each hidden layer."""

    def __init__(self, sizes: Sequence[int], activation: Callable | Sequence[Callable], encoding: nn.Module | None = None):
        super().__init__()
        hidden = len(sizes) - 2
        self.activations = tuple(activation) if isinstance(activation, Sequence) else (activation,) * hidden
        self.trained = nn.ModuleList(a for a in self.activations if isinstance(a, nn.Module))
        self.encoding = encoding or nn.Identity()
        self.layers = affine_layers(sizes)

    def hidden(self, x):
        x = self.encoding(x)
        for layer, activation in zip(self.layers, self.activations, strict=False):
            x = activation(layer(x))
        return x


def fully_connected(spec, inputs: int, outputs: int, activation: Callable | Sequence[Callable], generator: torch.Generator) -> FullyConnected:
    """The module of a specification with ``width``, ``depth`` and ``encoding``; its layers are still to be drawn.

    Raises ProblemError while its bandwidth is still to be found.
    """
    if getattr(spec, "omega", None) == AUTO and spec.encoding is None:
        raise ProblemError(f"{type(spec).__name__} can be built only with a bandwidth: give omega= a number, or let solve() find it.")
    encoding = spec.encoding.build(inputs, generator) if spec.encoding is not None else None
    return FullyConnected([encoding.width if encoding else inputs, *[spec.width] * spec.depth, outputs], activation, encoding)


def affine_layers(sizes: Sequence[int]) -> nn.ModuleList:
    """One layer from each size to the next."""
    return nn.ModuleList(nn.Linear(i, o, dtype=torch.float64) for i, o in itertools.pairwise(sizes))


def require_sound(spec, *names: str, free: Sequence[str] = ()) -> None:
    """Raise ProblemError unless the named numbers of a specification are above 0, width and depth whole numbers, its encoding one of ours.

    The ``free`` ones may be "auto".
    """
    numbers = [getattr(spec, name) for name in names if not (name in free and getattr(spec, name) == AUTO)]
    whole = all(isinstance(n, Integral) and n >= 1 for n in (spec.width, spec.depth))
    if not whole or not all(isinstance(n, int | float) and 0 < n < math.inf for n in numbers):
        more = f" and {' and '.join(names)} above 0" if names else ""
        raise ProblemError(f"{type(spec).__name__} needs a whole width and depth of at least 1{more}, got {spec}.")
    if spec.encoding is not None and not isinstance(spec.encoding, tuple(ENCODINGS.values())):
        names = ", ".join(kind.__name__ for kind in ENCODINGS.values())
        raise ProblemError(f"{type(spec).__name__}'s encoding is one of {names}, got {spec.encoding!r}.")


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


def normal_(tensor: Tensor, deviation: float, generator: torch.Generator) -> None:
    """Fill with N(0, deviation^2)."""
    with torch.no_grad():
        tensor.normal_(0, deviation, generator=generator)


def start_near_zero_(last: nn.Linear, generator: torch.Generator) -> None:
    """Draw an output layer so that values of mean square 1/2, such as sines, give outputs of deviation 0.3."""
    uniform_(last.weight, 0.3 * math.sqrt(6 / last.in_features), generator)
    uniform_(last.bias, 0.3 / math.sqrt(last.in_features), generator)
