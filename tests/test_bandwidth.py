"""The bandwidth found by trial: it covers the waves of the solution, along each coordinate, and costs what it may."""

import math
from dataclasses import replace

import pytest
import torch
from helpers import bound

from pinnsine import bandwidth, trials
from pinnsine.bandwidth import CLIMB, FAINTEST, FAIR, HOPELESS, OMEGAS, STEADY, trial_net, tuned, tuned_in_space
from pinnsine.calculus import laplacian
from pinnsine.constraint import Dirichlet, Initial, Residual, row_points
from pinnsine.domain import Box, Interval, Rectangle, Time
from pinnsine.nets import FrozenSines
from pinnsine.optim.step import Step
from pinnsine.problem import Field, Problem
from pinnsine.reference import Reference
from pinnsine.solve import solve
from pinnsine.trials import ROUNDING

LINE, SQUARE = Interval("x", -1, 1), Rectangle(x=(-1, 1), y=(-1, 1))


def wave(k):
    """u'' + k^2 sin(k x + 1/2) = 0 with the ends given."""

    def u(s):
        return torch.sin(k * s.x + 0.5)

    return Problem(LINE, "u", [Residual("pde", lambda s: s.u_xx / k**2 + u(s)), Dirichlet("ends", u=u, on=LINE.boundary())])


def plane_wave(k, m):
    """A function of wave numbers k along x and m along y, by its values and its Laplacian."""

    def u(s):
        return torch.sin(k * s.x + 0.5) * torch.cos(m * s.y + 0.2)

    return Problem(
        SQUARE,
        "u",
        [
            Residual("pde", lambda s: (s.u_xx + s.u_yy) / (k**2 + m**2) + u(s)),
            Dirichlet("walls", u=u, on=SQUARE.boundary()),
        ],
    )


def objectives(problem, net, count):
    """The objectives at training and at held-out points, bound as ``tuned`` wants them."""
    objective, _ = bound(problem, trial_net(net), count=count)
    generator = torch.Generator().manual_seed(9)
    return objective, objective.with_points({c.name: row_points(c, problem.domain, count, "sobol", generator) for c in problem.constraints})


def found(problem, net, count, **options):
    return tuned(net, *objectives(problem, net, count), seed=0, **options)


@pytest.mark.parametrize(
    ("losses", "expected", "made"),
    [
        ((1e-1, 1e-5, 8e-6, 5e-6, 1e-9, 9e-10, 1e-20), (1e-7, 1e-8, 1e-9, 1e-9, 1e-10, 9e-10, 1e-20), 6),
        ((1e-1, 9e-2, 1e-20), (1e-1, 9e-2, 1e-20), 2),
    ],
    ids=["a plateau while the rows bend", "rows as good as straight"],
)
def test_a_trial_is_over_where_a_step_gains_little_and_straight_rows_promise_no_more(losses, expected, made, monkeypatch):
    steps = [Step(torch.zeros(0), loss, expected=least) for loss, least in zip(losses, expected, strict=True)]
    taken = []

    def step(method, objective, theta, state):
        taken.append(replace(steps[len(taken)], theta=theta))
        return taken[-1]

    monkeypatch.setattr(trials.GaussNewton, "step", step)
    objective, held_out = objectives(wave(3), FrozenSines(10), 20)
    trials.Trials(objective, held_out, 0, False, lambda: math.inf, lambda objective, theta: theta).of(FrozenSines(10, 4.0))
    assert len(taken) == made


@pytest.fixture
def built(monkeypatch):
    """The networks that trials are made with, in their order."""
    nets, build = [], trials.build_ansatz

    def noted(problem, net, *more):
        nets.append(net)
        return build(problem, net, *more)

    monkeypatch.setattr(trials, "build_ansatz", noted)
    return nets


@pytest.mark.parametrize(("k", "width"), [(3.0, 80), (12.0, 80), (40.0, 80), (90.0, 120)])
def test_the_bandwidth_covers_the_wave_number_of_the_solution(k, width):
    trial = found(wave(k), FrozenSines(width), 4 * width)
    assert k <= trial.net.omega <= 4 * k
    assert trial.loss < 1e-24


def test_a_wave_that_is_fast_along_one_coordinate_gets_a_bandwidth_for_each():
    along_x, along_y = found(plane_wave(1.0, 15.0), FrozenSines(100), 400).net.omega
    assert along_x >= 1
    assert along_y >= 15
    assert along_y > 4 * along_x


