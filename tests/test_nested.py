"""First guesses from lattices of fewer waves."""

import pytest
import torch
from test_separable import line, on_lattice, plane

from pinnsine import nested
from pinnsine.nested import from_fewer_waves
from pinnsine.optim import GaussNewton
from pinnsine.optim.step import Progress
from pinnsine.rest import from_rest


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(nested, "FEWEST", 3)


def test_what_few_waves_find_is_nearer_than_fields_at_rest():
    objective = on_lattice(plane(), (6, 6, 3))
    theta = objective.ansatz.flat()
    rest, found = (objective.loss(guess(objective, theta)) for guess in (from_rest, from_fewer_waves))
    assert found < 3e-7 * rest  # measured: 9e-8


def test_a_coarse_lattice_and_one_on_a_line_begin_at_rest():
    for objective in (on_lattice(plane(), (3, 3, 3)), on_lattice(line(), (12, 4))):
        theta = objective.ansatz.flat()
        torch.testing.assert_close(from_fewer_waves(objective, theta), from_rest(objective, theta), rtol=0, atol=0)


def test_a_step_to_the_least_that_rows_can_be_is_the_last():
    objective = on_lattice(plane(), (3, 3, 3))
    theta, losses, progress = objective.ansatz.flat(), [], []
    for _ in range(6):
        step = GaussNewton().step(objective, theta, {})
        theta = step.theta
        losses.append(step.loss)
        progress.append(step.progress)
    end = progress.index(Progress.STALLED)
    assert end == 2  # after 1e-8 of the loss, which another step would confirm
    assert losses[-1] == pytest.approx(losses[end], rel=1e-3)
