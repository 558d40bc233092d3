"""Shapes swept around an axis: solids of revolution, cylinders, cones and tori."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from pinnsine.domain.ball import Ball, positive, vector
from pinnsine.domain.extrusion import Extrusion
from pinnsine.domain.moved import translated
from pinnsine.domain.piece import Piece, always, curve_integral, trimmed
from pinnsine.domain.polygon import Polygon
from pinnsine.domain.shape import NAMES, Shape
from pinnsine.errors import ProblemError

TABLE = 4097  # points of a profile's running integral of the radius
SYMMETRY_POINTS = 64


class Revolution(Shape):
    """A flat shape (radius, height) swept around the axis radius = 0: ``Revolution(Disk((2, 0), 0.5))`` is a torus about z.

    The profile lies at positive radii, or is symmetric about the axis. Raises ProblemError for any other.
    """

    def __init__(self, profile: Shape, names: Sequence[str] | None = None):
        if profile.dimension != 2:
            raise ProblemError(f"A flat shape is swept around an axis, got one in {profile.dimension} dimensions.")
        self.profile, (radius, height) = profile, profile.axes
        self.across = radius.lower < 0
        if self.across:
            _require_symmetric(profile)
        far = radius.upper
        super().__init__(names or NAMES, (-far, -far, height.lower), (far, far, height.upper))

    def signed(self, x):
        return self.profile.signed(torch.stack([x[:, :2].norm(dim=1), x[:, 2]], dim=1))

    def smooth(self, columns):
        radius = torch.sqrt(columns[0] * columns[0] + columns[1] * columns[1])
        cutoff = self.profile.smooth([radius, columns[2]])
        if not self.across:
            return cutoff
        # the mean with the mirror image is even in the radius, so that it is smooth on the axis
        return (cutoff + self.profile.smooth([-radius, columns[2]])) * 0.5

    def _measure(self):
        """The volume 2 pi times the integral of the radius (Pappus), which is an integral of radius^2 / 2 along the profile."""
        return math.pi * sum(curve_integral(p, lambda x, n: x[:, 0].square() * n[:, 0]) for p in self._curves), 0.0

    @cached_property
    def _curves(self) -> list[Piece]:
        slack = 1e-12 * self.size
        halves = (trimmed(p, lambda x, n: (x[:, 0] > slack).double()) for p in self.profile.pieces)
        return [h for h in halves if h is not None]

    def _pieces(self):
        return tuple(_swept(curve) for curve in self._curves)

    @property
    def corners(self):
        return self.profile.corners

    def words(self):
        return f"{self.profile.words()} swept around an axis"


def _swept(curve: Piece) -> Piece:
    """The surface of a curve (radius, height); equal shares of it are found from the running integral of the radius."""
    area = 2 * math.pi * curve_integral(curve, lambda x, n: x[:, 0])
    table = torch.linspace(0, 1, TABLE, dtype=torch.float64)
    middle = curve.place(((table[1:] + table[:-1]) / 2)[:, None])[0][:, 0]
    ends = curve.place(table[:, None])[0][:, 0]
    running = np.concatenate([[0], ((4 * middle + ends[1:] + ends[:-1]) / 6).cumsum(0).numpy()])

    def place(unit: Tensor):
        along = np.interp(unit[:, 0].numpy() * running[-1], running, table.numpy())
        x, n, _ = curve.place(torch.from_numpy(along)[:, None])
        c, s = (2 * math.pi * unit[:, 1]).cos(), (2 * math.pi * unit[:, 1]).sin()
        x, n = (torch.stack([v[:, 0] * c, v[:, 0] * s, v[:, 1]], dim=1) for v in (x, n))
        return x, n, always(len(unit))

    return Piece(2, area, place)


def _require_symmetric(profile: Shape) -> None:
    x = torch.cat([p.place(torch.linspace(0, 1, SYMMETRY_POINTS, dtype=torch.float64)[:, None])[0] for p in profile.pieces])
    mirrored = x * torch.tensor([-1.0, 1.0], dtype=torch.float64)
    if not bool((profile.signed(mirrored).abs() <= 1e-9 * profile.size).all()):
        raise ProblemError("What is swept around an axis lies at positive radii (its first coordinate) or is symmetric about the axis.")


def Cylinder(centre: Sequence[float] = (0, 0, 0), radius: float = 1.0, height: float = 1.0, names: Sequence[str] | None = None) -> Extrusion:
    """The upright cylinder of a radius and height, standing on its base around ``centre``."""
    x, y, z = vector("The centre of a cylinder's base", centre, 3).tolist()
    names = tuple(names or NAMES)
    return Extrusion(Ball((x, y), radius, names[:2]), names[2], z, z + positive("The height of a cylinder", height))


def Cone(centre: Sequence[float] = (0, 0, 0), radius: float = 1.0, height: float = 1.0, names: Sequence[str] | None = None) -> Shape:
    """The upright cone of a base radius and height, standing on its base around ``centre``."""
    r, h = positive("The radius of a cone", radius), positive("The height of a cone", height)
    return _placed(Revolution(Polygon([(-r, 0), (r, 0), (0, h)]), names), vector("The centre of a cone's base", centre, 3))


def Torus(centre: Sequence[float] = (0, 0, 0), radius: float = 1.0, tube: float = 0.25, names: Sequence[str] | None = None) -> Shape:
    """The torus about the third coordinate: a tube around the circle of ``radius`` about ``centre``.

    Raises ProblemError where the tube is not thinner than the radius.
    """
    if not positive("The tube of a torus", tube) < positive("The radius of a torus", radius):
        raise ProblemError(f"The tube of a torus is thinner than its radius, got {tube:g} and {radius:g}.")
    return _placed(Revolution(Ball((radius, 0.0), tube), names), vector("The centre of a torus", centre, 3))


def _placed(shape: Shape, centre: Tensor) -> Shape:
    return translated(shape, centre.tolist()) if bool(centre.any()) else shape
