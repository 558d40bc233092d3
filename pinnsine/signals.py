"""What ``solve`` chooses for a signal: a problem whose rows all stand at given points, and at many of them.

Up to ``EXACT`` rows a network of twice as many parameters is fitted by Gauss-Newton in function space, the dual form of Levenberg-Marquardt,
whose one matrix has the size of the rows. Its octaves end at half the Nyquist limit of the points, so that it says something between them.
More rows, linear in the fields or in the plane, are solved for by sparse least squares on sines under windows, whose wave numbers end at
the Nyquist limit: as many unknowns as points, an interpolation. So are linear rows of values at all points of a grid from ``QUICK`` on, where
windows say enough, and take a second in place of minutes. Others, those of signed distances, are passed over in mini-batches by Adam.

Camera of 48 x 48 pixels on windows: 259 dB in 0.2 s, 33.0 dB half a pixel off the grid against the cubic spline; by the network 315 dB in 28 s,
29.0 dB. From its differences at six tenths of the pixels windows leave no image, the network 31 dB in 56 s. One image of 64 x 64 cloned into
another, of which the rows leave something: 148 dB on windows after 2 s, 27 dB by the network after 290 s, against the linear system that
defines it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from pinnsine.domain import Domain
from pinnsine.nets import BSNN, LocalSines, RotatedOctaves
from pinnsine.optim import Adam, GaussNewton, LevenbergMarquardt
from pinnsine.points import Points
from pinnsine.probe import trace
from pinnsine.problem import Problem

LEAST = 500  # rows; fewer are a problem like any other
QUICK = 2048  # rows, above which the network takes minutes
EXACT = 8192  # rows, whose kernel is 0.5 GB and takes seconds to factorise
SHARE = 2.0  # parameters for every row, where they are fitted exactly
DEPTH = 3
WIDTH, BATCH, RATE = 128, 1024, 2e-3  # in mini-batches
ROTATIONS = 3
MODES = {1: 32, 2: 8, 3: 4}  # points of a cell along each coordinate, by their number, and functions of a window for rows of values
PLANE = 2  # coordinates in which rows that are not linear are solved for by Newton's method on them too
RASTER = 30.0  # places of a grid for every point on it: an image of which a few per cent of the pixels are known
DERIVATIVES = 0.625  # of them for rows of derivatives: nearer to the Nyquist limit there are functions whose derivatives vanish at all points


def is_signal(problem: Problem) -> bool:
    """Whether all rows stand at given points, there are many, and nothing else is unknown."""
    placed = all(isinstance(c.on, Points) and c.loss is None for c in problem.soft)
    return placed and not problem.unknowns and len(problem.soft) == len(problem.constraints) and _points(problem) >= LEAST


def _points(problem: Problem) -> int:
    return sum(len(c.on) for c in problem.soft)


def signal_choice(problem: Problem, scales, linear: bool) -> tuple[BSNN | LocalSines, tuple, str]:
    """The network, the phases and the reason in words; ``linear``: the rows are known to be affine in the fields."""
    traces = {c.name: trace(problem, c, c.on.select(slice(0, 4)), scales) for c in problem.soft}
    rows = sum(len(c.on) * len(traces[c.name].rows) for c in problem.soft)
    dimension, points = len(problem.domain.axes), given_points(problem)
    of_values = not any(index for t in traces.values() for indices in t.need.values() for index in indices)
    quick = linear and of_values and rows > QUICK and fills_grid(points, problem.domain.names)
    if (quick or (rows > EXACT and (linear or dimension <= PLANE))) and dimension in MODES:
        net = local_sines(points, problem.domain, of_values)
        return net, (GaussNewton(),), "signal at given points: sparse least squares on sines under windows"
    octaves = octaves_below(max(len(c.on) for c in problem.soft) ** (1 / dimension))
    encoding = RotatedOctaves(octaves, ROTATIONS)
    if rows > EXACT:
        return BSNN(WIDTH, DEPTH, encoding=encoding), (Adam(lr=RATE, batch=BATCH),), "signal at many points: mini-batches"
    features = 2 * octaves * dimension * (ROTATIONS if dimension > 1 else 1)
    width = width_for(SHARE * rows, features, len(problem.fields))
    method = LevenbergMarquardt(factorisation="auto", damping=1e-3, factor=16.0, ratio=0.5)
    return BSNN(width, DEPTH, encoding=encoding), (method,), "signal at given points: Gauss-Newton in function space"


def octaves_below(samples: float) -> int:
    """The octaves pi/2, pi, 2 pi ... up to half the Nyquist limit pi samples / 2 of so many samples along [-1, 1]; at least one."""
    return max(1, int(math.log2(samples) + 1e-9))


def width_for(parameters: float, features: int, outputs: int) -> int:
    """The width at which a network of ``DEPTH`` hidden layers has so many parameters."""
    linear = features + DEPTH + outputs
    return max(8, math.ceil((-linear + math.sqrt(linear**2 + 4 * (DEPTH - 1) * parameters)) / (2 * (DEPTH - 1))))


def given_points(problem: Problem) -> Points:
    """The points of all rows, each once, if they fill a grid, else those of the largest constraint."""
    names = problem.domain.names
    together = torch.cat([c.on.matrix(names) for c in problem.soft]).unique(dim=0)
    points = Points(dict(zip(names, together.T, strict=True)))
    return points if fills_grid(points, names) else max((c.on for c in problem.soft), key=len)


def fills_grid(points: Points, names: Sequence[str]) -> bool:
    """Whether different points are all those of a grid of the coordinates ``names``."""
    return math.prod(len(points[n].unique()) for n in names) == len(points)


def local_sines(points: Points, domain: Domain, of_values: bool) -> LocalSines:
    """Windows with as many functions as there are points, fewer unless all rows are ``of_values``."""
    side = MODES[len(domain.axes)]
    cells = tuple(max(1, math.ceil(n / side - 1e-9)) for n in samples_along(points, domain))
    return LocalSines(cells, side if of_values else math.ceil(DERIVATIVES * side))


def samples_on_raster(points: Points, domain: Domain) -> bool:
    """Whether the points are a good part of those of an evenly spaced grid."""
    places = 1.0
    for axis in domain.axes:
        different = points[axis.name].unique()
        if len(different) > 1:
            places *= 1 + float((different[-1] - different[0]) / different.diff().min())
    return places <= RASTER * len(points)


def samples_along(points: Points, domain: Domain) -> tuple[float, ...]:
    """How many points stand along each coordinate: those of a grid, else as the lengths of the domain's sides have it."""
    if fills_grid(points, domain.names):
        return tuple(len(points[a.name].unique()) for a in domain.axes)
    mean = math.prod(a.length for a in domain.axes) ** (1 / len(domain.axes))
    return tuple(a.length / mean * len(points) ** (1 / len(domain.axes)) for a in domain.axes)
