"""The signed distance to a surface, from points on it: an eikonal problem (Gropp, Yariv, Haim, Atzmon & Lipman 2020; Sitzmann et al. 2020)."""

from __future__ import annotations

import numpy as np
import torch

from pinnsine.calculus import grad
from pinnsine.constraint import Constraint, Data, Residual
from pinnsine.domain import Box, Shape
from pinnsine.errors import ProblemError
from pinnsine.fit.cloud import Cloud, as_cloud
from pinnsine.fit.known_distance import bounds, exact_distance, unsided_bounds
from pinnsine.points import Points
from pinnsine.problem import Field, Problem

SURFACE, NORMAL, EIKONAL, BOUNDS, APART, DISTANCE = 100.0, 1.0, 0.3, 10.0, 0.01, 100.0  # weights, in coordinates of half the domain's side
NEAR = 0.05  # deviation of the points near the surface, in half the domain's side
NEAR_SHARE = 0.5  # of the points off the surface
KNOWN_NEAR_SHARE = 0.1  # where the distance is known: half and half left four fifths of a union's squared error outside, far from it
DECAY = 50.0  # of the row that keeps the zero set from spreading
SINGULAR = 1e-2  # of the determinant, in coordinates of half the domain's side
BALL, ROUNDED = 0.6, 0.2  # radius of the ball that is begun with, and of what is smooth in its middle, in half the domain's side
LOSSES = ("squares", "siren", "singular")
TINY = 1e-12  # under the root of the gradient's square


