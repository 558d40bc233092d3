"""What is chosen where nothing is said: which problems count as linear, which attempts are made, and in what order."""

import math
from types import SimpleNamespace

import pytest
import torch
from helpers import columns, rand

from pinnsine.calculus import D, advect, div, grad, laplacian
from pinnsine.constraint import Data, Dirichlet, Initial, Periodic, Residual
from pinnsine.domain import Box, Disk, Interval, Rectangle, Time
from pinnsine.integral import Integral
from pinnsine.nets import MLP, FrozenSines, Siren
from pinnsine.optim import Adam, GaussNewton, LevenbergMarquardt
from pinnsine.points import Points
from pinnsine.policy import (
    EXACT,
    FROZEN_SINES,
    PROMISING,
    SMALL,
    TINY,
    TRAINABLE,
    attempts,
    fields_per_row,
    front_ratio,
    is_linear,
    plan,
)
from pinnsine.problem import Field, Problem, Unknown, load_problem
from pinnsine.scaling import field_scales
from pinnsine.shares import POINTS, ROWS_PER_SINE

LINE, SQUARE = Interval("x", 0, 1) * Time(0, 2), Rectangle(x=(0, 1), y=(-1, 1))
PLACES = Points({**columns(["x", "t"], 9, low=0.0), "m": rand(9, seed=7)})
HEAT = Residual("pde", lambda s: s.u_t - s.u_xx)
START = Initial("start", u=lambda s: torch.sin(math.pi * s.x))

STAGED = LevenbergMarquardt(factorisation="staged")


def one(residual, domain=LINE, fields="u", **options):
    return Problem(domain, fields, [Residual("pde", residual)], **options)


def with_heat(*constraints, **options):
    return Problem(LINE, "u", [HEAT, *constraints], **options)


def stokes(s):
    return {"momentum": grad(s.p) - laplacian(s.vector("u", "v")), "mass": div(s.vector("u", "v"))}


def navier_stokes(s):
    V = s.vector("u", "v")
    return {"momentum": advect(V, V) + grad(s.p) - laplacian(V), "mass": div(V)}


LINEAR = {
    "heat": with_heat(),
    "source": one(lambda s: s.u_t - s.u_xx - torch.exp(s.x) * torch.sin(30 * s.t)),
    "large source": one(lambda s: s.u_xx + s.u_t + 1e6 * torch.cos(s.x)),
    "variable coefficients": one(lambda s: s.u_t - (1 + s.x**2) * s.u_xx + torch.sin(s.t) * s.u),
    "flux": one(lambda s: s.u_t - D((1 + s.x**2) * s.u_x, "x")),
    "coefficient with a jump": one(lambda s: s.u_t - torch.where(s.x > 0.5, 1.0, 2.0) * s.u_xx),
    "absolute value of a coordinate": one(lambda s: s.u_xx - abs(s.x - 0.5) * s.u),
    "stiff": one(lambda s: 1e-6 * s.u_xx + 1e4 * s.u_x + s.u_t),
    "fourth order": one(lambda s: s.u_t + s.u_xxxx),
    "product with a formula of coordinates": one(lambda s: D(s.u * torch.sin(s.x) * s.t, "x")),
    "laplacian": one(lambda s: laplacian(s.u) + s.x, domain=SQUARE),
    "system": one(stokes, domain=SQUARE, fields=["u", "v", "p"]),
    "field of space alone": one(lambda s: s.u_t - s.q_xx, fields=["u", Field("q", of="x")]),
    "initial values and slopes": with_heat(Initial("start", u=lambda s: s.x**2, u_t=0.0)),
    "walls": with_heat(Dirichlet("walls", u=lambda s: torch.cos(s.t), on=LINE.boundary())),
    "hard walls": with_heat(Dirichlet("walls", u=lambda s: torch.cos(s.t), on=LINE.boundary("x"), hard=True)),
    "wall by another field": Problem(LINE, ["u", "v"], [HEAT, Dirichlet("walls", v=lambda s: 2 * s.u + s.t, on=LINE.boundary())]),
    "radiation": Problem(SQUARE, "u", [Residual("flux", lambda s: s.u_n + 3 * s.u - s.x, on=SQUARE.boundary())]),
    "periodic": with_heat(Periodic("wrap", "x")),
    "exactly periodic": with_heat(Periodic("wrap", "x", hard=True)),
    "integral": with_heat(Integral("mass", lambda s: s.u * s.x, over="x", equals=lambda s: s.t)),
    "one integral": with_heat(Integral("mass", lambda s: s.u, over=("x", "t"), equals=1.0)),
    "data": with_heat(Data("probe", PLACES, u="m", sigma=0.1)),
    "data in an equation": with_heat(Residual("there", lambda s: s.u_x - s.data.m, on=PLACES)),
    "weight": with_heat(Residual("there", lambda s: s.u, weight=lambda s: 1 + s.x**2)),
    "unknown that is not used": with_heat(unknowns=[Unknown("D", 1.0)]),
}

