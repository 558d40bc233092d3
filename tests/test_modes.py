"""Eigenvalue problems: the guess, one eigenpair by ``solve``, several by ``eigenpairs``."""

import math

import numpy as np
import pytest
import torch

import pinnsine as ps
from pinnsine.ansatz import build_ansatz
from pinnsine.constraint import row_points
from pinnsine.modes import nearest_mode
from pinnsine.objective import bind
from pinnsine.probe import FieldScale
from pinnsine.rest import from_rest

X = ps.Interval("x", 0, 1)
SMALL = {"net": ps.FrozenSines(40, omega=12.0), "points": 160, "progress": False, "estimate": False}


def string(start=1.0, source=0.0, norm=1.0, **unknown):
    """-u'' = E u with u = 0 at both ends: E = (n pi)^2."""
    return ps.Problem(
        X,
        "u",
        [
            ps.Residual("string", lambda s: s.u_xx + s.E * s.u - source),
            ps.Dirichlet("ends", u=0.0, on=X.boundary()),
            ps.Integral("norm", lambda s: s.u**2, over="x", equals=norm),
        ],
        unknowns=[ps.Unknown("E", start, **unknown)],
    )


def guess(problem, net=SMALL["net"]):
    generator = torch.Generator().manual_seed(0)
    points = {c.name: row_points(c, problem.domain, 160, "sobol", generator) for c in problem.constraints}
    ansatz = build_ansatz(problem, net, {"u": FieldScale()}, generator)
    objective = bind(ansatz, points)
    return objective, nearest_mode(objective, ansatz.flat())


@pytest.mark.parametrize("kind", [{}, {"positive": True}, {"bounds": (1.0, 300.0)}])
@pytest.mark.parametrize(("start", "n"), [(5.0, 1), (33.0, 2), (99.0, 3), (130.0, 4)])
def test_the_guess_is_the_eigenpair_nearest_to_the_start(start, n, kind):
    objective, theta = guess(string(start, **kind))
    assert objective.ansatz.unknown_values(theta)["E"] == pytest.approx((n * math.pi) ** 2, rel=1e-4)
    assert objective.loss(theta) < 1e-6  # the norm is met as well


@pytest.mark.parametrize(
    ("problem", "net"),
    [(string(source=1.0), SMALL["net"]), (string(), ps.Siren(8, 2)), (string(5.0, bounds=(1.0, 6.0)), SMALL["net"])],
    ids=["a source", "a trained network", "an eigenvalue that the unknown cannot be"],
)
def test_there_is_no_guess_where_there_is_nothing_to_guess(problem, net):
    objective, theta = guess(problem, net)
    assert theta is None
    if "bounds" not in repr(problem.unknowns):
        assert torch.isfinite(from_rest(objective, objective.ansatz.flat())).all()


@pytest.mark.parametrize(("start", "n"), [(5.0, 1), (33.0, 2), (99.0, 3)])
def test_solve_finds_the_nearest_eigenpair_with_its_norm_and_a_definite_sign(start, n):
    """Measured at most 2e-13 in E."""
    solution = ps.solve(string(start, norm=2.0), **SMALL)
    assert float(solution.unknowns["E"]) == pytest.approx((n * math.pi) ** 2, rel=1e-12)
    x = np.linspace(0, 1, 9)
    assert np.allclose(solution.predict("u", x=x), 2 * np.sin(n * np.pi * x), atol=1e-9)


def test_the_string_has_its_eigenvalues_in_order_of_distance():
    found = ps.eigenpairs(string(30.0), 3, **SMALL)
    values = [float(s.unknowns["E"]) for s in found]
    assert values == pytest.approx([(n * math.pi) ** 2 for n in (2, 1, 3)], rel=1e-10)
    assert abs(found[2].integrate(lambda s: s.u * torch.sin(torch.pi * s.x))) < 1e-9


def test_a_double_eigenvalue_is_found_twice():
    """A square membrane: E = 2, 5, 5 pi^2; the two functions of 5 pi^2 are orthogonal. Measured at most 7e-6 in E with so few sines."""
    square = ps.Rectangle(x=(0, 1), y=(0, 1))
    problem = ps.Problem(
        square,
        "u",
        [
            ps.Residual("membrane", lambda s: ps.laplacian(s.u) + s.E * s.u),
            ps.Dirichlet("rim", u=0.0, on=square.boundary()),
            ps.Integral("norm", lambda s: s.u**2, over=("x", "y"), equals=1.0, points=16),
        ],
        unknowns=[ps.Unknown("E", 0.0)],
    )
    found = ps.eigenpairs(problem, 3, net=ps.FrozenSines(150, omega=6.0), points=500, progress=False, estimate=False)
    values = [float(s.unknowns["E"]) / math.pi**2 for s in found]
    assert values == pytest.approx([2, 5, 5], rel=2e-5)
    second, third = found[1:]
    x, y = np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41))
    product = second.predict("u", x=x, y=y) * third.predict("u", x=x, y=y)
    assert abs(product.mean()) < 1e-6


def test_what_is_no_eigenvalue_problem_is_refused():
    with pytest.raises(ps.ProblemError, match="one unknown, the eigenvalue, and one Integral"):
        ps.eigenpairs(ps.load_problem("poisson_1d"), 3)
    with pytest.raises(ps.ProblemError, match="count 0"):
        ps.eigenpairs(string(), 0)
