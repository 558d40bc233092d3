"""What counts as progress: the held-out loss, and its parts where the sum has stopped."""

import math
from dataclasses import replace

import pytest
import torch
from helpers import columns

from pinnsine.ansatz import build_ansatz
from pinnsine.constraint import Residual
from pinnsine.domain import Interval
from pinnsine.monitor import Monitor, merit
from pinnsine.nets import MLP
from pinnsine.objective import bind
from pinnsine.points import Points
from pinnsine.problem import Problem
from pinnsine.reference import Reference
from pinnsine.scaling import field_scales
from pinnsine.state import State


def test_of_one_constraint_it_is_the_logarithm_of_the_loss():
    assert merit([3e-7]) == pytest.approx(math.log(3e-7), rel=1e-15)


def test_a_constraint_that_falls_beside_one_that_cannot_is_a_gain():
    floor = 1.3e-8
    assert merit([1e-9, 1.05 * floor]) < merit([1e-8, floor])
    assert merit([1e-9, 2.5 * floor]) > merit([1e-8, floor])  # but not at any price


def test_what_is_satisfied_has_nothing_more_to_say():
    assert merit([1e-3, 1e-20]) == merit([1e-3, 1e-30])
    assert merit([1e-3, 0.0]) == merit([1e-3, 1e-30])


@pytest.mark.parametrize("factor", [1e-12, 0.1, 1e9])
def test_it_does_not_depend_on_the_unit(factor):
    first, second = [3e-4, 2e-6, 1e-9], [1e-4, 3e-6, 2e-9]
    change = merit(second) - merit(first)
    assert merit([factor * x for x in second]) - merit([factor * x for x in first]) == pytest.approx(change, rel=1e-12)


def test_nothing_left_is_best_and_no_number_worst():
    assert merit([0.0, 0.0]) == -math.inf
    assert merit([math.nan, 1.0]) == merit([math.inf, 1.0]) == math.inf


@pytest.mark.parametrize("adaptive", [False, True])
def test_where_points_move_the_loss_at_them_counts_as_well(adaptive):
    problem = Problem(Interval("x", -1, 1), "u", [Residual("pde", lambda s: s.u_x - s.u - torch.exp(3 * s.x))])
    ansatz = build_ansatz(problem, MLP(5, 1), field_scales(problem), torch.Generator().manual_seed(0), "auto")
    held_out, training = (bind(ansatz, {"pde": Points(columns(["x"], n, low=-1.0))}) for n in (40, 3))
    state = State(ansatz.flat(), training, torch.Generator())
    Monitor(problem, held_out, adaptive).look(state)
    seen, trained = held_out.loss(state.theta), training.loss(state.theta)
    assert abs(math.log(seen / trained)) > 0.1
    assert state.best_held_out == pytest.approx(seen, rel=1e-14)
    assert state.merit == pytest.approx(math.log(seen * trained) if adaptive else math.log(seen), rel=1e-13)


@pytest.mark.parametrize("quick", [False, True])
def test_a_reference_that_takes_long_is_not_looked_at(quick):
    looks = []
    reference = replace(Reference.exact(u=lambda s: looks.append(s) or torch.exp(s.x)), quick=quick)
    problem = Problem(Interval("x", -1, 1), "u", [Residual("pde", lambda s: s.u_x - s.u)], reference=reference)
    ansatz = build_ansatz(problem, MLP(5, 1), field_scales(problem), torch.Generator().manual_seed(0), "auto")
    held_out = bind(ansatz, {"pde": Points(columns(["x"], 40, low=-1.0))})
    state = State(ansatz.flat(), held_out, torch.Generator())
    looks.clear()
    Monitor(problem, held_out).look(state)
    assert bool(looks) == quick == math.isfinite(state.seen.error)
