"""The bandwidth that is found: from the spectrum of data, from trials on frozen sines, for every network that takes one."""

import math
import warnings

import pytest
import torch

import pinnsine as ps
from pinnsine.nets import describe
from pinnsine.omega import BEYOND, PER_REACH, PER_SINES, from_data


def tone(k, count=200):
    x = torch.linspace(-1, 1, count, dtype=torch.float64)
    points = ps.Points({"x": x, "value": torch.sin(k * x)})
    return ps.Problem(ps.Interval("x", -1, 1), "u", [ps.Data("data", points, u="value")])


def helmholtz(k):
    """u'' + k^2 u = 0 with u(-1), u(1) as sin(k x + 1) has them."""

    def exact(s):
        return torch.sin(k * s.x + 1)

    domain = ps.Interval("x", -1, 1)
    constraints = [ps.Residual("pde", lambda s: s.u_xx + k**2 * s.u), ps.Dirichlet("ends", u=exact, on=domain.boundary("x"))]
    return ps.Problem(domain, "u", constraints, reference=ps.Reference.exact(u=exact))


def found(problem, net, **options):
    solution = ps.solve(problem, net=net, iterations=1, progress=False, **options)
    return solution.ansatz.net


@pytest.mark.parametrize("kind", [ps.Siren, ps.SimpleSine, ps.BSNN])
def test_the_spectrum_of_data_gives_every_network_wave_numbers_of_one_deviation(kind):
    net = found(tone(40.0), kind(8, 2, omega="auto"))
    deviation = {ps.Siren: 1 / math.sqrt(3), ps.SimpleSine: math.sqrt(2), ps.BSNN: 1 / math.sqrt(3)}[kind] * net.omega
    assert deviation == pytest.approx(PER_REACH * 40 / math.sqrt(3), rel=0.1)
    assert net == kind(8, 2, omega=net.omega)


def test_data_twice_as_fast_ask_for_twice_the_bandwidth():
    slow, fast = (from_data(ps.Siren(omega="auto"), tone(k)).omega for k in (30.0, 60.0))
    assert fast / slow == pytest.approx(2, rel=0.1)


def test_trials_find_the_bandwidth_of_an_equation():
    """Few frozen sines over [-omega, omega] do best a little above the wave number of the solution."""
    omegas = [found(helmholtz(k), ps.Siren(8, 2, omega="auto"), points=300).omega / PER_SINES for k in (4.0, 24.0)]
    assert 1 <= omegas[0] / 4 <= 4
    assert 1 <= omegas[1] / 24 <= 2


def test_the_bandwidth_found_is_said_and_stored(tmp_path):
    solution = ps.solve(tone(40.0), net=ps.Siren(8, 2, omega="auto"), iterations=2, progress=False)
    assert solution.settings["net"] == describe(solution.ansatz.net)
    again = ps.load(solution.save(tmp_path / "run.h5"), problem=tone(40.0))
    assert again.ansatz.net == solution.ansatz.net
    assert isinstance(again.ansatz.net.omega, float)


def test_another_seed_and_one_layer_find_it_too():
    assert found(helmholtz(6.0), ps.BSNN(8, 1, omega="auto"), points=100, seed=3).omega > 0.5


def test_data_above_the_reach_of_a_network_are_warned_of():
    with pytest.warns(UserWarning, match=r"The data hold wave numbers up to \d+ .* above the reach of omega=4: omega='auto' takes"):
        found(tone(60.0), ps.Siren(8, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found(tone(60.0), ps.Siren(8, 2, omega=60 / BEYOND * 1.3))
        found(tone(60.0), ps.Siren(8, 2, encoding=ps.nets.RotatedOctaves(5)))
        found(tone(60.0), ps.MLP(8, 2))


@pytest.mark.parametrize("kind", [ps.Siren, ps.SimpleSine, ps.BSNN])
def test_a_network_is_not_built_before_its_bandwidth_is_known(kind):
    with pytest.raises(ps.ProblemError, match="can be built only with a bandwidth: give omega= a number, or let"):
        kind(omega="auto").build(2, 1, torch.Generator())
    with pytest.raises(ps.ProblemError, match="omega above 0"):
        kind(omega="automatic")
