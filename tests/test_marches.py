"""In which order marches are made, and what they leave of the time: no problem is solved, windows take ten seconds of a clock that is told."""

import math
from types import SimpleNamespace

import pytest
from test_cost import Ticking

from pinnsine import resolved
from pinnsine.arguments import Arguments
from pinnsine.loop import Limits
from pinnsine.outcome import Outcome

WINDOWS = 8
SECONDS = {1e-6: 10.0, 1e-8: 15.0}  # a window


class Chain:
    def __init__(self, aim):
        self.solved, self.held_out, self.coarser = [], aim, None

    @property
    def whole(self):
        return len(self.solved) == WINDOWS


def marches(monkeypatch, budget, seconds=SECONDS, reserve=0.2, later=0.0):
    """The aims that were begun, the march that answers, its outcome, and the clock."""
    begun, clock = [], Ticking(budget)

    class Resolver:
        periodic = True

        def __init__(self, problem, asked, limits, callbacks, aim, before=None):
            begun.append(aim)
            self.limits, self.aim, self.wanted, self.chain = limits, aim, aim, Chain(aim)
            self.chain.coarser = before and before.chain

        def run(self, turn=None):
            while not self.chain.whole:
                if self.limits.left() < seconds[self.aim]:
                    return Outcome.TIME
                clock.spend(seconds[self.aim])
                self.chain.solved.append(self.aim)
            return Outcome.CONVERGED

        def resumed(self, kept, turn):
            return self.run(turn)

        def march(self):
            return None

    monkeypatch.setattr(resolved, "Resolver", Resolver)
    monkeypatch.setattr(resolved, "is_resolvable", lambda problem, asked: True)
    problem = SimpleNamespace(domain=SimpleNamespace(space=("x", "y")))
    limits = Limits(clock, math.inf, None, reserve * budget)
    stepper, outcome = resolved.stepped(problem, Arguments(), limits, [], 1.0, later=later)
    return begun, stepper.chain, outcome, clock


def test_a_march_that_needs_it_comes_to_the_end_in_the_time_kept_for_its_estimate(monkeypatch):
    begun, chain, outcome, clock = marches(monkeypatch, 90.0)
    assert (begun, chain.whole, outcome, clock.elapsed) == ([1e-6], True, Outcome.CONVERGED, 80.0)
    _, chain, outcome, clock = marches(monkeypatch, 90.0, later=15.0)  # but not in what is left to something else
    assert (chain.whole, outcome, clock.elapsed) == (False, Outcome.TIME, 50.0)
    _, chain, outcome, clock = marches(monkeypatch, 75.0)
    assert (chain.whole, outcome, clock.elapsed) == (False, Outcome.TIME, 70.0)


@pytest.mark.parametrize(("budget", "further"), [(260.0, False), (300.0, True)])
def test_a_finer_march_is_begun_where_it_and_its_estimate_are_expected_to_fit(monkeypatch, budget, further):
    """80 s for the first, (8 / 6)^1.5 times as many expected for the second, and half of that for the estimate: 265 s together."""
    begun, chain, outcome, _ = marches(monkeypatch, budget)
    assert begun == [1e-6, 1e-8][: 1 + further]
    assert (chain.held_out, chain.whole, outcome) == (begun[-1], True, Outcome.CONVERGED)
    assert (chain.coarser is not None) is further


def test_an_answer_is_not_lost_to_a_finer_march_that_does_not_come_to_the_end(monkeypatch):
    begun, chain, _, clock = marches(monkeypatch, 300.0, {1e-6: 10.0, 1e-8: 30.0})
    assert begun == [1e-6, 1e-8]
    assert (chain.held_out, chain.whole) == (1e-6, True)
    assert clock.elapsed <= 0.8 * 300
