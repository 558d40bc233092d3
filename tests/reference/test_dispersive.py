"""References of Schroedinger's type: kinks that disperse, against direct sums, more modes, exact solutions and another method."""

import math

import numpy as np
import pytest
import torch
from helpers import soliton

import pinnsine as ps
from pinnsine.errors import ProblemError
from pinnsine.reference import dispersive
from pinnsine.reference.collocation import Equation
from pinnsine.reference.dispersive import Motion, Plan, difference, squares
from pinnsine.reference.fourier import Fourier

LINE = ps.Interval("x", -1, 1) * ps.Time(0, 1)
ZERO = torch.zeros((), dtype=torch.float64)
RATE = 8 / 5 * math.tanh(5)


def free(source=lambda h: 0 * h, domain=LINE, **settings):
    """i h_t + h_xx / 2 = 0 from x^2."""
    return dispersive(
        domain, lambda x: x**2, lambda d: 0.5j * d**2, source, fields=("u", "v"), **{"modes": 64, "free": 4096, "step": 2e-2, **settings}
    )


def pulse(modes, steps, gaps=16, upper=0.04, free=2048):
    """The motion of 2 sech(x) on [-5, 5] by the cubic equation."""
    equation = Equation(
        Fourier(-5.0, 10.0, False),
        lambda x: 2 / torch.cosh(x),
        lambda d: 0.5j * d**2 + 1j * RATE,
        lambda h: 1j * (abs(h) ** 2 - RATE) * h,
        None,
    )
    return Motion(equation, Plan(0.0, upper, modes, free, gaps, steps))


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("PINNSINE_CACHE", str(tmp_path))
    return tmp_path


def test_a_kink_moves_freely_as_its_series_does():
    """x^2 = 1/3 + sum 4 (-1)^m cos(pi m x) / (pi m)^2: each mode turns by exp(-i (pi m)^2 t / 2)."""
    m = torch.arange(1, 2048, dtype=torch.float64)
    columns = LINE.sample(15, "uniform", torch.Generator().manual_seed(0)).columns
    x, t = columns["x"][:, None], columns["t"][:, None]
    exact = 1 / 3 + (4 * (-1) ** m / (torch.pi * m) ** 2 * torch.exp(-0.5j * (torch.pi * m) ** 2 * t) * torch.cos(torch.pi * m * x)).sum(dim=1)
    reference = free()
    found = reference.evaluate(columns)
    assert float((torch.complex(found["u"], found["v"]) - exact).abs().max()) < 1e-7  # 3.2e-8: single precision from the 31st mode on
    assert 1e-6 < max(reference.floor.values()) < 1e-4  # modes beyond the 1,024th: 0.57 / 1024^1.5 = 1.7e-5


def test_a_soliton():
    domain, exact, posed = soliton(0.5)
    reference = dispersive(domain, lambda x: exact(x, ZERO), **posed, modes=512, free=512, step=1e-3)
    columns = domain.sample(30, "uniform", torch.Generator().manual_seed(0)).columns
    found, expected = reference.evaluate(columns), exact(columns["x"], columns["t"])
    for name, part in (("u", expected.real), ("v", expected.imag)):
        assert float((found[name] - part).norm() / part.norm()) < reference.floor[name] < 1e-6


def test_what_is_neglected_falls_faster_than_what_is_cut_off():
    """Four times the coupled modes: 4^1.5 = 8 times less is cut off, 16.7 times less neglected, and that is a small part of the other."""
    fine = pulse(1024, 24)
    with_free = [difference(fine, pulse(modes, 24))[0] for modes in (128, 512)]
    without = difference(fine, pulse(512, 24, free=512))[0]
    assert with_free[1] < with_free[0] / 12
    assert with_free[1] < 0.05 * without


def test_steps_do_not_meet_resonances():
    """Conjugates of fast modes are left out where a step does not resolve them: steps eight times as long agree."""
    exact = pulse(512, 96)
    assert difference(exact, pulse(512, 12))[0] < 3e-9


