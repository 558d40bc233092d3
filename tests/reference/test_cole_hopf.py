"""Burgers' exact solution against Cole's Fourier series in multiple precision, and against the equation itself."""

import math
from types import SimpleNamespace

import pytest
import torch

from pinnsine.errors import ProblemError
from pinnsine.evaluate import taylor
from pinnsine.reference import burgers
from pinnsine.reference.cole_hopf import LEAST_VISCOSITY

VISCOSITIES = [LEAST_VISCOSITY, 1e-3, 0.01 / math.pi, 0.01, 0.1, 1.0, 10.0]


def draw(n, first, last):
    """n points x, t on both sides of the front at x = 0, uniform in log|x| and log t, t from ``first`` to ``last``."""
    distance, time, side = torch.rand(3, n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return 1e-4**distance * torch.sign(side - 0.5), first * (last / first) ** time


def values(reference, x, t):
    return reference.evaluate({"x": x, "t": t})["u"]


def fourier_series(nu, points):
    """Cole's series (1951), with a = 1 / (2 pi nu): u = -2 nu theta_x / theta,

        theta = I_0(a) + 2 sum_k (-1)^k I_k(a) exp(-nu (k pi)^2 t) cos(k pi x).

    Its terms cancel to exp(-2a) at x = 0: hence the digits. The Bessel functions come from Miller's downward
    recurrence, up to a common factor, which cancels.
    """
    mp = pytest.importorskip("mpmath").mp
    with mp.workdps(40 + int(0.5 / nu / math.pi)):
        a = 1 / (2 * mp.pi * nu)
        bessel = [mp.mpf(0), mp.mpf(1)]
        for k in range(60 + int(3 * a), 0, -1):
            bessel.append(bessel[-2] + 2 * k / a * bessel[-1])
        bessel.reverse()

        def u(x, t):
            theta, slope = bessel[0], 0  # slope: -theta_x / pi
            for k, b in enumerate(bessel[1:], start=1):
                cosine, sine = mp.cos_sin(k * mp.pi * x)
                coefficient = 2 * (-1) ** k * b * mp.exp(-nu * (k * mp.pi) ** 2 * t)
                theta, slope = theta + coefficient * cosine, slope + k * coefficient * sine
            return 2 * nu * mp.pi * slope / theta

        return torch.tensor([float(u(mp.mpf(x), mp.mpf(t))) for x, t in points], dtype=torch.float64)


def residual(nu, x, t, length=1.0, speed=1.0, until=None):
    """u_t + u u_x - nu u_xx by nested reverse mode, which shares nothing with the package's own derivatives."""
    x, t = x.clone().requires_grad_(), t.clone().requires_grad_()
    u = burgers(nu, length, speed, until).fields["u"](SimpleNamespace(x=x, t=t))
    u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
    (u_xx,) = torch.autograd.grad(u_x.sum(), x)
    return (u_t + u * u_x - nu * u_xx).detach()


@pytest.mark.parametrize("nu", VISCOSITIES)
def test_agrees_with_the_series(nu):
    x, t = draw(8, 1e-3, 1)
    expected = fourier_series(nu, zip(x.tolist(), t.tolist(), strict=True))
    torch.testing.assert_close(values(burgers(nu), x, t), expected, rtol=0, atol=2e-14)


@pytest.mark.parametrize("nu", VISCOSITIES)
def test_floor_is_the_true_error(nu):
    reference = burgers(nu)
    x, t = torch.cartesian_prod(*torch.tensor([[-0.83, -0.31, 0.47], [0.0071, 0.23, 0.88]], dtype=torch.float64)).T
    expected = fourier_series(nu, zip(x.tolist(), t.tolist(), strict=True))
    error = (values(reference, x, t) - expected).norm() / expected.norm()
    assert 2.2e-16 <= reference.floor["u"] < 2e-15
    assert error < 5 * reference.floor["u"]


@pytest.mark.parametrize("nu", VISCOSITIES)
@pytest.mark.parametrize(("first", "last"), [(1e-8, 1e-2), (1e-2, 1), (1, 10)])
def test_satisfies_the_equation(nu, first, last):
    assert residual(nu, *draw(200, first, last)).abs().max() < 1e-11


@pytest.mark.parametrize("nu", VISCOSITIES)
def test_satisfies_the_equation_on_jets(nu):
    solution = burgers(nu).fields["u"]

    def module(inputs):
        return solution(SimpleNamespace(x=inputs[..., 0], t=inputs[..., 1]))

    x, t = draw(100, 1e-4, 1)
    u = taylor(module, torch.stack([x, t], dim=1), ["x", "t"], [("t",), ("x", "x")])
    assert (u.at(("t",)) + u.values * u.at(("x",)) - nu * u.at(("x", "x"))).abs().max() < 1e-11
    torch.testing.assert_close(u.values, values(burgers(nu), x, t), rtol=0, atol=1e-15)


def test_front_is_steep_where_it_is_known_to_be():
    """The largest slope at nu = 0.01 / pi, -152.00516 at t = 1.6037 / pi (Basdevant et al. 1986)."""
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    t = torch.full((1,), 1.6037 / math.pi, dtype=torch.float64)
    u = burgers(0.01 / math.pi).fields["u"](SimpleNamespace(x=x, t=t))
    assert torch.autograd.grad(u.sum(), x)[0].item() == pytest.approx(-152.00516, abs=1e-5)


@pytest.mark.parametrize("nu", VISCOSITIES)
def test_initial_and_boundary_values(nu):
    reference = burgers(nu)
    x, t = torch.linspace(-1, 1, 101, dtype=torch.float64), torch.linspace(0, 10, 101, dtype=torch.float64)
    start = values(reference, x, torch.zeros_like(x))
    torch.testing.assert_close(start, -torch.sin(torch.pi * x), rtol=0, atol=2e-15)
    for side in (-1.0, 0.0, 1.0):
        assert values(reference, torch.full_like(t, side), t).abs().max() < 1e-13


def test_is_odd():
    x, t = draw(100, 1e-3, 10)
    reference = burgers(0.01)
    torch.testing.assert_close(values(reference, x, t), -values(reference, -x, t), rtol=0, atol=1e-14)


def test_scales_with_length_and_speed():
    length, speed, nu = 3.0, 0.2, 0.01
    x, t = draw(100, 1e-3, 1)
    scaled = values(burgers(nu * speed * length, length, speed), length * x, t * length / speed)
    torch.testing.assert_close(scaled, speed * values(burgers(nu), x, t), rtol=0, atol=1e-14)
    assert residual(nu * speed * length, length * x, t * length / speed, length, speed).abs().max() < 1e-11


def test_later_times_take_more_nodes():
    nu = 0.01
    x, t = draw(50, 30, 40)
    with pytest.raises(ProblemError, match=r"times 0 <= t <= 10, got t from 3.* ask for burgers\(\.\.\., until="):
        values(burgers(nu), x, t)
    expected = fourier_series(nu, zip(x.tolist(), t.tolist(), strict=True))
    torch.testing.assert_close(values(burgers(nu, until=40), x, t), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("arguments", [{"nu": 0.0}, {"nu": -0.1}, {"nu": 0.1, "speed": 0}, {"nu": 0.1, "until": math.inf}])
def test_arguments_must_be_positive(arguments):
    name, value = list(arguments.items())[-1]
    with pytest.raises(ProblemError, match=f"{name} must be positive and finite, got {value}: give"):
        burgers(**arguments)


def test_too_small_a_viscosity_is_refused():
    with pytest.raises(ProblemError, match=r"at least 0\.0008 speed length = 0\.0032, .* got 0\.001: take a larger"):
        burgers(1e-3, length=2, speed=2)


def test_a_family_reads_the_viscosity_as_a_coordinate():
    """At every point the solution for its own viscosity, to rounding; measured 6e-16."""
    family, (x, t) = burgers((0.01, 0.1)), draw(300, 1e-3, 1.0)
    for nu in (0.01, 0.037, 0.1):
        found = family.evaluate({"x": x, "t": t, "nu": torch.full_like(x, nu)})["u"]
        assert float((found - values(burgers(nu), x, t)).abs().max()) < 2e-15
    assert family.floor["u"] < 1e-14
    with pytest.raises(ProblemError, match="nu must be at least"):
        burgers((1e-4, 0.1))
