"""Adam (Kingma & Ba 2015)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from pinnsine.optim.first_order import FirstOrder


@dataclass(frozen=True)
class Adam(FirstOrder):
    __doc__ = FirstOrder.__doc__

    def direction(self, objective, g: Tensor, state: dict) -> Tensor:
        return self._adam(g, state)
