"""Mirror symmetries that the solution of an evolution must have, found by trial.

Where the equations and conditions hold of u(x) and of its image +-u(2 c - x) about the middle c of the domain alike, and the start determines
the solution, it is its own image. Built into the trial function (``pinnsine.known``) the symmetry holds a front where it must stand: of
one that is moved by d the rows tell little, its values are wrong by d times its slope. Burgers' equation for every nu in [0.01, 0.1], errors
of seed 0: 1.0e-3 after 250 iterations of 0.27 s, and with u odd 6.2e-5 after 175 of 0.35 s.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import torch

from pinnsine.constraint import Constraint, Periodic, row_points
from pinnsine.domain import Axis, Box, Face, Faces
from pinnsine.evolution import is_evolution
from pinnsine.known import SIGNS, Symmetry
from pinnsine.points import Points
from pinnsine.probe import FieldScale, trace
from pinnsine.problem import Problem

POINTS = 64  # of each constraint, at which it is tried
PROBES = 2
SAME = 1e-9  # of a row's size
MOST_FIELDS = 4  # each of which may be odd or even

Image = Mapping[str, Symmetry]


def mirrors(problem: Problem, scales: Mapping[str, FieldScale]) -> dict[str, tuple[Symmetry, ...]]:
    """The symmetries by field, in one space coordinate, as each doubles the cost of a network; none where a field's is declared."""
    fields = problem.fields
    known = any(f.symmetry or f.plus is not None for f in fields)
    if known or len(fields) > MOST_FIELDS or not isinstance(problem.domain, Box) or not is_evolution(problem):
        return {}
    for axis in (a for a in problem.domain.axes if a.role == "space"):
        for signs in itertools.product(SIGNS.values(), repeat=len(fields)):
            centre = (axis.lower + axis.upper) / 2
            image = {f.name: Symmetry(axis.name, sign, centre) for f, sign in zip(fields, signs, strict=True)}
            if all(_maps(problem, c, axis, image, scales) for c in problem.constraints):
                return {n: (s,) for n, s in image.items()}
    return {}


def walls(problem: Problem, scales: Mapping[str, FieldScale]) -> dict[str, int]:
    """-1 for each space coordinate about both ends of which the solution of an evolution is odd, 1 where even, 0 where neither is known.

    Then it continues beyond its walls, at which its values or its slopes vanish, as a periodic function as smooth as itself: equations and
    start hold of images about either wall, and its conditions of whatever is its own image.
    """
    found: dict[str, int] = {}
    for axis in problem.domain.axes if isinstance(problem.domain, Box) else ():
        if axis.role == "space":
            signs = (s for s in (-1, 1) if all(_continues(problem, axis, s, end, scales) for end in (axis.lower, axis.upper)))
            found[axis.name] = next(signs, 0)
    return found


def _continues(problem: Problem, axis: Axis, sign: int, end: float, scales: Mapping[str, FieldScale]) -> bool:
    """Whether equations and start hold of images about one end of an axis, and the conditions there of every function that is its own image."""
    image, held = {f.name: Symmetry(axis.name, sign, end) for f in problem.fields}, set()
    for constraint in problem.constraints:
        region = constraint.region(problem.domain)
        faces = region.faces if isinstance(region, Faces) else [region]
        if isinstance(region, Points):
            return False
        if not all(isinstance(f, Face) and f.name == axis.name for f in faces):
            points = row_points(constraint, problem.domain, POINTS, "sobol", torch.Generator().manual_seed(4))
            if not _same(problem, constraint, points, constraint, _reflected(points, image), image, scales):
                return False
            continue
        for face in (f for f in faces if f.value == end):
            points = face.sample(POINTS, "sobol", torch.Generator().manual_seed(4))
            rows, images = (trace(problem, constraint, points, scales, image=i) for i in (None, image))
            if any(float((rows.rows[n] + images.rows[n]).abs().max()) > SAME * (1 + float(r.abs().max())) for n, r in rows.rows.items()):
                return False
            held |= {n for n, indices in rows.need.items() if indices}
    return held == {f.name for f in problem.fields}


def said(found: Mapping[str, tuple[Symmetry, ...]]) -> str:
    """The symmetries in words, as the rest of a sentence."""
    words = {sign: word for word, sign in SIGNS.items()}
    return "".join(f"; {n} is {words[s.sign]} about {s.coordinate} = {s.centre:g}" for n, those in found.items() for s in those)


def _maps(problem: Problem, constraint: Constraint, axis: Axis, image: Image, scales) -> bool:
    """Whether a constraint's rows of a field are, up to their signs, those of its image on the other side, or those of another constraint's."""
    points = row_points(constraint, problem.domain, POINTS, "sobol", torch.Generator().manual_seed(4))
    if isinstance(constraint.region(problem.domain), Points):
        return False
    if isinstance(constraint, Periodic) and constraint.coordinate == axis.name:  # its rows know both ends
        return _same(problem, constraint, points, constraint, points, image, scales)
    there = _reflected(points, image)
    others = (c for c in problem.constraints if c is constraint or (type(c) is type(constraint) and not (constraint.hard or c.hard)))
    return any(_reaches(problem, other, there) and _same(problem, constraint, points, other, there, image, scales) for other in others)


def _reaches(problem: Problem, constraint: Constraint, points: Points) -> bool:
    """Whether a constraint holds at points."""
    place = constraint.region(problem.domain)
    return not isinstance(place, Points) and bool(place.contains(points).all())


def _same(problem: Problem, constraint: Constraint, points: Points, other: Constraint, there: Points, image: Image, scales) -> bool:
    for seed in range(PROBES):
        rows = trace(problem, constraint, points, scales, seed=seed).rows
        images = trace(problem, other, there, scales, seed=seed, image=image).rows
        if rows.keys() != images.keys():
            return False
        for row, mirrored in ((rows[n].nan_to_num(), images[n].nan_to_num()) for n in rows):
            slack = SAME * float(row.abs().max())
            if not min(float((row - mirrored).abs().max()), float((row + mirrored).abs().max())) <= slack:
                return False
    return True


def _reflected(points: Points, image: Image) -> Points:
    """The points on the other side, with their normals."""
    mirror = next(iter(image.values()))
    normal = {n: -c if n == mirror.coordinate else c for n, c in points.normal.items()}
    return Points(mirror.reflected(points).columns, normal)