def test_the_parameters_and_the_loss_belong_to_the_network_found():
    objective, held_out = objectives(wave(12.0), FrozenSines(40), 160)
    trial = tuned(FrozenSines(40), objective, held_out, seed=0)
    assert trial.ansatz.net == trial.net
    assert trial.net.width == 40
    assert held_out.with_ansatz(trial.ansatz).loss(trial.theta) == trial.loss
    again = tuned(FrozenSines(40), objective, held_out, seed=0)
    assert torch.equal(trial.theta, again.theta)


def test_no_bandwidth_is_tried_twice(built):
    trial = found(wave(90.0), FrozenSines(260), 300)
    full = [n.omega for n in built if n.width == 260]
    assert [n.omega for n in built if n.width < 260] == list(OMEGAS)
    assert full[0] in OMEGAS
    assert trial.net.omega in full
    assert len(set(full)) == len(full) > 1


def test_from_a_bandwidth_known_nearby_it_climbs_and_searches_no_further(built):
    trial = found(wave(40.0), FrozenSines(80), 320, near=35.0)
    tried = [n.omega for n in built]
    assert trial.net.omega in tried[1:]
    assert tried == pytest.approx([35.0 * CLIMB**n for n in range(len(tried))])


def test_where_nothing_is_left_to_gain_the_bandwidth_given_stays(built):
    trial = found(wave(3.0), FrozenSines(60), 240, near=10.0)
    assert trial.loss < ROUNDING
    assert trial.net.omega == 10.0
    assert built[-1].omega == 10.0


@pytest.mark.parametrize("fits", [False, True])
def test_when_the_time_is_up_one_trial_must_do_and_one_of_all_sines_where_it_fits(built, fits, monkeypatch):
    monkeypatch.setattr(bandwidth, "factorisation_seconds", lambda rows, columns, like: 1e-9 * columns)
    monkeypatch.setattr(trials, "MARGIN", math.inf)  # no further bandwidth is
    trial = found(wave(12.0), FrozenSines(400), 800, left=lambda: 1e-6 if fits else 1e-7)
    tried = [(n.width, n.omega) for n in built]
    assert tried == [(trial_net(FrozenSines(400)).width, OMEGAS[0]), (400, OMEGAS[0])][: 1 + fits]
    assert math.isfinite(trial.loss)
    assert bool(torch.isfinite(trial.theta).all())


def test_fields_of_different_coordinates_share_one_bandwidth(monkeypatch):
    monkeypatch.setattr(bandwidth, "OMEGAS", (2.0, 12.0))
    fields = [Field("p", of="x"), Field("q", of="y")]
    problem = Problem(
        SQUARE,
        fields,
        [
            Residual("pde", lambda s: (s.p_xx + 100 * torch.sin(10 * s.x), s.q_y - torch.cos(s.y))),
            Dirichlet("walls", p=0.0, q=0.0, on=SQUARE.boundary()),
        ],
    )
    assert isinstance(found(problem, FrozenSines(20), 60).net.omega, float)


def test_trials_are_small():
    assert trial_net(FrozenSines(3000)).width < 500
    assert trial_net(FrozenSines(30)).width == 30


def travelling(k, length):
    """u = sin(k (x - t)) on a window of time."""

    def u(s):
        return torch.sin(k * (s.x - s.t))

    domain = LINE * Time(0, length)
    return Problem(
        domain,
        "u",
        [Residual("pde", lambda s: s.u_t + s.u_x), Initial("start", u=u), Dirichlet("inflow", u=u, on=domain.side(x=-1))],
    )


def found_on_window(problem, width, **options):
    return tuned_in_space(FrozenSines(width), *objectives(problem, FrozenSines(width), 3 * width), seed=0, linear=True, **options)


@pytest.mark.parametrize(("k", "width"), [(5.0, 150), (30.0, 400)])
def test_on_a_window_the_bandwidth_is_found_in_space_and_fixed_in_time(k, width):
    trial = found_on_window(travelling(k, 2.0 / k), width)
    space, time = trial.net.omega
    assert k <= space <= 4 * k
    assert time == STEADY
    assert trial.loss < 1e-9  # measured: 4e-16, 4e-10


def test_a_window_that_is_far_too_long_is_found_out_with_few_sines(built):
    trial = found_on_window(travelling(60.0, 20.0), 400)
    assert {net.width for net in built} == {250}
    assert trial.loss > FAIR


