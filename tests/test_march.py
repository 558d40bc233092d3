"""Time windows: a chain of problems that is one solution, with its conditions where they belong."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import pinnsine as ps
from pinnsine.continuation import window_problem
from pinnsine.march import _choice

QUICK = {"net": ps.FrozenSines(120, (6.0, 4.0)), "progress": False}


def heat(hard=True, **more):
    """u_t = u_xx / 10 on [0, 1] x [0, 2], exact solution exp(-pi^2 t / 10) sin(pi x)."""
    domain = ps.Interval("x", 0, 1) * ps.Time(0, 2)
    return ps.Problem(
        domain,
        "u",
        [
            ps.Residual("pde", lambda s: s.u_t - 0.1 * s.u_xx),
            ps.Initial("start", u=lambda s: torch.sin(torch.pi * s.x)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary("x"), hard=hard),
            *more.get("constraints", ()),
        ],
        reference=ps.Reference.exact(u=lambda s: torch.exp(-0.1 * torch.pi**2 * s.t) * torch.sin(torch.pi * s.x)),
        unknowns=more.get("unknowns", ()),
    )


def wave():
    """u_tt = u_xx, a standing wave: value and velocity are carried on."""
    domain = ps.Interval("x", 0, 1) * ps.Time(0, 2)
    return ps.Problem(
        domain,
        "u",
        [
            ps.Residual("pde", lambda s: s.u_tt - s.u_xx),
            ps.Initial("start", u=lambda s: torch.sin(torch.pi * s.x), u_t=0.0),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary("x")),
        ],
        reference=ps.Reference.exact(u=lambda s: torch.cos(torch.pi * s.t) * torch.sin(torch.pi * s.x)),
    )


@pytest.fixture(scope="module")
def marched():
    return ps.march(heat(), 3, **QUICK)


def test_windows_join_to_one_solution(marched):
    assert marched.compare().relative_l2["u"] < 1e-8
    assert marched.settings["windows"] == 3
    assert marched.history["window"].tolist() == sorted(marched.history["window"])
    assert marched.history["iteration"].tolist() == list(range(1, marched.history.rows + 1))


def test_the_solution_and_its_slope_are_continuous_where_windows_meet(marched):
    x = np.linspace(0, 1, 11)
    for edge in (2 / 3, 4 / 3):
        for name, jump in (("u", 1e-8), ("u_t", 1e-5), ("u_xx", 2e-4)):  # measured: 2e-9, 2e-6, 4e-5
            before, after = (marched.predict(name, x=x, t=edge + d) for d in (-1e-9, 1e-9))
            assert np.abs(before - after).max() < jump


def test_velocity_is_carried_on_where_the_equation_is_of_second_order_in_time():
    solution = ps.march(wave(), [0, 0.5, 1.2, 2.0], **QUICK)
    assert solution.compare().relative_l2["u"] < 1e-6


def test_a_trained_network_marches_as_well():
    solution = ps.march(heat(hard=False), 2, net=ps.Siren(8, 2, omega=2.0), points=200, iterations=25, progress=False)
    assert solution.compare().relative_l2["u"] < 1e-3
    assert solution.history.rows == 50


def test_a_march_comes_back_from_its_file(marched, tmp_path):
    path = marched.save(tmp_path / "run.h5")
    again = ps.load(path, problem=heat())
    x, t = np.linspace(0, 1, 7)[:, None], np.linspace(0, 2, 9)
    np.testing.assert_array_equal(again.predict(x=x, t=t)["u"], marched.predict(x=x, t=t)["u"])
    bare = ps.load(path)
    np.testing.assert_array_equal(bare.predict("u_xx", x=x, t=t), marched.predict("u_xx", x=x, t=t))


def test_the_module_of_a_march_is_the_field(marched):
    points = torch.rand(20, 2, dtype=torch.float64) * torch.tensor([1.0, 2.0])
    expected = marched.predict(x=points[:, 0], t=points[:, 1])["u"]
    np.testing.assert_allclose(marched.module(points)[:, 0].detach().numpy(), expected, rtol=0, atol=1e-14)


def test_conditions_belong_to_the_windows_that_hold_them():
    data = ps.Data("probe", ps.Points({"x": [0.5, 0.5], "t": [0.1, 1.9], "value": [0.9, 0.1]}), u="value")
    final = ps.Residual("final", lambda s: s.u, on=heat().domain.side(t=2.0))
    problem = heat(constraints=(data, final))
    first, middle, last = (window_problem(problem, [0, 0.7, 1.4, 2.0], k) for k in range(3))
    assert [c.name for c in first.constraints] == ["pde", "start", "walls", "probe"]
    assert [c.name for c in middle.constraints] == ["pde", "walls"]
    assert [c.name for c in last.constraints] == ["pde", "walls", "probe", "final"]
    assert first.constraints[3].on["t"].tolist() == [0.1]
    assert last.constraints[2].on["t"].tolist() == [1.9]
    for face in middle.constraints[1].on.faces:
        assert (face.box.axis("t").lower, face.box.axis("t").upper) == (0.7, 1.4)


def test_a_box_is_cut_into_windows():
    part = ps.Box(*(ps.Interval("x", 0.2, 0.4) * ps.Time(0.5, 1.5)).axes)
    problem = heat(constraints=(ps.Residual("source", lambda s: s.u, on=part),))
    first, second = (window_problem(problem, [0, 1.0, 2.0], k).constraints[-1].on for k in range(2))
    assert (first.axis("t").lower, first.axis("t").upper) == (0.5, 1.0)
    assert (second.axis("t").lower, second.axis("t").upper) == (1.0, 1.5)
    assert [c.name for c in window_problem(problem, [0, 0.4, 2.0], 0).constraints] == ["pde", "start", "walls"]


def test_the_estimate_of_a_march_is_of_the_size_of_its_error(marched):
    assert 0.3 < marched.estimate["u"] / marched.compare().relative_l2["u"] < 10  # measured: 2.6


def test_the_same_seed_marches_the_same_way():
    first, second = (ps.march(heat(), 2, net=ps.FrozenSines(40, 4.0), progress=False, seed=3) for _ in range(2))
    assert torch.equal(first.ansatz.flat(), second.ansatz.flat())


def test_the_reason_of_a_march_is_that_of_the_window_which_chose_the_network():
    def chain(*reasons, net):
        return SimpleNamespace(solved=[SimpleNamespace(settings={"reason": r}, ansatz=SimpleNamespace(net=net)) for r in reasons])

    assert _choice(chain("chosen", "handed on", "handed on", net=ps.FrozenSines(5)), None) == "chosen"
    assert _choice(chain("first", "second", net=ps.Siren(4, 1)), None) == "second"
    assert _choice(chain("given", "given", net=ps.FrozenSines(5)), ps.FrozenSines(5)) == "given"


def test_a_callback_ends_the_march_with_what_there_is():
    solution = ps.march(heat(), 3, **QUICK, callbacks=[lambda record: True])
    assert solution.outcome is ps.Outcome.CALLBACK
    assert solution.settings["windows"] == 1


@pytest.mark.parametrize(
    ("problem", "windows", "message"),
    [
        (heat(), 0, "windows= is 'auto', a positive number"),
        (heat(), "many", "windows= is 'auto', a positive number"),
        (heat(), [0, 1.5, 1.0, 2.0], "must rise from 0 to 2"),
        (heat(), [0, 1.0], "must rise from 0 to 2"),
        (heat(unknowns=[ps.Unknown("D", 1.0)]), 2, "cannot find unknown numbers"),
        (ps.Problem(ps.Interval("x", 0, 1), "u", [ps.Residual("pde", lambda s: s.u_xx)]), 2, "needs a time coordinate"),
        (
            ps.Problem(ps.Interval("x", 0, 1) * ps.Time(0, 1), "u", [ps.Residual("pde", lambda s: s.u_xx)]),
            2,
            "no equation has a time derivative",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:.*no constraint mentions the unknown")
def test_what_cannot_march_is_refused(problem, windows, message):
    with pytest.raises(ps.ProblemError, match=f"(?i){message}"):
        ps.march(problem, windows, progress=False)


def test_a_module_is_trained_anew_in_every_window():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    first, second = ps.march(heat(hard=False), 2, net=net, points=100, iterations=3, progress=False).ansatz.windows
    assert not torch.equal(first.flat(), second.flat())
    torch.manual_seed(0)
    again = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)).double()
    assert all(torch.equal(a, b) for a, b in zip(net.double().parameters(), again.parameters(), strict=True))


def test_a_march_is_no_start_for_one_network(marched):
    with pytest.raises(ps.ProblemError, match="cannot be the solution of a march"):
        ps.solve(heat(), start=marched, iterations=1, progress=False)
