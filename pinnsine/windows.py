"""A trial function made of several, one for each window of time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pinnsine.ansatz import Ansatz, Need, TrialFunction
from pinnsine.jet import Context, Jet
from pinnsine.local import Local
from pinnsine.points import Points
from pinnsine.probe import coordinates_at, data_of
from pinnsine.problem import Problem


class Windowed(TrialFunction):
    """The trial functions of a problem on successive windows of time, of which each answers for its own points.

    ``edges``: the ends of the windows, one more than ``windows``; a point on an edge belongs to the window before it. Where they do not reach
    the end of the domain, the fields are not known from there on: NaN.
    """

    def __init__(self, problem: Problem, windows: Sequence[Ansatz], edges: Sequence[float]):
        super().__init__()
        self.problem, self.edges = problem, tuple(edges)
        self.windows = nn.ModuleList(windows)
        self.scales, self.hard = windows[0].scales, windows[0].hard

    @property
    def pieces(self):
        """The networks of all windows."""
        return tuple(piece for window in self.windows for piece in window.pieces)

    @property
    def net(self):
        return self.windows[0].net

    def unknown_values(self, theta: Tensor) -> dict[str, float]:
        """None: a march finds no unknown numbers."""
        return {}

    def local(self, views: Mapping[str, Tensor], points: Points, need: Need) -> Local:
        """The state at a batch of points, for parameters given as views."""
        problem = self.problem
        context = Context(problem.domain.names, problem.domain.space, points.normal)
        time = points[problem.domain.time].double().contiguous()
        reached = self.edges[-1] == problem.domain.axis(problem.domain.time).upper
        inner = torch.tensor(self.edges[1:-1] if reached else self.edges[1:], dtype=torch.float64, device=time.device)
        window = torch.bucketize(time, inner)
        states = []
        for k in (k for k in window.unique().tolist() if k < len(self.windows)):  # later points belong to none
            index = (window == k).nonzero()[:, 0]
            own = {n.removeprefix(f"windows.{k}."): v for n, v in views.items() if n.startswith(f"windows.{k}.")}
            states.append((index, self.windows[k].local(own, points.select(index), need)))
        fields = {n: Gathered([(i, getattr(s, n)) for i, s in states], time, context) for n, indices in need.items() if indices}
        return Local(problem.names, context, coordinates_at(problem, points, context), fields, {}, data_of(problem, points))


class Gathered(Jet):
    """A batch put together from ``parts``: the indices of some of its points, and the jet of these; NaN elsewhere. ``like``: a column."""

    def __init__(self, parts: Sequence[tuple[Tensor, Jet]], like: Tensor, context: Context):
        super().__init__(context)
        self.parts, self.like = parts, like

    def _component(self, index):
        found = [(rows, jet.at(index)) for rows, jet in self.parts]
        known = [values for _, values in found if values is not None]
        if not known and sum(len(rows) for rows, _ in found) == len(self.like):
            return None
        gathered = torch.full_like(self.like, math.nan, dtype=known[0].dtype if known else None)
        for rows, values in found:
            gathered[rows] = 0.0 if values is None else values
        return gathered
