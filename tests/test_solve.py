"""The loop: reproducible, blind to the reference, honest about bad input."""

import math

import pytest
import torch

import pinnsine as ps


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


def test_phases_follow_each_other_and_each_lowers_the_loss():
    solution = ps.solve(poisson(), **QUICK, optimizer=[ps.Adam(100, lr=1e-2), ps.LBFGS(50), ps.LevenbergMarquardt(10)])
    loss = solution.history["loss"]
    assert len(loss) <= 160
    assert loss[99] < loss[0]
    assert loss[-1] < 1e-3 * loss[99]


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
        ({"iterations": 0}, "iterations= must be above zero"),
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


def test_a_problem_is_asked_for_by_name_of_its_type():
    with pytest.raises(ps.ProblemError, match=r"takes a pinnsine.Problem, got str"):
        ps.solve("burgers")
