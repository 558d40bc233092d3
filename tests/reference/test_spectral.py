"""Spectral references against exact solutions, at points and times between those they were computed at."""

import importlib
import math

import numpy as np
import pytest
import torch
from helpers import soliton

import pinnsine as ps
from pinnsine.errors import ProblemError
from pinnsine.jet import Context, Coordinate
from pinnsine.reference import burgers, spectral

LINE = ps.Interval("x", -1, 1) * ps.Time(0, 1)
ZERO = torch.zeros((), dtype=torch.float64)


def scattered(domain, count=400, seed=0):
    return domain.sample(count, "uniform", torch.Generator().manual_seed(seed)).columns


def relative(found, expected):
    return float((found - expected).norm() / expected.norm())


def viscous(nu=0.05, domain=LINE, **settings):
    return spectral(
        domain, lambda x: -torch.sin(torch.pi * x), lambda d: nu * d**2, flux=lambda u: -(u**2) / 2, **{"step": 2e-3, "panel": 0.1, **settings}
    )


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("PINNSINE_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def idle(monkeypatch):
    """Refuse every computation from here on."""

    def refuse(*arguments):
        raise AssertionError("computed")

    return lambda: monkeypatch.setattr(importlib.import_module("pinnsine.reference.spectral"), "integrate", refuse)


def test_a_linear_equation_is_solved_exactly():
    """Waves that turn, fast ones too, and decay: u_t = nu u_xx - c u_x - delta u_xxx."""
    nu, c, delta = 0.01, 0.7, 0.02

    def exact(x, t):
        waves = [(math.exp(-0.1 * m), torch.pi * m) for m in (1, 2, 5, 40)]
        return sum(a * torch.exp(-nu * k**2 * t) * torch.cos(k * (x - c * t) + delta * k**3 * t) for a, k in waves)

    reference = spectral(LINE, lambda x: exact(x, ZERO), lambda d: nu * d**2 - c * d - delta * d**3, modes=256, panel=0.02, nodes=13)
    columns = scattered(LINE)
    assert relative(reference.evaluate(columns)["u"], exact(columns["x"], columns["t"])) < 1e-11
    assert reference.floor["u"] < 1e-11


@pytest.mark.parametrize("nu", [0.02, 0.1])
def test_burgers_equation_by_cole_and_hopf(nu):
    reference, columns = viscous(nu, step=1e-3), scattered(LINE)
    error = relative(reference.evaluate(columns)["u"], burgers(nu).evaluate(columns)["u"])
    assert error < reference.floor["u"] < 2e-8
    assert error < 1e-9


def test_errors_fall_geometrically_with_the_modes():
    expected = burgers(0.02).evaluate(columns := scattered(LINE))["u"]
    references = [viscous(0.02, modes=modes, step=1e-3) for modes in (64, 128, 256)]
    errors = [relative(reference.evaluate(columns)["u"], expected) for reference in references]
    assert errors[0] > 1e-4
    assert errors[1] < errors[0] ** 1.7
    assert errors[2] < errors[0] ** 2.5
    for reference, error in zip(references, errors, strict=True):
        assert error < reference.floor["u"]


def test_a_soliton_of_kdv():
    """u = 3 c sech(sqrt(c) (x - c t) / (2 delta))^2, which decays to rounding before it meets its image."""
    c, delta = 1.2, 0.022
    domain = ps.Interval("x", -1, 1) * ps.Time(0, 0.1)

    def exact(x, t):
        return 3 * c / torch.cosh(math.sqrt(c) / (2 * delta) * (torch.remainder(x - c * t + 1, 2) - 1)) ** 2

    reference = spectral(
        domain, lambda x: exact(x, ZERO), lambda d: -(delta**2) * d**3, flux=lambda u: -(u**2) / 2, modes=512, step=1e-4, panel=0.01
    )
    columns = scattered(domain)
    error = relative(reference.evaluate(columns)["u"], exact(columns["x"], columns["t"]))
    assert error < reference.floor["u"] < 1e-5
    assert error < 1e-7


def test_a_soliton_of_schroedinger():
    domain, exact, posed = soliton(1)
    reference = spectral(domain, lambda x: exact(x, ZERO), **posed, modes=1024, step=2e-3)
    columns = scattered(domain)
    found, expected = reference.evaluate(columns), exact(columns["x"], columns["t"])
    for name, part in (("u", expected.real), ("v", expected.imag)):
        assert relative(found[name], part) < reference.floor[name] < 1e-8


def test_a_kink_where_the_ends_meet():
    """The heat equation from x^2, whose continuation has a kink: its Fourier series is known."""
    nu = 1e-3
    m = torch.arange(1, 20_001, dtype=torch.float64)

    def exact(x, t):
        terms = 4 * (-1) ** m / (torch.pi * m) ** 2 * torch.exp(-nu * (torch.pi * m) ** 2 * t[:, None]) * torch.cos(torch.pi * m * x[:, None])
        return 1 / 3 + terms.sum(dim=1)

    reference = spectral(LINE, lambda x: x**2, lambda d: nu * d**2, modes=8192, halvings=12)
    x = torch.cat([torch.linspace(-1, 1, 41, dtype=torch.float64), 1 - torch.logspace(-5, -1, 40, dtype=torch.float64)])
    for t, tolerance in ((1.0, 1e-11), (0.013, 1e-11), (1e-3, 1e-11), (1e-5, 1e-5)):
        columns = {"x": x, "t": torch.full_like(x, t)}
        assert relative(reference.evaluate(columns)["u"], exact(**columns)) < tolerance
    start = {"x": x, "t": torch.zeros_like(x)}
    assert torch.equal(reference.evaluate(start)["u"], x**2)
    assert reference.floor["u"] < 1e-7


def test_stored_times_are_exact_and_values_periodic():
    reference = viscous()
    trajectory, _ = reference.floor.evolution.solution
    for times, spectra in zip(trajectory.times, trajectory.spectra, strict=True):
        for t, spectrum in list(zip(times, spectra, strict=True))[:-1]:
            np.testing.assert_array_equal(trajectory.spectrum(t), spectrum)
    columns = scattered(LINE)
    shifted = {"x": columns["x"] + 2, "t": columns["t"]}
    torch.testing.assert_close(reference.evaluate(columns)["u"], reference.evaluate(shifted)["u"], rtol=0, atol=1e-13)


def test_other_names_and_other_beginnings():
    domain = ps.Interval("z", -1, 1) * ps.Time(2, 2.5, name="tau")
    reference = viscous(domain=domain, fields="w")
    columns = scattered(domain)
    expected = burgers(0.05).evaluate({"x": columns["z"], "t": columns["tau"] - 2})["u"]
    assert relative(reference.evaluate(columns)["w"], expected) < 1e-9
    assert reference.evaluate({"z": torch.empty(0), "tau": torch.empty(0)})["w"].shape == (0,)


def test_nothing_is_computed_before_it_is_needed(place, idle):
    idle()
    reference = viscous()
    assert set(reference.floor) == {"u"}
    assert len(reference.floor) == 1
    assert "512 modes" in reference.description
    start = {"x": torch.tensor([-0.5, 0.25, 1.0]), "t": torch.zeros(3)}
    torch.testing.assert_close(reference.evaluate(start)["u"], torch.tensor([1.0, -math.sqrt(0.5), 0.0], dtype=torch.float64))
    with pytest.raises(AssertionError, match="computed"):
        reference.floor["u"]


def test_the_solution_is_kept_on_disk(place, idle):
    columns = scattered(LINE)
    reference = viscous()
    values, floor = reference.evaluate(columns)["u"], reference.floor["u"]
    assert len(list(place.iterdir())) == 1
    idle()
    again = viscous()
    assert torch.equal(again.evaluate(columns)["u"], values)
    assert again.floor["u"] == floor
    for other in (viscous(0.06), viscous(step=1e-3), viscous(modes=256), viscous(domain=ps.Interval("x", -1, 1) * ps.Time(0, 2))):
        with pytest.raises(AssertionError, match="computed"):
            other.evaluate(columns)


def test_every_part_of_the_equation_counts_in_the_key():
    def key(start=torch.cos, linear=lambda d: d**2, source=None, flux=None, **settings):
        return spectral(LINE, lambda x: start(torch.pi * x), linear, source=source, flux=flux, **settings).floor.evolution.key()

    keys = [
        key(),
        key(start=torch.sin),
        key(linear=lambda d: 0.5 * d**2),
        key(source=lambda u: u),
        key(flux=lambda u: u),
        key(source=lambda u: u**2),
        key(source=lambda u: 1j * abs(u) ** 2 * u, fields=("u", "v")),
        key(source=lambda u: 1j * u**3, fields=("u", "v")),
    ]
    assert len(set(keys)) == len(keys)
    assert key(source=np.sqrt) not in keys  # not defined for negative values
    assert key() == keys[0]


def test_a_damaged_file_is_computed_anew(place):
    values = viscous().evaluate(columns := scattered(LINE))["u"]
    [file] = place.iterdir()
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    assert torch.equal(viscous().evaluate(columns)["u"], values)
    assert file.stat().st_size == len(content)


def test_a_disk_that_cannot_be_written_to_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PINNSINE_CACHE", str(tmp_path / "file"))
    assert viscous().floor["u"] < 1e-6


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"domain": ps.Rectangle(x=(0, 1), y=(0, 1))}, r"one space coordinate, a time, and one or two fields, got x in"),
        ({"domain": ps.Rectangle(x=(0, 1), y=(0, 1)) * ps.Time(0, 1)}, "one space coordinate, a time"),
        ({"fields": ("u", "v", "w")}, "got .* and 3 fields"),
        ({"modes": 500}, "power of two from 64 on, got 500"),
        ({"modes": 32}, "power of two from 64 on, got 32"),
        ({"step": 0}, "step and panel must be positive"),
        ({"nodes": 3}, "nodes at least 4"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ProblemError, match=message):
        viscous(**settings)


