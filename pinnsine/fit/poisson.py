"""An image from its derivatives: Poisson problems on the pixel grid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pinnsine import calculus
from pinnsine.constraint import Constraint, Data, Residual
from pinnsine.errors import ProblemError
from pinnsine.fit.pixels import channels, frame, pixel_points, require_mask
from pinnsine.fit.stencil import FIVE_POINT, STENCILS, Stencils, gradient_weights
from pinnsine.points import Points
from pinnsine.problem import Field, Problem

Gradient = tuple[np.ndarray, np.ndarray]


def poisson(
    gradient: Gradient | Points | None = None,
    laplacian: np.ndarray | Points | None = None,
    *,
    stencil: str = "exact",
    mask: np.ndarray | None = None,
    anchors: Points | None = None,
    shape: tuple[int, int] | None = None,
) -> Problem:
    """The problem of finding an image u from grad u = (gx, gy), from its Laplacian, or from both, in values for one pixel.

    gradient: (gx, gy), arrays (h, w), or (h, w, 3) for colour, at the pixels' centres; or Points with columns x, y, gx and gy anywhere in an
        image of ``shape`` (h, w).
    laplacian: an array (h, w) or (h, w, 3), or Points with columns x, y and laplacian.
    stencil: what the derivatives of an array are: "exact" ones, of the network, or differences ("forward", "central", "sobel"), which
        act on the network at shifted points; of a Laplacian the differences are those of the four neighbours.
    mask: True (h, w) where the derivatives are known; entries that are NaN are left out as well.
    anchors: points with columns x, y and u (r, g, b) where values are known. Without them a constant is free, and of a Laplacian alone,
        with exact derivatives, every harmonic function.

    Rows count as they stand, so that the loss is the mean squared error of the derivatives. Raises ProblemError for arrays of unequal shapes,
    an unknown stencil, and where nothing is known.
    """
    if gradient is None and laplacian is None:
        raise ProblemError("poisson() takes gradient=(gx, gy), laplacian=, or both: got neither.")
    if stencil not in STENCILS:
        raise ProblemError(f"Unknown stencil {stencil!r}: choose one of {', '.join(map(repr, STENCILS))}.")
    if stencil == "sobel" and laplacian is not None:
        raise ProblemError("The Laplacian has no Sobel stencil: choose 'forward' for the four neighbours' differences, or 'exact'.")
    known = {"gradient": _columns(gradient, ("gx", "gy"), "gradient"), "laplacian": _columns(laplacian, ("laplacian",), "laplacian")}
    known = {kind: columns for kind, columns in known.items() if columns is not None}
    shape = _shape(known, shape)
    names = _fields(known)
    constraints: list[Constraint] = [_constraint(kind, columns, names, stencil, mask, shape) for kind, columns in known.items()]
    if anchors is not None:
        constraints.append(Data("anchors", anchors, weight=1.0 / len(names), **{n: n for n in names}))
    return Problem(frame(shape), [Field(n, range=(0.0, 1.0)) for n in names], constraints, name="poisson")


def _columns(source, columns: tuple[str, ...], what: str) -> Points | dict[str, np.ndarray] | None:
    """Derivatives as Points, or as arrays by column, all of one shape."""
    if source is None:
        return None
    if isinstance(source, Points):
        missing = [c for c in ("x", "y", *columns) if c not in source.names]
        if missing:
            raise ProblemError(f"{what}=: the points lack the column {missing[0]!r}; they have {', '.join(source.names)}.")
        return source
    parts = [source] if len(columns) == 1 else source
    if not isinstance(parts, list | tuple) or len(parts) != len(columns):
        raise ProblemError(f"{what}= takes {' and '.join(columns)}, got {type(source).__name__}.")
    arrays = [np.asarray(part, dtype=np.float64) for part in parts]
    shapes = {a.shape for a in arrays}
    if len(shapes) > 1 or arrays[0].ndim not in (2, 3) or 0 in arrays[0].shape or arrays[0].shape[2:] not in ((), (3,)):
        raise ProblemError(f"{what}= takes arrays of one shape (h, w) or (h, w, 3), got {' and '.join(str(a.shape) for a in arrays)}.")
    return dict(zip(columns, arrays, strict=True))


def _shape(known: Mapping, shape: tuple[int, int] | None) -> tuple[int, int]:
    """Rows and columns of the image."""
    shapes = {next(iter(columns.values())).shape[:2] for columns in known.values() if not isinstance(columns, Points)}
    if shape is not None:
        shapes.add(tuple(shape))
    if len(shapes) != 1:
        got = " and ".join(map(str, sorted(shapes))) or "none: scattered derivatives need shape=(h, w)"
        raise ProblemError(f"All derivatives belong to an image of one shape, got {got}.")
    return shapes.pop()


def _fields(known: Mapping) -> tuple[str, ...]:
    """The fields: u, or r, g and b."""
    found = {("u",) if isinstance(c, Points) else tuple(channels(next(iter(c.values())))) for c in known.values()}
    if len(found) > 1:
        raise ProblemError("gradient= and laplacian= must be both grey or both of colour.")
    return found.pop()


def _constraint(kind: str, known, names: tuple[str, ...], stencil: str, mask, shape) -> Constraint:
    if isinstance(known, Points):
        return Residual(kind, _exact(kind, dict.fromkeys(names, "")), on=known, weight=1.0)
    columns = {f"{column}{'' if n == 'u' else '_' + n}": part for column, array in known.items() for n, part in channels(array).items()}
    finite = np.logical_and.reduce([np.isfinite(part) for part in columns.values()])
    where = finite if mask is None else finite & require_mask(mask, shape)
    if not where.any():
        raise ProblemError(f"{kind}= is known nowhere: every entry is NaN or left out by the mask.")
    points = pixel_points(shape, where, **columns)
    weight = 1.0 / len(names)
    if stencil == "exact":
        return Residual(kind, _exact(kind, {n: "" if n == "u" else "_" + n for n in names}), on=points, weight=weight)
    weights = {"laplacian": FIVE_POINT}
    if kind == "gradient":
        along = gradient_weights(stencil)
        weights = {"gx": along["x"], "gy": along["y"]}
    rows = {f"{column}{'' if n == 'u' else '_' + n}": (n, part) for column, part in weights.items() for n in names}
    return Stencils(kind, rows, on=points, weight=weight)


def _exact(kind: str, endings: Mapping[str, str]):
    """The residual with the network's own derivatives."""

    def gradient(s):
        pairs = ((n, e, c) for n, e in endings.items() for c in "xy")
        return {f"g{c}{e}": getattr(s, f"{n}_{c}") - getattr(s.data, f"g{c}{e}") for n, e, c in pairs}

    def laplacian(s):
        return {f"laplacian{e}": calculus.laplacian(getattr(s, n)) - getattr(s.data, f"laplacian{e}") for n, e in endings.items()}

    return gradient if kind == "gradient" else laplacian
