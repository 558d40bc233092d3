"""The loop: reproducible, blind to the reference, honest about bad input."""

import dataclasses
import inspect
import itertools
import math
import sys
import time
import types

import numpy as np
import pytest
import torch

import pinnsine as ps
from pinnsine import escalation
from pinnsine.arguments import Arguments
from pinnsine.estimate import REACHES


def poisson(scale=1.0, length=1.0, hard=True, reference=None):
    """-u'' = pi^2 sin(pi x) on [0, 1], rescaled."""
    k = math.pi / length
    domain = ps.Interval("x", 0, length)
    return ps.Problem(
        domain,
        "u",
        [
            ps.Residual("pde", lambda s: s.u_xx + scale * k**2 * torch.sin(k * s.x)),
            ps.Dirichlet("ends", u=0.0, on=domain.boundary("x"), hard=hard),
        ],
        reference=reference or ps.Reference.exact(u=lambda s: scale * torch.sin(k * s.x)),
    )


QUICK = {"net": ps.Siren(8, 2, omega=3.0), "points": 100, "progress": False}


def parameters(solution):
    return solution.ansatz.flat()


def test_poisson_is_solved_to_many_digits():
    solution = ps.solve(poisson(), **QUICK, iterations=40)
    assert solution.compare().relative_l2["u"] < 1e-8


def test_the_same_seed_gives_the_same_numbers_bit_for_bit():
    first, second, other = (ps.solve(poisson(), **QUICK, iterations=12, seed=s) for s in (3, 3, 4))
    assert torch.equal(parameters(first), parameters(second))
    assert not torch.equal(parameters(first), parameters(other))


def test_the_shorter_history_is_a_prefix_of_the_longer():
    short, long = (ps.solve(poisson(), **QUICK, sampler="rad", iterations=n) for n in (30, 45))
    assert short.history["loss"].tolist() == long.history["loss"][:30].tolist()


def test_a_wrong_reference_changes_no_parameter():
    right = ps.solve(poisson(), **QUICK, iterations=12, target=1e-30)
    wrong = ps.solve(poisson(reference=ps.Reference.exact(u=lambda s: 7 + s.x)), **QUICK, iterations=12, target=1e-30)
    assert torch.equal(parameters(right), parameters(wrong))
    assert wrong.compare().relative_l2["u"] > 0.1


@pytest.mark.parametrize("scale", [1e3, 1e-3])
@pytest.mark.parametrize("what", ["scale", "length"])
def test_rescaling_changes_the_error_at_most_threefold(what, scale):
    errors = [ps.solve(poisson(**{what: v}), **QUICK, iterations=40).compare().relative_l2["u"] for v in (1.0, scale)]
    assert errors[1] <= 3 * errors[0]


def test_a_target_ends_the_run_by_the_estimate():
    solution = ps.solve(poisson(hard=False), **QUICK, iterations=100, target=1e-4)
    assert solution.outcome is ps.Outcome.TARGET
    assert solution.estimate["u"] <= 1e-4
    assert solution.compare().relative_l2["u"] < 1e-3


def test_the_arguments_of_a_call_are_kept_in_their_order():
    told = {f.name: f.default for f in dataclasses.fields(Arguments)}
    asked = {name: p.default for name, p in inspect.signature(ps.solve).parameters.items() if name != "problem"}
    assert list(told.items()) == list(asked.items())


def test_phases_follow_each_other_and_each_lowers_the_loss():
    solution = ps.solve(poisson(), **QUICK, optimizer=[ps.Adam(100, lr=1e-2), ps.LBFGS(50), ps.LevenbergMarquardt(10)])
    loss = solution.history["loss"]
    assert len(loss) <= 160
    assert loss[99] < loss[0]
    assert loss[-1] < 1e-3 * loss[99]