NONLINEAR = {
    "advection": one(lambda s: s.u_t + s.u * s.u_x - s.u_xx),
    "weak advection": one(lambda s: s.u_t + 1e-5 * s.u * s.u_x - s.u_xx),
    "cube": one(lambda s: s.u_xx - s.u**3),
    "sine": one(lambda s: s.u_tt - s.u_xx + torch.sin(s.u)),
    "exponential": one(lambda s: s.u_xx + torch.exp(s.u)),
    "absolute value": one(lambda s: s.u_t - abs(s.u)),
    "absolute value of a slope": one(lambda s: s.u_t - abs(s.u_x) - s.u_xx),
    "kink": one(lambda s: s.u_t - torch.where(s.u > 0, s.u, 2 * s.u)),
    "eikonal": one(lambda s: s.u_x**2 + s.u_t**2 - 1),
    "quotient": one(lambda s: s.u_xx - 1 / (2 + s.u**2)),
    "flux": one(lambda s: s.u_t - D((1 + s.u**2) * s.u_x, "x")),
    "product of fields": one(lambda s: (s.u_t - s.v, s.v_t - s.u * s.v), fields=["u", "v"]),
    "system": one(navier_stokes, domain=SQUARE, fields=["u", "v", "p"]),
    "radiation": Problem(SQUARE, "u", [Residual("flux", lambda s: s.u_n + s.u**4, on=SQUARE.boundary())]),
    "wall by another field": Problem(LINE, ["u", "v"], [HEAT, Dirichlet("walls", v=lambda s: s.u**2, on=LINE.boundary())]),
    "integral": with_heat(Integral("energy", lambda s: s.u**2, over="x", equals=1.0)),
    "unknown factor": one(lambda s: s.u_t - s.D * s.u_xx, unknowns=[Unknown("D", 1.0)]),
    "unknown summand": one(lambda s: s.u_t - s.u_xx - s.b, unknowns=[Unknown("b", 0.0)]),
    "unknown in a condition": with_heat(Dirichlet("walls", u=lambda s: s.b * s.t, on=LINE.boundary()), unknowns=[Unknown("b", 1.0)]),
}


@pytest.mark.parametrize("name", LINEAR)
def test_rows_that_are_affine_in_the_fields_make_a_linear_problem(name):
    assert is_linear(LINEAR[name], field_scales(LINEAR[name]))


@pytest.mark.parametrize("name", NONLINEAR)
def test_a_product_a_kink_or_an_unknown_number_makes_a_nonlinear_one(name):
    assert not is_linear(NONLINEAR[name], field_scales(NONLINEAR[name]))


def planned(problem, net=None, phases=(), points=None, sampler=None, start=None, dtype="float64", memory=2e9):
    return plan(problem, field_scales(problem), net, phases, points, sampler, start, dtype, memory)


def kinds(chosen):
    return [type(a.net) for a in chosen]


def smooth(**options):
    return with_heat(START, Dirichlet("walls", u=0.0, on=LINE.boundary()), **options)


def test_a_smooth_problem_is_tried_on_more_and_more_frozen_sines_and_trained_at_last():
    *frozen, trained = planned(smooth())
    assert [a.net for a in frozen] == [FrozenSines(n) for n in FROZEN_SINES]
    assert [a.points for a in frozen] == [ROWS_PER_SINE * n for n in FROZEN_SINES]
    assert all(a.phases == (GaussNewton(),) and a.sampler == "sobol" and a.above == EXACT for a in frozen)
    assert all("linear problem: least squares" in a.reason for a in frozen)
    assert isinstance(trained.net, Siren)
    assert (trained.phases, trained.points, trained.above) == ((STAGED,), POINTS, TRAINABLE)


def test_a_nonlinear_problem_says_newtons_method():
    first, *_ = planned(one(lambda s: s.u_t - s.u_xx + s.u**3))
    assert "Newton's method on frozen sines" in first.reason


def test_where_a_front_is_to_be_expected_nothing_is_frozen():
    [only] = planned(one(lambda s: s.u_t + s.u * s.u_x - 1e-4 * s.u_xx))
    assert only.net == MLP(20, 3)
    assert only.sampler == "rad"
    assert "fronts" in only.reason


def with_viscosity(*unknowns, size=lambda s: s.nu):
    return one(lambda s: s.u_t + s.u * s.u_x - size(s) * s.u_xx, unknowns=unknowns)


