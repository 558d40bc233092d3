"""Flow in a square cavity under the regularised lid u = 4 x (1 - x), by collocation of the stream function.

With u = psi_y, v = -psi_x and omega = lap psi the steady Navier-Stokes equations become

    lap^2 psi / Re = psi_y omega_x - psi_x omega_y,   psi = 0 on the walls,   psi_n = 0 but psi_y = 4 x (1 - x) on the lid y = 1.

Where the lid meets a wall the slope of u along the lid is 4, but along the wall v_y = 0: the vorticity has no limit there, and the pressure is
logarithmic. Near the corner (0, 1), with X = x, Y = 1 - y and theta = atan2(X, Y), the angle from the wall, the flow is Stokes' flow

    psi = 2 (X^2 + Y^2) theta - 2 X Y - pi X^2,   omega = 8 theta - 2 pi,   p = 4 log(X^2 + Y^2) / Re,

and its mirror image at (1, 1). Both are taken out; what is left is smooth enough for polynomials (H. K. Moffatt 1964, J. Fluid Mech. 18, on
such local solutions; O. Botella & R. Peyret 1998, Computers & Fluids 27, on taking them out).
"""

from __future__ import annotations

import math

import numpy as np
import torch

from pinnsine.calculus import D, laplacian
from pinnsine.constraint import Dirichlet, Residual
from pinnsine.domain import Rectangle
from pinnsine.errors import ProblemError
from pinnsine.jet import values
from pinnsine.points import tensor_grid
from pinnsine.reference.chebyshev import COARSE, Collocation, gauss
from pinnsine.reference.computed import Arrays, Computed, digest, reference_of
from pinnsine.reference.exact import Reference
from pinnsine.reference.grid import Grid, difference

FORMAT = 1  # of the files in the cache; raised whenever the same flow gives other numbers
STEPS = 40  # of Newton's method, at most
SQUARE = Rectangle(x=(0, 1), y=(0, 1))


def corner(x, y) -> dict[str, torch.Tensor]:
    """The singular flow of both corners (N,): psi and omega with their derivatives, and p, the pressure times Re."""
    total: dict[str, torch.Tensor] = {}
    for X, sign in ((x, 1.0), (1 - x, -1.0)):
        Y = 1 - y
        theta, square = torch.atan2(X, Y), X**2 + Y**2
        parts = {
            "psi": 2 * square * theta - 2 * X * Y - math.pi * X**2,
            "psi_x": sign * X * (4 * theta - 2 * math.pi),
            "psi_y": 4 * X - 4 * Y * theta,
            "psi_xx": 4 * theta + 4 * X * Y / square - 2 * math.pi,
            "psi_xy": sign * 4 * X**2 / square,
            "psi_yy": 4 * theta - 4 * X * Y / square,
            "omega_x": sign * 8 * Y / square,
            "omega_y": 8 * X / square,
            "p": sign * 4 * torch.log(square),
        }
        total = {name: total.get(name, 0.0) + part for name, part in parts.items()}
    return total


def conditions(Re: float) -> list:
    """The equation and the walls for what is left of psi, called w."""

    def of(name: str, s):
        return corner(values(s.x), values(s.y))[name]

    def vorticity(s):
        psi_x, psi_y = s.w_x + of("psi_x", s), s.w_y + of("psi_y", s)
        omega = laplacian(s.w)
        omega_x, omega_y = D(omega, "x") + of("omega_x", s), D(omega, "y") + of("omega_y", s)
        return laplacian(omega) - Re * (psi_y * omega_x - psi_x * omega_y)

    def lid(s):
        return torch.where(values(s.y) > 0.5, 4 * values(s.x) * (1 - values(s.x)), 0.0) - of("psi_y", s)

    sides, ends = SQUARE.boundary("x"), SQUARE.boundary("y")
    return [
        Residual("vorticity", vorticity),
        Dirichlet("sides", w=lambda s: -of("psi", s), w_x=lambda s: -of("psi_x", s), on=sides),
        Dirichlet("ends", w=lambda s: -of("psi", s), w_y=lid, on=ends),
    ]