def sdf(source, *, points: int = 20_000, margin: float = 0.2, seed: int = 0, losses: str = "squares") -> Problem:
    """The problem of the signed distance u(x, y, z) to a closed surface, negative inside.

    On the points of the surface u = 0 and grad u = n; off it |grad u| = 1, and exp(-50 |u| / h) is small, so that no other zero set
    appears; h is half the side of the domain, the cube around the surface with ``margin`` of its longest side to each side. Bounds
    from the nearest of the points, whose side is told by the cloud's winding number, keep the far field
    (``pinnsine.fit.known_distance``). All rows are squared. With ``losses="siren"`` they are those of Sitzmann et al. (2020),
    section 4.2, for gradient methods alone: sums of absolute values, and no bounds. With ``losses="singular"`` no normals are used: on the
    points u = 0 and |grad u| = 1, near them det(Hessian u) = 0, as a distance has it, which carries the gradient's direction across the
    surface (Wang et al. 2023, arXiv 2309.01793), and the bounds are those that need no side.

    source: an oriented cloud, a cloud, or a mesh, as ``pinnsine.fit.cloud.as_cloud`` takes them; without normals these are estimated. Or a
        shape in x, y and z, such as ``Torus`` or ``Mesh("spot.obj")``, whose exact distance, on the surface and off it, is all that is fitted:
        normals jump at edges, and their rows outweighed the distance's.
    points: how many are drawn on a mesh, and how many off the surface, half of them near it. Of a shape twice as many in all, a tenth of
        them on the surface.
    seed: of both.

    Raises ProblemError for what is no cloud, a margin or number of points that is not above zero, unknown losses, and other than squares for
    a shape.
    """
    if not (margin > 0 and points > 0):
        raise ProblemError(f"sdf() needs points and a margin above zero, got points={points} and margin={margin}.")
    shape = source if isinstance(source, Shape) else None
    if losses not in LOSSES or (losses != "squares" and shape is not None):
        raise ProblemError(
            f"losses= takes 'squares', or of a cloud or a mesh 'siren' or 'singular', got {losses!r} for a {type(source).__name__}."
        )
    cloud = as_cloud(source, points, seed) if shape is None else _drawn(shape, max(1, points // 5), seed)
    middle = (cloud.points.max(axis=0) + cloud.points.min(axis=0)) / 2
    half = (0.5 + margin) * float(np.ptp(cloud.points, axis=0).max())
    domain = Box(**{n: (float(c) - half, float(c) + half) for n, c in zip("xyz", middle, strict=True)})
    if shape is not None:
        around = _around(cloud, middle, half, 2 * points - len(cloud.points), seed, KNOWN_NEAR_SHARE)
        rows = _known(shape, cloud, around, half, seed)
        return Problem(domain, Field("u", range=(-half, half)), rows, name="signed distance")
    on = Points({**_named("xyz", cloud.points), **_named(("nx", "ny", "nz"), cloud.normals)})
    around = _around(cloud, middle, half, points, seed)
    if losses == "siren":
        return Problem(domain, Field("u", range=(-half, half)), siren_losses(on, Points(_named("xyz", around)), half), name="signed distance")
    if losses == "singular":
        rows = singular_losses(on, cloud, around, half)
        return Problem(domain, Field("u", range=(-half, half), plus=_ball(middle, half)), rows, name="signed distance")
    surface = [
        Data("surface", on, u=0.0, weight=SURFACE / half**2),
        Data("normals", on, u_x="nx", u_y="ny", u_z="nz", weight=NORMAL),
    ]
    rows = [*surface, *_eikonal(Points({**_named("xyz", around), **bounds(cloud, around)}), half)]
    return Problem(domain, Field("u", range=(-half, half)), rows, name="signed distance")


def siren_losses(on: Points, off: Points, half: float) -> list[Constraint]:
    """1500 mean |u| / h and 50 mean (1 - cos(grad u, n)) on the surface, 50 mean exp(-100 |u| / h) off it, 50 mean ||grad u| - 1| everywhere.

    h is half the side of the domain. The published means run over as many points on the surface as off it together, so that those over one
    kind alone count half of the published 3000, 100 and 100.
    """
    both = Points.join([Points({n: p[n] for n in "xyz"}) for p in (on, off)])

    def angle(s):
        normal = {c: getattr(s.data, f"n{c}") for c in "xyz"}
        return 1 - sum(getattr(s, f"u_{c}") * normal[c] for c in "xyz") / torch.sqrt(grad(s.u).dot(grad(s.u)) + TINY)

    def mean_size(factor: float):
        return lambda rows: factor * rows.abs().mean()

    return [
        Residual("surface", lambda s: s.u, on=on, weight=1.0, loss=mean_size(1500 / half)),
        Residual("normals", angle, on=on, weight=1.0, loss=mean_size(50)),
        Residual("apart", lambda s: torch.exp(-(100 / half) * torch.abs(s.u)), on=off, weight=1.0, loss=mean_size(50)),
        Residual("eikonal", _slope, on=both, weight=1.0, loss=mean_size(50)),
    ]


def singular_losses(on: Points, cloud: Cloud, around: np.ndarray, half: float) -> list[Constraint]:
    """What holds of the distance to points without normals; ``around``: points of which the second half is near the surface."""
    near = Points(_named("xyz", around[len(around) - len(around) // 2 :]))
    return [
        Data("surface", Points({n: on[n] for n in "xyz"}), u=0.0, weight=SURFACE / half**2),
        Residual("slope", _slope, on=Points({n: on[n] for n in "xyz"}), weight=NORMAL),
        Residual("singular", lambda s: half**3 * _determinant(s), on=near, weight=SINGULAR),
        *_eikonal(Points({**_named("xyz", around), **unsided_bounds(cloud, around)}), half),
    ]


def _ball(middle: np.ndarray, half: float):
    """A ball's distance, smooth in the middle: what the field begins as, so that its inside is one part and negative."""

    def distance(s):
        squares = sum((getattr(s, n) - float(m)) ** 2 for n, m in zip("xyz", middle, strict=True))
        return torch.sqrt(squares + (ROUNDED * half) ** 2) - BALL * half

    return distance


def _slope(s):
    """|grad u| - 1."""
    return torch.sqrt(grad(s.u).dot(grad(s.u)) + TINY) - 1


def _determinant(s):
    """Of the Hessian, along its first row."""
    return s.u_xx * (s.u_yy * s.u_zz - s.u_yz**2) - s.u_xy * (s.u_xy * s.u_zz - s.u_yz * s.u_xz) + s.u_xz * (s.u_xy * s.u_yz - s.u_yy * s.u_xz)


def _eikonal(off: Points, half: float) -> list[Constraint]:
    """What holds off the surface of a cloud."""
    return [
        Residual("eikonal", _slope, on=off, weight=EIKONAL),
        Residual("bounds", _beyond, on=off, weight=BOUNDS / half**2),
        Residual("apart", lambda s: torch.exp(-(DECAY / half) * torch.abs(s.u)), on=off, weight=APART),
    ]


def _known(shape: Shape, cloud: Cloud, around: np.ndarray, half: float, seed: int) -> list[Constraint]:
    """What is known of a shape's distance: on its surface, and at the points around."""
    distance = exact_distance(shape, around, seed)
    return [
        Data("surface", Points(_named("xyz", cloud.points)), u=0.0, weight=SURFACE / half**2),
        Data("distance", Points({**_named("xyz", around), "distance": distance}), u="distance", weight=DISTANCE / half**2),
    ]


def _drawn(shape: Shape, count: int, seed: int) -> Cloud:
    """Points on a shape's boundary with their normals."""
    if tuple(a.name for a in shape.axes) != ("x", "y", "z"):
        raise ProblemError(f"A signed distance is that of a shape in x, y and z, got {', '.join(a.name for a in shape.axes)}.")
    drawn = shape.boundary().sample(count, "sobol", torch.Generator().manual_seed(seed))
    return Cloud(drawn.matrix("xyz").numpy(), np.stack([drawn.normal[n].numpy() for n in "xyz"], axis=1))


def _beyond(s):
    """How far u lies beyond its bounds; zero between them."""
    above, below = s.u - s.data.upper, s.u - s.data.lower
    return torch.where(above > 0, above, torch.where(below < 0, below, 0 * s.u))


def _named(names, array: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(names, array.T.copy(), strict=True))


def _around(cloud: Cloud, middle: np.ndarray, half: float, count: int, seed: int, share: float = NEAR_SHARE) -> np.ndarray:
    """Points (count, 3) of the domain off the surface: evenly, and a ``share`` of them, the last, near it."""
    rng, close = np.random.default_rng(seed + 1), int(share * count)
    even = middle + half * rng.uniform(-1, 1, (count - close, 3))
    near = cloud.points[rng.integers(len(cloud.points), size=close)] + NEAR * half * rng.standard_normal((close, 3))
    return np.clip(np.concatenate([even, near]), middle - half, middle + half)
