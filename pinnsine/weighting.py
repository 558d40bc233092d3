"""Loss weights that a run finds for itself: factors of the constraints' losses, or of single points, beside the problem's own weights.

A strategy is the value ``weights=`` of a first-order method, as in ``Adam(5_000, weights=ReLoBRaLo())``. It changes what the method descends;
the held-out rows, by which the best parameters are kept, are those of the problem. The factors of constraints have mean one where all
losses weigh the same.

On u'' = -(4 pi)^2 sin(4 pi x) with soft ends (1,500 steps of Adam on tanh 3 x 24, 600 points, seeds 0 and 1) the relative error without was
0.29 and 0.035; with GradientNorm 0.0064 and 0.0036, NTKTrace 0.010 and 0.0040, SelfAdaptive 0.014 and 0.017, ReLoBRaLo 0.29 and 0.048.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.distributed import agreed
from pinnsine.errors import ProblemError

SMALLEST = 1e-8  # of the largest: below, a gradient, a trace or a loss counts as this, so that no weight grows without bound
TRACE_POINTS = 256  # of each constraint, at which the trace of its tangent kernel is found


class Weighting(ABC):
    """A strategy; ``every``: iterations from one change of the weights to the next.

    Its state is a tree whose ``"factors"`` map each constraint to a number, or to one for each of its points (N,).
    """

    every: int

    def _require(self, *conditions: bool) -> None:
        if not (self.every >= 1 and all(conditions)):
            raise ProblemError(f"{type(self).__name__} needs every >= 1, rates above zero and memories in [0, 1), got {self}.")

    @abstractmethod
    def start(self, objective, theta: Tensor) -> dict:
        """The state at the beginning of a phase, and after a change of points where weights are those of single points."""

    @abstractmethod
    def update(self, objective, theta: Tensor, state: dict) -> dict:
        """The state after ``every`` iterations."""

    def moved(self, state: dict) -> dict | None:
        """The state after a change of points; None to start anew."""
        return state


@dataclass(frozen=True)
class Balanced(Weighting):
    """w_c = mean_k q_k / q_c of a quantity q of every constraint, averaged over time with a memory. Abstract."""

    every: int = 100
    memory: float = 0.9

    def __post_init__(self):
        self._require(0 <= self.memory < 1)

    def start(self, objective, theta: Tensor) -> dict:
        return {"factors": _inverse(self.quantities(objective, theta))}

    def update(self, objective, theta: Tensor, state: dict) -> dict:
        return {"factors": _mixed(self.memory, state["factors"], _inverse(self.quantities(objective, theta)))}

    @abstractmethod
    def quantities(self, objective, theta: Tensor) -> dict[str, float]:
        """q by constraint."""


@dataclass(frozen=True)
class GradientNorm(Balanced):
    """All constraints pull alike: w_c = mean_k |grad L_k| / |grad L_c|, averaged over time with a memory.

    Costs a loss and gradient whenever it changes. Source: Wang, Teng & Perdikaris 2021; in this form Wang, Sankaran, Wang & Perdikaris 2023,
    arXiv 2308.08468.
    """

    def quantities(self, objective, theta: Tensor) -> dict[str, float]:
        return {n: float(objective.only(n).loss_and_gradient(theta)[1].norm()) for n in _names(objective)}


@dataclass(frozen=True)
class NTKTrace(Balanced):
    """All constraints learn alike: w_c = mean_k tr K_k / tr K_c, K_c = J_c J_c^T the tangent kernel of the rows of c.

    tr K_c = |J_c|_F^2 is found at 256 of its points. Source: Wang, Yu & Perdikaris 2022.
    """

    every: int = 500

    def quantities(self, objective, theta: Tensor) -> dict[str, float]:
        whole, traces = objective.whole, {}
        for name in _names(objective):
            part = whole.only(name).with_points({name: whole.points[name].spread(TRACE_POINTS)})
            part.require_squares("weights by the tangent kernel")
            traces[name] = agreed(float(part.jacobian(theta)[1].square().sum()))
        return traces


@dataclass(frozen=True)
class ReLoBRaLo(Weighting):
    """Constraints whose loss has fallen least weigh most (relative loss balancing with random lookback).

    With b_c(t, t') = m softmax_c(L_c(t) / (T L_c(t'))) over the m constraints, rho one with probability ``lookback`` and else zero,
    w(t) = alpha (rho w(t-1) + (1 - rho) b(t, 0)) + (1 - alpha) b(t, t-1), alpha = ``memory``. Costs the losses whenever it changes; the
    published alpha of 0.999 is for a change in every iteration. Source: Bischof & Kraus 2021, arXiv 2110.09813.
    """

    every: int = 10
    memory: float = 0.99
    temperature: float = 0.1
    lookback: float = 0.99

    def __post_init__(self):
        self._require(0 <= self.memory < 1, 0 <= self.lookback <= 1, self.temperature > 0)

    def start(self, objective, theta: Tensor) -> dict:
        losses = objective.losses(theta)
        return {"factors": dict.fromkeys(losses, 1.0), "first": losses, "last": losses, "count": 0}

    def update(self, objective, theta: Tensor, state: dict) -> dict:
        losses, count = objective.losses(theta), state["count"] + 1
        looks_back = float(torch.rand((), generator=torch.Generator().manual_seed(count))) >= self.lookback
        before = self._balance(losses, state["first"]) if looks_back else state["factors"]
        factors = _mixed(self.memory, before, self._balance(losses, state["last"]))
        return {"factors": factors, "first": state["first"], "last": losses, "count": count}

    def _balance(self, losses: Mapping[str, float], earlier: Mapping[str, float]) -> dict[str, float]:
        smallest = SMALLEST * max(earlier.values()) or 1.0
        ratios = torch.tensor([losses[n] / max(earlier[n], smallest) for n in losses], dtype=torch.float64)
        shares = len(losses) * (ratios / self.temperature).softmax(dim=0)
        return dict(zip(losses, shares.tolist(), strict=True))


@dataclass(frozen=True)
class SelfAdaptive(Weighting):
    """A weight for every point, which ascends where the network descends: min over theta, max over lambda of sum_i lambda_i^2 r_i^2.

    lambda_i <- lambda_i (1 + rate r_i^2 / mean r^2), after which all are divided by their root-mean-square: only their ratios count. They
    start at one, and anew when points move. Costs the rows whenever it changes. Source: McClenny & Braga-Neto 2023, whose ascent is by Adam.
    """

    every: int = 10
    rate: float = 0.01

    def __post_init__(self):
        self._require(self.rate > 0)

    def start(self, objective, theta: Tensor) -> dict:
        objective.require_squares("weights of single points")
        return {"factors": {n: torch.ones(len(objective.points[n]), dtype=torch.float64, device=theta.device) for n in _names(objective)}}

    def update(self, objective, theta: Tensor, state: dict) -> dict:
        squares = {n: objective.magnitudes(theta, n, objective.points[n]).double().square() for n in state["factors"]}
        mean = sum(float(s.mean()) for s in squares.values()) / len(squares)
        if not 0 < mean < math.inf:
            return state
        grown = {n: w * (1 + self.rate * squares[n] / mean) ** 2 for n, w in state["factors"].items()}  # w = lambda^2
        size = sum(float(w.mean()) for w in grown.values()) / len(grown)
        return {"factors": {n: w / size for n, w in grown.items()}}

    def moved(self, state: dict) -> None:
        return None


WEIGHTINGS = {kind.__name__.lower(): kind for kind in (GradientNorm, NTKTrace, ReLoBRaLo, SelfAdaptive)}


def means(factors: Mapping[str, float | Tensor]) -> dict[str, float]:
    """The weight of each constraint, or the mean of those of its points."""
    return {n: float(w.mean()) if isinstance(w, Tensor) else w for n, w in factors.items()}


def _names(objective) -> list[str]:
    return [t.constraint.name for t in objective.terms]


def _inverse(sizes: Mapping[str, float]) -> dict[str, float]:
    """Factors that make all sizes equal: their mean over each of them."""
    smallest = SMALLEST * max(sizes.values())
    if not 0 < smallest < math.inf:
        return dict.fromkeys(sizes, 1.0)
    mean = sum(sizes.values()) / len(sizes)
    return {n: mean / max(size, smallest) for n, size in sizes.items()}


def _mixed(memory: float, old: Mapping[str, float], new: Mapping[str, float]) -> dict[str, float]:
    return {n: memory * old[n] + (1 - memory) * new[n] for n in old}