def pressure(w: Collocation, stream: torch.Tensor, Re: float) -> np.ndarray:
    """The pressure without its singular part (n, n) at the nodes, of mean zero over them: its gradient is that of the momentum equations.

    The normal equations at Gauss-Chebyshev points are separable, and diagonal in the eigenvectors of one coordinate.
    """
    points = tensor_grid({a.name: gauss(a, n + 1) for a, n in zip(SQUARE.axes, w.degrees, strict=True)})
    singular = corner(points["x"], points["y"])

    def psi(index: str) -> torch.Tensor:
        return w.matrix(points, tuple(index)) @ stream + singular.get(f"psi_{index}", 0.0)

    u, v = psi("y"), -psi("x")
    slope_x = (psi("xxy") + psi("yyy")) / Re - (u * psi("xy") + v * psi("yy"))
    slope_y = -(psi("xxx") + psi("xyy")) / Re + (u * psi("xx") + v * psi("xy"))
    return separable(w, *(part.view(*w.shape).numpy() for part in (slope_x, slope_y)))


def separable(w: Collocation, slope_x: np.ndarray, slope_y: np.ndarray) -> np.ndarray:
    """The polynomial (n, n) whose gradient comes closest to the one given at Gauss-Chebyshev points (n, n)."""
    from scipy.linalg import eigh

    line = w.lines[0]
    value = line.cardinal(gauss(SQUARE.axes[0], len(line.nodes)).numpy())
    slope = value @ line.derivative()
    mass = value.T @ value
    rates, vectors = eigh(slope.T @ slope, mass)
    right = vectors.T @ (slope.T @ slope_x @ value + value.T @ slope_y @ slope) @ vectors
    total = rates[:, None] + rates
    total[0, 0] = np.inf  # the constant, which is open
    return vectors @ (right / total) @ vectors.T


class Flow:
    """The velocity and the pressure (N, 3) of what was found for w and p at the nodes, with the singular flow added."""

    def __init__(self, w: Collocation, stream: np.ndarray, smooth: np.ndarray, Re: float):
        slope = w.lines[0].derivative()
        stream = stream.reshape(w.shape)
        self.grid, self.Re = Grid(w.lines, np.stack([stream @ slope.T, -slope @ stream, smooth], axis=-1)), Re
        middle = {"x": np.array([0.5]), "y": np.array([0.5])}
        self.level = 0.0
        self.level = self.evaluate(middle)[0, 2]

    def evaluate(self, columns) -> np.ndarray:
        """u, v and p (N, 3) at points of the square; p is 0 at its centre, and infinite at both upper corners."""
        singular = {n: f.numpy() for n, f in corner(*(torch.from_numpy(columns[n]) for n in "xy")).items()}
        added = np.stack([singular["psi_y"], -singular["psi_x"], singular["p"] / self.Re - self.level], axis=-1)
        return self.grid.evaluate(columns) + added


def cavity(Re: float = 100.0, degree: int = 48) -> Reference:
    """The steady flow in a unit square under the lid u = 4 x (1 - x), with fields u, v and p, p = 0 at the centre.

        (V . grad) V + grad p = lap V / Re,   div V = 0,   V = 0 on the other walls,   V = (u, v),   0 <= x, y <= 1

    Args:
        Re: Reynolds number.
        degree: of the polynomials in x and in y.

    Returns:
        A Reference whose floors are the measured change for three quarters of the degree.

    Raises:
        ProblemError: Re is not positive, or the degree is below 12; on evaluation, Newton's method does not converge: it starts from rest.

    Source of the case: arXiv 2607.02194, table 1.
    """
    if not Re > 0 or degree < 12:
        raise ProblemError(f"Re must be positive and the degree at least 12, got {Re} and {degree}.")
    fine, rough = (Collocation(SQUARE, ("w",), tuple(conditions(Re)), (n, n)) for n in (degree, math.ceil(COARSE * degree)))

    def found(w: Collocation) -> Arrays:
        stream = w.solve(torch.zeros(1, w.shape[0] ** 2, dtype=torch.float64), STEPS)[0]
        return {"stream": stream.numpy(), "smooth": pressure(w, stream, Re)}

    def compute() -> Arrays:
        kept, coarse = found(fine), found(rough)
        points = tensor_grid({a.name: gauss(a, 2 * degree) for a in SQUARE.axes}).columns
        points = {n: c.numpy() for n, c in points.items()}
        pair = [Flow(w, part["stream"], part["smooth"], Re).evaluate(points) for w, part in ((fine, kept), (rough, coarse))]
        return {**kept, "floor": difference(*pair)}

    computed = Computed(digest("cavity", [FORMAT, Re, degree], []), compute, lambda kept: Flow(fine, kept["stream"], kept["smooth"], Re))
    return reference_of(computed, SQUARE, ("u", "v", "p"), f"stream function of degree {degree} x {degree}, corners taken out")