@pytest.mark.parametrize("start", [lambda x: x[:2], lambda x: x / 0, lambda x: x * 1j])
def test_wrong_initial_conditions_are_refused(start):
    with pytest.raises(ProblemError, match=r"start must map x \(N,\) to finite values \(N,\), real for one field"):
        spectral(LINE, start, lambda d: d**2).floor["u"]


def test_a_solution_that_does_not_stay_finite_is_refused():
    with pytest.raises(ProblemError, match=r"not finite after t = 0.*take a smaller step"):
        viscous(-0.05).floor["u"]


def test_times_outside_the_domain_are_refused():
    with pytest.raises(ProblemError, match=r"made for times 0 <= t <= 1, got t from 0\.5 to 1\.5"):
        viscous().evaluate({"x": torch.zeros(2), "t": torch.tensor([0.5, 1.5])})


def test_derivatives_are_not_known():
    jet = Coordinate("x", torch.zeros(3, dtype=torch.float64), Context(space=("x",)))
    state = type("State", (), {"x": jet, "t": torch.zeros(3)})
    with pytest.raises(ProblemError, match="has values only"):
        viscous().fields["u"](state)


def test_the_coarse_plan_is_coarser_in_every_way():
    plan = viscous(modes=256, step=1e-3, nodes=9).floor.evolution.plan
    coarse = plan.coarse()
    assert (coarse.modes, coarse.nodes) == (128, 8)
    for gap in (1e-6, 1e-3, 0.0121):
        assert plan.steps(gap) == 2 * coarse.steps(gap)
        assert gap / plan.steps(gap) <= plan.step


def test_panels_cover_the_time():
    panels = viscous(panel=0.3, halvings=3).floor.evolution.plan.panels()
    assert len(panels) == 4 + 3
    assert panels[0] == (0.0, 0.25 / 8)
    ends = [lower + width for lower, width in panels]
    np.testing.assert_allclose(ends[:-1], [lower for lower, _ in panels[1:]], rtol=1e-15)
    assert ends[-1] == 1.0
