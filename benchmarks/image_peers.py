"""Other networks fitted to an image for a given process time: SIREN with its published settings, and tanh and ReLU networks of its size.

Plain torch, none of pinnsine: coordinates and values in [-1, 1], four hidden layers of 256 (Sitzmann et al. 2020, github.com/vsitzmann/siren:
a first layer and three hidden ones), Adam. The published batch is the whole image; in mini-batches of 4,096 pixels all three are better on a
CPU, so that each has a sweep of three learning rates with those as well.
"""

import math
import time
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

WIDTH, DEPTH, OMEGA, BATCH = 256, 4, 30.0, 4096
RATES = (1e-4, 5e-4, 2e-3)


class Fit(NamedTuple):
    """PSNR of values in [0, 1], the steps made at a learning rate, and the values found (H, W, C)."""

    psnr: float
    steps: int
    rate: float
    pixels: np.ndarray


class Sine(nn.Module):
    """sin(30 x)."""

    def forward(self, x):
        return torch.sin(OMEGA * x)


def network(kind: str, outputs: int, seed: int) -> nn.Sequential:
    """SIREN with its own initialisation; tanh and ReLU with torch's."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for k in range(DEPTH + 1):
        layer = nn.Linear(2 if k == 0 else WIDTH, WIDTH if k < DEPTH else outputs)
        if kind == "SIREN":
            nn.init.uniform_(layer.weight, *((-1 / 2, 1 / 2) if k == 0 else (-math.sqrt(6 / WIDTH) / OMEGA, math.sqrt(6 / WIDTH) / OMEGA)))
        layers += [layer] if k == DEPTH else [layer, {"SIREN": Sine, "tanh": nn.Tanh, "ReLU": nn.ReLU}[kind]()]
    return nn.Sequential(*layers)


def fitted(image: np.ndarray, kind: str, rate: float, batch: int, seconds: float, seed: int) -> Fit:
    """What is found at the end of the process time, which other work on the machine does not shorten."""
    h, w, channels = image.shape
    y, x = np.mgrid[0:h, 0:w] + 0.5
    points = torch.tensor(np.stack([2 * x / w - 1, 2 * y / h - 1], axis=-1).reshape(-1, 2), dtype=torch.float32)
    values = torch.tensor(2 * image.reshape(-1, channels) - 1, dtype=torch.float32)
    start, steps = time.process_time(), 0
    net = network(kind, channels, seed)
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    while time.process_time() - start < seconds:
        for own in torch.randperm(len(points)).split(batch):
            loss = (net(points[own]) - values[own]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            steps += 1
            if time.process_time() - start >= seconds:
                break
    with torch.no_grad():
        pixels = (net(points).double().numpy().reshape(image.shape) + 1) / 2
    return Fit(-10 * math.log10(np.square(pixels - image).mean()), steps, rate, pixels)


def compared(image: np.ndarray, seconds: float, seed: int = 0) -> dict[str, Fit]:
    """By network, the best of its learning rates; SIREN as published first."""
    runs = {"SIREN as published (whole image)": [("SIREN", 1e-4, len(image) * image.shape[1])]}
    runs |= {f"{kind}, best of {', '.join(f'{r:g}' for r in RATES)}": [(kind, r, BATCH) for r in RATES] for kind in ("SIREN", "tanh", "ReLU")}
    return {
        name: max((fitted(image, *settings, seconds, seed) for settings in tried), key=lambda fit: fit.psnr) for name, tried in runs.items()
    }


def parameters(channels: int) -> int:
    """Those of each of the networks."""
    return sum(p.numel() for p in network("SIREN", channels, 0).parameters())
