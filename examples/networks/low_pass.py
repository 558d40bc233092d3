"""The kernel of a sinusoidal network is a low-pass filter, and omega is its bandwidth.

Left: the tangent kernel of simple sinusoidal networks of one layer around x = 0. Middle: the spectrum of that kernel, beside
exp(-k^2 / (2 s^2)), s = omega sqrt(2) the deviation of the wave numbers; a network learns first what its spectrum holds most of. Right:
what kernel regression makes of 40 noisy samples of two tones: too smooth, right, and interpolating the noise.

    python examples/networks/low_pass.py [SAMPLES]      # 40 by default: about 10 s; draws low_pass.png
"""

import math
import sys

import torch
from matplotlib.figure import Figure

from pinnsine.kernel import bandwidth, ntk
from pinnsine.nets import SimpleSine

SAMPLES = int(sys.argv[1]) if len(sys.argv) > 1 else 40
OMEGAS = (2.0, 8.0, 32.0)
COLOURS = ("#1f5a94", "#d98c1f", "#b5382b")
NOISE = 0.1


def truth(x):
    return torch.sin(3 * x) + 0.5 * torch.sin(14 * x)


generator = torch.Generator().manual_seed(0)
line = torch.linspace(-1, 1, 801, dtype=torch.float64)[:, None]
wide = torch.linspace(-3, 3, 2401, dtype=torch.float64)[:, None]
samples = 2 * torch.rand(SAMPLES, 1, generator=generator, dtype=torch.float64) - 1
values = truth(samples[:, 0]) + NOISE * torch.randn(SAMPLES, generator=generator, dtype=torch.float64)
figure = Figure(figsize=(15, 4.5), layout="constrained")
kernel_axes, spectrum_axes, fit_axes = figure.subplots(1, 3)
for omega, colour in zip(OMEGAS, COLOURS, strict=True):
    net = SimpleSine(10**9, 1, omega)
    kernel = ntk(net, wide, torch.zeros(1, 1, dtype=torch.float64))[:, 0]
    kernel_axes.plot(wide[:, 0], kernel / kernel.max(), color=colour, label=f"omega = {omega:g}")
    spectrum = torch.fft.rfft(kernel).abs()
    k = 2 * torch.pi * torch.fft.rfftfreq(len(wide), 1 / 400, dtype=torch.float64)
    s = omega * math.sqrt(2)
    spectrum_axes.semilogy(k, spectrum / spectrum[0], color=colour, label=f"omega = {omega:g}")
    spectrum_axes.semilogy(k, torch.exp(-(k**2) / (2 * s**2)), color=colour, ls=":", lw=1)
    own = ntk(net, samples)
    fit = ntk(net, line, samples) @ torch.linalg.solve(own + 1e-2 * own.diagonal().mean() * torch.eye(SAMPLES), values)
    fit_axes.plot(line[:, 0], fit, color=colour)
    error = float((fit - truth(line[:, 0])).norm() / truth(line[:, 0]).norm())
    width = float(bandwidth(lambda x, y, net=net: ntk(net, x, y), line[::100]))
    print(f"omega {omega:g}: bandwidth of the tangent kernel {width:.1f} rad, error of the regression {error:.2f}")
fit_axes.plot(line[:, 0], truth(line[:, 0]), color="#111111", lw=1, ls="--", label="truth")
fit_axes.plot(samples[:, 0], values, ".", color="#111111", label="samples")
kernel_axes.set(xlabel="x", xlim=(-1, 1), title="tangent kernel with x = 0")
spectrum_axes.set(xlabel="wave number", xlim=(0, 300), ylim=(1e-6, 2), title="its spectrum; dotted: the Gaussian of the first layer")
fit_axes.set(xlabel="x", ylim=(-2.2, 2.2), title="kernel regression")
kernel_axes.legend()
fit_axes.legend()
figure.savefig("low_pass.png", dpi=120)
print("picture: low_pass.png")