@pytest.mark.parametrize(
    "nu", [Unknown("nu", 0.02, positive=True), Unknown("nu", 0.05, bounds=(0.0, 1.0)), Unknown("nu", 0.05)], ids=["positive", "bounds", "free"]
)
def test_where_an_unknown_may_make_fronts_they_are_resolved_if_frozen_sines_do_not_come_near(nu):
    *frozen, trained, front = planned(with_viscosity(Unknown("b", 1.0), nu))
    assert kinds(frozen) == [FrozenSines] * len(FROZEN_SINES)
    assert isinstance(trained.net, Siren)
    assert (trained.above, trained.below, front.above) == (TRAINABLE, PROMISING, PROMISING)
    assert (front.net, front.sampler) == (MLP(20, 3), "rad")
    assert "fronts are possible" in front.reason


def test_a_rather_small_leading_term_is_first_tried_on_frozen_sines():
    ratios = {nu: _ratio(with_viscosity(size=lambda s, nu=nu: nu)) for nu in (0.002, 0.008, 0.05)}
    assert ratios[0.002] < TINY < ratios[0.008] < SMALL < ratios[0.05]
    chosen = [kinds(planned(with_viscosity(size=lambda s, nu=nu: nu))) for nu in ratios]
    frozen = [FrozenSines] * len(FROZEN_SINES)
    assert chosen == [[MLP], [*frozen, Siren, MLP], [*frozen, Siren]]


def _ratio(problem):
    return front_ratio(problem, problem.constraints[0], field_scales(problem))


@pytest.mark.parametrize("nu", [Unknown("nu", 1.0, positive=True), Unknown("nu", 0.05, bounds=(0.04, 0.06))], ids=["large", "close bounds"])
def test_where_no_unknown_comes_near_a_front_sines_are_trained(nu):
    assert isinstance(planned(with_viscosity(nu))[-1].net, Siren)


def test_where_fronts_begin_with_the_start_of_an_unknown_nothing_is_frozen():
    assert kinds(planned(with_viscosity(Unknown("nu", 1e-4, positive=True)))) == [MLP]


def test_two_unknowns_in_one_coefficient_are_looked_over_one_at_a_time():
    pair = Unknown("nu", 0.2, positive=True), Unknown("b", 0.9, bounds=(0.01, 1.0))
    assert isinstance(planned(with_viscosity(*pair, size=lambda s: s.nu * s.b))[-1].net, MLP)


