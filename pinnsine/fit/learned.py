"""Inpainting that is learned: from images of one kind, for others of which few pixels are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pinnsine.budget import Clock, seconds
from pinnsine.errors import ProblemError
from pinnsine.fit.pixels import as_image, require_mask
from pinnsine.nets import GridEncoder, Hypernetwork, RotatedOctaves, SetEncoder, Siren

PRIOR = 1e-4  # of mean z^2 against the mean squared error in units of the images' variance
TINY = 1e-6  # the least spread of images that are all of one colour
SEARCH, SEARCH_RATE = 150, 0.05  # steps, and their rate, by which the code of a new image is found
ENCODERS = ("set", "grid", "codes")


@dataclass(frozen=True)
class Learning:
    """How ``learn_inpainting`` trains: steps of Adam on ``batch`` images each, its rate falling to zero like a cosine.

    ``encoder``: "set" of known pixels, "grid" with convolutions, or "codes", one for each image, found by gradients (Park, Florence,
    Straub, Newcombe & Lovegrove 2019); ``latent`` numbers describe an image. ``known``: the smallest and largest part of the pixels that
    is shown. ``parts`` of the network are given, as for ``nets.Hypernetwork``. ``time``: a budget of wall time.
    """

    encoder: str = "set"
    latent: int = 128
    width: int = 128
    parts: str = "all"
    known: tuple[float, float] = (0.05, 0.5)
    steps: int = 3000
    batch: int = 64
    lr: float = 2e-3
    seed: int = 0
    time: float | str | None = None

    def __post_init__(self):
        if self.encoder not in ENCODERS:
            raise ProblemError(f"encoder= takes one of {', '.join(map(repr, ENCODERS))}, got {self.encoder!r}.")
        if not (0 < self.known[0] <= self.known[1] <= 1):
            raise ProblemError(f"known= holds the smallest and the largest part of the pixels that is shown, got {self.known!r}.")
        if min(self.latent, self.width, self.steps, self.batch) < 1 or not self.lr > 0:
            raise ProblemError(f"Learning needs at least one step, sample and unit, and a rate above zero, got {self}.")


class Inpainter(nn.Module):
    """A hypernetwork that has learned what images of ``shape`` (h, w) or (h, w, 3) are like; see ``learn_inpainting``."""

    def __init__(self, net, shape: Sequence[int], learning: Learning, generator: torch.Generator, count: int):
        super().__init__()
        self.shape, values = tuple(shape), shape[2] if len(shape) == 3 else 1
        build: dict[str, Callable[[], nn.Module]] = {
            "set": lambda: SetEncoder(2, values, learning.latent, generator, learning.width, RotatedOctaves(3)),
            "grid": lambda: GridEncoder(self.shape[:2], values, learning.latent, generator),
            "codes": lambda: nn.Embedding(count, learning.latent, _weight=0.1 * torch.randn(count, learning.latent, generator=generator)),
        }
        self.encoder = build[learning.encoder]()
        self.hyper = Hypernetwork(net, 2, values, learning.latent, generator, learning.width, learning.parts)
        self.register_buffer("places", _places(self.shape))
        self.register_buffer("spread", torch.ones(()))
        self.to(torch.float32)

    def code(self, images: Tensor, known: Tensor) -> Tensor:
        """z (B, L) of images (B, h w, m), given less their mean over the known pixels (B, h w); codes are sought by gradients."""
        if not isinstance(self.encoder, nn.Embedding):
            return self.encoder(self.places.expand(len(images), -1, -1), images / self.spread, known)
        z = torch.zeros(len(images), self.encoder.embedding_dim, requires_grad=True)
        method = torch.optim.Adam([z], lr=SEARCH_RATE)
        weights = known[..., None] / known.sum(dim=1)[:, None, None]
        for _ in range(SEARCH):
            loss = (((self.values(z) - images) / self.spread).square() * weights).sum() / images.shape[2] + PRIOR * z.square().mean(dim=1).sum()
            z.grad = torch.autograd.grad(loss, z)[0]
            method.step()
        return z.detach()

    def values(self, z: Tensor) -> Tensor:
        """The images (B, h w, m) of codes, less their means."""
        return self.spread * self.hyper(z, self.places.expand(len(z), -1, -1))

    def fill(self, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """The image as the network has it, everywhere, from its pixels where ``mask`` (h, w) is True.

        Raises ProblemError for an image of another shape than those learned from, and what ``pinnsine.fit.inpaint`` refuses.
        """
        pixels = as_image(image, mask)
        if pixels.shape != self.shape:
            raise ProblemError(f"This network has learned images of shape {self.shape}, got {pixels.shape}: cut the image into such pieces.")
        known = torch.from_numpy(require_mask(mask, pixels.shape)).flatten()[None]
        values = torch.from_numpy(pixels).float().reshape(1, len(self.places), -1)
        mean = _means(values, known)
        z = self.code(values - mean, known)
        with torch.no_grad():
            found = self.values(z) + mean
        return found[0].double().numpy().reshape(self.shape)


def learn_inpainting(images, net=None, learning: Learning | None = None) -> Inpainter:
    """A hypernetwork for images of one kind: it maps some known pixels to the parameters of a network, whose values are the image.

    The mean over all pixels of (u - f)^2 is made small over the images and over random choices of the known pixels; values are taken less
    the mean of the known ones, in units of the images' deviation from their means (Sitzmann et al. 2020, section 4.4).

    images: (S, h, w) or (S, h, w, 3), as ``pinnsine.fit.image`` takes each. net: the specification of the network, by default a ``Siren`` of
        three layers whose bandwidth is a quarter of the pixels' Nyquist limit.

    Raises ProblemError for images of different shapes, and fewer than two.
    """
    learning = learning or Learning()
    arrays = [as_image(image) for image in images]
    if len(arrays) < 2 or len({a.shape for a in arrays}) > 1:
        raise ProblemError(f"learn_inpainting() takes at least two images of one shape, got {sorted({a.shape for a in arrays})}.")
    truth = torch.from_numpy(np.stack(arrays)).float()
    net = net if net is not None else Siren(32, 3, omega=np.pi * max(arrays[0].shape[:2]) / 8)
    generator = torch.Generator().manual_seed(learning.seed)
    found = Inpainter(net, arrays[0].shape, learning, generator, len(arrays))
    found.spread.copy_((truth - truth.mean(dim=(1, 2), keepdim=True)).square().mean().sqrt().clamp(min=TINY))
    _train(found, truth.flatten(1, 2).reshape(len(truth), len(found.places), -1), learning, generator)
    return found


def _train(found: Inpainter, truth: Tensor, learning: Learning, generator: torch.Generator) -> None:
    """Steps of Adam, until they or the time are used up."""
    method = torch.optim.Adam(found.parameters(), lr=learning.lr)
    clock = Clock(seconds(learning.time))
    for step in range(learning.steps):
        done = max(step / learning.steps, clock.elapsed / clock.budget)
        if done >= 1:
            break
        method.param_groups[0]["lr"] = learning.lr * (1 + np.cos(np.pi * done)) / 2
        chosen = torch.randint(len(truth), (learning.batch,), generator=generator)
        images = truth[chosen]
        known = _shown(images, learning.known, generator)
        mean = _means(images, known)
        z = found.encoder(chosen) if learning.encoder == "codes" else found.code(images - mean, known)
        loss = ((found.values(z) + mean - images) / found.spread).square().mean() + PRIOR * z.square().mean()
        method.zero_grad()
        loss.backward()
        method.step()


def _shown(images: Tensor, known: tuple[float, float], generator: torch.Generator) -> Tensor:
    """A mask (B, N) with at least one pixel of each image in it."""
    low, high = known
    part = low + (high - low) * torch.rand(len(images), 1, generator=generator)
    order = torch.rand(images.shape[:2], generator=generator)
    return order <= torch.maximum(part, order.min(dim=1, keepdim=True).values)


def _means(images: Tensor, known: Tensor) -> Tensor:
    """The mean (B, 1, m) over the known pixels."""
    weights = known.to(images) / known.sum(dim=1, keepdim=True)
    return (weights[..., None] * images).sum(dim=1, keepdim=True)


def _places(shape: Sequence[int]) -> Tensor:
    """The pixels' centres (h w, 2) in [-1, 1]."""
    sides = [(2 * torch.arange(n, dtype=torch.float64) + 1) / n - 1 for n in shape[:2]]
    return torch.stack(torch.meshgrid(*sides, indexing="ij"), dim=-1).flip(-1).reshape(-1, 2)
