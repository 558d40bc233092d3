"""The evolution at rest: u_t = 0 with the conditions given, as far as the sines can."""

import math

import torch
from helpers import bound

from pinnsine import rest
from pinnsine.constraint import Dirichlet, Initial, Residual
from pinnsine.domain import Interval, Rectangle, Time
from pinnsine.nets import FrozenSines
from pinnsine.points import Points
from pinnsine.problem import Problem, Unknown
from pinnsine.rest import from_rest, from_window_before

NET = FrozenSines(80, 5.0)


def strong():
    domain = Interval("x", -1, 1) * Time(0, 0.2)
    return Problem(
        domain,
        "u",
        [
            Residual("pde", lambda s: s.u_tt - s.u_xx + torch.sin(s.u)),
            Initial("start", u=lambda s: 4 * torch.cos(torch.pi * s.x / 2), u_t=0.0),
            Dirichlet("walls", u=0.0, on=domain.boundary("x")),
        ],
    )


def test_rest_keeps_the_initial_values():
    objective, theta = bound(strong(), NET, count=300)
    ansatz, found = objective.ansatz, from_rest(objective, theta)
    x = torch.linspace(-1, 1, 9, dtype=torch.float64)
    for t in (0.0, 0.1, 0.2):
        local = ansatz.local(ansatz.views(found), Points({"x": x, "t": torch.full_like(x, t)}), {"u": {(), ("t",)}})
        assert float((local.u.values - 4 * torch.cos(torch.pi * x / 2)).abs().max()) < 1e-4
        assert (
            float(local.u_t.values.abs().max()) < 3e-2
        )  # measured: 1e-3 to 9e-3 by the number of threads, of an amplitude of 4 in a time of 0.2


def test_without_an_equation_in_the_whole_domain_there_is_no_guess():
    line = Interval("x", 0, 1)
    objective, theta = bound(Problem(line, "u", [Dirichlet("end", u=1.0, on=line.side(x=0))]), NET, count=100)
    assert torch.equal(from_rest(objective, theta), theta)


def test_what_does_not_evolve_starts_from_the_surface_that_bends_least():
    domain = Rectangle(x=(0, 2), y=(-1, 1))
    problem = Problem(
        domain,
        "u",
        [
            Residual("eikonal", lambda s: s.u_x**2 + s.u_y**2 - 1),
            Dirichlet("inflow", u=lambda s: 0.5 * s.y, u_x=lambda s: 0.75 + 0 * s.y, on=domain.side(x=0)),
        ],
    )
    objective, theta = bound(problem, NET, count=300)
    ansatz, points = objective.ansatz, domain.grid(400)
    found = ansatz.local(ansatz.views(from_rest(objective, theta)), points, {"u": {()}}).u.values
    # the plane through the given values and slopes
    assert float((found - 0.75 * points["x"] - 0.5 * points["y"]).abs().max()) < 1e-4  # measured: 2.5e-5


def test_fields_start_as_those_of_the_unknowns_start_where_unknowns_alone_make_the_rows_nonlinear():
    """u_xx + k u = 0, u(0) = 0, u(1) = 1 with k = 4 at the start: u = sin(2x) / sin(2)."""
    domain = Interval("x", 0, 1)
    problem = Problem(
        domain,
        "u",
        [
            Residual("pde", lambda s: s.u_xx + s.k * s.u),
            Dirichlet("left", u=0.0, on=domain.side(x=0)),
            Dirichlet("right", u=1.0, on=domain.side(x=1)),
        ],
        unknowns=[Unknown("k", 4.0)],
    )
    objective, theta = bound(problem, FrozenSines(40, 4.0), count=100)
    theta[objective.blocks["unknowns"]] = 0
    ansatz, found = objective.ansatz, from_rest(objective, theta)
    assert ansatz.unknown_values(found) == {"k": 4.0}
    x = torch.linspace(0, 1, 9, dtype=torch.float64)
    u = ansatz.local(ansatz.views(found), Points({"x": x}), {"u": {()}}).u.values
    assert torch.allclose(u, torch.sin(2 * x) / math.sin(2), atol=1e-13)  # measured: 8e-16


def two_fields():
    domain = Interval("x", -1, 1) * Time(0, 1)
    return Problem(
        domain,
        ("u", "v"),
        [
            Residual("pde", lambda s: {"u": s.u_t - s.u_xx - s.u * s.v, "v": s.v_t - s.v_xx + s.u}),
            Initial("start", u=lambda s: torch.cos(s.x), v=lambda s: s.x**2),
            Dirichlet("walls", u=lambda s: torch.cos(s.x), v=1.0, on=domain.boundary("x")),
        ],
    )


def test_fields_that_share_no_row_are_fitted_one_by_one_as_all_together(monkeypatch):
    objective, theta = bound(two_fields(), NET, count=200)
    alone = from_rest(objective, theta)
    monkeypatch.setattr(rest, "_parameters_of_fields", lambda *_: [])
    together = from_rest(objective, theta)
    points = objective.ansatz.problem.domain.grid(100)
    one, other = (objective.ansatz.local(objective.ansatz.views(t), points, {"u": {()}, "v": {()}}) for t in (alone, together))
    for name in "uv":
        torch.testing.assert_close(getattr(one, name).values, getattr(other, name).values, rtol=0, atol=1e-7)


def test_a_window_begins_with_the_one_before_where_that_goes_on_well_and_else_from_rest():
    """u = exp(-t)."""

    def window(lower, upper):
        domain = Time(lower, upper)
        start = Initial("start", u=math.exp(-lower))
        return Problem(domain, "u", [Residual("ode", lambda s: s.u_t + s.u), start])

    before, theta = bound(window(0.0, 0.5), FrozenSines(12, 1.0), count=60)
    before.ansatz.load(before.gauss_newton(theta, 1e-14).step + theta)
    near, theta = bound(window(0.5, 1.0), FrozenSines(12, 1.0), count=60)
    assert near.loss(from_window_before(near, theta, before.ansatz)) < 1e-6 * near.loss(from_rest(near, theta))
    before.ansatz.load(torch.ones_like(theta))
    assert torch.equal(from_window_before(near, theta, before.ansatz), from_rest(near, theta))