def test_fields_share_the_sines():
    problem = one(stokes, domain=SQUARE, fields=["u", "v", "p"])
    assert sorted({a.net.width for a in planned(problem)[:-1]}) == [n // 3 for n in FROZEN_SINES]


@pytest.mark.parametrize(("dim", "share"), [(3, 0.0), (4, 0.3), (10, 0.3), (100, 601 / 700), (1000, 0.9)])
def test_in_many_coordinates_a_part_of_the_sines_varies_along_one_alone(dim, share):
    first = attempts(Problem(Box(dim=dim), "u", [Residual("pde", lambda s: laplacian(s.u))]), {}, 2e9)[0]
    assert first.net == FrozenSines(FROZEN_SINES[0], alone=share)


def test_in_many_coordinates_a_nonlinear_problem_is_trained_with_long_waves():
    problem = Problem(
        Box(dim=5), "u", [Residual("pde", lambda s: laplacian(s.u) - s.u**2), Dirichlet("walls", u=1.0, on=Box(dim=5).boundary())]
    )
    [only] = attempts(problem, field_scales(problem), 2e9)
    assert only.net == Siren(width=20, depth=3, omega=1.0)


def test_after_the_first_attempt_some_functions_stand_at_the_corners_of_a_rectangle():
    first, plain, cornered, *_ = planned(one(stokes, domain=SQUARE, fields=["u", "v", "p"]))
    assert first.net.corners == plain.net.corners == ()
    assert len(cornered.net.corners) == 4
    assert plain.below == cornered.above < cornered.below  # where little is left the solution is smooth


def test_losses_of_ones_own_are_for_training():
    own = Problem(LINE, "u", [Residual("pde", lambda s: s.u_t - s.u_xx, loss=lambda r: r.abs().mean())])
    assert kinds(attempts(own, field_scales(own), 2e9)) == [Siren]


@pytest.mark.parametrize(("memory", "count"), [(2e9, 3), (1e8, 2), (2e7, 1), (1e6, 0)])
def test_only_what_fits_the_memory_is_tried(memory, count):
    assert kinds(planned(smooth(), memory=memory)) == [FrozenSines] * count + [Siren]


def test_exact_periodicity_halves_the_bandwidth_of_trained_sines():
    plain, wrapped = (planned(with_heat(START, Periodic("wrap", "x", hard=hard)))[-1].net.omega for hard in (False, True))
    assert wrapped == plain / 2


@pytest.mark.parametrize("points", [300, 3000, 6000, 20_000])
def test_points_given_limit_the_sines_and_no_attempt_is_made_twice(points):
    *frozen, trained = planned(smooth(), points=points)
    widths = [a.net.width for a in frozen]
    assert widths == sorted({min(n, points // ROWS_PER_SINE) for n in FROZEN_SINES})
    assert isinstance(trained.net, Siren)


def test_a_system_has_as_many_rows_for_each_sine_as_one_equation_however_it_is_written():
    """Three rows at each point, or three constraints of one row each, whose points are apart."""
    together = one(stokes, domain=SQUARE, fields=["u", "v", "p"])
    rows = (lambda s: s.p_x - laplacian(s.u), lambda s: s.p_y - laplacian(s.v), lambda s: s.u_x + s.v_y)
    apart = Problem(SQUARE, ["u", "v", "p"], [Residual(f"row {k}", row) for k, row in enumerate(rows)])
    for problem, each in ((together, 1), (apart, 3)):
        assert fields_per_row(problem, {}) == each
        assert sorted({a.points for a in planned(problem)[:-1]}) == [ROWS_PER_SINE * (n // 3) * each for n in FROZEN_SINES]
        assert {a.net.width for a in planned(problem, points=240)[:-1]} == {240 // (each * ROWS_PER_SINE)}
        assert planned(problem, points=2)[0].net.width == 1


def test_holes_and_corners_of_a_plane_domain_get_functions_of_their_own():
    square = Rectangle(x=(-1, 1), y=(-1, 3))
    flow = (square - Disk((0, 2), 0.5)) * Time(0, 1)
    net = planned(Problem(flow, "u", [Residual("pde", lambda s: s.u_t - laplacian(s.u)), Initial("start", u=0.0)]))[0].net
    [(x, y, across, up, reach)] = net.holes
    assert (x, y) == pytest.approx((0, 0.5), abs=1e-8)
    assert up / across == pytest.approx(2)  # in its own lengths the hole is round
    assert reach == pytest.approx(math.log(math.hypot(1, 3) / 0.5) / 2, rel=1e-3)
    assert net.corners == ()
    assert planned(smooth())[0].net.holes == ()


def test_points_given_by_constraint_leave_the_sines_alone():
    assert [a.net.width for a in planned(smooth(), points={"pde": 50})[:-1]] == list(FROZEN_SINES)


def test_a_sampler_given_is_used_by_every_attempt():
    assert {a.sampler for a in planned(smooth(), sampler="grid")} == {"grid"}


@pytest.mark.parametrize("net", [Siren(5, 1), MLP(5, 1), torch.nn.Linear(2, 1)])
def test_a_network_given_is_the_only_attempt(net):
    [only] = planned(smooth(), net=net)
    assert only.net is net
    assert only.phases == (STAGED,)
    assert only.reason == "network given"
    assert only.points == POINTS


def test_a_start_hands_on_its_network_and_the_reason_says_so():
    net = Siren(5, 1)
    [only] = planned(smooth(), start=SimpleNamespace(ansatz=SimpleNamespace(net=net)))
    assert only.net is net
    assert only.reason == "the network of the solution begun from"


@pytest.mark.parametrize("problem", [smooth(), one(lambda s: s.u_t + s.u * s.u_x - 1e-4 * s.u_xx)], ids=["smooth", "front"])
def test_frozen_sines_given_are_found_by_gauss_newton_on_points_of_their_number(problem):
    [only] = planned(problem, net=FrozenSines(50))
    assert only.net == FrozenSines(50)
    assert only.phases == (GaussNewton(),)
    assert only.points == ROWS_PER_SINE * 50
    [trained] = planned(problem, net=FrozenSines(50), phases=(Adam(),))
    assert trained.phases == (Adam(),)


def test_an_optimizer_given_chooses_the_network():
    for phases, kind in (((LevenbergMarquardt(),), Siren), ((Adam(), LevenbergMarquardt()), Siren), ((GaussNewton(),), FrozenSines)):
        [only] = planned(smooth(), phases=phases)
        assert isinstance(only.net, kind)
        assert only.phases == phases
    [only] = planned(smooth(), phases=(GaussNewton(),), points=100)
    assert only.net.width == 100 // ROWS_PER_SINE


def test_single_precision_is_trained():
    [only] = planned(smooth(), dtype="float32")
    assert isinstance(only.net, Siren)


def test_the_fronts_of_a_family_are_those_of_its_sharpest_member():
    family, member = load_problem("burgers_family"), load_problem("burgers", nu=0.01)
    ratios = [front_ratio(p, p.constraints[0], field_scales(p)) for p in (family, member)]
    assert ratios[0] == pytest.approx(ratios[1], rel=1e-6)
    assert ratios[0] < TINY


def test_what_disperses_has_no_fronts():
    problem = load_problem("schroedinger")
    assert front_ratio(problem, problem.constraints[0], field_scales(problem)) == 1.0