def test_a_phase_in_single_precision_hands_over_to_one_in_double():
    seen = []

    class Spy(ps.LevenbergMarquardt):
        def start(self, objective, theta):
            seen.append((theta, objective.points["pde"]["x"].dtype))
            return super().start(objective, theta)

    alone = ps.solve(poisson(), **QUICK, optimizer=ps.Adam(30, lr=1e-2, dtype="float32"))
    both = ps.solve(poisson(), **QUICK, optimizer=[ps.Adam(30, lr=1e-2, dtype="float32"), Spy(40)])
    double = ps.solve(poisson(), **QUICK, optimizer=ps.Adam(30, lr=1e-2))
    [(theta, dtype)] = seen
    assert theta.dtype is dtype is torch.float64
    assert torch.equal(theta, theta.float().double())
    assert torch.equal(theta, parameters(alone))
    assert 0 < float((parameters(alone) - parameters(double)).abs().max()) < 1e-3  # 2e-6 measured
    assert both.compare().relative_l2["u"] < 1e-8


def test_ctrl_c_returns_the_best_solution_so_far():
    def interrupt(record):
        if record["iteration"] == 10:
            raise KeyboardInterrupt

    solution = ps.solve(poisson(), **QUICK, iterations=50, callbacks=[interrupt])
    assert solution.outcome is ps.Outcome.INTERRUPTED
    assert solution.history.rows == 10
    assert solution.compare().relative_l2["u"] < 0.1


def test_a_callback_may_stop_the_run():
    assert ps.solve(poisson(), **QUICK, callbacks=[lambda record: record["iteration"] == 3]).history.rows == 3


def test_an_unknown_number_is_found_from_data():
    x = torch.linspace(0, 1, 30, dtype=torch.float64)
    D = ps.Unknown("D", 1.0, positive=True)
    problem = ps.Problem(
        ps.Interval("x", 0, 1),
        "u",
        [
            ps.Residual("pde", lambda s: s.D * s.u_xx + torch.sin(torch.pi * s.x)),
            ps.Data("probe", ps.Points({"x": x, "value": torch.sin(torch.pi * x) / (0.3 * torch.pi**2)}), u="value"),
        ],
        unknowns=[D],
    )
    assert float(ps.solve(problem, **QUICK, iterations=40).unknowns["D"]) == pytest.approx(0.3, abs=1e-6)


def test_where_fronts_are_possible_windows_that_time_cuts_short_are_not_the_answer(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", time.process_time)  # what else the machine does decides what is cut short
    problem = ps.load_problem("burgers", nu=0.05)  # the leading term is 0.025 of the time derivative
    solution = ps.solve(problem, points=400, time=4, estimate=False, progress=False)
    assert torch.isfinite(torch.as_tensor(solution.predict(x=[-0.5, 0.0, 0.5], t=1.0)["u"])).all()


def test_any_module_serves_as_network_with_any_evaluator():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(1, 10), torch.nn.SiLU(), torch.nn.LayerNorm(10), torch.nn.Linear(10, 1))
    solution = ps.solve(poisson(), net=net, points=60, iterations=15, progress=False)
    assert solution.settings["evaluator"] == "reverse"  # torch's own jvp of layer_norm is wrong
    assert solution.compare().relative_l2["u"] < 1e-2


def test_float32_is_possible_and_said():
    solution = ps.solve(poisson(), **QUICK, iterations=10, dtype="float32")
    assert solution.settings["dtype"] == "float32"
    assert solution.compare().relative_l2["u"] < 1e-2


def test_another_solution_serves_as_start():
    first = ps.solve(poisson(), **QUICK, iterations=20)
    second = ps.solve(poisson(), **QUICK, iterations=1, start=first)
    assert second.history["loss"][0] <= first.history["loss"][-1]


