"""The distance of a solution from a reference as a picture: every field a row, every time a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pinnsine.errors import ProblemError
from pinnsine.export import replacing, require_suffix
from pinnsine.plot import DPI, FORMATS, Plane, draw_error_curve, draw_error_map, drawn_plane, look

if TYPE_CHECKING:
    from pinnsine.reference import Reference
    from pinnsine.solution import Solution

TIMES = 3  # at which a plane of space is drawn if none are given


def plot_errors(solution: Solution, path: str | Path, reference: Reference | None = None, times: Sequence[float] = ()) -> Path:
    """Draw the distance of every field that a reference knows from it; the file is complete or not there at all.

    Planes of space are drawn at the times given, by default at three, the last of them the end; an evolution in one space coordinate is one map
    over (t, x), and takes no times.

    Raises:
        ProblemError: there is no reference, or none of these fields; times are given where time is drawn, or lie outside the domain; an unknown
            suffix, or a place that cannot be written to.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path = require_suffix(path, FORMATS, "A picture")
    if reference is None and solution.problem.reference is None:
        raise ProblemError("There is no reference to draw the distance from: give plot_errors() one, or the problem reference=.")
    planes = planes_at(solution, times)
    views = [look(solution, plane, reference) for plane in planes]
    fields = list(views[0].truth)
    if not fields:
        raise ProblemError("The reference knows none of the problem's fields, so there is no error to draw.")
    figure = Figure(figsize=(4.6 * len(views) + 0.4, 3.6 * len(fields) + 0.6), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    for row, name in zip(figure.subplots(len(fields), len(views), squeeze=False), fields, strict=True):
        for axes, view in zip(row, views, strict=True):
            (draw_error_curve if view.plane.vertical is None else draw_error_map)(axes, view, name)
            if len(views) > 1:
                time = solution.problem.domain.time
                axes.set_title(f"{axes.get_title()}, {time} = {view.plane.fixed[time]:.3g}")
    figure.suptitle(solution.problem.name, fontsize=11)
    with replacing(path) as beside:
        figure.savefig(beside, format=path.suffix[1:])
    return path


def planes_at(solution: Solution, times: Sequence[float]) -> list[Plane]:
    """The plane to draw, at every time where it is one of space."""
    domain = solution.problem.domain
    plane = drawn_plane(domain)
    if domain.time not in plane.fixed:
        if times:
            raise ProblemError("times= are for planes of space: here time is a coordinate of the picture, or there is none.")
        return [plane]
    axis = domain.axis(domain.time)
    chosen = times or np.linspace(axis.lower, axis.upper, TIMES + 1)[1:].tolist()
    outside = [t for t in chosen if not axis.lower <= t <= axis.upper]
    if outside:
        raise ProblemError(f"times= holds {outside[0]:g}, which is outside {axis.name} in [{axis.lower:g}, {axis.upper:g}].")
    return [replace(plane, fixed={**plane.fixed, axis.name: float(t)}) for t in chosen]
