"""Windows of one space coordinate on lattices: how many waves a line has, and marches to a stated error."""

import math

import pytest
import torch
from test_cost import Ticking

import pinnsine as ps
from pinnsine import resolved
from pinnsine.arguments import Arguments
from pinnsine.loop import Limits
from pinnsine.outcome import Outcome
from pinnsine.policy import attempts
from pinnsine.resolved import Resolver, is_resolvable, next_aim, started, stepped
from pinnsine.scaling import field_scales
from pinnsine.waves import nodes, waves_needed

QUIET = {"progress": False, "threads": 1}


def soliton(until=0.5, reach=12.0):
    """u_t + 6 u u_x + u_xxx = 0 with u = 2 sech(x - 4 t)^2, 3e-10 of it at the ends of a period."""
    domain = ps.Interval("x", -reach, reach) * ps.Time(0, until)

    def exact(s):
        return 2 / torch.cosh(s.x - 4 * s.t) ** 2

    return ps.Problem(
        domain,
        "u",
        [
            ps.Residual("kdv", lambda s: s.u_t + 6 * s.u * s.u_x + s.u_xxx),
            ps.Initial("start", u=exact),
            ps.Periodic("ends", "x", hard=True),
        ],
        reference=ps.Reference.exact(u=exact),
    )


def breather(until=2.0):
    problem = ps.load_problem("sine_gordon")
    domain = ps.Interval("x", -10, 10) * ps.Time(0, until)
    exact = problem.reference
    walls = ps.Dirichlet("walls", u=_breather, on=domain.boundary("x"))
    start = ps.Initial("start", u=_breather, u_t=0.0)
    return ps.Problem(domain, "u", [ps.Residual("pde", lambda s: s.u_tt - s.u_xx + torch.sin(s.u)), start, walls], reference=exact)


def _breather(s):
    k = math.sqrt(0.75)
    return 4 * torch.atan(2 * k * torch.cos(s.t / 2) / torch.cosh(k * s.x))


@pytest.mark.parametrize(("periodic", "expected"), [(True, 25), (False, 37)])
def test_the_waves_that_a_line_has_are_found(periodic, expected):
    """sin(25 pi y) has 25 waves in a period; without one its 25 waves are 37.5 of the lattice of 1.5 extents, and some for the ends."""
    [found] = waves_needed(torch.sin(25 * torch.pi * nodes(1200, periodic)), {"x": 0} if periodic else None, 1e-8)
    assert expected <= found <= (expected if periodic else expected + 12)


def test_a_smaller_tail_takes_more_waves():
    values = 1 / torch.cosh(20 * nodes(1200, True)) ** 2
    counts = [waves_needed(values, {"x": 0}, tail)[0] for tail in (1e-3, 1e-5, 1e-7)]
    assert counts == sorted(counts)
    assert counts[2] - counts[1] == pytest.approx(counts[1] - counts[0], abs=6)  # geometric: as many for each digit


def test_the_start_is_what_the_conditions_say():
    problem = soliton()
    line = problem.domain.side(t=0).sample(7, "grid", torch.Generator())
    found = started(problem, line)["u"]
    torch.testing.assert_close(found, 2 / torch.cosh(line["x"]) ** 2)


def test_lattices_are_for_one_space_coordinate_and_free_choices():
    assert is_resolvable(soliton(), Arguments())
    assert not is_resolvable(soliton(), Arguments(points=100))
    assert not is_resolvable(soliton(), Arguments(net=ps.FrozenSines(20)))
    assert not is_resolvable(ps.load_problem("lorenz"), Arguments())
    assert not is_resolvable(ps.load_problem("heat_long"), Arguments())
    assert not is_resolvable(ps.load_problem("wave_2d"), Arguments())


def test_a_soliton_is_carried_along(monkeypatch):
    monkeypatch.setattr(resolved, "AIMS", (1e-9,))
    solution = ps.march(soliton(0.1), time=1000, estimate=False, **QUIET)
    assert solution.compare().relative_l2["u"] < 3e-6  # measured: 1.0e-6
    assert "windows of time, Newton's method on frozen sines" in solution.settings["reason"]
    assert "lattice=" in solution.settings["net"]


@pytest.mark.slow
def test_a_march_is_made_again_to_a_smaller_aim(monkeypatch):
    found = []
    for aims in ((1e-12,), (1e-12, 1e-17)):
        monkeypatch.setattr(resolved, "AIMS", aims)
        found.append(ps.march(breather(), time=1000, estimate=False, **QUIET).compare().relative_l2["u"])
    assert found[1] < 0.05 * found[0]


def test_a_march_that_runs_short_of_time_comes_down_to_the_aim_before(monkeypatch):
    """Windows take ten seconds to the first aim and 22 to the second, which was expected to take 17."""
    solve, seconds, found = Resolver._solved, {1e-7: 10.0, 1e-10: 22.0}, []
    monkeypatch.setattr(resolved, "AIMS", tuple(seconds))
    for budget in (100.0, 165.0):
        clock = Ticking(budget)

        def ticking(self, upper, before, clock=clock):
            clock.spend(seconds[self.aim])
            found = solve(self, upper, before)
            self.seconds = seconds[self.aim]
            return found

        monkeypatch.setattr(Resolver, "_solved", ticking)
        limits = Limits(clock, math.inf, None, 0.0)
        stepper, outcome = stepped(soliton(0.1), Arguments(memory=2e9), limits, [], 1.0)
        assert (stepper.chain.whole, stepper.aim, outcome) == (True, 1e-7, Outcome.CONVERGED)
        assert clock.elapsed <= budget
        clock.spend(1000.0)  # none for the estimate
        found.append((stepper.chain, stepper.chain.joined(limits, outcome, stepper.reason)))
    (first, coarse), (second, mixed) = found
    assert first.refined is None
    assert second.refined == second.edges[2] == 0.025
    error = mixed.compare().relative_l2["u"]
    assert error < coarse.compare().relative_l2["u"]  # 2.90e-5 and 3.07e-5
    assert 1 < mixed.estimate["u"] / error < 20  # 5
    assert "from t = 0.025 on its rows may leave more (1e-07), for want of time" in mixed.settings["reason"]


def test_the_next_aim_is_the_smallest_that_there_is_time_for():
    """With the third power of the digits: 3.4-fold from 1e-8 to 1e-12; and no further than 1.6 times the digits at once."""
    assert next_aim(1e-8, 1.0, 1.9, 3.0) is None
    assert next_aim(1e-8, 1.0, 3.5, 3.0) == 1e-12
    assert next_aim(1e-8, 1.0, math.inf, 3.0) == 1e-12
    assert next_aim(1e-12, 1.0, math.inf, 3.0) == 1e-17
    assert next_aim(1e-27, 1.0, math.inf, 3.0) is None


def test_waves_of_a_length_of_their_own_are_no_front():
    problem = ps.load_problem("kuramoto_sivashinsky")
    first = attempts(problem, field_scales(problem), 2e9)[0]
    assert "fronts" not in first.reason
    assert isinstance(first.net, ps.FrozenSines)
