"""Complex values made of two real jets, and their modulus."""

from __future__ import annotations

import torch

from pinnsine.jet import Composed, Jet, full, shared_context
from pinnsine.towers import TOWERS


class ComplexJet(Jet):
    """re + i im: the derivatives by the real coordinates are those of the parts."""

    def __init__(self, re: Jet, im: Jet):
        super().__init__(shared_context(re, im))
        self.re, self.im = re, im

    def _component(self, index):
        re, im = self.re.at(index), self.im.at(index)
        return None if re is None and im is None else torch.complex(full(re, self.re), full(im, self.im))


class Modulus(Jet):
    """|z| of a complex jet, no analytic function: its derivatives are those of sqrt(re^2 + im^2), its gradient at zero counts as zero."""

    def __init__(self, jet: Jet):
        super().__init__(jet.context)
        self.jet = jet
        self.root = Composed(TOWERS["sqrt"], jet.real * jet.real + jet.imag * jet.imag)

    def _component(self, index):
        return self.jet.values.abs() if index == () else self.root.at(index)
