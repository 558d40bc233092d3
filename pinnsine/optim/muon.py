"""Muon (Jordan et al. 2024): steps whose matrices have singular values of about one, by torch.optim.Muon.

A hidden weight matrix moves along U V^T, where U S V^T is its averaged gradient: all its directions learn at one rate. The first and the last
layer of a network, biases and unknown numbers are left to Adam. Steps are scaled so that ``lr`` is of the size that suits Adam
("match_rms_adamw", Liu et al. 2025, arXiv 2502.16982); there is no weight decay. torch finds U V^T in bfloat16, two to three digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnsine.optim.first_order import FirstOrder

MOMENTUM = 0.95


@dataclass(frozen=True)
class Muon(FirstOrder):
    """Muon on the hidden weight matrices, Adam on all other parameters; the settings are those of ``Adam``."""

    def direction(self, objective, g: Tensor, state: dict) -> Tensor:
        direction, gradients = self._adam(g, state), objective.views(g)
        parts = objective.views(direction)
        state["momentum"] = dict(state.get("momentum", {}))
        for name in hidden_matrices(gradients):
            step, state["momentum"][name] = _orthogonal(gradients[name], state["momentum"].get(name))
            parts[name].copy_(step)
        return direction


def hidden_matrices(views: Mapping[str, Tensor]) -> list[str]:
    """The weight matrices between two hidden layers: of each network all but the first and the last."""
    networks: dict[str, list[str]] = {}
    for name in (n for n, v in views.items() if v.ndim == 2):
        networks.setdefault(".".join(name.split(".")[:2]), []).append(name)
    return [name for names in networks.values() for name in names[1:-1]]


def _orthogonal(g: Tensor, momentum: Tensor | None) -> tuple[Tensor, Tensor]:
    """The step of torch's method from zero at rate one, and its momentum after it."""
    weight = torch.nn.Parameter(torch.zeros_like(g))
    weight.grad = g.clone()
    method = torch.optim.Muon([weight], lr=1.0, weight_decay=0.0, momentum=MOMENTUM, adjust_lr_fn="match_rms_adamw")
    method.state[weight]["momentum_buffer"] = torch.zeros_like(g) if momentum is None else momentum.clone()
    method.step()
    return -weight.detach(), method.state[weight]["momentum_buffer"]