def test_a_bandwidth_that_is_carried_is_climbed_from_and_one_that_is_given_is_kept(built):
    problem = travelling(5.0, 0.4)
    assert found_on_window(problem, 100, near=(10.0, 3.0)).net.omega[0] in {10.0 * CLIMB**k for k in range(-6, 7)}
    assert {net.width for net in built} == {100}
    given = FrozenSines(100, (8.0, 2.0))
    assert tuned_in_space(given, *objectives(problem, given, 300), seed=0, linear=True).net == given


def test_a_brief_search_ends_with_few_sines_where_they_are_hopeless(built):
    trial = found(plane_wave(60.0, 60.0), FrozenSines(300), 900, linear=True, brief=True)
    assert trial.loss > HOPELESS
    assert {net.width for net in built} == {250}


def test_in_many_coordinates_no_search_is_made():
    cube = Box(dim=30)
    problem = Problem(cube, "u", [Residual("pde", lambda s: laplacian(s.u)), Dirichlet("walls", u=lambda s: s.x1 * s.x2, on=cube.boundary())])
    net = FrozenSines(60, alone=0.5)
    objective, _ = bound(problem, trial_net(net), count=240)
    started = 1 / math.sqrt(30)
    found = tuned(net, objective, objective, seed=0, linear=True).net.omega
    assert found / started == pytest.approx(CLIMB ** round(math.log(found / started, CLIMB)), rel=0.01)


def test_in_more_than_three_coordinates_long_waves_are_tried():
    cube = Box(dim=6)
    problem = Problem(cube, "u", [Residual("pde", lambda s: laplacian(s.u)), Dirichlet("walls", u=lambda s: s.x1 * s.x2, on=cube.boundary())])
    net = FrozenSines(60, alone=0.3)
    objective, _ = bound(problem, trial_net(net), count=240)
    trial = tuned(net, objective, objective, seed=0, linear=True)
    assert FAINTEST <= trial.net.omega <= 0.1
    assert trial.loss <= 1e-6


def test_a_thin_layer_on_a_line_is_resolved():
    nu = 1e-3
    domain, layer = Interval("x", 0, 1), lambda x: torch.exp((x - 1) / nu)
    problem = Problem(
        domain,
        fields="u",
        constraints=[Residual("flow", lambda s: s.u_x - nu * s.u_xx - 1), Dirichlet("ends", u=0.0)],
        reference=Reference.exact(u=lambda s: s.x - layer(s.x)),  # to exp(-1000)
    )
    solution = solve(problem, iterations=1)
    assert solution.compare().relative_l2["u"] < 1e-8  # 1.2e-9 measured, with sines of wave numbers up to 800; 0.96 with those up to 60


def test_networks_of_different_coordinates_are_climbed_together():
    """A field of time alone beside one of both: bandwidths for single coordinates would not fit the network of the first."""
    domain = Interval("x", -1, 1) * Time(0, 1)
    rows = [Residual("pde", lambda s: s.u_t - s.u_xx - s.h), Residual("ode", lambda s: s.h_t + s.h), Initial("start", u=0.0, h=1.0)]
    objective, _ = bound(Problem(domain, ("u", Field("h", of="t")), rows), FrozenSines(10, 2.0))
    assert bandwidth._free(objective) == [0, 1]


def test_in_four_coordinates_a_trial_from_the_best_before_leaves_what_one_from_rest_does():
    """Factorisations: six at most from rest, one from the fields of another bandwidth."""
    box = Box(**dict.fromkeys("wxyz", (-1.0, 1.0)))
    exact = {"u": lambda s: torch.exp(0.5 * s.w + 0.3 * s.x) * torch.cos(s.y + 0.7 * s.z)}
    shift = 0.25 + 0.09 - 1 - 0.49
    cubic = Residual("cubic", lambda s: laplacian(s.u) + s.u**3 - shift * exact["u"](s) - exact["u"](s) ** 3)
    problem, net = Problem(box, "u", [cubic, Dirichlet("walls", **exact, on=box.boundary())]), FrozenSines(120, 0.5)
    both = objectives(problem, net, 480)
    first, second = (trials.Trials(*both, 0, False, lambda: math.inf) for _ in range(2))
    first.of(FrozenSines(120, 1.0))
    carried, cold = first.of(net), second.of(net)
    assert cold.loss < 3e-5  # 1.1e-5
    assert carried.loss == pytest.approx(cold.loss, rel=1e-2)  # 6e-6
    assert first.near.net == net  # the best so far is what the next one starts from
