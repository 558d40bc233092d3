"""Chebyshev collocation against exact solutions of shipped problems, and the cavity against it."""

import itertools
import math

import pytest
import torch

import pinnsine as ps
from pinnsine.errors import ProblemError
from pinnsine.reference import cavity, chebyshev
from pinnsine.reference.cavity import corner


def error(problem, **settings):
    """The largest relative error over the fields, and the largest floor."""
    reference = chebyshev(problem.domain, [f.name for f in problem.fields], problem.constraints, **settings)
    columns = problem.domain.grid(2000).columns
    found, truth = reference.evaluate(columns), problem.reference.evaluate(columns)
    return max(float((found[n] - truth[n]).norm() / truth[n].norm()) for n in found), max(reference.floor.values())


@pytest.mark.parametrize(
    ("name", "coefficients", "degree", "tolerance"),
    [
        ("steady_burgers", {}, 32, 3e-13),  # measured 4e-14
        ("bratu", {"hard": False}, 16, 1e-11),
        ("heat", {}, {"x": 14, "t": 10}, 1e-9),
        ("kovasznay", {"Re": 20.0}, 14, 2e-4),
    ],
)
def test_shipped_problems_are_solved_and_the_floor_bounds_the_error(name, coefficients, degree, tolerance):
    found, floor = error(ps.load_problem(name, **coefficients), degree=degree)
    assert found <= max(floor, 2e-13)  # rounding: steady Burgers 4e-14 against a floor of 1e-13, once 1.05e-13 on an AMD EPYC
    assert found < tolerance


def test_errors_fall_geometrically():
    problem = ps.load_problem("steady_burgers")
    errors = [error(problem, degree=n)[0] for n in (8, 12, 16, 20)]
    assert all(b < 0.1 * a for a, b in itertools.pairwise(errors))


def layer(eps, **settings):
    """-eps u'' + u' = 1, u(0) = u(1) = 0: a boundary layer at x = 1."""
    domain = ps.Interval("x", 0, 1)
    constraints = [ps.Residual("transport", lambda s: -eps * s.u_xx + s.u_x - 1), ps.Dirichlet("ends", u=0.0, on=domain.boundary())]
    return domain, chebyshev(domain, "u", constraints, **settings)


def test_a_boundary_layer():
    eps = 0.01
    domain, reference = layer(eps, degree=64)
    x = domain.grid(501)["x"]
    exact = x - (torch.exp((x - 1) / eps) - math.exp(-1 / eps)) / (1 - math.exp(-1 / eps))
    assert float((reference.evaluate({"x": x})["u"] - exact).norm() / exact.norm()) < 1e-9


def test_newtons_method_starts_where_it_is_told():
    """u'' + u^2 = f with the solutions 10 sin(pi x), and another one near zero."""
    domain = ps.Interval("x", 0, 1)

    def exact(s):
        return 10 * torch.sin(torch.pi * s.x)

    constraints = [
        ps.Residual("equation", lambda s: s.u_xx + s.u**2 - (-(torch.pi**2) * exact(s) + exact(s) ** 2)),
        ps.Dirichlet("ends", u=0.0, on=domain.boundary()),
    ]
    near = chebyshev(domain, "u", constraints, degree=20, start={"u": lambda s: 11 * torch.sin(torch.pi * s.x)})
    assert near.floor.evolution.key != chebyshev(domain, "u", constraints, degree=20).floor.evolution.key
    x = domain.grid(101)["x"]
    assert float((near.evaluate({"x": x})["u"] - 10 * torch.sin(torch.pi * x)).abs().max()) < 1e-10


