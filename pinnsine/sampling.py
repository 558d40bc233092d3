"""Points in the unit cube: the samplers by name, each a function of (count, dimension, generator) to a tensor (count, dimension)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pinnsine.errors import ProblemError


def integer_seed(generator: torch.Generator) -> int:
    """A fresh seed for a library with generators of its own."""
    return int(torch.randint(2**31 - 1, (), generator=generator))


def uniform(count: int, dimension: int, generator: torch.Generator) -> Tensor:
    return torch.rand(count, dimension, generator=generator, dtype=torch.float64)


def sobol(count: int, dimension: int, generator: torch.Generator) -> Tensor:
    """Scrambled Sobol points (Owen 1998), as drawn by torch."""
    engine = torch.quasirandom.SobolEngine(dimension, scramble=True, seed=integer_seed(generator))
    return engine.draw(count, dtype=torch.float64)


def grid(count: int, dimension: int, generator: torch.Generator) -> Tensor:
    """Centres of equal cells, the largest cubic grid of at most ``count`` points."""
    side = max(1, int(count ** (1 / dimension) + 1e-9))
    axis = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    return torch.cartesian_prod(*[axis] * dimension).reshape(-1, dimension)


def halton(count: int, dimension: int, generator: torch.Generator) -> Tensor:
    """Scrambled Halton points (Owen 2017), as drawn by scipy."""
    from scipy.stats import qmc

    return torch.from_numpy(qmc.Halton(dimension, rng=integer_seed(generator)).random(count))


def latin_hypercube(count: int, dimension: int, generator: torch.Generator) -> Tensor:
    """One point in each of ``count`` slices of every axis (McKay, Beckman & Conover 1979), as drawn by scipy."""
    from scipy.stats import qmc

    return torch.from_numpy(qmc.LatinHypercube(dimension, rng=integer_seed(generator)).random(count))


SAMPLERS: dict[str, Callable[[int, int, torch.Generator], Tensor]] = {
    "sobol": sobol,
    "halton": halton,
    "uniform": uniform,
    "grid": grid,
    "latin_hypercube": latin_hypercube,
}


def sample_cube(sampler: str, count: int, dimension: int, generator: torch.Generator) -> Tensor:
    """``count`` points of the unit cube (count, dimension) by the named sampler.

    Raises ProblemError for an unknown name.
    """
    if sampler not in SAMPLERS:
        raise ProblemError(f"Unknown sampler {sampler!r}: choose one of {', '.join(map(repr, SAMPLERS))}.")
    if dimension == 0:
        return torch.zeros(min(count, 1), 0, dtype=torch.float64)
    return SAMPLERS[sampler](count, dimension, generator)
