"""Problems: what is refused when one is made, and how one is loaded by name, file or module."""

import sys

import pytest
import torch
from helpers import columns, rand

from pinnsine.constraint import Data, Dirichlet, Initial, Periodic, Residual
from pinnsine.domain import Box, Interval, Rectangle, Time
from pinnsine.errors import ProblemError
from pinnsine.integral import Integral
from pinnsine.points import Points
from pinnsine.problem import Field, Problem, Unknown, load_problem, problems_folder, shipped_problems

DOMAIN = Interval("x", 0, 1) * Time(0, 1)
SQUARE = Rectangle(x=(0, 1), y=(0, 1))
HEAT = Residual("heat", lambda s: s.u_t - s.u_xx)


def problem(*constraints, domain=DOMAIN, fields="u", unknowns=()):
    return Problem(domain, fields, constraints or (HEAT,), unknowns=unknowns)


@pytest.mark.parametrize("fields", ["u", ["u"], Field("u"), (Field("u"),), [Field("u", of=("x", "t"))], Field("u", of="x t")])
def test_a_single_field_can_be_given_in_any_form(fields):
    made = problem(fields=fields)
    assert made.fields == (Field("u", of=("x", "t")),)
    assert made.names.fields == ("u",)
    made.check()


def test_fields_of_some_coordinates():
    made = problem(HEAT, Residual("r", lambda s: s.q), fields=["u", Field("q", of="x")])
    assert made.field("q").of == ("x",)
    with pytest.raises(ProblemError, match="The domain has no coordinate 'z': it has x, t"):
        problem(fields=Field("u", of="z"))


def test_a_coordinate_named_twice_in_of_is_refused():
    with pytest.raises(ProblemError, match="'x'"):
        problem(fields=Field("u", of="x x"))


def test_soft_constraints_are_those_that_are_not_built_in():
    made = problem(HEAT, Dirichlet("walls", u=0.0, on=DOMAIN.boundary(), hard=True), Initial("start", u=1.0))
    assert [c.name for c in made.soft] == ["heat", "start"]


