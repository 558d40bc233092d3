"""Periodic evolution in the plane against exact solutions and the solver in one dimension."""

import math

import pytest
import torch

import pinnsine as ps
from pinnsine.errors import ProblemError
from pinnsine.reference import spectral, spectral_2d

SQUARE = ps.Rectangle(x=(-1, 1), y=(0, 2)) * ps.Time(0, 0.5)


def relative(found, expected):
    return float((found - expected).norm() / expected.norm())


def scattered(domain, count=300):
    return domain.sample(count, "uniform", torch.Generator().manual_seed(0)).columns


def test_linear_equations_are_solved_exactly():
    def wave(s):
        return torch.sin(torch.pi * s.x) * torch.cos(2 * torch.pi * s.y)

    reference = spectral_2d(
        SQUARE,
        {"u": wave, "v": lambda s: 1 + 0.5 * torch.cos(torch.pi * (s.x + s.y))},
        {"u": lambda lap: 0.02 * lap + 0.3, "v": lambda lap: 0.1 * lap},
        lambda u, v: (0 * u, 0 * v),
        modes=16,
        step=0.05,
        panel=0.25,
        nodes=11,
    )
    columns = scattered(SQUARE)
    found, (x, y, t) = reference.evaluate(columns), columns.values()
    u = torch.sin(torch.pi * x) * torch.cos(2 * torch.pi * y) * torch.exp((0.3 - 0.02 * 5 * math.pi**2) * t)
    v = 1 + 0.5 * torch.cos(torch.pi * (x + y)) * torch.exp(-0.1 * 2 * math.pi**2 * t)
    assert relative(found["u"], u) < 1e-11
    assert relative(found["v"], v) < 1e-11
    assert max(reference.floor.values()) < 1e-9


def test_a_plane_wave_is_that_of_one_dimension():
    """u_t = nu lap u + u - u^3 from a function of x + y alone: the equation on a line, with twice the diffusion."""
    nu = 0.01
    line = ps.Interval("z", 0, 2) * ps.Time(0, 0.5)
    expected = spectral(line, lambda z: torch.sin(torch.pi * z), lambda d: 2 * nu * d**2, source=lambda u: u - u**3, step=2e-3)
    reference = spectral_2d(
        SQUARE,
        {"u": lambda s: torch.sin(torch.pi * (s.x + s.y))},
        lambda lap: nu * lap,
        lambda u: (u - u**3,),
        modes=32,
        step=4e-3,
        panel=0.125,
    )
    columns = scattered(SQUARE)
    other = expected.evaluate({"z": columns["x"] + columns["y"], "t": columns["t"]})["u"]
    error = relative(reference.evaluate(columns)["u"], other)
    assert error < reference.floor["u"] < 1e-6
    assert error < 1.5e-8  # measured 4.4e-9, of the steps


def test_panels_halved_towards_the_start_resolve_what_is_fast_there():
    """Modes of x that decay at once, beside one that stays, for a while."""

    def error(halvings):
        reference = spectral_2d(
            SQUARE,
            {"u": lambda s: torch.cos(torch.pi * s.x) + torch.cos(8 * torch.pi * s.y)},
            lambda lap: 0.2 * lap,
            lambda u: (0 * u,),
            modes=24,
            step=0.02,
            panel=0.5,
            nodes=12,
            halvings=halvings,
        )
        x, y, t = (columns := scattered(SQUARE)).values()
        slow, fast = torch.cos(torch.pi * x), torch.cos(8 * torch.pi * y)
        exact = slow * torch.exp(-0.2 * math.pi**2 * t) + fast * torch.exp(-12.8 * math.pi**2 * t)
        error = relative(reference.evaluate(columns)["u"], exact)
        assert error < reference.floor["u"]
        return error

    assert error(5) < 1e-3 * error(0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"domain": ps.Interval("x", 0, 1) * ps.Time(0, 1)}, "two space coordinates and a time, got x in"),
        ({"modes": 15}, "modes must be even"),
        ({"step": 0}, "step and panel must be positive"),
        ({"nodes": 4}, "nodes at least 5"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    arguments = {"domain": SQUARE, "start": {"u": lambda s: s.x}, "linear": lambda lap: lap, "source": lambda u: (0 * u,), **settings}
    with pytest.raises(ProblemError, match=message):
        spectral_2d(**arguments)


def test_a_solution_that_does_not_stay_finite_is_refused():
    reference = spectral_2d(
        SQUARE, {"u": lambda s: 2 + torch.sin(torch.pi * s.x)}, lambda lap: lap, lambda u: (50 * u**3,), modes=8, step=0.01, panel=0.5, nodes=5
    )
    with pytest.raises(ProblemError, match=r"not finite after t = 0.*take a smaller step"):
        reference.floor["u"]
