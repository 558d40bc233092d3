"""The dry run finds what is wrong before any training, in one message that names the constraint."""

import math

import numpy as np
import pytest
import torch
from helpers import rand

from pinnsine.calculus import D, grad
from pinnsine.constraint import Data, Dirichlet, Initial, Periodic, Residual
from pinnsine.domain import Box, Interval, Rectangle, Time
from pinnsine.errors import ProblemError
from pinnsine.integral import Integral
from pinnsine.points import Points
from pinnsine.problem import Field, Problem, Unknown

DOMAIN = Interval("x", -1, 1) * Time(0, 1)
START = Initial("start", u=lambda s: torch.sin(torch.pi * s.x))


def problem(*constraints, fields="u", unknowns=(), domain=DOMAIN):
    return Problem(domain, fields, constraints, unknowns=unknowns)


BROKEN = {
    "unknown field": (lambda s: s.u_t - s.w, r"s\.w has no meaning here\. Known: coordinates x, t; fields u"),
    "unknown coordinate": (lambda s: s.u_t - s.u_yy, r"s\.u_yy has no meaning here"),
    "unknown name in D": (lambda s: s.u_t - D(s.u, "y"), "'y'"),
    "unknown column": (lambda s: s.u - s.data.m, "no column 'm'"),
    "unknown vector component": (lambda s: s.vector("u", "w").dot(grad(s.u)), r"s\.w has no meaning here"),
    "normal inside": (lambda s: s.u_n, "boundary"),
    "column": (lambda s: (s.u_t - s.u_xx)[:, None], r"must return values of shape \(N,\) = \(128,\), got \(128, 1\)"),
    "square": (lambda s: s.u_t - s.u_xx[:, None], r"got \(128, 128\)"),
    "scalar": (lambda s: (s.u_t - s.u_xx).mean(), r"got \(\)"),
    "nothing returned": (lambda s: None, "got NoneType"),
    "number": (lambda s: 1.0, "got float"),
    "not a number": (lambda s: s.u_t - torch.log(s.x) * s.u, r"is nan at x = -0\.\d+, t = 0\.\d+"),
    "infinite": (lambda s: s.u_t / (s.x - s.x), r"is (nan|-?inf) at x = "),
    "not a number in a part": (lambda s: {"a": s.u, "b": s.u_t * torch.sqrt(s.x)}, "part 'b' is nan at x = -"),
    "no field": (lambda s: s.x * s.t, "does not depend on the parameters"),
    "no field, derivative": (lambda s: D(s.x**2, "x"), "does not depend on the parameters"),
    "detached": (lambda s: (s.u_t - s.u_xx).detach(), "does not depend on the parameters"),
    "detached values": (lambda s: s.u_t.values.detach() - s.u_xx.values.detach(), "does not depend on the parameters"),
    "only in a condition": (lambda s: torch.where(s.u > 0, s.x, -s.x), "does not depend on the parameters"),
    "one part without field": (lambda s: {"a": s.u_t, "b": s.x**2}, "'b'"),
    "vanishing derivative alone": (lambda s: D(s.x, "t"), "does not depend on the parameters"),
}


SLIPS = {
    "numpy": (lambda s: s.u_xx + np.sin(s.x), "use torch's functions in place of numpy's"),
    "math": (lambda s: s.u_xx + math.sin(s.x), "use torch's functions in place of those of math"),
    "a function of x": (lambda x: torch.sin(x), "its argument is the state s, so write s.x for the coordinate x"),
    "if": (lambda s: s.u if s.x > 0 else s.u_x, "use torch.where"),
}


@pytest.mark.parametrize("what", SLIPS)
def test_common_slips_are_told_what_to_do(what):
    residual, hint = SLIPS[what]
    with pytest.raises(ProblemError, match=rf"Constraint 'mine': its function raises .*{hint}"):
        problem(START, Residual("mine", residual)).check()


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_residual_is_refused_with_the_constraints_name(what):
    residual, message = BROKEN[what]
    with pytest.raises(ProblemError, match=message) as caught:
        problem(START, Residual("mine", residual)).check()
    assert "'mine'" in str(caught.value)


def test_a_broken_condition_is_refused_with_its_name():
    for target, message in ((lambda s: s.w, "s.w has no meaning"), (lambda s: torch.log(s.x), "is nan at")):
        with pytest.raises(ProblemError, match=message) as caught:
            problem(Initial("first", u=target)).check()
        assert "'first'" in str(caught.value)


def test_a_field_that_no_constraint_mentions_is_refused():
    with pytest.raises(ProblemError, match="No constraint mentions the field 'p': remove it from fields= or write a constraint on it"):
        problem(START, fields=["u", "p"]).check()
    with pytest.raises(ProblemError, match="No constraint mentions the field 'u'"):
        problem().check()


def test_a_constraint_outside_the_domain_is_refused_with_a_point():
    outside = Dirichlet("late", u=0.0, on=Box(x=(-1, 1), t=(0, 2)).side(t=2))
    with pytest.raises(
        ProblemError, match=r"Constraint 'late' has points outside the domain x in \[-1, 1\] x t in \[0, 1\], one at x = .*, t = 2"
    ):
        problem(START, outside).check()
    with pytest.raises(ProblemError, match=r"Constraint 'probe' has points outside .* one at x = 1\.5, t = 0\.5"):
        problem(START, Data("probe", Points({"x": [0.0, 1.5], "t": [0.5, 0.5], "m": [1.0, 1.0]}), u="m")).check()
    with pytest.raises(ProblemError, match="Constraint 'part' has points outside"):
        problem(START, Residual("part", lambda s: s.u_t, on=Box(x=(0, 3), t=(0, 1)))).check()


