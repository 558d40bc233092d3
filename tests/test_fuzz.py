"""Random problem definitions: the sound ones have finite rows of the right shape, the others one clear message; nothing else comes out.

A hundred are made by default, all thousand where slow tests run; they are the same in every run.
"""

import time

import pytest
import torch
from fuzzed import FAULTS, faulty, sound
from hypothesis import HealthCheck, Phase, given, settings

import pinnsine as ps
from pinnsine.ansatz import build_ansatz
from pinnsine.constraint import row_points
from pinnsine.nets import MLP
from pinnsine.objective import bind
from pinnsine.scaling import field_scales

LONGEST = 60.0  # seconds for one definition on a busy machine; measured: 5.3 at a load of 13
FEW = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": list(HealthCheck), "phases": [Phase.generate]}


def rows(problem):
    """What ``solve`` computes first: the dry run, scales, and all rows of a small network, term by term."""
    problem.check()
    generator = torch.Generator().manual_seed(0)
    points = {c.name: row_points(c, problem.domain, 7, "sobol", generator) for c in problem.constraints}
    ansatz = build_ansatz(problem, MLP(3, 1), field_scales(problem), generator)
    objective = bind(ansatz, points)
    if any(c.loss for c in problem.constraints):
        return torch.tensor([objective.loss(ansatz.flat())])
    found = objective.rows(ansatz.flat())
    assert found.shape == (objective.count,) == (sum(len(points[t.constraint.name]) * len(t.scales) for t in objective.terms),)
    return found


def accepted(draft):
    started = time.perf_counter()
    found = rows(draft.problem())
    assert bool(torch.isfinite(found).all())
    assert time.perf_counter() - started < LONGEST


def refused(draft):
    started = time.perf_counter()
    with pytest.raises(ps.ProblemError) as caught:
        rows(draft.problem())
    message = str(caught.value)
    assert 15 < len(message) < 600, message
    assert message.rstrip().endswith((".", "]", ")")), message
    assert time.perf_counter() - started < LONGEST


@settings(max_examples=30, **FEW)
@given(sound())
def test_sound_definitions_have_finite_rows(draft):
    accepted(draft)


@settings(max_examples=70, **FEW)
@given(faulty())
def test_faulty_definitions_are_refused_in_words(draft):
    refused(draft)


@pytest.mark.slow
@settings(max_examples=300, **FEW)
@given(sound())
def test_three_hundred_sound_definitions_have_finite_rows(draft):
    accepted(draft)


@pytest.mark.slow
@settings(max_examples=700, **FEW)
@given(faulty())
def test_seven_hundred_faulty_definitions_are_refused_in_words(draft):
    refused(draft)


def test_there_are_faults_of_every_kind():
    assert len(FAULTS) > 80
