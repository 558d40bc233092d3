"""Mirror symmetries of evolutions: found where the problem has them, and nowhere else; built in, kept in the run file."""

import math

import pytest
import torch

import pinnsine as ps
from pinnsine.constraint import Dirichlet, Initial, Periodic, Residual
from pinnsine.domain import Interval, Parameter, Rectangle, Time
from pinnsine.known import Symmetry
from pinnsine.mirror import mirrors, said, walls
from pinnsine.nets import MLP
from pinnsine.policy import attempts, plan
from pinnsine.problem import Field, Problem, load_problem
from pinnsine.scaling import field_scales

LINE = Interval("x", -1, 3) * Time(0, 2)  # its middle is 1
BURGERS = Residual("pde", lambda s: s.u_t + s.u * s.u_x - 0.01 * s.u_xx)
ODD = Initial("start", u=lambda s: torch.sin(math.pi * (s.x - 1)))
EVEN = Initial("start", u=lambda s: torch.cos(math.pi * (s.x - 1) / 3))
WALLS = Dirichlet("walls", u=0.0, on=LINE.boundary("x"))


def found(*constraints, domain=LINE, fields="u"):
    problem = Problem(domain, fields, list(constraints))
    return {n: [(s.coordinate, s.sign, s.centre) for s in those] for n, those in mirrors(problem, field_scales(problem)).items()}


def side(name, value, **target):
    return Dirichlet(name, on=LINE.side(x=value), **target)


HEAT = Residual("pde", lambda s: s.u_t - 0.1 * s.u_xx)
REACTION = Residual("pde", lambda s: s.u_t - 0.1 * s.u_xx - s.u + s.u**3)
CASES = {
    "odd": ((BURGERS, ODD, WALLS), -1),
    "an even start of an equation that is odd": ((BURGERS, EVEN, WALLS), 0),
    "even": ((REACTION, EVEN, WALLS), 1),
    "walls one by one": ((BURGERS, ODD, side("left", -1, u=0.0), side("right", 3, u=0.0)), -1),
    "walls of opposite values": ((BURGERS, ODD, side("left", -1, u=1.0), side("right", 3, u=-1.0)), -1),
    "walls that differ": ((BURGERS, ODD, side("left", -1, u=0.0), side("right", 3, u=0.1)), 0),
    "one wall": ((BURGERS, ODD, side("left", -1, u=0.0)), 0),
    "periodic": ((BURGERS, ODD, Periodic("ends", "x")), -1),
    "exactly periodic": ((BURGERS, ODD, Periodic("ends", "x", hard=True)), -1),
    "a wind": ((Residual("pde", lambda s: s.u_t + s.u_x - 0.1 * s.u_xx), ODD, Periodic("ends", "x")), 0),
    "a source on one side": ((Residual("pde", lambda s: s.u_t - s.u_xx - torch.exp(s.x)), EVEN, WALLS), 0),
    "an even source": ((Residual("pde", lambda s: s.u_t - s.u_xx - (s.x - 1) ** 2), EVEN, WALLS), 1),
    "fluxes through the walls": ((HEAT, EVEN, ps.Neumann("out", u=0.3, on=LINE.boundary("x"))), 1),
    "a flux from one to the other": ((HEAT, EVEN, ps.Residual("out", lambda s: s.u_x, on=LINE.boundary("x"))), 1),
    "hard walls": ((BURGERS, ODD, Dirichlet("walls", u=0.0, on=LINE.boundary("x"), hard=True)), -1),
    "one hard wall": ((BURGERS, ODD, Dirichlet("left", u=0.0, on=LINE.side(x=-1), hard=True), side("right", 3, u=0.0)), 0),
    "no start": ((BURGERS, WALLS), 0),
}


@pytest.mark.parametrize("name", CASES)
def test_a_symmetry_is_found_where_equations_and_conditions_have_it(name):
    constraints, sign = CASES[name]
    assert found(*constraints) == ({"u": [("x", sign, 1.0)]} if sign else {})


def test_every_field_has_its_own_sign():
    sound = Residual("pde", lambda s: {"p": s.p_t + s.v_x, "v": s.v_t + s.p_x})
    start = Initial("start", p=lambda s: torch.cos(s.x - 1), v=0.0)
    walls = Dirichlet("walls", v=0.0, on=LINE.boundary("x"))
    assert found(sound, start, walls, fields=("p", "v")) == {"p": [("x", 1, 1.0)], "v": [("x", -1, 1.0)]}


def test_of_several_one_is_taken_and_parameters_are_no_mirrors():
    square = Rectangle(x=(0, 2), y=(0, 4)) * Time(0, 1) * Parameter("k", 1, 2)
    heat = Residual("pde", lambda s: s.u_t - s.k * ps.laplacian(s.u))
    start = Initial("start", u=lambda s: torch.cos(s.x - 1) * (s.y - 2))
    walls = Dirichlet("walls", u=0.0, on=square.boundary("x", "y"))
    assert found(heat, start, walls, domain=square) == {"u": [("x", 1, 1.0)]}


