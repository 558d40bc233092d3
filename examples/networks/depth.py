"""How deep a network of sines can be trained: SIREN, SIREN with the controlled init, BSNN, at depths 2 to 32.

Each fits 128 samples of a chirp with Adam, full batch, omega from the data's spectrum, at three learning rates of which the best counts; the
error is taken half-way between the samples. SIREN's gradients grow by the root of 1.203 a layer and its frequencies with them; those of
the others do not.

    python examples/networks/depth.py [STEPS]      # 200 by default: about 100 s of one core; draws depth.png
"""

import math
import sys
from dataclasses import replace

import torch
from matplotlib.figure import Figure

import pinnsine as ps
from pinnsine.nets import BSNN, Siren
from pinnsine.omega import from_data

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
DEPTHS = (2, 4, 8, 16, 32)
WIDTH = 48
RATES = (3e-4, 1e-3, 3e-3)
NETWORKS = {
    "SIREN": Siren(WIDTH, omega="auto"),
    "SIREN, controlled": Siren(WIDTH, omega="auto", init="controlled"),
    "SIREN, unit gain": Siren(WIDTH, omega="auto", init="unit"),
    "BSNN": BSNN(WIDTH, omega="auto"),
}
COLOURS = ("#b5382b", "#d98c1f", "#7a9a2e", "#1f5a94")


def chirp(x):
    return torch.sin(2 * math.pi * (x + 1 + (x + 1) ** 2))


x = torch.linspace(-1, 1, 128, dtype=torch.float64)[:, None]
between = (x[1:] + x[:-1]) / 2
problem = ps.Problem(ps.Interval("x", -1, 1), "u", [ps.Data("chirp", ps.Points({"x": x[:, 0], "value": chirp(x[:, 0])}), u="value")])


def error(spec, rate: float) -> float:
    """The relative error between the samples after training; infinite where training broke down."""
    net = spec.build(1, 1, torch.Generator().manual_seed(0)).float()
    optimizer = torch.optim.Adam(net.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    inputs, target = x.float(), chirp(x).float()
    for _ in range(STEPS):
        optimizer.zero_grad()
        (net(inputs) - target).square().mean().backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        found = float((net(between.float()) - chirp(between)).norm() / chirp(between).norm())
    return found if math.isfinite(found) else math.inf


figure = Figure(figsize=(7, 5), layout="constrained")
axes = figure.subplots()
for (name, spec), colour in zip(NETWORKS.items(), COLOURS, strict=True):
    spec = from_data(spec, problem)
    errors = {depth: min((error(replace(spec, depth=depth), rate), rate) for rate in RATES) for depth in DEPTHS}
    axes.loglog(DEPTHS, [e for e, _ in errors.values()], "o-", color=colour, label=name)
    print(f"{name} (omega {spec.omega:.3g}): " + ", ".join(f"depth {d}: {e:.1e} at {rate:g}" for d, (e, rate) in errors.items()), flush=True)
axes.set(xlabel="hidden layers", ylabel="relative error between the samples", title=f"a chirp after {STEPS} steps of Adam, width {WIDTH}")
axes.set_xticks(DEPTHS, [str(d) for d in DEPTHS])
axes.xaxis.minorticks_off()
axes.legend()
figure.savefig("depth.png", dpi=120)
print("picture: depth.png")