def test_a_loss_of_its_own_is_for_gradient_methods_only():
    domain = ps.Interval("x", 0, 1)
    constraints = [
        ps.Residual("pde", lambda s: s.u_xx + torch.sin(torch.pi * s.x), loss=lambda r: r.abs().mean()),
        ps.Dirichlet("ends", u=0.0, on=domain.boundary("x")),
    ]
    problem = ps.Problem(domain, "u", constraints)
    with pytest.raises(ps.ProblemError, match=r"'pde' has a loss of its own.*LevenbergMarquardt.*Adam"):
        ps.solve(problem, **QUICK)
    solution = ps.solve(problem, **QUICK, optimizer=ps.Adam(50, lr=1e-2))
    assert solution.history["loss"][-1] < solution.history["loss"][0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"time": -5}, "time budget"),
        ({"time": "soon"}, "time budget"),
        ({"iterations": 0}, "iterations= is a whole number above zero"),
        ({"iterations": 2.5}, r"iterations= is a whole number above zero, got 2\.5"),
        ({"iterations": "3"}, "iterations= is a whole number above zero, got '3'"),
        ({"threads": 1.5}, "threads= is a whole number"),
        ({"target": "small"}, "target= is a number above zero"),
        ({"seed": None}, "seed= is a whole number, got None"),
        ({"points": 1e3}, r"points= is a whole number above zero, or such numbers by constraint, got 1000\.0"),
        ({"points": -3}, "points= is a whole number above zero"),
        ({"points": {"pde": 0}}, "points= is a whole number above zero"),
        ({"start": 3}, "start= takes another solution, got int"),
        ({"net": ps.Siren}, "got the class Siren"),
        ({"optimizer": ps.Adam}, "got the class Adam"),
        ({"sampler": "sobel"}, "Unknown sampler 'sobel'"),
        ({"dtype": "float16"}, "dtype="),
        ({"device": "abacus"}, "Unknown device 'abacus'"),
        ({"points": {"nothing": 5}}, "points= takes positive numbers by constraint"),
        ({"evaluator": "guess"}, "Unknown evaluator 'guess'"),
        ({"optimizer": "lm"}, "optimizer= takes methods"),
        ({"out": "run.txt"}, "A run file is called something.h5"),
        ({"net": torch.nn.Linear(3, 1)}, "cannot take inputs"),
        ({"net": torch.nn.Linear(1, 2)}, "one column a field"),
    ],
)
def test_bad_arguments_are_one_clear_error_before_any_work(arguments, message):
    def never(record):
        pytest.fail("an iteration was made")

    with pytest.raises(ps.ProblemError, match=message):
        ps.solve(poisson(), **{**QUICK, **arguments}, callbacks=[never])


def test_callbacks_are_a_list():
    with pytest.raises(ps.ProblemError, match="callbacks= takes a list of functions"):
        ps.solve(poisson(), **QUICK, callbacks=print)


def test_numbers_of_numpy_are_numbers():
    solution = ps.solve(poisson(), **{**QUICK, "points": np.int64(30), "iterations": np.int32(2), "seed": np.int64(1)})
    assert solution.settings["points"] == ps.solve(poisson(), **{**QUICK, "points": 30, "iterations": 2, "seed": 1}).settings["points"]


def test_an_unknown_that_nothing_mentions_is_warned_of():
    problem = ps.Problem(poisson().domain, "u", poisson().constraints, unknowns=[ps.Unknown("D", 1.0)])
    with pytest.warns(UserWarning, match="no constraint mentions the unknown 'D': it will keep its start"):
        ps.solve(problem, **{**QUICK, "iterations": 1})


def test_a_problem_is_asked_for_by_name_of_its_type():
    with pytest.raises(ps.ProblemError, match=r"takes a pinnsine.Problem, got str"):
        ps.solve("burgers")


# --- attempts: frozen sines first, training where they do not do --------------------------------------------------------------


