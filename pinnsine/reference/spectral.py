"""Numerical reference solutions of periodic evolution equations, computed when they are first asked for and kept on disk.

The floor is measured: the whole computation is repeated with half the modes, twice the step and one node a panel less, and compared in
the L2 norm over space and time at the nodes of the coarse computation, which lie between those of the fine one. It bounds the errors of
both discretizations and of the interpolation.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.reference import cache
from pinnsine.reference.collocation import FEWEST, Equation, Plan, integrate
from pinnsine.reference.computed import Floor
from pinnsine.reference.exact import Reference
from pinnsine.reference.fourier import Fourier
from pinnsine.reference.trajectory import Trajectory, difference, parts

if TYPE_CHECKING:
    from pinnsine.domain import Box

FORMAT = 2  # of the files in the cache; raised whenever the same plan gives other numbers
CHUNK = 1 << 17  # points evaluated at once; every chunk costs one transform for each of its times


@dataclass(frozen=True)
class Evolution:
    """An equation with the plan of its solution, which is computed, or read from the cache, when it is first asked for."""

    equation: Equation
    plan: Plan

    @functools.cached_property
    def solution(self) -> tuple[Trajectory, np.ndarray]:
        """The solution and its floors by field."""
        key = self.key()
        kept = cache.read(key)
        if kept is None:
            spectra, coarse = integrate(self.equation, self.plan), integrate(self.equation, self.plan.coarse())
            trajectory = Trajectory(self.equation, self.plan, spectra)
            floor = difference(trajectory, Trajectory(self.equation, self.plan.coarse(), coarse))
            cache.write(key, {**{f"panel {k:04d}": s for k, s in enumerate(spectra)}, "floor": floor})
            return trajectory, floor
        floor = kept.pop("floor")
        return Trajectory(self.equation, self.plan, [kept[name] for name in sorted(kept)]), floor

    def key(self) -> str:
        """A digest of all that the solution depends on: functions by their values at fixed points."""
        line, plan = self.equation.line, self.plan
        u = np.linspace(-2, 2, 41) if line.real else np.outer(np.linspace(0.1, 2, 7), np.exp(1j * np.arange(7))).ravel()
        with np.errstate(all="ignore"):  # not every function is defined at all of them
            nonlinear = [np.asarray(term(u)) if term else np.zeros(1) for term in (self.equation.source, self.equation.flux)]
        values = [self.equation.initial(line.points(plan.modes)), self.equation.symbol(plan.modes // 2 - 1), *nonlinear]
        digest = hashlib.sha256(json.dumps([FORMAT, astuple(line), astuple(plan)]).encode())
        for array in values:
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def evaluate(self, x: np.ndarray, t: np.ndarray) -> np.ndarray:
        """The solution (N,), real or complex, at points ``x`` and ``t`` (N,). Raises ProblemError for times outside the plan's."""
        plan, line = self.plan, self.equation.line
        slack = 1e-9 * (plan.upper - plan.lower)
        if ((t < plan.lower - slack) | (t > plan.upper + slack)).any():
            raise ProblemError(
                f"This reference is made for times {plan.lower:g} <= t <= {plan.upper:g}, got t from {t.min():g} to {t.max():g}: leave out "
                "other points, or give its domain a longer time."
            )
        result = np.empty(len(x), dtype=float if line.real else complex)
        times, counts = np.unique(t, return_counts=True)
        order, ends = np.argsort(t, kind="stable"), np.cumsum(counts)
        for time, end, count in zip(times, ends, counts, strict=True):
            points = order[end - count : end]
            if time == plan.lower:
                result[points] = self.equation.initial(x[points])
            else:
                result[points] = line.evaluate(self.solution[0].spectrum(time), x[points])
        return result


def spectral(
    domain: Box,
    start: Callable,
    linear: Callable,
    *,
    source: Callable | None = None,
    flux: Callable | None = None,
    fields: str | Sequence[str] = "u",
    modes: int = 512,
    step: float = 1e-3,
    panel: float = 0.05,
    nodes: int = 9,
    halvings: int = 0,
) -> Reference:
    """A numerical solution of a periodic evolution equation in one space dimension.

        u_t = L u + f(u) + g(u)_x,   u(x, t0) = u0(x),   x in [a, b] periodic,   t0 <= t <= t1

    One field is a real solution; two fields are the real and imaginary part of a complex one, u + i v. Nothing is computed before the
    first value or floor is asked for; the solution is then kept on disk (see ``pinnsine.reference.cache``).

    Args:
        domain: a space interval [a, b] times a time interval [t0, t1].
        start: u0, a function of a tensor x (N,), continued periodically. It need not be smooth where its ends meet.
        linear: the symbol of L, a function of d/dx, which is an array of imaginary numbers: ``lambda d: nu * d**2``.
        source: f, a function of an array of values, such as ``lambda u: u - u**3``.
        flux: g, a function of an array of values, such as ``lambda u: -(u**2) / 2``.
        fields: a name, or two for a complex solution.
        modes: the most Fourier modes taken, a power of two.
        step: the longest time step.
        panel: the longest stretch of time interpolated by one polynomial.
        nodes: its number of nodes.
        halvings: how often the first panel is halved towards t0: 10 or more where u0 has a kink and L is diffusive.

    Returns:
        A Reference whose floors are the measured change when modes, steps and nodes are made coarser.

    Raises:
        ProblemError: the domain is no such product, ``modes`` is no power of two, or another number is out of its range; on evaluation, a
            time is outside the domain, or the solution does not stay finite.

    Sources: S. M. Cox & P. C. Matthews (2002), J. Comput. Phys. 176; A.-K. Kassam & L. N. Trefethen (2005), SIAM J. Sci. Comput. 26.
    """
    names = (fields,) if isinstance(fields, str) else tuple(fields)
    if len(domain.axes) != 2 or len(domain.space) != 1 or domain.time is None or len(names) not in (1, 2):
        raise ProblemError(
            f"A spectral reference has one space coordinate, a time, and one or two fields, got {domain.describe()} and {len(names)} fields: "
            'give it Interval("x", a, b) * Time(0, 1).'
        )
    if modes < FEWEST or modes & (modes - 1):
        raise ProblemError(f"modes must be a power of two from {FEWEST} on, got {modes}.")
    if not (step > 0 and panel > 0 and nodes >= 4 and halvings >= 0):
        raise ProblemError(f"step and panel must be positive, nodes at least 4, halvings at least 0, got {step}, {panel}, {nodes}, {halvings}.")
    space, time = domain.axis(domain.space[0]), domain.axis(domain.time)
    equation = Equation(Fourier(space.lower, space.length, len(names) == 1), start, linear, source, flux)
    evolution = Evolution(equation, Plan(time.lower, time.upper, modes, step, panel, nodes, halvings))

    def field(part: int) -> Callable:
        def values(s) -> Tensor:
            x, t = getattr(s, space.name), getattr(s, time.name)
            if not isinstance(x, Tensor):
                raise ProblemError("A spectral reference has values only: derivatives of it are not known.")
            found = parts(equation.line, evolution.evaluate(x.cpu().numpy(), t.cpu().numpy()))[part]
            return torch.from_numpy(np.ascontiguousarray(found)).to(x.device)

        return values

    description = f"Fourier collocation with up to {modes:,} modes, ETDRK4 with steps up to {step:g}"
    return Reference({n: field(k) for k, n in enumerate(names)}, Floor(names, evolution), description, chunk=CHUNK)
