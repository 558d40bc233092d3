"""The kernels of wide sinusoidal networks: what a network can represent, and in which order it learns it.

In the limit of infinite width a freshly drawn network is a Gaussian process with the covariance ``nngp``, and gradient descent on its
parameters is kernel regression with ``ntk`` = sum over parameters p of sigma_p^2 (df(x)/dp) (df(y)/dp), sigma_p the deviation with which p is
drawn (Jacot et al. 2018). For sines both are closed. With S the covariance of what goes into a layer's sines, q = (S(x,x) + S(y,y)) / 2,

    E sin u sin v = (e^(S - q) - e^(-S - q)) / 2,     E cos u cos v = (e^(S - q) + e^(-S - q)) / 2,

whose exponents are never positive, and for the activations of ``BSNN`` both are e^(S - q). Biases of hidden layers, whose variance falls
like 1 / width, count as at the network's own width. Near the diagonal the kernel of a first layer of
bandwidth omega is exp(-omega^2 |x - y|^2 / 2), a low-pass filter (Belbute-Peres & Kolter 2023).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pinnsine.errors import ProblemError
from pinnsine.nets import BSNN, RandomFourier, RotatedOctaves, SimpleSine, Siren
from pinnsine.nets.siren import SPREADS


def nngp(net: SimpleSine | Siren | BSNN, x: Tensor, y: Tensor | None = None) -> Tensor:
    """E f(x) f(y) (N, M) of a wide network f, for x (N, d) and y (M, d) in [-1, 1], by default x itself.

    Raises ProblemError for a network whose kernel is not known in closed form.
    """
    return _output(net, x, x if y is None else y).covariance


def ntk(net: SimpleSine | Siren | BSNN, x: Tensor, y: Tensor | None = None) -> Tensor:
    """The neural tangent kernel (N, M) of a wide network, for x (N, d) and y (M, d) in [-1, 1], by default x itself.

    Theta <- S + sigma_w^2 E[f'(u) f'(v)] Theta from layer to layer, S the covariance of the layer's outputs, sigma_w^2 / fan_in the variance
    of its weights. Raises ProblemError for a network whose kernel is not known in closed form.
    """
    return _output(net, x, x if y is None else y).tangent


def empirical_ntk(module: nn.Module, x: Tensor, y: Tensor | None = None, scales: Mapping[str, float] | None = None) -> Tensor:
    """sum over parameters p of s_p^2 (df(x)/dp) (df(y)/dp) (N, M) of any module as it is, averaged over its outputs.

    ``x`` (N, d), ``y`` (M, d), by default x itself. ``scales``: s_p by the parameter's name, 1 by default, which is the kernel of plain
    gradient descent; the deviations with which the parameters are drawn give the kernel that ``ntk`` is the limit of.
    """
    parameters = {n: p.detach() for n, p in module.named_parameters()}

    def jacobian(points: Tensor) -> dict[str, Tensor]:
        slopes = torch.func.jacrev(lambda theta: torch.func.functional_call(module, theta, (points,)))(parameters)
        return {n: s.reshape(*s.shape[:2], -1) for n, s in slopes.items()}  # (N, m, size)

    left = jacobian(x)
    right = left if y is None else jacobian(y)
    parts = [(scales or {}).get(n, 1.0) ** 2 * torch.einsum("amp,bmp->ab", left[n], right[n]) / left[n].shape[1] for n in parameters]
    return torch.stack(parts).sum(dim=0)


def bandwidth(kernel: Callable[[Tensor, Tensor], Tensor], x: Tensor) -> Tensor:
    """The root-mean-square wave number (d,) of a kernel's functions along each coordinate, averaged over points x (N, d).

    The square root of mean d^2 k(x, y) / dx_i dy_i over mean k(x, x) at y = x: omega for exp(-omega^2 |x - y|^2 / 2).
    """

    def pair(u: Tensor, v: Tensor) -> Tensor:
        return kernel(u[None], v[None])[0, 0]

    mixed = torch.func.vmap(torch.func.jacfwd(torch.func.jacfwd(pair, argnums=0), argnums=1))(x, x)  # (N, d, d)
    return (mixed.diagonal(dim1=1, dim2=2).mean(dim=0) / torch.func.vmap(pair)(x, x).mean()).sqrt()


@dataclass(frozen=True)
class _Layer:
    """Covariances of a layer's values between x and y, through q - S (N, M), S(x, x) (N, 1) and S(y, y) (1, M), and the tangent kernel."""

    gap: Tensor
    left: Tensor
    right: Tensor
    tangent: Tensor

    @property
    def mean(self) -> Tensor:
        return (self.left + self.right) / 2

    @property
    def covariance(self) -> Tensor:
        return self.mean - self.gap

    def affine(self, weight: float, bias: float) -> _Layer:
        """Behind an affine layer with weights of variance ``weight`` / fan_in and biases of variance ``bias``."""
        scaled = weight * self.covariance + bias
        return _Layer(weight * self.gap, weight * self.left + bias, weight * self.right + bias, scaled + weight * self.tangent)

    def sines(self) -> _Layer:
        """Behind the sine."""
        near, far = torch.exp(-self.gap), torch.exp(self.gap - 2 * self.mean)
        left, right = -torch.expm1(-2 * self.left) / 2, -torch.expm1(-2 * self.right) / 2
        inner = self.covariance
        waves = -torch.where(inner > 0, near, -far) * torch.expm1(-2 * inner.abs()) / 2  # (near - far) / 2 without cancellation
        return _Layer((left + right) / 2 - waves, left, right, (near + far) / 2 * self.tangent)

    def self_normalising(self) -> _Layer:
        """Behind a function with E f^(n)(Z)^2 = 1: the sine and the cosine at any scale, the others for S(x, x) = 1."""
        one = torch.ones_like(self.left)
        return _Layer(-torch.expm1(-self.gap), one, torch.ones_like(self.right), torch.exp(-self.gap) * self.tangent)


