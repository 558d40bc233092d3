"""A solution on one page: fields, errors, slices and the history of the run.

Drawn with matplotlib's objects alone, no pyplot and no global state, so that it works in threads, tests and servers.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from pinnsine.domain import Axis, Domain
from pinnsine.export import replacing, require_suffix
from pinnsine.real_parts import real_arrays, real_reference

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pinnsine.reference import Reference
    from pinnsine.solution import Solution

FORMATS = (".png", ".pdf", ".svg", ".jpg")
DPI = 150
PIXELS = 320  # of a heat map, along each side
CURVE = 801  # points of a curve
TIMES = 4  # slices of an evolution
DECADES = 1e-5  # the smallest error that has a colour of its own, against the largest
NO_ERROR = 1e-30  # stands for an error of zero on a logarithmic axis
SMALLER_SIDE = 0.05  # a field counts as of both signs if the smaller side reaches this part of the larger
LONGEST_ASPECT = 6  # a longer plane is stretched
COLOURS = {"loss": "#1f5a94", "held_out": "#d98c1f", "error": "#b5382b", "field": "#1f5a94", "reference": "#111111"}
EMPTY = "."  # matplotlib's mark of an empty place in a mosaic

Panels = dict[str, Callable[["Axes"], None]]


def plot_solution(solution: Solution, path: str | Path) -> Path:
    """Draw every field with its error and slices, and the history; the file is complete or not there at all.

    One space coordinate and time: heat maps over (t, x), slices u(x) at four times. One coordinate: curves. Two space
    coordinates: heat maps over (x, y), slices along the middle and along the line where the field varies most. More:
    the plane of the first two space coordinates through the middle of all others. Errors need a reference.

    Raises:
        ProblemError: an unknown suffix, or a place that cannot be written to.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path = require_suffix(path, FORMATS, "A picture")
    view = look(solution)
    panels, mosaic = arrange(solution, view)
    figure = Figure(figsize=(5.2 * len(mosaic[0]), 3.7 * len(mosaic) + 0.6), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
    figure.suptitle(title(solution, view, 50 * len(mosaic[0])), fontsize=11)
    for label, axes in figure.subplot_mosaic(mosaic, empty_sentinel=EMPTY).items():
        panels[label](axes)
    with replacing(path) as beside:
        figure.savefig(beside, format=path.suffix[1:])
    return path


@dataclass(frozen=True)
class Plane:
    """The part of the domain that is drawn: two coordinates, or one, and the values of all others."""

    horizontal: Axis
    vertical: Axis | None
    fixed: Mapping[str, float]

    @property
    def evolution(self) -> bool:
        """Whether time runs to the right."""
        return self.vertical is not None and self.horizontal.role == "time"

    def at(self, horizontal: np.ndarray, vertical: np.ndarray | None = None) -> dict[str, np.ndarray | float]:
        """All coordinates of points of the plane."""
        pair = {} if self.vertical is None else {self.vertical.name: vertical}
        return {**self.fixed, self.horizontal.name: horizontal, **pair}


def drawn_plane(domain: Domain) -> Plane:
    """The first two space coordinates, else time and the first other coordinate, else the only one there is."""
    space = [a for a in domain.axes if a.role == "space"]
    by_role = sorted(domain.axes, key=lambda a: ("time", "space", "parameter").index(a.role))
    pair = space[:2] if len(space) > 1 else by_role[:2]
    fixed = {a.name: (a.lower + a.upper) / 2 for a in domain.axes if a not in pair}
    return Plane(pair[0], pair[1] if len(pair) > 1 else None, fixed)


@dataclass(frozen=True)
class View:
    """Fields and reference at the pixels (vertical, horizontal) of a plane, or along a line (horizontal,)."""

    plane: Plane
    horizontal: np.ndarray
    vertical: np.ndarray | None
    found: Mapping[str, np.ndarray]
    truth: Mapping[str, np.ndarray]


def look(solution: Solution, plane: Plane | None = None, reference: Reference | None = None) -> View:
    """The solution and a reference, by default the problem's own, on a plane, by default the one to draw."""
    plane = plane or drawn_plane(solution.problem.domain)
    if plane.vertical is None:
        line = np.linspace(plane.horizontal.lower, plane.horizontal.upper, CURVE)
        return View(plane, line, None, *evaluate(solution, plane.at(line), reference))
    across, up = _centres(plane.horizontal), _centres(plane.vertical)
    return View(plane, across, up, *evaluate(solution, plane.at(across[None, :], up[:, None]), reference))


def _centres(axis: Axis) -> np.ndarray:
    return axis.lower + axis.length * (np.arange(PIXELS) + 0.5) / PIXELS


Fields = dict[str, np.ndarray]


def evaluate(solution: Solution, coordinates: Mapping, reference: Reference | None = None) -> tuple[Fields, Fields]:
    """The fields, and what a reference, by default the problem's own, says of them, at coordinates that broadcast."""
    names = solution.problem.domain.names
    arrays = dict(zip(names, np.broadcast_arrays(*(coordinates[n] for n in names)), strict=True))
    predicted, reference = solution.predict(**arrays), reference or solution.problem.reference
    found = real_arrays(predicted)
    if reference is None:
        return found, {}
    reference = real_reference(reference, [n for n in predicted if n not in found])
    truth = reference.evaluate({n: torch.tensor(a.ravel(), dtype=torch.float64) for n, a in arrays.items()})
    return found, {n: np.where(np.isnan(found[n]), np.nan, v.numpy().reshape(found[n].shape)) for n, v in truth.items() if n in found}


def arrange(solution: Solution, view: View) -> tuple[Panels, list[list[str]]]:
    """The panels by label, and their places: two a row for one field, a row a field for several; history at the end."""
    flat = view.plane.vertical is None
    kinds = {"field": draw_curve if flat else draw_map}
    if view.truth:
        kinds["error"] = draw_error_curve if flat else draw_error_map
    if not flat:
        kinds["slices"] = partial(draw_slices, solution=solution)
    panels, rows = {"history": partial(draw_history, history=solution.history)}, []
    for name in view.found:
        drawn = {f"{name} {kind}": draw for kind, draw in kinds.items() if kind != "error" or name in view.truth}
        panels |= {label: partial(draw, view=view, name=name) for label, draw in drawn.items()}
        rows.append([label if (label := f"{name} {kind}") in drawn else EMPTY for kind in kinds])
    if len(rows) == 1 and len(kinds) != 2:
        single = [*rows[0], "history"]
        return panels, [single[k : k + 2] for k in range(0, len(single), 2)]
    rows.append(["history"] * len(kinds))
    return panels, rows if len(kinds) > 1 else [row * 2 for row in rows]


def draw_map(axes: Axes, view: View, name: str) -> None:
    """A field as a heat map."""
    values = np.ma.masked_invalid(view.found[name])
    _image(axes, view, values, name, **field_colours(values.compressed()))


def draw_error_map(axes: Axes, view: View, name: str) -> None:
    """The distance of a field from its reference as a heat map with logarithmic colours."""
    from matplotlib.colors import LogNorm

    error = np.ma.masked_invalid(np.abs(view.found[name] - view.truth[name]))
    known = error.compressed()
    top = max(known.max(initial=0.0), NO_ERROR)
    bottom = max(float(np.quantile(known, 0.02)) if known.size else 0.0, top * DECADES)
    # an exact hit has no logarithm; it takes the colour of the smallest error
    error = np.ma.maximum(error, bottom)
    colours = {"cmap": "magma", "norm": LogNorm(bottom, top if top > bottom else 10 * bottom)}
    _image(axes, view, error, f"|{name} − reference|", interpolation="nearest", **colours)


def field_colours(values: np.ndarray) -> dict[str, object]:
    """A diverging map centred at zero where values (N,) take both signs, else a uniform one over their range."""
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if low < 0 < high and min(-low, high) > SMALLER_SIDE * max(-low, high):
        limit = max(-low, high)
        return {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    return {"cmap": "viridis", "vmin": low, "vmax": high}


def _image(axes: Axes, view: View, values: np.ma.MaskedArray, label: str, **colours) -> None:
    across, up = view.plane.horizontal, view.plane.vertical
    spatial = across.role == up.role == "space"
    square = spatial and max(across.length / up.length, up.length / across.length) <= LONGEST_ASPECT
    extent = (across.lower, across.upper, up.lower, up.upper)
    image = axes.imshow(values, origin="lower", extent=extent, aspect="equal" if square else "auto", **colours)
    axes.set(xlabel=across.name, ylabel=up.name, title=label)
    axes.set_facecolor("0.85")
    # an inset keeps the height of the map, which equal aspect may shrink
    axes.figure.colorbar(image, cax=axes.inset_axes([1.03, 0.0, 0.045, 1.0]))


def draw_slices(axes: Axes, solution: Solution, view: View, name: str) -> None:
    """A field along lines of the plane, the reference dashed on top."""
    from matplotlib import colormaps

    plane = view.plane
    along, across = (plane.vertical, plane.horizontal) if plane.evolution else (plane.horizontal, plane.vertical)
    places = np.linspace(across.lower, across.upper, TIMES) if plane.evolution else telling_lines(view, name)
    line = np.linspace(along.lower, along.upper, CURVE)
    pair = (places[:, None], line[None, :])
    found, truth = evaluate(solution, plane.at(*(pair if plane.evolution else pair[::-1])))
    shades = colormaps["viridis"](np.linspace(0.25, 0.85, len(places)))
    for place, values, shade in zip(places, found[name], shades, strict=True):
        axes.plot(line, values, color=shade, linewidth=1.8, label=f"{across.name} = {place:.3g}")
    for k, values in enumerate(truth.get(name, ())):
        axes.plot(line, values, **_dashed(label="reference" if k == 0 else None))
    axes.set(xlabel=along.name, ylabel=name, title=f"{name}({along.name})", xlim=(along.lower, along.upper))
    _finish(axes, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def telling_lines(view: View, name: str) -> np.ndarray:
    """Where to cut a plane of space: through the middle, and where the field varies most, unless that is close by.

    The middle alone would be blank for solutions such as sin(pi x) sin(4 pi y).
    """
    axis, held = view.plane.vertical, np.ma.masked_invalid(view.found[name])
    variation = (held.max(axis=1) - held.min(axis=1)).filled(-1.0)
    middle, most = (axis.lower + axis.upper) / 2, float(view.vertical[variation.argmax()])
    return np.array([middle] if abs(most - middle) < 0.05 * axis.length else sorted((middle, most)))


def draw_curve(axes: Axes, view: View, name: str) -> None:
    """A field of one coordinate, the reference dashed on top."""
    axis = view.plane.horizontal
    axes.plot(view.horizontal, view.found[name], color=COLOURS["field"], linewidth=1.8, label=name)
    if name in view.truth:
        axes.plot(view.horizontal, view.truth[name], **_dashed("reference"))
    axes.set(xlabel=axis.name, ylabel=name, title=f"{name}({axis.name})", xlim=(axis.lower, axis.upper))
    _finish(axes)


def draw_error_curve(axes: Axes, view: View, name: str) -> None:
    """The distance of a field of one coordinate from its reference on a logarithmic axis."""
    axis = view.plane.horizontal
    error = np.abs(view.found[name] - view.truth[name])
    _logarithmic(axes, view.horizontal, error, COLOURS["error"], None)
    axes.set(xlabel=axis.name, ylabel="absolute error", title=f"|{name} − reference|", xlim=(axis.lower, axis.upper))
    _finish(axes)


def draw_history(axes: Axes, history: Mapping[str, np.ndarray]) -> None:
    """Loss, held-out loss and error against the seconds of the run."""
    for column, label in {"loss": "training loss", "held_out": "held-out loss", "error": "relative L2 error"}.items():
        if column in history:
            _logarithmic(axes, history["seconds"], history[column], COLOURS[column], label)
    axes.set(xlabel="solving time [s]", ylabel="loss and error", title="history")
    axes.set_xlim(0.0, 1.03 * axes.get_xlim()[1])  # marks at the end stay whole
    if axes.get_yscale() == "log":  # a run of one step would else be magnified until its scale has no round number left
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, high / 100), max(high, low * 100))
    _finish(axes)


def _logarithmic(axes: Axes, x: np.ndarray, y: np.ndarray, colour: str, label: str | None) -> None:
    """A curve through the positive values on a logarithmic axis; without any there is no such axis, and no curve."""
    known = np.isfinite(y) & (y > 0)
    if known.any():
        marker = "o" if known.sum() == 1 else None
        axes.semilogy(x[known], y[known], color=colour, linewidth=1.4, label=label, marker=marker)


def _dashed(label: str | None) -> dict[str, object]:
    return {"color": COLOURS["reference"], "linewidth": 1.0, "dashes": (4, 4), "label": label}


def _finish(axes: Axes, **legend) -> None:
    axes.locator_params(axis="x", nbins=6)
    axes.grid(True, color="0.9", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(fontsize=8, frameon=False, **legend)


def title(solution: Solution, view: View, width: int) -> str:
    """Problem and plane; network, seconds and errors, in lines of ``width`` characters."""
    settings = solution.settings
    plane = "".join(f", {name} = {value:.3g}" for name, value in view.plane.fixed.items())
    facts = [f"{settings['net']}, {settings['seconds']:.0f} s"]
    if view.truth:
        facts.append("relative L2 error " + ", ".join(_figures(solution.compare().relative_l2)))
    facts.append("estimated error " + ", ".join(_figures(solution.estimate)))
    if solution.unknowns:
        facts.append(", ".join(f"{name} = {float(value):.6g}" for name, value in solution.unknowns.items()))
    # no-break spaces keep each fact on one line, unless it is a list
    text = "\xa0\xa0·  ".join(fact.replace(" ", "\xa0").replace(",\xa0", ", ") for fact in facts)
    return "\n".join([f"{solution.problem.name}{plane}", *textwrap.wrap(text, width, break_on_hyphens=False)])


def _figures(errors: Mapping[str, float]) -> list[str]:
    return [f"{value:.1e}" if len(errors) == 1 else f"{name} {value:.1e}" for name, value in errors.items()]