def test_an_unknown_that_no_constraint_mentions_is_a_warning():
    report = problem(START, unknowns=[Unknown("D", 1.0)]).check()
    assert report.warnings == ("no constraint mentions the unknown 'D': it will keep its start",)
    used = problem(START, Residual("pde", lambda s: s.u_t - s.D * s.u_xx), unknowns=[Unknown("D", 1.0)]).check()
    assert used.warnings == ()


FINE = {
    "logarithm of a positive field": lambda s: s.u_t - torch.log(s.u),
    "quotient by the field": lambda s: s.u_t - 1 / s.u,
    "root near zero": lambda s: s.u_t - torch.sqrt(s.u),
    "functions without a rule": lambda s: s.u_t - torch.relu(s.u),
    "conditions": lambda s: torch.where(s.x > 0, s.u_t, s.u_xx),
    "vanishing derivative": lambda s: s.u_t + D(s.x, "t") * s.u,
    "one plus a vanishing derivative": lambda s: s.u_t * (1 + D(s.x, "t")),
    "tuple": lambda s: (s.u_t, s.u_xx),
    "coupled rows": lambda s: s.u - s.u.values.mean(),
}


@pytest.mark.parametrize("what", FINE)
def test_a_sound_residual_passes(what):
    problem(START, Residual("mine", FINE[what])).check()


SOUND = {
    "an integral over everything": lambda: problem(START, Integral("mass", lambda s: s.u, over=("x", "t"))),
    "an integral over the only coordinate": lambda: problem(
        Integral("mass", lambda s: s.u, over="x"), Residual("r", lambda s: s.u_xx), domain=Interval("x", 0, 1)
    ),
    "an integral for every time": lambda: problem(START, Integral("mass", lambda s: s.u, over="x")),
    "data": lambda: problem(START, Data("probe", Points({"x": [0.0], "t": [0.5], "m": [1.0]}), u="m", sigma=0.1)),
    "soft and exact periodicity": lambda: problem(START, Periodic("soft", "x"), Periodic("exact", "x", hard=True)),
    "a field of space alone": lambda: problem(START, Residual("pde", lambda s: s.u_t - D(s.q * s.u_x, "x")), fields=["u", Field("q", of="x")]),
    "hard walls and start": lambda: problem(
        Residual("pde", lambda s: s.u_t - s.u_xx),
        Initial("start", u=lambda s: torch.sin(torch.pi * s.x), hard=True),
        Dirichlet("walls", u=0.0, on=DOMAIN.boundary("x"), hard=True),
    ),
    "an unknown in a condition": lambda: problem(
        Residual("pde", lambda s: s.u_t - s.u_xx), Initial("start", u=lambda s: s.A * s.x), unknowns=[Unknown("A", 1.0)]
    ),
    "an unknown alone": lambda: problem(START, Residual("sum", lambda s: s.A - 1 + 0 * s.u), unknowns=[Unknown("A", 2.0)]),
    "one field prescribed by another": lambda: problem(
        START, Dirichlet("walls", u=lambda s: s.v, on=DOMAIN.boundary()), Residual("r", lambda s: s.v_t), fields=["u", "v"]
    ),
    "steady": lambda: problem(Residual("r", lambda s: s.u_xx + s.u_yy - 1), domain=Rectangle(x=(0, 1), y=(0, 1))),
}


@pytest.mark.parametrize("what", SOUND)
def test_a_sound_problem_passes_and_its_report_is_a_table(what):
    made = SOUND[what]()
    report = made.check()
    assert [c.name for c in report.constraints] == [c.name for c in made.constraints]
    for constraint in made.constraints:
        assert constraint.name in str(report)


def test_the_report_tells_needs_places_and_sizes():
    residual = Residual("burgers", lambda s: {"scaled": 1e3 * (s.u_t + s.u * s.u_x - 0.01 * s.u_xx)})
    walls = Dirichlet("walls", u=0.0, on=DOMAIN.boundary("x"), hard=True)
    report = problem(START, residual, walls).check()
    start, burgers, _ = report.constraints
    assert burgers.need == {"u": {(), ("t",), ("x",), ("x", "x")}}
    assert start.need == {"u": {()}}
    assert burgers.place == "x in [-1, 1] x t in [0, 1]"
    assert 1e2 < burgers.scale["scaled"] < 1e5
    text = str(report)
    assert "burgers.scaled" in text
    assert all(name in text for name in ("u_t", "u_x", "u_xx"))
    assert "built in" in text


def test_the_check_is_deterministic_and_leaves_the_global_generator_alone():
    made = problem(START, Residual("r", lambda s: s.u_t - s.u_xx))
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    first = str(made.check())
    assert torch.equal(torch.rand(2), expected)
    assert str(made.check()) == first


def test_large_data_are_checked_at_every_point():
    x = rand(1000, seed=3)
    x[777] = 5.0
    data = Data("probe", Points({"x": x, "t": rand(1000, low=0.0), "m": rand(1000)}), u="m")
    with pytest.raises(ProblemError, match="'probe' has points outside the domain"):
        problem(START, data).check()


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_a_row_that_only_values_of_another_size_can_bear_is_no_error(unit):
    problem = Problem(Interval("x", 0, 1), "u", [Residual("pde", lambda s: s.u_xx + torch.exp(s.u / unit) + torch.log(s.u + 2 * unit))])
    assert problem.check()