REFUSED = {
    "no domain": (lambda: Problem("x", "u", [HEAT]), "first argument is its domain, got str"),
    "no reference": (lambda: Problem(DOMAIN, "u", [HEAT], reference=lambda s: s.x), r"reference= takes a Reference.*got function"),
    "no field": (lambda: Problem(DOMAIN, [], [HEAT]), "at least one field"),
    "two constraints of a name": (lambda: problem(HEAT, HEAT), "Two constraints are called 'heat': names must differ"),
    "a name declared twice": (lambda: problem(fields=["u", "x"]), "'x' is declared twice"),
    "a name that reads two ways": (lambda: problem(fields=["u", "u_x"]), "'u_x' reads two ways"),
    "an unknown that reads two ways": (lambda: problem(unknowns=[Unknown("u_t", 1.0)]), "'u_t' reads two ways"),
    "a condition on no field": (
        lambda: problem(HEAT, Dirichlet("walls", w=0.0, on=DOMAIN.boundary())),
        "Constraint 'walls'.*s.w has no meaning here. Known: coordinates x, t; fields u",
    ),
    "data without a coordinate": (
        lambda: problem(HEAT, Data("probe", Points({"x": [0.0], "m": [1.0]}), u="m")),
        "Constraint 'probe': its points lack the coordinate 't'; the domain has x, t",
    ),
    "data at no place": (
        lambda: problem(HEAT, Data("probe", Points({"x": [0.5], "t": [float("nan")]}), u=1.0)),
        "Constraint 'probe': coordinate t of its points is not finite everywhere",
    ),
    "a region of other coordinates": (
        lambda: problem(HEAT, Dirichlet("walls", u=0.0, on=SQUARE.boundary())),
        "Constraint 'walls': its points lack the coordinate 't'",
    ),
    "a region that is none": (lambda: problem(HEAT, Dirichlet("walls", u=0.0, on="x")), "Constraint 'walls'.*str"),
    "an initial condition without time": (
        lambda: problem(Initial("start", u=0.0), domain=SQUARE),
        "'start' is an initial condition, but the domain has no time",
    ),
    "periodic in no coordinate": (lambda: problem(HEAT, Periodic("wrap", "z")), "no coordinate 'z'"),
    "a periodic name that is no field": (
        lambda: problem(HEAT, Periodic("wrap", "x", fields=("w",))),
        "Constraint 'wrap' names 'w', which is no field: u",
    ),
    "an integral over no coordinate": (lambda: problem(HEAT, Integral("mass", lambda s: s.u, over="z")), "'z'"),
    "an integral on a part": (
        lambda: problem(HEAT, Integral("mass", lambda s: s.u, over="x", on=DOMAIN.side(t=0))),
        "Constraint 'mass'",
    ),
    "a hard derivative": (
        lambda: problem(HEAT, Initial("start", u_t=0.0, hard=True)),
        "'start': hard=True prescribes values of fields, not 'u_t': use hard=False",
    ),
    "a hard condition inside": (
        lambda: problem(HEAT, Dirichlet("middle", u=0.0, on=DOMAIN, hard=True)),
        "'middle': hard=True needs sides of a box, got Box: use hard=False there",
    ),
    "hard data": (
        lambda: problem(HEAT, Dirichlet("points", u=0.0, on=Points({"x": [0.0], "t": [0.0]}), hard=True)),
        "'points': hard=True needs sides of a box, got Points",
    ),
    "a hard condition on part of a side": (
        lambda: problem(HEAT, Dirichlet("half", u=0.0, on=Box(x=(0, 0.5), t=(0, 1)).side(t=0), hard=True)),
        "'half': hard=True",
    ),
    "a hard condition on an inner line": (
        lambda: problem(HEAT, Dirichlet("line", u=0.0, on=Box(x=(0, 0.5), t=(0, 1)).side(x=0.5), hard=True)),
        "'line': hard=True",
    ),
    "a hard start of a field that knows no time": (
        lambda: problem(HEAT, Initial("start", q=0.0, hard=True), fields=["u", Field("q", of="x")]),
        "'start'.*'q'",
    ),
    "a positive unknown that starts below zero": (
        lambda: Unknown("D", -1.0, positive=True),
        "'D' is declared positive, so its start must be above zero, got -1",
    ),
    "an unknown that starts nowhere": (lambda: Unknown("D", float("nan")), "'D'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_making_a_problem_refuses(what):
    make, message = REFUSED[what]
    with pytest.raises(ProblemError, match=message):
        make()


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
def test_data_may_be_tensors_of_any_number_type(dtype):
    points = Points({"x": torch.tensor([0, 1, 1], dtype=dtype), "t": torch.tensor([0, 0, 1], dtype=dtype), "m": rand(3)})
    problem(HEAT, Data("probe", points, u="m")).check()


# --- loading -----------------------------------------------------------------------------------------------------------------

FILE = '''"""A decaying wave."""
import pinnsine as ps

def problem(decay=1.0, size=2):
    return ps.Problem(ps.Time(0, size), "u", [ps.Residual("decay", lambda s: s.u_t + decay * s.u), ps.Initial("start", u=1.0)])
'''


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def test_a_problem_is_loaded_from_a_file(mine):
    for name in (mine, str(mine)):
        loaded = load_problem(name)
        assert isinstance(loaded, Problem)
        assert loaded.name == "mine"
        assert loaded.domain.axis("t").upper == 2
        loaded.check()


def test_coefficients_are_passed_on(mine):
    assert load_problem(mine, size=5).domain.axis("t").upper == 5
    with pytest.raises(ProblemError, match="Problem 'mine' has no coefficient 'nu': it has decay, size"):
        load_problem(mine, nu=0.1)


def test_a_factory_that_takes_any_coefficient_is_given_them(tmp_path):
    path = tmp_path / "any.py"
    path.write_text(FILE.replace("decay=1.0, size=2", "decay=1.0, **others").replace("size)", "others['size'])"))
    assert load_problem(path, size=5).domain.axis("t").upper == 5


def test_a_problem_is_loaded_by_module_and_factory(mine, monkeypatch):
    monkeypatch.syspath_prepend(mine.parent)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    assert load_problem("mine:problem", size=3).domain.axis("t").upper == 3
    for name in ("mine:absent", "no_such_module:problem", ":problem"):
        with pytest.raises(ProblemError, match=r"cannot be imported .*: give module:factory"):
            load_problem(name)


def test_every_shipped_problem_loads_by_its_name_and_passes_its_check():
    assert "burgers" in shipped_problems()
    for name in shipped_problems():
        loaded = load_problem(name)
        assert loaded.name == name
        loaded.check()


def test_shipped_problems_lie_beside_the_package():
    assert (problems_folder() / "burgers.py").exists()


@pytest.mark.parametrize(("name", "hint"), [("burger", "burgers"), ("poison", "poisson"), ("Burgers", "burgers"), ("burgers.py", "burgers")])
def test_an_unknown_name_is_refused_with_the_near_misses(name, hint):
    with pytest.raises(ProblemError, match=rf"There is no problem '{name}'\. Did you mean {hint}"):
        load_problem(name)


@pytest.mark.parametrize("name", ["qqqqq", "absent/mine.py", "", "../problem"])
def test_a_name_far_from_all_is_refused_without_a_guess(name):
    with pytest.raises(ProblemError, match="There is no problem"):
        load_problem(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "mine.py defines no function problem"),
        ("def problem():\n    return 3\n", r"problem\(\) must return a pinnsine.Problem, got int"),
    ],
)
def test_a_file_that_makes_no_problem_is_refused(mine, text, message):
    mine.write_text(text)
    with pytest.raises(ProblemError, match=message):
        load_problem(mine)


def test_a_problem_file_may_define_dataclasses(tmp_path):
    path = tmp_path / "typed.py"
    head = "from __future__ import annotations\nfrom dataclasses import dataclass\nimport pinnsine as ps\n"
    path.write_text(FILE.replace("import pinnsine as ps\n", head + "@dataclass\nclass Size:\n    t: float = 1.0\n"))
    assert load_problem(path, size=4).domain.axis("t").upper == 4


def test_points_of_a_problem_keep_their_order():
    batch = columns("xt", low=0.0)
    made = problem(HEAT, Data("probe", Points({"t": batch["t"], "m": batch["x"], "x": batch["x"]}), u="m"))
    assert made.constraints[1].on.names == ("t", "m", "x")
