"""Damped least squares with a triangle: against the stacked system, over several panels, and where the square would be singular."""

import pytest
import torch
from helpers import gap, rand

from pinnsine.damped_qr import PANEL, DampedQR


@pytest.mark.parametrize("damping", [1e-20, 1e-3, 10.0])
@pytest.mark.parametrize("size", [1, 5, PANEL, PANEL + 1, 2 * PANEL + 30])
def test_the_solution_is_that_of_the_stacked_system(size, damping):
    triangle, c = rand(size, size, seed=1).triu() + 3 * torch.eye(size, dtype=torch.float64), rand(size, seed=2)
    eye, zeros = torch.eye(size, dtype=torch.float64), torch.zeros(size, dtype=torch.float64)
    expected = torch.linalg.lstsq(torch.cat([triangle, damping**0.5 * eye]), torch.cat([c, zeros])[:, None]).solution[:, 0]
    factor = DampedQR.of(triangle, damping)
    assert gap(factor.solve(c), expected) <= 1e-10
    assert gap(factor.upper.T @ factor.upper, triangle.T @ triangle + damping * eye) <= 1e-13
    assert torch.equal(factor.upper, factor.upper.triu())


def test_a_damping_far_below_machine_precision_still_counts():
    """T^T T + lambda I is singular in floating point; its determinant is 2 lambda + 1e-24 to leading order."""
    triangle = torch.tensor([[1.0, 1.0], [0.0, 1e-12]], dtype=torch.float64)
    found = DampedQR.of(triangle, 1e-24).solve(torch.tensor([0.0, 1.0], dtype=torch.float64))
    assert float(found[1]) == pytest.approx(1e-12 / 3e-24, rel=1e-3)
    assert float(found[0]) == pytest.approx(-float(found[1]), rel=1e-9)