@pytest.fixture(scope="module")
def plain():
    """Everything left to the policy. The error is estimated in one bandwidth alone, which takes a third of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pinnsine.estimate.REACHES", REACHES[:1])
        return ps.solve(poisson(), progress=False)


def layer(k=40.0, reference=None):
    """u'' = (tanh(k (x - 1/2)))'' on [0, 1]: thinner than a few sines can resolve."""

    def pde(s):
        t = torch.tanh(k * (s.x - 0.5))
        return s.u_xx + 2 * k**2 * t * (1 - t**2)

    domain, end = ps.Interval("x", 0, 1), math.tanh(k / 2)
    return ps.Problem(
        domain,
        "u",
        [ps.Residual("pde", pde), ps.Dirichlet("left", u=-end, on=domain.side(x=0)), ps.Dirichlet("right", u=end, on=domain.side(x=1))],
        reference=reference or ps.Reference.exact(u=lambda s: torch.tanh(k * (s.x - 0.5))),
    )


def nonlinear():
    """-u'' + u^3 = f with u = sin(pi x) + x."""
    domain = ps.Interval("x", 0, 1)

    def u(s):
        return torch.sin(torch.pi * s.x) + s.x

    return ps.Problem(
        domain,
        "u",
        [
            ps.Residual("pde", lambda s: -s.u_xx + s.u**3 - math.pi**2 * torch.sin(torch.pi * s.x) - u(s) ** 3),
            ps.Dirichlet("ends", u=u, on=domain.boundary("x")),
        ],
        reference=ps.Reference.exact(u=u),
    )


def rooted(amplitude=20.0, middle=1.0):
    """u'' = sqrt(u) + f with u = middle + amplitude sin(pi x): not a number where a network starts below zero."""
    domain = ps.Interval("x", 0, 1)

    def u(s):
        return middle + amplitude * torch.sin(torch.pi * s.x)

    return ps.Problem(
        domain,
        "u",
        [
            ps.Residual("pde", lambda s: s.u_xx + math.pi**2 * (u(s) - middle) - torch.sqrt(s.u) + torch.sqrt(u(s))),
            ps.Dirichlet("left", u=middle, on=domain.side(x=0)),
            ps.Dirichlet("right", u=middle, on=domain.side(x=1)),
        ],
        reference=ps.Reference.exact(u=u),
    )


FEW = {"points": 60, "progress": False}


@pytest.fixture
def few_trials(monkeypatch):
    """A short search for the bandwidth, where a test is about attempts: it is tested by itself elsewhere."""
    monkeypatch.setattr("pinnsine.bandwidth.OMEGAS", (8.0, 35.0))


def phases_noted(problem, **options):
    """The solution and the methods of its iterations, one after another."""
    phases = []
    solution = ps.solve(problem, callbacks=[lambda record: phases.append(record["phase"])], **options)
    return solution, phases


def test_a_linear_problem_is_solved_to_rounding_with_nothing_said(plain):
    assert plain.compare().relative_l2["u"] < 1e-13
    assert plain.estimate["u"] < 1e-13
    assert plain.outcome is ps.Outcome.CONVERGED
    assert "least squares" in plain.settings["reason"]
    assert plain.settings["net"].startswith("frozensines:width=700,omega=")
    assert plain.settings["optimizer"] == "GaussNewton"
    assert plain.settings["points"] == 2800
    assert plain.history.rows == plain.settings["iterations"] < 10


def test_a_nonlinear_problem_is_solved_to_rounding_by_newtons_method(few_trials):
    for options, reason in (({"net": ps.FrozenSines(60)}, "network given"), ({"points": 240}, "Newton's method")):
        solution = ps.solve(nonlinear(), progress=False, **options)
        assert solution.compare().relative_l2["u"] < 1e-12
        assert solution.settings["net"].startswith("frozensines:width=60,omega=")
        assert reason in solution.settings["reason"]


def test_newtons_method_converges_quadratically_on_given_frozen_sines():
    losses = ps.solve(nonlinear(), net=ps.FrozenSines(60, 6.0), progress=False).history["loss"]
    assert len(losses) < 12
    errors = [loss**0.5 for loss in losses if 1e-13 < loss**0.5 < 0.1]
    assert len(errors) >= 2
    assert all(b <= a**1.6 for a, b in itertools.pairwise(errors))


def test_where_frozen_sines_do_not_do_training_follows_and_the_history_goes_on(few_trials):
    solution, phases = phases_noted(layer(), **FEW, iterations=6)
    frozen = phases.index("LevenbergMarquardt")
    assert 0 < frozen < 6
    assert phases == ["GaussNewton"] * frozen + ["LevenbergMarquardt"] * (6 - frozen)
    assert solution.history["iteration"].tolist() == list(range(1, 7))
    assert (solution.history["seconds"][1:] >= solution.history["seconds"][:-1]).all()
    assert solution.settings["iterations"] == 6
    assert solution.settings["net"].startswith("siren")
    assert "trained sines" in solution.settings["reason"]
    assert solution.settings["loss"] == solution.history["loss"][-1]
    shorter = ps.solve(layer(), **FEW, iterations=3)
    assert shorter.history["loss"].tolist() == solution.history["loss"][:3].tolist()


def test_the_better_attempt_by_held_out_rows_is_the_answer_not_the_last(few_trials, monkeypatch):
    monkeypatch.setattr("pinnsine.loop.MONITOR", 1)
    solution, phases = phases_noted(layer(), **FEW, iterations=2)
    assert phases[-1] == "LevenbergMarquardt"
    held_out = solution.history["held_out"]
    assert held_out[-1] > held_out[0] == pytest.approx(solution.settings["held_out"])
    assert solution.settings["net"].startswith("frozensines:width=15,")
    assert solution.settings["loss"] == solution.history["loss"][phases.index("LevenbergMarquardt") - 1]


@pytest.mark.parametrize("net", [ps.FrozenSines(5, 8.0), ps.FrozenSines(5), ps.Siren(4, 1)], ids=["frozen", "bandwidth free", "trained"])
def test_a_network_given_is_the_only_attempt_however_it_does(net):
    solution, phases = phases_noted(layer(), net=net, iterations=8, **FEW)
    assert len(set(phases)) == 1
    assert solution.settings["reason"] == "network given"
    assert solution.settings["held_out"] > 1e-6


def test_no_attempt_follows_one_that_leaves_rounding_alone():
    _, phases = phases_noted(poisson(), **FEW)
    assert set(phases) == {"GaussNewton"}


def test_frozen_sines_give_the_same_numbers_for_the_same_seed(few_trials):
    first, second = (ps.solve(nonlinear(), **FEW, seed=3) for _ in range(2))
    assert torch.equal(parameters(first), parameters(second))
    assert all(torch.equal(a, b) for a, b in zip(first.ansatz.buffers(), second.ansatz.buffers(), strict=True))
    assert first.estimate == second.estimate
    assert first.history["loss"].tolist() == second.history["loss"].tolist()


def test_a_wrong_reference_changes_neither_the_sines_nor_their_coefficients(few_trials):
    wrong = ps.Reference.exact(u=lambda s: 7 + s.x)
    right, misled = (ps.solve(layer(reference=r), **FEW, iterations=2) for r in (None, wrong))
    assert right.settings["net"].startswith("frozensines")
    assert torch.equal(parameters(right), parameters(misled))
    assert all(torch.equal(a, b) for a, b in zip(right.ansatz.buffers(), misled.ansatz.buffers(), strict=True))
    assert right.estimate == misled.estimate
    assert {k: v for k, v in right.settings.items() if k != "seconds"} == {k: v for k, v in misled.settings.items() if k != "seconds"}
    assert misled.compare().relative_l2["u"] > 0.1


class Stopped:
    """A clock that stands still until it is told that the time is up, or that only so much of it is left."""

    up, part = False, 1.0

    def __init__(self, budget):
        self.budget, self.elapsed = budget, 0.0

    @property
    def left(self):
        return 0.0 if type(self).up else type(self).part * self.budget


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(sys.modules["pinnsine.solve"], "Clock", Stopped)
    monkeypatch.setattr(Stopped, "up", False)
    monkeypatch.setattr(Stopped, "part", 1.0)
    return Stopped


def test_with_no_time_at_all_the_first_attempt_answers(clock, few_trials):
    clock.up = True
    solution, phases = phases_noted(nonlinear(), **FEW)
    assert solution.outcome is ps.Outcome.TIME
    assert phases == []
    assert solution.settings["net"] == "frozensines:width=15,omega=8.0"  # the first trial, and no search
    assert math.isfinite(solution.compare().relative_l2["u"])


def test_when_the_time_is_up_no_other_attempt_begins(clock, few_trials):
    phases = []

    def callback(record):
        phases.append(record["phase"])
        clock.up = True

    solution = ps.solve(layer(), **FEW, callbacks=[callback])
    assert solution.outcome is ps.Outcome.TIME
    assert set(phases) == {"GaussNewton"}
    assert solution.settings["net"].startswith("frozensines")


def swinging(diffusivity):
    """u_t = D u_xx + f with u = sin(pi x) cos(20 t): two hundred points are for too few sines on all of time, and for enough on a quarter."""

    def source(s):
        rest = diffusivity * math.pi**2 * torch.cos(20 * s.t) - 20 * torch.sin(20 * s.t)
        return torch.sin(torch.pi * s.x) * rest

    domain = ps.Interval("x", 0, 1) * ps.Time(0, 1)
    return ps.Problem(
        domain,
        "u",
        [
            ps.Residual("pde", lambda s: s.u_t - diffusivity * s.u_xx - source(s)),
            ps.Initial("start", u=lambda s: torch.sin(torch.pi * s.x)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary("x")),
        ],
    )


@pytest.mark.parametrize(
    ("diffusivity", "part", "follow"),
    [(0.1, 0.0, []), (0.0125, 0.0, []), (0.0125, 0.5, ["LevenbergMarquardt"])],
    ids=["no front", "fronts possible", "time for training"],
)
def test_windows_that_time_cuts_short_are_not_the_answer_where_there_is_another(clock, diffusivity, part, follow):
    """The time for windows is up after the first few are solved to 1e-8; sines on the whole domain leave 1e-4 and more."""
    phases = []

    def callback(record):
        phases.append(record["phase"])
        if record["iteration"] == 1 and len(phases) > 3:
            clock.part = part
        clock.up = record["phase"] == "LevenbergMarquardt"

    solution = ps.solve(swinging(diffusivity), points=200, time=100, estimate=False, progress=False, callbacks=[callback])
    assert phases == ["GaussNewton"] * (len(phases) - len(follow)) + follow
    assert solution.outcome is ps.Outcome.TIME
    assert torch.isfinite(torch.as_tensor(solution.predict(x=0.5, t=[0.1, 0.5, 1.0])["u"])).all()
    assert "windows" not in solution.settings


def test_when_the_iterations_are_used_up_no_other_attempt_begins(few_trials):
    solution, phases = phases_noted(layer(), **FEW, iterations=1)
    assert solution.outcome is ps.Outcome.ITERATIONS
    assert phases == ["GaussNewton"]


def test_ctrl_c_while_another_attempt_is_prepared_returns_what_was_found(few_trials):
    problem, armed = layer(), []

    def residual(s):
        if armed:
            armed.clear()
            raise KeyboardInterrupt
        return problem.constraints[0].function(s)

    stoppable = ps.Problem(problem.domain, "u", [ps.Residual("pde", residual), *problem.constraints[1:]])
    solution = ps.solve(stoppable, **FEW, callbacks=[lambda record: armed.append(True)])  # the first attempt is one iteration
    assert solution.outcome is ps.Outcome.INTERRUPTED
    assert solution.history.rows == 1
    assert solution.settings["net"].startswith("frozensines:width=15,")
    assert math.isfinite(solution.estimate["u"])


def test_an_attempt_that_cannot_start_does_not_lose_what_another_found():
    solution, phases = phases_noted(rooted(), points=16, progress=False, iterations=8, seed=1)
    assert set(phases) == {"GaussNewton"}
    assert solution.outcome is ps.Outcome.CONVERGED
    assert solution.settings["net"].startswith("frozensines:width=4")
    assert solution.compare().relative_l2["u"] < 0.01


def test_where_no_attempt_can_start_the_error_says_so():
    with pytest.raises(ps.EvaluationError, match="starting network is not finite"):
        ps.solve(rooted(middle=0.0), **FEW)


@pytest.mark.parametrize("net", [ps.FrozenSines(60, 10.0), ps.FrozenSines(60)], ids=["given", "bandwidth free"])
def test_frozen_sines_are_found_in_single_precision(net):
    solution = ps.solve(poisson(), net=net, points=240, dtype="float32", progress=False)
    assert {t.dtype for t in (*solution.ansatz.parameters(), *solution.ansatz.buffers())} == {torch.float32}
    assert solution.compare().relative_l2["u"] < 1e-5


def test_a_solution_on_frozen_sines_serves_as_start():
    first = ps.solve(nonlinear(), net=ps.FrozenSines(15, 4.0), **FEW)
    second, phases = phases_noted(nonlinear(), **FEW, start=first)
    assert set(phases) == {"GaussNewton"}
    assert second.ansatz.net == first.ansatz.net
    assert second.settings["held_out"] <= first.settings["held_out"]
    trained, phases = phases_noted(nonlinear(), **FEW, start=first, optimizer=ps.LevenbergMarquardt(2))
    assert set(phases) == {"LevenbergMarquardt"}
    assert trained.ansatz.net == first.ansatz.net


def test_frozen_sines_take_any_evaluator():
    solution = ps.solve(poisson(), net=ps.FrozenSines(15, 6.0), points=60, evaluator="reverse", progress=False)
    assert solution.settings["evaluator"] == "reverse"
    assert solution.compare().relative_l2["u"] < 1e-9


def test_a_problem_of_time_alone(tmp_path):
    """u_t = -u v, v_t = u v: a domain without space is solved, drawn, integrated, exported and marched through."""
    domain = ps.Time(0, 1)
    constraints = [
        ps.Residual("growth", lambda s: {"u": s.u_t + s.u * s.v, "v": s.v_t - s.u * s.v}),
        ps.Initial("start", u=1.0, v=1.0),
    ]
    exact = {"u": lambda s: 2 / (1 + torch.exp(2 * s.t)), "v": lambda s: 2 / (1 + torch.exp(-2 * s.t))}
    problem = ps.Problem(domain, ("u", "v"), constraints, reference=ps.Reference.exact(**exact))
    assert not problem.check().warnings
    solution = ps.solve(problem, net=ps.FrozenSines(width=25, omega=2.5), iterations=10, progress=False)
    comparison = solution.compare(times=[0.5], h1=True)
    assert max(comparison.relative_l2.values()) < 1e-10  # measured 3e-15
    assert max(comparison.relative_h1.values()) < 1e-9
    assert comparison.at[0.5].count == 1
    assert solution.integrate("v") == pytest.approx(math.log((1 + math.exp(2)) / 2), abs=1e-10)
    assert solution.plot(tmp_path / "u.png").exists()
    assert solution.plot_errors(tmp_path / "e.png").exists()
    assert solution.export(tmp_path / "u.csv").exists()
    marched = ps.march(problem, 2, net=ps.FrozenSines(width=20, omega=2.0), iterations=10, progress=False)
    assert max(marched.compare().relative_l2.values()) < 1e-8


def test_a_reference_that_is_infinite_somewhere_is_watched_elsewhere():
    domain = ps.Interval("x", 0, 1)
    reference = ps.Reference.exact(u=lambda s: torch.where(s.x == 0, torch.inf, 1.0).double())
    problem = ps.Problem(domain, "u", [ps.Residual("equation", lambda s: s.u - 1)], reference=reference)
    solution = ps.solve(problem, net=ps.Siren(4, 1), points=20, iterations=5, progress=False)
    assert math.isfinite(float(solution.history["error"][-1]))
    assert solution.compare().count == len(domain.grid()) - 1


@pytest.mark.parametrize(("windows", "whole", "trusted"), [(2e-4, 5e-5, True), (2e-4, 1e-5, False), (1e-6, 1e-4, True)])
def test_windows_yield_to_an_estimate_that_is_clearly_smaller(windows, whole, trusted):
    marched, other = (types.SimpleNamespace(estimate={"u": e}, settings={"held_out": 1e-9}) for e in (windows, whole))
    assert escalation._surer(marched, other) is trusted
