"""SOAP (Vyas et al. 2024, arXiv 2409.11321): Adam in the eigenbasis of Shampoo's preconditioner.

For a weight matrix with gradient G (m, n), L and R are running means of G G^T and G^T G, with eigenvectors U and V. Adam's second moments are
those of U^T G V, its step is made there and turned back: U step V^T. The eigenvectors are found once and then improved by one step of power
iteration, the QR factors of L U and R V, every so many steps. Biases and unknown numbers are left to Adam.

The betas are the paper's: a basis that remembers as long as Adam's second moments usually do, with 0.999, was worth little (Poisson in two
dimensions, 700 steps at lr 3e-3: 7.9e-6 against 2.8e-4; Muon 3.2e-5, Adam 4.2e-4).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.errors import ProblemError
from pinnsine.optim.first_order import FirstOrder


@dataclass(frozen=True)
class SOAP(FirstOrder):
    """SOAP on the weight matrices, Adam on all other parameters; the settings are those of ``Adam``. ``every``: steps between two bases."""

    beta1: float = 0.95
    beta2: float = 0.95
    every: int = 10

    def __post_init__(self):
        super().__post_init__()
        if self.every < 1:
            raise ProblemError(f"SOAP needs every of at least 1, got {self.every}.")

    def direction(self, objective, g: Tensor, state: dict) -> Tensor:
        direction, gradients, before = self._adam(g, state), objective.views(g), state.get("bases", {})
        parts, means, count, state["bases"] = objective.views(direction), objective.views(state["mean"]), state["count"], {}
        for name in (n for n, v in gradients.items() if v.ndim == 2):
            basis = state["bases"][name] = self._basis(before.get(name), gradients[name], count)
            rows, columns = basis["rows"], basis["columns"]
            mean = rows.T @ means[name] @ columns / (1 - self.beta1**count)
            step = mean / ((basis["square"] / (1 - self.beta2**count)).sqrt() + 1e-12)
            parts[name].copy_(rows @ step @ columns.T)
        return direction

    def _basis(self, before: dict | None, g: Tensor, count: int) -> dict:
        """The means of G G^T and G^T G, their eigenvectors as columns, and Adam's second moments in these."""
        outer, inner = g @ g.T, g.T @ g
        if before is None:
            rows, columns = _falling(outer), _falling(inner)
            square = torch.zeros_like(g)
        else:
            outer, inner = torch.lerp(outer, before["outer"], self.beta2), torch.lerp(inner, before["inner"], self.beta2)
            rows, columns, square = before["rows"], before["columns"], before["square"]
            if count % self.every == 0:
                rows, order = _improved(outer, rows)
                columns, places = _improved(inner, columns)
                square = square[order][:, places].contiguous()
        square = self.beta2 * square + (1 - self.beta2) * (rows.T @ g @ columns).square()
        return {"outer": outer, "inner": inner, "rows": rows, "columns": columns, "square": square}


def _falling(matrix: Tensor) -> Tensor:
    """Eigenvectors (n, n) by falling eigenvalue."""
    return torch.linalg.eigh(matrix)[1].flip(1).contiguous()


def _improved(matrix: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvectors (n, n) after a step of power iteration, and the order of the former ones by falling eigenvalue."""
    order = (vectors * (matrix @ vectors)).sum(dim=0).argsort(descending=True)
    return torch.linalg.qr(matrix @ vectors[:, order])[0].contiguous(), order  # as a run that goes on has it: products differ by layout