@pytest.mark.parametrize(
    ("constraint", "settings", "message"),
    [
        (lambda d: ps.Periodic("ends", "x"), {}, "is a Periodic: collocation takes residuals and given values"),
        (lambda d: ps.Residual("equation", lambda s: s.u_xx), {"degree": 2}, "at least 4 in every coordinate"),
        (lambda d: ps.Residual("equation", lambda s: s.u_xx), {"degree": {"y": 8}}, r"every coordinate \(x\)"),
        (lambda d: ps.Residual("equation", lambda s: s.u_xx), {"degree": 20_000}, "20,001 unknowns, more than 12,000"),
    ],
)
def test_wrong_settings_are_refused(constraint, settings, message):
    domain = ps.Interval("x", 0, 1)
    with pytest.raises(ProblemError, match=message):
        chebyshev(domain, "u", [constraint(domain)], **settings)


def test_no_solution_is_said():
    domain = ps.Interval("x", 0, 1)
    constraints = [ps.Residual("equation", lambda s: s.u_xx + torch.exp(s.u) * 10), ps.Dirichlet("ends", u=0.0, on=domain.boundary())]
    with pytest.raises(ProblemError, match="Newton's method for the numerical reference"):
        chebyshev(domain, "u", constraints, degree=12).floor["u"]


def test_the_singular_flow_solves_stokes_equations_in_the_corner():
    x, y = (torch.rand(50, generator=torch.Generator().manual_seed(k), dtype=torch.float64).requires_grad_() for k in (0, 1))
    flow = corner(x, y)

    def slope(f, by):
        return torch.autograd.grad(f.sum(), by, create_graph=True)[0]

    psi = flow["psi"]
    omega = slope(slope(psi, x), x) + slope(slope(psi, y), y)
    pairs = [
        *((slope(psi, by), flow[f"psi_{n}"]) for n, by in (("x", x), ("y", y))),
        *((slope(flow[f"psi_{n}"], by), flow[f"psi_{n}{m}"]) for n, m, by in (("x", "x", x), ("x", "y", y), ("y", "y", y))),
        *((slope(omega, by), flow[f"omega_{n}"]) for n, by in (("x", x), ("y", y))),
        (slope(flow["p"], x), slope(omega, y)),
        (slope(flow["p"], y), -slope(omega, x)),
    ]
    for found, expected in pairs:
        torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)


def test_the_cavity_converges_and_its_floor_bounds_the_error():
    columns = ps.Rectangle(x=(0, 1), y=(0, 1)).grid(900).columns
    rough, fine = cavity(100.0, 16), cavity(100.0, 28)
    a, b = rough.evaluate(columns), fine.evaluate(columns)
    known = torch.isfinite(a["p"])
    assert int((~known).sum()) == 2  # the upper corners
    for name in "uvp":
        assert float((a[name] - b[name])[known].norm() / b[name][known].norm()) < rough.floor[name]
        assert fine.floor[name] < 2e-3  # measured 7e-4 for the pressure
    lid = columns["y"] == 1
    torch.testing.assert_close(b["u"][lid], 4 * columns["x"][lid] * (1 - columns["x"][lid]), rtol=0, atol=1e-4)
    assert float(b["v"][lid].abs().max()) < 1e-4


def test_the_cavity_by_another_formulation():
    """Velocity and pressure, by the problem's own equations: no stream function, no singular flow taken out."""
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))

    def flow(s):
        V = s.vector("u", "v")
        return {"momentum": ps.advect(V, V) + ps.grad(s.p) - ps.laplacian(V) / 20.0, "mass": ps.div(V)}

    walls = ps.Dirichlet("walls", u=lambda s: torch.where(s.y == 1, 4 * s.x.values * (1 - s.x.values), 0.0), v=0.0, on=domain.boundary())
    other = chebyshev(domain, ("u", "v", "p"), [ps.Residual("flow", flow), walls], degree=16)
    columns = domain.grid(400).columns
    a, b = cavity(20.0, 24).evaluate(columns), other.evaluate(columns)
    for name in "uv":
        assert float((a[name] - b[name]).norm() / a[name].norm()) < 2e-2


def test_wrong_cavities_are_refused():
    with pytest.raises(ProblemError, match="Re must be positive"):
        cavity(-1.0)
