"""Growth of small disturbances: exact rates of reactions, and the weights that answer it."""

import math

import pytest
import torch
from helpers import columns

from pinnsine.ansatz import build_ansatz
from pinnsine.constraint import Data, Initial, Residual
from pinnsine.domain import Interval, Time
from pinnsine.growth import MOST, growth_exponent
from pinnsine.nets import MLP
from pinnsine.objective import bind
from pinnsine.points import Points
from pinnsine.problem import Problem, load_problem
from pinnsine.scaling import field_scales
from pinnsine.term import early_weights

LENGTH = 2.0
LINE = Interval("x", -1, 1) * Time(0, LENGTH)


def evolution(residual, fields="u", **start):
    conditions = [Initial("start", **(start or {"u": lambda s: torch.sin(3 * s.x)}))]
    return Problem(LINE, fields, [Residual("pde", residual), *conditions])


def exponent(problem):
    return growth_exponent(problem, field_scales(problem))


RATES = {
    "growth": (evolution(lambda s: s.u_t - 0.7 * s.u), 0.7),
    "growth with diffusion": (evolution(lambda s: s.u_t - 0.01 * s.u_xx - 0.7 * s.u), 0.7),
    "growth in other units": (evolution(lambda s: 5 * s.u_t - 3.5 * s.u), 0.7),
    "decay": (evolution(lambda s: s.u_t + 0.7 * s.u), 0.0),
    "steepening": (evolution(lambda s: s.u_t + s.u * s.u_x - 0.001 * s.u_xx), 0.0),
    "an orbit": (evolution(lambda s: (s.u_t - s.v, s.v_t + s.u), ["u", "v"], u=1.0, v=0.0), 0.0),
    "a saddle, rows exchanged": (evolution(lambda s: (s.v_t - 0.5 * s.u, s.u_t - 0.5 * s.v), ["u", "v"], u=1.0, v=0.0), 0.5),
    "second order in time": (evolution(lambda s: s.u_tt - s.u_xx - s.u, u=1.0, u_t=0.0), 0.0),
    "a front that moves along its normal": (evolution(lambda s: s.u_t + s.u_x**2 / abs(s.u_x)), 0.0),  # 0 / 0 where u is uniform
    "no start": (Problem(LINE, "u", [Residual("pde", lambda s: s.u_t - s.u)]), 0.0),
}


@pytest.mark.parametrize("name", RATES)
def test_the_exponent_is_twice_the_rate_of_uniform_states_times_the_length_of_time(name):
    problem, rate = RATES[name]
    assert exponent(problem) == pytest.approx(2 * rate * LENGTH, abs=1e-6)


def test_a_reaction_that_depends_on_the_state_counts_where_it_is_fastest():
    problem = evolution(lambda s: s.u_t - 1e-3 * s.u_xx - (s.u - s.u**3))
    assert 0.9 * 2 * LENGTH < exponent(problem) <= 2 * LENGTH  # the fastest of sixteen states has u = 0.02


def test_no_weight_is_out_of_bounds():
    assert exponent(evolution(lambda s: s.u_t - 1000 * s.u)) == MOST


def test_data_make_no_evolution():
    places = Points({**columns(["x", "t"], 9, low=0.0), "m": torch.zeros(9, dtype=torch.float64)})
    measured = Problem(LINE, "u", [Residual("pde", lambda s: s.u_t - s.u), Initial("start", u=1.0), Data("probe", places, u="m", sigma=0.1)])
    assert exponent(measured) == 0.0


def test_the_weights_fall_as_the_exponent_says_about_one_in_the_middle_of_time():
    time = torch.tensor([0.0, 0.5, 1.0, 2.0], dtype=torch.float64)
    weights = early_weights(6.0, RATES["growth"][0], Points({"x": 0 * time, "t": time}))
    assert weights.tolist() == pytest.approx([math.exp(3), math.exp(1.5), 1.0, math.exp(-3)], rel=1e-14)


def test_rows_of_equations_alone_are_weighted_and_not_those_with_a_weight_of_the_user():
    base = evolution(lambda s: s.u_t - s.u)
    weighted = Residual("other", lambda s: s.u_t - s.u, weight=2.0)
    problem = Problem(LINE, "u", [*base.constraints, weighted])
    ansatz = build_ansatz(problem, MLP(5, 1), field_scales(problem), torch.Generator().manual_seed(0), "auto")
    points = {n: Points(columns(["x", "t"], 7, low=0.0)) for n in ("pde", "other", "start")}
    theta = ansatz.flat() + 0.3
    plain, early = (bind(ansatz, points, early=e).rows(theta) for e in (0.0, 4.0))
    root = early_weights(4.0, problem, points["pde"]).sqrt()
    parts = dict(zip([c.name for c in problem.soft], zip(plain.split(7), early.split(7), strict=True), strict=True))
    for name, (before, after) in parts.items():
        assert float(before.abs().min()) > 0
        assert torch.allclose(after, before * root if name == "pde" else before, rtol=1e-13)


def test_shipped_problems():
    assert exponent(load_problem("allen_cahn")) == MOST  # 10, cut
    assert exponent(load_problem("burgers")) == 0.0
