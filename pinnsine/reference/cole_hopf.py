"""Burgers' equation solved exactly by the transformation of Cole and Hopf, in a form that can be differentiated.

With u = -2 nu (log theta)_x Burgers' equation becomes the heat equation theta_t = nu theta_xx. For u(x, 0) =
-sin(pi x), put eta = sqrt(4 nu t) z in the heat kernel's convolution (Basdevant et al. 1986):

    u(x, t) = -int sin(pi y) w dz / int w dz,   y = x - eta,   w = exp(-z^2 - 2a cos(pi y / 2)^2),   a = 1 / (2 pi nu).

The exponent of Basdevant is larger by a, which cancels. In this form it is small, hence accurate, where the weights are
large. The factor exp(a) multiplies the weights afterwards: their integral lies then between exp(-a) and exp(a), apart
from sqrt(pi), so that its powers, which derivatives of the quotient contain, neither over- nor underflow. Nothing is
singular at t = 0, where u is the initial condition.

The trapezoidal rule over the whole line converges geometrically in 1 / step for such an entire integrand (Goodwin 1949;
Trefethen & Weideman 2014, section 5). Gauss and Hermite's nodes, the usual choice, lose to it where the integrand is
far from a Gaussian times a polynomial: 80 of them err by 4e-3 at nu = 10 and by 9e-3 at nu = 0.001 for t <= 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.reference.exact import ROUNDING, Reference

DECAY = 44.0  # errors of the rule are below exp(-DECAY) = 8e-20: room for the factors 1/nu^2 of second derivatives
LEAST_VISCOSITY = 8e-4  # below it exp(3a) overflows, and second derivatives of the quotient with it


def burgers(nu: float | tuple[float, float], length: float = 1.0, speed: float = 1.0, until: float | None = None) -> Reference:
    """The exact solution of Burgers' equation from one period of a sine.

        u_t + u u_x = nu u_xx,   u(x, 0) = -speed sin(pi x / length),   u(+-length, t) = 0,   -length <= x <= length

    The field ``u`` reads the coordinates ``x`` and ``t``; called with jets, it gives its derivatives too (t > 0).

    Args:
        nu: viscosity, at least 8e-4 speed length; or the lowest and the highest one, and the field reads the coordinate ``nu`` as well.
        length: half the width of the domain.
        speed: amplitude of the initial condition.
        until: the last time wanted, 10 length / speed by default; the number of nodes grows like its square root.

    Returns:
        A Reference with one field ``u``, whose floor is the measured change when the number of nodes is doubled.

    Raises:
        ProblemError: an argument is not positive and finite, or the viscosity is too small; on evaluation, a time is
            not in [0, until].

    Sources: E. Hopf (1950), J. D. Cole (1951); C. Basdevant et al. (1986), Spectral and finite difference solutions of
    the Burgers equation, Computers & Fluids 14, for the quadrature.
    """
    family = isinstance(nu, tuple | list)
    lowest, highest = (min(nu), max(nu)) if family else (nu, nu)
    lowest, highest, length, speed = positive(nu=lowest, highest=highest, length=length, speed=speed)
    (until,) = positive(until=10 * length / speed if until is None else until)
    ends = [end / (speed * length) for end in (lowest, highest)]
    if ends[0] < LEAST_VISCOSITY:
        raise ProblemError(
            f"nu must be at least {LEAST_VISCOSITY:g} speed length = {LEAST_VISCOSITY * speed * length:g}, "
            f"where the quadrature still fits in float64, got {lowest:g}: take a larger viscosity or a numerical reference."
        )
    rules = [trapezoidal_rule(viscosity, until * speed / length) for viscosity in ends]
    width, step = max(w for w, _ in rules), min(s for _, s in rules)
    z = nodes(width, step)

    def u(s):
        if isinstance(s.t, Tensor) and bool(((s.t < 0) | (s.t > until)).any()):
            raise ProblemError(
                f"This solution of Burgers' equation is made for times 0 <= t <= {until:g}, got t from {s.t.min():g} "
                f"to {s.t.max():g}: leave out earlier points; for later ones ask for burgers(..., until=...)."
            )
        viscosity = s.nu / (speed * length) if family else ends[0]
        return speed * unit_solution(s.x / length, s.t * (speed / length), viscosity, z.to(s.x.device))

    floor = max(self_convergence(viscosity, until * speed / length, width, step) for viscosity in ends)
    shown = f"{lowest:g} to {highest:g}" if family else f"{lowest:g}"
    return Reference({"u": u}, {"u": floor}, f"Burgers' equation by Cole-Hopf, nu = {shown}, {len(z)} quadrature nodes")


def positive(**numbers: float) -> list[float]:
    """The named numbers, which must be positive and finite."""
    for name, value in numbers.items():
        if not 0 < value < math.inf:
            raise ProblemError(f"{name} must be positive and finite, got {value!r}: give a positive number.")
    return [float(value) for value in numbers.values()]


def trapezoidal_rule(viscosity: float, until: float) -> tuple[float, float]:
    """Half the width and the step of the rule in z that errs by exp(-DECAY) at most, relatively, for 0 <= t <= until.

    Width: the largest weight is at least that of z = 0, which is at least exp(-2a), and w <= exp(-z^2). Step: the error
    is below exp(-2 pi b / step) times the growth of the integrand on the line Im z = b, which is at most
    exp(b^2 + a (cosh(pi sqrt(4 nu t) b) - 1)); every b gives a bound, the best of them gives the step.
    """
    a = 1 / (2 * math.pi * viscosity)
    b = torch.logspace(-4, 2, 2000, dtype=torch.float64)
    growth = b**2 + 2 * a * torch.sinh(math.pi * math.sqrt(viscosity * until) * b) ** 2
    step = (2 * math.pi * b / (growth + DECAY)).max().item()
    return math.sqrt(2 * a + DECAY), step


def nodes(width: float, step: float) -> Tensor:
    """Equidistant nodes (Q,) from -width to width, at most ``step`` apart."""
    half = math.ceil(width / step)
    return torch.arange(-half, half + 1, dtype=torch.float64) * (width / half)


def unit_solution(x, t, viscosity, z: Tensor):
    """The solution (N,) for unit length and speed at ``x`` and ``t`` (N,), by the equidistant nodes ``z`` (Q,).

    ``viscosity``: a number, or a batch (N,). Written with operations that have a Taylor rule only, since all three may be jets.
    """
    half_angle = (math.pi / 2) * (x[..., None] - torch.sqrt(4 * viscosity * t)[..., None] * z)  # (N, Q)
    cosine = torch.cos(half_angle)
    a = 1 / (2 * math.pi * viscosity)
    a, factor = (a, math.exp(a)) if isinstance(a, float) else (a[..., None], torch.exp(a)[..., None])
    weight = factor * torch.exp(-(z**2) - 2 * a * cosine**2)
    return -2 * (torch.sin(half_angle) * cosine * weight).sum(-1) / weight.sum(-1)


def self_convergence(viscosity: float, until: float, width: float, step: float) -> float:
    """The relative L2 change on a grid when the nodes are doubled, in width and density alike; at least rounding."""
    x = torch.linspace(-1, 1, 33, dtype=torch.float64)
    t = torch.linspace(0, until, 17, dtype=torch.float64)
    x, t = torch.cartesian_prod(x, t).unbind(1)
    u = unit_solution(x, t, viscosity, nodes(width, step))
    finer = unit_solution(x, t, viscosity, nodes(width * math.sqrt(2), step / math.sqrt(2)))
    return max(ROUNDING, (torch.linalg.norm(u - finer) / torch.linalg.norm(finer)).item())
