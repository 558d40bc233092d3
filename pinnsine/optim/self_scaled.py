"""Self-scaled BFGS and self-scaled Broyden: quasi-Newton methods with a dense inverse Hessian H (Al-Baali 1998; Urban, Stefanou & Pons 2025,
arXiv 2405.04230, equations 7-23).

The step is s = -alpha H g, alpha by a strong Wolfe line search. With y the change of the gradient,

    b = s^T H^-1 s / y^T s = -alpha s^T g / y^T s,    h = y^T H y / y^T s,    a = h b - 1 >= 0,
    v = sqrt(y^T H y) (s / y^T s - H y / y^T H y),
    H+ = (1/tau) (H - (H y)(H y)^T / y^T H y + phi v v^T) + s s^T / y^T s.

H+ y = s whatever tau and phi, because y^T v = 0. BFGS has tau = phi = 1. tau < 1 enlarges H, that is, shrinks the eigenvalues of the Hessian
that one step after another has found too large; phi = (1 - theta) / (1 + a theta) runs through Broyden's family, theta = 0 being BFGS and
theta = 1 DFP. H stays positive definite for tau > 0 and 1 + a theta > 0.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.optim.line_search import line_search
from pinnsine.optim.step import Progress, Step
from pinnsine.weighting import GradientNorm, NTKTrace, ReLoBRaLo, SelfAdaptive

LARGEST = 20_000  # parameters: H takes 3.2 GB in float64, and its update as much again


class SelfScaled(ABC):
    """What the two methods share: all but ``tau`` and ``phi``."""

    iterations: int | None

    uses = "gradient"
    gathers_curvature = True

    @staticmethod
    @abstractmethod
    def coefficients(b: float, h: float, size: int) -> tuple[float, float]:
        """tau and phi, from the quotients in the module's docstring and the number of parameters."""

    def start(self, objective, theta: Tensor) -> dict:
        """The state between iterations: loss and gradient at theta, and H, at first the identity.

        Raises ProblemError for more than 20,000 parameters.
        """
        if len(theta) > LARGEST:
            raise ProblemError(
                f"{type(self).__name__} keeps a matrix of parameters by parameters and takes at most {LARGEST:,} of them, got {len(theta):,}: "
                "choose LBFGS or a smaller network."
            )
        loss, gradient = objective.loss_and_gradient(theta)
        return {"loss": loss, "gradient": gradient, "inverse": None}

    def restart(self, objective, theta: Tensor, state: dict) -> dict:
        """The state after a change of points: H is kept, made symmetric, unless it has lost its positive definiteness."""
        fresh, inverse = self.start(objective, theta), state["inverse"]
        if inverse is None:
            return fresh
        inverse = (inverse + inverse.T) / 2
        return {**fresh, "inverse": inverse if int(torch.linalg.cholesky_ex(inverse)[1]) == 0 else None}

    def step(self, objective, theta: Tensor, state: dict) -> Step:
        """One iteration from theta (P,)."""
        loss, gradient, inverse = state["loss"], state["gradient"], state["inverse"]
        if not math.isfinite(loss):
            return Step(theta, loss, state, Progress.BROKEN)
        found, count = None, 0
        if inverse is not None:
            direction = -(inverse @ gradient)
            found, count = line_search(objective, theta, direction, loss, gradient)
        if found is None:  # at the start, or where H misleads: along the gradient
            size = 1 / max(1.0, float(gradient.norm()))
            direction, inverse = -size * gradient, size * torch.eye(len(theta), dtype=theta.dtype, device=theta.device)
            found, more = line_search(objective, theta, direction, loss, gradient)
            count += more
        if found is None:
            return Step(theta, loss, state, Progress.STALLED, count)
        new, new_loss, new_gradient = found
        s = new - theta
        alpha = float(s.norm() / direction.norm())
        inverse = self.updated(inverse, s, new_gradient - gradient, -alpha * float(s @ gradient))
        return Step(new, new_loss, {"loss": new_loss, "gradient": new_gradient, "inverse": inverse}, evaluations=count)

    def updated(self, inverse: Tensor, s: Tensor, y: Tensor, square: float) -> Tensor:
        """H+ (P, P) from H, the step s (P,), the change y (P,) of the gradient and s^T H^-1 s; H itself where s^T y is not positive."""
        product, image = float(s @ y), inverse @ y
        curvature = float(y @ image)  # y^T H y
        if product <= 1e-14 * float(s.norm() * y.norm()) or curvature <= 0:
            return inverse
        tau, phi = self.coefficients(square / product, curvature / product, len(s))
        v = math.sqrt(curvature) * (s / product - image / curvature)
        columns = torch.stack([image / math.sqrt(curvature), v, s / math.sqrt(product)], dim=1)
        return torch.addmm(inverse, columns * columns.new_tensor([-1 / tau, phi / tau, 1.0]), columns.T, beta=1 / tau)


@dataclass(frozen=True)
class SSBFGS(SelfScaled):
    """Self-scaled BFGS with Al-Baali's factor, tau = min(1, 1/b) and phi = 1; for up to 20,000 parameters.

    ``weights``: a strategy of ``pinnsine.weighting``; H is kept through their changes.
    """

    iterations: int | None = None
    weights: GradientNorm | NTKTrace | ReLoBRaLo | SelfAdaptive | None = None

    @staticmethod
    def coefficients(b: float, h: float, size: int) -> tuple[float, float]:
        return min(1.0, 1 / b), 1.0


@dataclass(frozen=True)
class SSBroyden(SelfScaled):
    """Self-scaled Broyden: theta = (1 - b)/b within bounds that keep H positive definite; for up to 20,000 parameters.

    With c = sqrt(a / (1 + a)) and rho = min(1, h (1 - c)): (rho - 1)/a <= theta <= 1/rho, sigma = 1 + a theta,
    tau = min(1, 1/b) min(sigma^(-1/(n-1)), 1/theta) if theta > 0, else min(min(1, 1/b) sigma^(-1/(n-1)), sigma).
    ``weights``: as for SSBFGS.
    """

    iterations: int | None = None
    weights: GradientNorm | NTKTrace | ReLoBRaLo | SelfAdaptive | None = None

    @staticmethod
    def coefficients(b: float, h: float, size: int) -> tuple[float, float]:
        a = max(h * b - 1, 1e-14)  # zero where s is along H y: then v = 0, and theta does not matter
        rho = min(1.0, h * (1 - math.sqrt(a / (1 + a))))
        theta = max((rho - 1) / a, min(1 / rho, (1 - b) / b))
        sigma, scale = 1 + a * theta, min(1.0, 1 / b)
        spread = sigma ** (-1 / max(1, size - 1))
        tau = scale * min(spread, 1 / theta) if theta > 0 else min(scale * spread, sigma)
        return tau, (1 - theta) / sigma