def _output(net, x: Tensor, y: Tensor) -> _Layer:
    """The kernels of the network's output."""
    if not isinstance(net, SimpleSine | Siren | BSNN):
        raise ProblemError(f"Kernels are known in closed form for SimpleSine, Siren and BSNN, got {net}: empirical_ntk takes any module.")
    activate = _Layer.self_normalising if isinstance(net, BSNN) else _Layer.sines
    if net.encoding is not None:
        encoding = _encoding(net, x)
        weight, bias = _variances(net, encoding.width)
        layer = activate(_inner_products(encoding(x), encoding(y), weight / encoding.width, bias))
    elif isinstance(net, SimpleSine):
        layer = _inner_products(x, y, 2 * net.omega**2 / x.shape[1], 2 * net.omega**2 / x.shape[1]).sines()
    elif isinstance(net, BSNN) and net.activation not in ("sine", "cosine"):
        raise ProblemError(f"The kernel of BSNN(activation={net.activation!r}) is known behind an encoding only: give encoding=.")
    else:
        layer = _random_phases(x, y, net.omega, 1.0 if isinstance(net, BSNN) else 0.5)
    for _ in range(net.depth - 1):
        layer = activate(layer.affine(*_variances(net, net.width)))
    return layer.affine(*_variances(net, net.width, last=True))


def _variances(net, fan_in: int, last: bool = False) -> tuple[float, float]:
    """The variance of a layer's weights times fan_in, and that of its biases, as the network draws them."""
    if isinstance(net, SimpleSine):
        return 2.0, 2 / fan_in
    if isinstance(net, BSNN):
        return 0.09 if last else 1.0, 0.0
    if last:
        return 0.18, 0.03 / fan_in
    variance = SPREADS.get(net.init, net.init) ** 2 / 3
    return variance, {"controlled": 0.0, "unit": variance * math.exp(-2)}.get(net.init, 1 / (3 * fan_in))


def _encoding(net, x: Tensor) -> nn.Module:
    if isinstance(net.encoding, RandomFourier) or (isinstance(net.encoding, RotatedOctaves) and x.shape[1] > 2):
        raise ProblemError(f"The waves of {net.encoding} are drawn at random, and the kernel depends on them: empirical_ntk takes any module.")
    return net.encoding.build(x.shape[1], torch.Generator()).to(x)


def _inner_products(x: Tensor, y: Tensor, weight: float, bias: float) -> _Layer:
    """weight x.y + bias; differences of points are taken before they are squared, which leaves nothing to cancel."""
    gap = weight * (x[:, None] - y).square().sum(dim=-1) / 2
    left, right = weight * x.square().sum(dim=-1)[:, None] + bias, weight * y.square().sum(dim=-1)[None] + bias
    return _Layer(gap, left, right, (left + right) / 2 - gap)


def _random_phases(x: Tensor, y: Tensor, omega: float, size: float) -> _Layer:
    """Behind a first layer with wave numbers from U(-omega, omega) and phases over a full turn: size prod_i sinc(omega (x_i - y_i))."""
    waves = size * _sinc(omega * (x[:, None] - y)).prod(dim=-1)
    left, right = torch.full_like(x[:, :1], size), torch.full_like(y[:, 0][None], size)
    return _Layer(size - waves, left, right, waves * (omega**2 * (x @ y.T) + math.pi**2) / 3)


def _sinc(z: Tensor) -> Tensor:
    """sin(z) / z with all its derivatives, also at zero, where torch's own loses the second."""
    small = z.abs() < 0.1
    series = 1 - z**2 / 6 * (1 - z**2 / 20 * (1 - z**2 / 42 * (1 - z**2 / 72)))
    away = torch.where(small, 1.0, z)
    return torch.where(small, series, torch.sin(away) / away)
