"""Other networks fitted to an image for a given process time: SIREN with its published settings, and tanh and ReLU networks of its size.

Plain torch, none of pinnsine: coordinates and values in [-1, 1], four hidden layers of 256 (Sitzmann et al. 2020, github.com/vsitzmann/siren:
a first layer and three hidden ones), Adam. The published batch is the whole image; in mini-batches of 4,096 pixels all three are better on a
CPU, so that each has a sweep of three learning rates with those as well.
"""

import math
import time

import numpy as np
import torch
from torch import nn

WIDTH, DEPTH, OMEGA, BATCH = 256, 4, 30.0, 4096
RATES = (1e-4, 5e-4, 2e-3)


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


def fitted(image: np.ndarray, kind: str, rate: float, batch: int, seconds: float, seed: int) -> tuple[float, int]:
    """PSNR of values in [0, 1] at the end of the process time, which other work on the machine does not shorten, and the steps made."""
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
        error = float(((net(points) - values) / 2).square().mean())
    return -10 * math.log10(error), steps


def compared(image: np.ndarray, seconds: float, seed: int = 0) -> dict[str, str]:
    """By network, the best of its learning rates with the steps made; SIREN as published first."""
    runs = {"SIREN as published (1e-4, whole image)": [("SIREN", 1e-4, len(image) * image.shape[1])]}
    runs |= {f"{kind}, best of {', '.join(f'{r:g}' for r in RATES)}": [(kind, r, BATCH) for r in RATES] for kind in ("SIREN", "tanh", "ReLU")}
    found = {}
    for name, tried in runs.items():
        scores = [(*fitted(image, *settings, seconds, seed), settings[1]) for settings in tried]
        best = max(scores)
        found[name] = f"{best[0]:.1f} dB ({best[1]} steps at {best[2]:g})"
    found["parameters"] = f"{sum(p.numel() for p in network('SIREN', image.shape[2], seed).parameters()):,}"
    return found
