"""Inpainting and super-resolution: means over pixels, priors, and images filled in."""

import math

import numpy as np
import pytest
import torch

import pinnsine as ps
from pinnsine.ansatz import build_ansatz
from pinnsine.fit import inpaint, psnr, render, super_resolve
from pinnsine.fit.priors import BEND, EDGE
from pinnsine.nets import LocalSines
from pinnsine.objective import bind
from pinnsine.probe import FieldScale

Y, X = np.mgrid[0:16, 0:16] + 0.5
WAVES = 0.5 + 0.3 * np.sin(0.4 * X + 0.2 * Y) * np.cos(0.3 * Y)
SOLVE = {"net": LocalSines(2, 6), "optimizer": ps.GaussNewton(), "progress": False, "estimate": False}


def loss_of(problem, function):
    """The loss of a problem at an exact function of x and y, by constraint."""

    class Exact(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))

        def forward(self, y):
            sides = [a.length for a in problem.domain.axes]
            return self.factor * function((y[:, :1] + 1) * sides[0] / 2, (y[:, 1:] + 1) * sides[1] / 2)

    ansatz = build_ansatz(problem, Exact(), {"u": FieldScale(shift=0.0, scale=1.0)}, torch.Generator())
    return bind(ansatz, {c.name: c.on for c in problem.soft}).losses(ansatz.flat())


def test_the_value_of_a_pixel_is_the_mean_over_it():
    """The means of exp(0.3 x - 0.2 y) over unit squares in closed form; three nodes a side leave 1e-8."""
    y, x = np.mgrid[0:4, 0:5]
    mean = (np.exp(0.3 * (x + 1)) - np.exp(0.3 * x)) / 0.3 * (np.exp(-0.2 * y) - np.exp(-0.2 * (y + 1))) / 0.2
    losses = loss_of(super_resolve(mean, 2), lambda x, y: torch.exp(0.3 * x - 0.2 * y))
    assert losses["pixels"] <= 1e-15
    assert losses["hessian"] > 1e-6


def test_total_variation_is_the_mean_length_of_the_gradient():
    mask = np.ones((4, 4), dtype=bool)
    losses = loss_of(inpaint(np.zeros((4, 4)), mask, "tv", 1.0), lambda x, y: 3 * x + 4 * y)
    assert losses["tv"] == pytest.approx(25 / math.sqrt(25 + EDGE**2), rel=1e-12)
    losses = loss_of(inpaint(np.zeros((4, 4)), mask, "hessian", 1.0), lambda x, y: x**2 + 3 * x * y - y**2)
    assert losses["hessian"] == pytest.approx(2**2 + 2 * 3**2 + 2**2, rel=1e-12)
    losses = loss_of(inpaint(np.zeros((4, 4)), mask, "bending", 1.0), lambda x, y: x**2 + 3 * x * y - y**2)
    assert losses["bending"] == pytest.approx(26 / math.sqrt(26 + BEND**2), rel=1e-12)


@pytest.mark.parametrize(("prior", "decibels"), [("hessian", 40), ("bending", 40), ("tv", 30)])
def test_a_smooth_image_is_found_from_half_of_its_pixels(prior, decibels):
    """Measured: 44 dB, and 34 with total variation, which likes slopes no more than steps."""
    mask = np.random.default_rng(0).random(WAVES.shape) < 0.5
    solution = ps.solve(inpaint(np.where(mask, WAVES, np.nan), mask, prior), iterations=4, **SOLVE)
    assert psnr(render(solution), WAVES) > decibels


def test_a_smooth_image_is_resolved_twice_as_fine():
    coarse = WAVES.reshape(8, 2, 8, 2).mean((1, 3))
    solution = ps.solve(super_resolve(coarse, 2), iterations=2, **SOLVE)
    assert psnr(render(solution, (16, 16)), WAVES) > 35
    assert psnr(render(solution, (16, 16)), WAVES) > psnr(np.kron(coarse, np.ones((2, 2))), WAVES)


def test_colour_has_a_field_for_each_channel():
    problem = super_resolve(np.random.default_rng(0).random((3, 4, 3)), 3)
    assert [f.name for f in problem.fields] == ["r", "g", "b"]
    assert {c.name: len(c.on) for c in problem.constraints} == {"pixels": 12, "hessian": 432}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: inpaint(WAVES, WAVES > 0.5, "l1"), "prior= takes 'tv' or 'hessian' or 'bending', got 'l1'"),
        (lambda: inpaint(WAVES, WAVES > 0.5, weight=0.0), "above zero, got 0.0"),
        (lambda: inpaint(WAVES, WAVES > 9), "leaves out every pixel"),
        (lambda: super_resolve(WAVES, 0), "a whole factor of at least 1, got 0"),
    ],
)
def test_what_cannot_be_restored_is_refused(build, message):
    with pytest.raises(ps.ProblemError, match=message):
        build()
