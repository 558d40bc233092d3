"""Where a solution violates its conditions: one panel a constraint, the size of the residual over one or two coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from pinnsine.export import replacing, require_suffix
from pinnsine.plot import COLOURS, DECADES, DPI, FORMATS
from pinnsine.points import Points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pinnsine.diagnose import Diagnosis

COLUMNS = 3  # panels side by side
SMALLEST = 1e-30  # stands for zero on a logarithmic scale


def plot_diagnosis(diagnosis: Diagnosis, path: str | Path, where: str = "") -> Path:
    """Draw the residuals in natural units, with ``where`` in the title; the file is complete or not there at all.

    Raises ProblemError for an unknown suffix, or a place that cannot be written to.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path = require_suffix(path, FORMATS, "A picture")
    count = len(diagnosis.residuals)
    wide = min(COLUMNS, count)
    high = -(-count // wide)
    figure = Figure(figsize=(4.8 * wide, 3.6 * high + 0.5), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(where + (", ".join(diagnosis.causes) or "nothing found"), fontsize=11)
    panels = list(figure.subplots(high, wide, squeeze=False).flat)
    for axes, (name, (points, sizes)) in zip(panels, diagnosis.residuals.items(), strict=False):
        draw_residual(axes, points, sizes)
        axes.set_title(f"{name}: {diagnosis.violations[name]:.1e}", fontsize=10)
    for axes in panels[count:]:
        axes.set_axis_off()
    with replacing(path) as beside:
        figure.savefig(beside, format=path.suffix[1:])
    return path


def draw_residual(axes: Axes, points: Points, sizes: Tensor) -> None:
    """The sizes (N,) over the coordinate along which the points spread, or as colours over the first two of them."""
    spread = [n for n, c in points.columns.items() if float(c.max() - c.min()) > 0] or list(points.names)[:1]
    size = np.maximum(sizes.numpy(), SMALLEST)
    columns: Mapping[str, np.ndarray] = {n: points[n].numpy() for n in spread[:2]}
    if len(columns) == 1:
        [(name, x)] = columns.items()
        axes.semilogy(x, size, ".", markersize=3, color=COLOURS["error"])
        axes.set(xlabel=name, ylabel="residual")
        return
    order = size.argsort()  # the largest on top
    (first, x), (second, y) = columns.items()
    top = np.log10(size.max())
    shades = {"cmap": "magma_r", "vmin": max(np.log10(size.min()), top + np.log10(DECADES)), "vmax": top}
    drawn = axes.scatter(x[order], y[order], c=np.log10(size[order]), s=9, linewidths=0, **shades)
    axes.figure.colorbar(drawn, ax=axes, label="log10 of the residual")
    axes.set(xlabel=first, ylabel=second)