def test_conjugates_of_fast_modes_are_left_out_and_nothing_else():
    """The source i |h|^2 h at s + w, w small and fast, is i (|s|^2 s + 2 |s|^2 w + s^2 conj(w)), of which the last is not there."""
    motion = pulse(512, 4, gaps=1)
    line, highest = motion.line, motion.plan.highest
    x = line.points(512)
    s, w = 1.5 / np.cosh(np.sin(math.pi / 5 * x)) * np.exp(0.3j), 1e-6 * np.exp(2j * math.pi / 10 * 200 * x)
    found = line.values(motion.rate()(line.spectrum(s + w, highest)), 512)
    expected = 1j * ((abs(s) ** 2 - RATE) * s + (2 * abs(s) ** 2 - RATE) * w)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    assert np.abs(expected - 1j * (abs(s + w) ** 2 - RATE) * (s + w)).max() > 1e-6


def test_mean_squares_by_parseval():
    line = Fourier(0.0, 2.0, False)
    spectrum = np.random.default_rng(0).standard_normal(41) * np.exp(1j * np.arange(41))
    values = line.values(spectrum, 128)
    np.testing.assert_allclose(squares(spectrum), [np.mean(values.real**2), np.mean(values.imag**2)], rtol=1e-12)


def test_states_are_exact_and_steps_lead_from_one_to_the_next():
    motion = pulse(128, 8)
    for k in (1, 3, 16):
        np.testing.assert_array_equal(motion.coupled(k * motion.plan.gap), motion.states[k])
    later = motion.coupled(3 * motion.plan.gap * (1 - 1e-12))
    np.testing.assert_allclose(later, motion.states[3], atol=1e-10)


def test_the_solution_is_kept_on_disk(place):
    columns = LINE.sample(5, "uniform", torch.Generator().manual_seed(0)).columns
    values, floor = free().evaluate(columns)["u"], free().floor["u"]
    assert len(list(place.iterdir())) == 1
    assert torch.equal(free().evaluate(columns)["u"], values)
    assert free().floor["u"] == floor
    for other in (free(step=0.1), free(source=lambda h: 1e-3j * h, step=0.1), free(modes=128, step=0.1), free(free=2048, step=0.1)):
        other.evaluate(columns)
    assert len(list(place.iterdir())) == 5


def test_other_names_in_the_other_order():
    columns = LINE.sample(5, "uniform", torch.Generator().manual_seed(0)).columns
    other = free(domain=ps.Time(0, 1, name="tau") * ps.Interval("z", -1, 1)).evaluate({"tau": columns["t"], "z": columns["x"]})
    assert torch.equal(other["u"], free().evaluate(columns)["u"])


def test_the_start_is_exact_and_nothing_is_computed_for_it(monkeypatch):
    monkeypatch.setattr(Motion, "_states", None)
    assert set(free().floor) == {"u", "v"}
    assert "4,096 free" in free().description


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"domain": ps.Rectangle(x=(0, 1), y=(0, 1))}, "one space coordinate, a time, and two fields, got x in"),
        ({"modes": 100}, "powers of two, 64 <= modes <= free"),
        ({"free": 32}, "powers of two, 64 <= modes <= free"),
        ({"step": 0}, "step positive"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ProblemError, match=message):
        free(**settings)


def test_other_equations_are_refused():
    with pytest.raises(ProblemError, match=r"imaginary.*reference\.spectral"):
        dispersive(LINE, lambda x: x**2, lambda d: d**2, lambda h: h, fields=("u", "v"))
    with pytest.raises(ProblemError, match=r"got .* and fields 'u'"):
        dispersive(LINE, lambda x: x**2, lambda d: 1j * d**2, lambda h: h, fields="u")


def test_a_solution_that_does_not_stay_finite_is_refused():
    with pytest.raises(ProblemError, match="not finite at t = 1: take a smaller step"):
        _ = free(source=lambda h: 30 * h * abs(h) ** 2).floor["u"]
