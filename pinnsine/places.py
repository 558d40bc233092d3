"""What of a plane domain's outline plane waves follow slowly: the functions that are put there, and points to tell them apart."""

from __future__ import annotations

import itertools
import math

import torch

from pinnsine.constraint import Constraint, Periodic, row_points
from pinnsine.domain import Box, Domain, Face, Faces, Region
from pinnsine.domain.outline import holes, inward_corners
from pinnsine.domain.product import Product
from pinnsine.domain.shape import Shape
from pinnsine.points import Points
from pinnsine.problem import Problem

NEAR_CORNERS = 1 / 3  # of the points of a rectangle at whose corners functions stand
DECADES = 4.0  # over which their distances from the corners are spread


def about(problem: Problem) -> dict[str, tuple]:
    """The holes and inward corners of a domain in the plane, at all times, as ``FrozenSines`` takes them."""
    domain = problem.domain
    shape = domain.shape if isinstance(domain, Product) else domain
    if not isinstance(shape, Shape) or any(f.of != domain.names or f.parts for f in problem.fields):
        return {}
    middle, half = ([g(a) for a in shape.axes] for g in (lambda a: (a.lower + a.upper) / 2, lambda a: a.length / 2))

    def place(point, size: float) -> tuple[float, ...]:
        return (*((c - m) / h for c, m, h in zip(point, middle, half, strict=True)), *(h / size for h in half))

    around = ((*place(h.centre, math.sqrt(h.radius * h.far)), math.log(h.far / h.radius) / 2) for h in holes(shape))
    return {"holes": tuple(around), "corners": tuple((*place(c.place, c.far), c.bisector, c.opening) for c in inward_corners(shape))}


def of_rectangle(problem: Problem) -> dict[str, tuple]:
    """The corners of a rectangle, as ``FrozenSines`` takes them; none with time or parameters.

    Where data do not fit each other there solutions have logarithms, which plane waves follow slowly.
    """
    domain, periodic = problem.domain, any(isinstance(c, Periodic) for c in problem.constraints)
    plane = isinstance(domain, Box) and len(domain.axes) == len(domain.space) == 2 and all(f.of == domain.names for f in problem.fields)
    if not plane or periodic:
        return {}
    half = [a.length / 2 for a in domain.axes]
    far = 2 * math.hypot(*half)
    ends = itertools.product((-1.0, 1.0), repeat=2)
    place = ((a, b, *(h / far for h in half), math.atan2(-b * half[1], -a * half[0]), math.pi / 2) for a, b in ends)
    return {"corners": tuple(place)}


def points_for(net, constraint: Constraint, domain: Domain, count: int, sampler: str, generator: torch.Generator) -> Points:
    """The row points of a constraint, more of them near the corners of a rectangle where functions of ``net`` stand there."""
    points = row_points(constraint, domain, count, sampler, generator)
    cornered = isinstance(domain, Box) and getattr(net, "corners", ())
    return towards_corners(points, constraint.region(domain), domain, generator) if cornered else points


def towards_corners(points: Points, region: Region | Points, box: Box, generator: torch.Generator) -> Points:
    """Points of a rectangle or its sides of which a third are moved towards the nearest corner, evenly in the logarithm of their distance.

    Functions with log r, whose derivatives grow like 1 / r and 1 / r^2, would else do as they like between a corner and the nearest point: in
    the cavity they left 5 of p there, and 1e-3 with these points.
    """
    faces = region.faces if isinstance(region, Faces) else (region,) if isinstance(region, Face) else ()
    if region is not box and not (faces and all(f.box is box for f in faces)):
        return points
    count = int(NEAR_CORNERS * len(points))
    moved = torch.randperm(len(points), generator=generator)[:count]
    nearer = 10 ** (-DECADES * torch.rand(count, generator=generator, dtype=torch.float64))
    columns = {n: c.clone() for n, c in points.columns.items()}
    for axis in box.axes:
        place = columns[axis.name][moved]
        end = torch.where(place - axis.lower < axis.upper - place, axis.lower, axis.upper)
        columns[axis.name][moved] = end + nearer * (place - end)
    return Points(columns, points.normal)
