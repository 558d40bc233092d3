"""What goes into the sines, what comes out, and the gradients, over the depth of a network: SIREN, its controlled init, and BSNN.

The figure of the SIREN paper's supplement with the networks that came after: histograms of the pre-activations and of the activations, the
spectrum of the activations along the input, and histograms of the gradients by the pre-activations, at layers 1 to 32.

    python examples/networks/activations.py [WIDTH]      # 400 by default: about 30 s; draws activations.png
"""

import sys

import torch
from matplotlib.figure import Figure

from pinnsine.nets import BSNN, Siren
from pinnsine.nets.statistics import activations_and_gradients, layer_statistics

WIDTH = int(sys.argv[1]) if len(sys.argv) > 1 else 400
LAYERS = (1, 2, 4, 8, 16, 32)
OMEGA = 30.0
NETWORKS = {
    "SIREN": Siren(WIDTH, max(LAYERS), OMEGA),
    "SIREN, unit gain": Siren(WIDTH, max(LAYERS), OMEGA, init="unit"),
    "BSNN": BSNN(WIDTH, max(LAYERS), OMEGA),
}
COLOURS = ("#b5382b", "#d98c1f", "#1f5a94")
ROWS = ("pre-activation", "activation", "wave number of the activation", "log10 |gradient|")

x = torch.linspace(-1, 1, 512, dtype=torch.float64)[:, None]
figure = Figure(figsize=(2.4 * len(LAYERS), 9), layout="constrained")
axes = figure.subplots(4, len(LAYERS))
for (name, spec), colour in zip(NETWORKS.items(), COLOURS, strict=True):
    net = spec.build(1, 1, torch.Generator().manual_seed(0))
    traced, found = activations_and_gradients(net, x), layer_statistics(net, x[::8])
    for column, layer in enumerate(LAYERS):
        z, h, g = traced[layer - 1]
        spectrum = torch.fft.rfft((h - h.mean(0)) * torch.hann_window(len(h), dtype=h.dtype)[:, None], dim=0).abs().square().mean(1).sqrt()
        size = g.abs().clamp(min=1e-12).log10().reshape(-1)
        histograms = {0: (z.reshape(-1), -4, 4), 1: (h.reshape(-1), -1.6, 1.6), 3: (size, -6, 1)}
        for row, (values, low, high) in histograms.items():
            axes[row, column].stairs(torch.histc(values, 60, low, high), torch.linspace(low, high, 61), color=colour, label=name)
        axes[2, column].semilogy(torch.pi * torch.arange(len(spectrum)), spectrum, color=colour, lw=1)
        axes[0, column].set_title(f"layer {layer}")
    gains = [layer.gain for layer in found[1:]]
    print(f"{name}: mean square into the last sines {found[-1].inputs:.3f}, gradients' growth a layer {sum(gains) / len(gains):.3f}")
for row, text in enumerate(ROWS):
    axes[row, 0].set_ylabel("amplitude" if row == 2 else "count")
    for column in range(len(LAYERS)):
        axes[row, column].set_xlabel(text, fontsize=8)
        axes[row, column].tick_params(labelsize=7)
    if row != 2:
        for column in range(len(LAYERS)):
            axes[row, column].set_yticks([])
    else:
        for column in range(len(LAYERS)):
            axes[row, column].set_ylim(1e-7, 1e3)
figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
figure.savefig("activations.png", dpi=120)
print("picture: activations.png")
