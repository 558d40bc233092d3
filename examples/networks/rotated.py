"""Octaves along the axes alone leave lines in an image; rotated octaves take them away.

A BSNN behind the encoding of NeRF and one behind its rotated form, with equal numbers of parameters, fit every second pixel of 128 x 128 of
skimage's camera (smoothed by one pixel, so that these pixels determine the others) with Adam, full batch, at three learning rates of which the
best counts. Error on the grid, and half a grid step off it; and the share of the error off the grid that varies along one axis alone.

    python examples/networks/rotated.py [STEPS]      # 400 by default: about 2 minutes; draws rotated.png
"""

import sys

import torch
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter
from skimage import data

from pinnsine.nets import BSNN, Octaves, RotatedOctaves

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 400
RATES = (1e-3, 3e-3, 1e-2)
NETWORKS = {"octaves": BSNN(80, 2, encoding=Octaves(6)), "rotated octaves": BSNN(62, 2, encoding=RotatedOctaves(6))}

image = data.camera().reshape(128, 4, 128, 4).mean((1, 3)) / 255
image = torch.from_numpy(gaussian_filter(image, 1.0)).float()
axis = torch.linspace(-1, 1, 128)
rows, columns = torch.meshgrid(axis, axis, indexing="ij")
places = torch.stack([columns, rows], dim=-1)


def on(grid: torch.Tensor) -> torch.Tensor:
    return grid[0::2, 0::2]


def off(grid: torch.Tensor) -> torch.Tensor:
    return grid[1::2, 1::2]


def trained(spec, rate: float) -> torch.Tensor:
    """The whole image (128, 128) after training on every second pixel."""
    net = spec.build(2, 1, torch.Generator().manual_seed(0)).float()
    inputs, target = on(places).reshape(-1, 2), on(image).reshape(-1)
    optimizer = torch.optim.Adam(net.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        optimizer.zero_grad()
        (net(inputs)[:, 0] - target).square().mean().backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return net(places.reshape(-1, 2)).reshape(128, 128)


def along_one_axis(error: torch.Tensor) -> float:
    """The share of the error's energy in waves along the rows or along the columns, its mean left out."""
    energy = torch.fft.fft2(error - error.mean()).abs().square()
    return float((energy[0].sum() + energy[:, 0].sum()) / energy.sum())


def decibels(error: torch.Tensor) -> float:
    return float(-10 * error.square().mean().log10())


figure = Figure(figsize=(9, 6), layout="constrained")
axes = figure.subplots(2, 3)
for line, (name, spec) in zip(axes, NETWORKS.items(), strict=True):
    found, rate = min(((trained(spec, r), r) for r in RATES), key=lambda pair: float((on(pair[0]) - on(image)).square().mean()))
    error = found - image
    count = sum(p.numel() for p in spec.build(2, 1, torch.Generator()).parameters())
    print(f"{name}: {count} parameters, learning rate {rate:g}, off the grid along one axis {along_one_axis(off(error)):.1%}")
    for place, part in (("on the grid", on(error)), ("half a step off", off(error))):
        print(f"  {place}: MSE {float(part.square().mean()):.2e}, {decibels(part):.1f} dB")
    line[0].imshow(found, cmap="gray", vmin=0, vmax=1)
    line[1].imshow(error, cmap="RdBu", vmin=-0.2, vmax=0.2)
    line[2].imshow(torch.fft.fftshift(torch.fft.fft2(off(error)).abs()).log10(), cmap="magma", vmin=-1.5, vmax=1.5)
    for plot, title in zip(
        line, (f"{name}: {decibels(on(error)):.1f} dB", "error, within 0.2", "spectrum of the error off the grid"), strict=True
    ):
        plot.set_title(title, fontsize=9)
        plot.set_axis_off()
figure.savefig("rotated.png", dpi=120)
print("picture: rotated.png")