def test_what_is_declared_is_left_as_it_is():
    assert found(BURGERS, ODD, WALLS, fields=Field("u", symmetry={"x": ("odd", 1.0)})) == {}


def test_what_no_start_determines_has_none():
    """A steady problem may have solutions that are no images of themselves."""
    steady = Residual("pde", lambda s: s.u_xx + s.u - s.u**3)
    assert found(steady, Dirichlet("walls", u=0.0, on=Interval("x", -9, 9).boundary()), domain=Interval("x", -9, 9)) == {}


def test_the_network_for_fronts_has_it_and_a_solution_to_start_from_keeps_its_own():
    problem = load_problem("burgers")
    scales = field_scales(problem)
    [front] = attempts(problem, scales, 2e9)
    assert front.symmetry == {"u": (Symmetry("x", -1, 0.0),)}
    assert front.reason.endswith("u is odd about x = 0")
    given = plan(problem, scales, MLP(5, 1), (), None, None, None, "float64", 2e9)
    assert given[0].symmetry == front.symmetry
    assert said(front.symmetry) == "; u is odd about x = 0"


def test_the_answer_is_symmetric_and_so_is_the_one_read_from_its_file(tmp_path):
    problem = load_problem("burgers")
    path = tmp_path / "run.h5"
    solution = ps.solve(problem, net=MLP(6, 1), points=200, iterations=3, progress=False, estimate=False, out=path)
    x, t = (torch.linspace(a, b, 21, dtype=torch.float64) for a, b in ((-0.9, 0.9), (0.1, 0.9)))
    for found in (solution, ps.load(path)):
        here, there = (found.predict(x=sign * x, t=t)["u"] for sign in (1, -1))
        assert float(torch.as_tensor(here).abs().max()) > 0.1
        assert float((torch.as_tensor(here) + torch.as_tensor(there)).abs().max()) < 1e-14
        assert torch.equal(torch.as_tensor(here), torch.as_tensor(solution.predict(x=x, t=t)["u"]))


def test_a_run_goes_on_with_it(tmp_path):
    options = {"net": MLP(6, 1), "points": 200, "progress": False, "estimate": False, "out": tmp_path / "run.h5"}
    whole = ps.solve(load_problem("burgers"), **{**options, "out": None}, iterations=6)
    ps.solve(load_problem("burgers"), **options, iterations=3)
    resumed = ps.solve(load_problem("burgers"), **options, iterations=6, resume=True)
    assert torch.equal(resumed.ansatz.flat(), whole.ansatz.flat())


def between_walls(condition, equation, start):
    domain = ps.Interval("x", 0, 1) * ps.Time(0, 1)
    return ps.Problem(domain, "u", [ps.Residual("pde", equation), ps.Initial("start", u=start), condition(domain)])


def wave_of(function, count):
    return lambda s: function(count * torch.pi * s.x)


def held(domain):
    return ps.Dirichlet("walls", u=0.0, on=domain.boundary("x"))


def insulated(domain):
    return ps.Neumann("walls", u=0.0, on=domain.boundary("x"))


@pytest.mark.parametrize(
    ("condition", "equation", "start", "sign"),
    [
        (held, lambda s: s.u_t + s.u * s.u_x - s.u_xx, wave_of(torch.sin, 3), -1),
        (insulated, lambda s: s.u_t - s.u_xx + s.u**2, wave_of(torch.cos, 2), 1),
        (held, lambda s: s.u_t + s.u_x - s.u_xx, wave_of(torch.sin, 3), 0),  # carried through the wall
        (held, lambda s: s.u_t - s.u_xx - s.x, wave_of(torch.sin, 3), 0),  # a source that jumps in the image
        (held, lambda s: s.u_t - s.u_xx, lambda s: s.x * (1 - s.x), 0),  # a start whose curvature does
        (insulated, lambda s: s.u_t - s.u_xx, wave_of(torch.sin, 1), 0),
    ],
    ids=["burgers", "reaction", "carried", "source", "start", "slope"],
)
def test_what_goes_on_beyond_its_walls_is_found(condition, equation, start, sign):
    problem = between_walls(condition, equation, start)
    assert walls(problem, field_scales(problem)) == {"x": sign}


def test_nothing_is_said_of_walls_at_which_a_value_is_given():
    domain = ps.Interval("x", 0, 1) * ps.Time(0, 1)
    one = ps.Dirichlet("walls", u=1.0, on=domain.boundary("x"))
    problem = ps.Problem(domain, "u", [ps.Residual("pde", lambda s: s.u_t - s.u_xx), ps.Initial("start", u=1.0), one])
    assert walls(problem, field_scales(problem)) == {"x": 0}
