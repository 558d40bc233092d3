"""Fits as arrays and pictures: resampled, zoomed, extrapolated, and with gradient and Laplacian."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pinnsine.export import replacing, require_suffix
from pinnsine.plot import FORMATS
from pinnsine.solution import Solution


def render(
    solution: Solution,
    shape: tuple[int, int] | None = None,
    window: tuple[float, float, float, float] | None = None,
    expression: str | Callable | None = None,
) -> np.ndarray:
    """The fit on a grid of pixels (h, w), or (h, w, 3) for a colour image, by default its own.

    ``shape``: any other number of rows and columns over the same ``window`` (x0, x1, y0, y1) in pixels, by default the whole image; a
    window that reaches beyond it shows how the fit extrapolates. ``expression``: a derivative such as "u_x", or a function of s.
    """
    domain = solution.problem.domain
    width, height = domain.axis("x").upper, domain.axis("y").upper
    rows, columns = shape or (round(height), round(width))
    x0, x1, y0, y1 = window or (0.0, width, 0.0, height)
    x = x0 + (np.arange(columns) + 0.5) * ((x1 - x0) / columns)
    y = y0 + (np.arange(rows) + 0.5) * ((y1 - y0) / rows)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Some points lie outside the domain")  # asked for by the window
        if expression is not None:
            return solution.predict(expression, x=x, y=y[:, None])
        found = list(solution.predict(x=x, y=y[:, None]).values())
    return found[0] if len(found) == 1 else np.stack(found, axis=-1)


def film(solution: Solution, count: int | None = None, shape: tuple[int, int] | None = None) -> np.ndarray:
    """The frames (n, h, w), or (n, h, w, 3) in colour, of the fit of a film: its own, or any ``count`` and ``shape`` of them."""
    x, y, t = (solution.problem.domain.axis(n).upper for n in "xyt")
    frames, (rows, columns) = count or round(t), shape or (round(y), round(x))
    centres = [(np.arange(n) + 0.5) * (length / n) for n, length in ((frames, t), (rows, y), (columns, x))]
    found = list(solution.predict(t=centres[0][:, None, None], y=centres[1][:, None], x=centres[2]).values())
    return found[0] if len(found) == 1 else np.stack(found, axis=-1)


def plot_image(solution: Solution, path: str | Path, truth: np.ndarray | None = None) -> Path:
    """Draw the fit with its error, its gradient's length and its Laplacian (of the mean of the channels), and what lies beyond its edges.

    Raises ProblemError for an unknown suffix, or a place that cannot be written to.
    """
    names = [f.name for f in solution.problem.fields]
    width, height = (solution.problem.domain.axis(n).upper for n in ("x", "y"))
    found = render(solution)
    fine = (found.shape[0] * 2, found.shape[1] * 2)
    panels = [("fit", found, "gray", (0, 1))]
    if truth is not None:
        error = found - truth if found.ndim == 2 else (found - truth).mean(axis=-1)
        panels += [("image", truth, "gray", (0, 1)), (f"error, largest {abs(found - truth).max():.1e}", error, "RdBu_r", None)]
    gradient = [np.mean([render(solution, fine, expression=f"{n}_{c}") for n in names], axis=0) for c in "xy"]
    curvature = np.mean([render(solution, fine, expression=f"{n}_xx") + render(solution, fine, expression=f"{n}_yy") for n in names], axis=0)
    around = (-width / 2, 1.5 * width, -height / 2, 1.5 * height)
    panels += [
        ("length of the gradient", np.hypot(*gradient), "viridis", (0, float(np.quantile(np.hypot(*gradient), 0.995)))),
        ("Laplacian", curvature, "RdBu_r", None),
        ("beyond the edges", render(solution, fine, around), "gray", (0, 1)),
    ]
    return draw_panels(panels, path, solution.problem.name)


def draw_panels(panels, path: str | Path, title: str) -> Path:
    """Arrays side by side, three in a row, four two by two: (title, array, colours, range), None for the range up to the 99.5 % quantile."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path = require_suffix(path, FORMATS, "A picture")
    columns = 2 if len(panels) == 4 else min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.2 * columns, 4.2 * rows), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11)
    places = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in places[len(panels) :]:
        axes.set_axis_off()
    for axes, (label, array, colours, limits) in zip(places, panels, strict=False):
        top = float(np.quantile(abs(array), 0.995)) or 1.0
        low, high = limits or (-top, top)
        shown = np.clip(array, 0, 1) if array.ndim == 3 else array
        picture = axes.imshow(shown, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
        axes.set_title(label, fontsize=9)
        axes.set(xticks=[], yticks=[])
        if colours != "gray":
            figure.colorbar(picture, ax=axes, shrink=0.75)
    with replacing(path) as beside:
        figure.savefig(beside, format=path.suffix[1:])
    return path
