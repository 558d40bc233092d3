"""Differences on the pixel grid: exact on polynomials, and the same of a network as of its picture."""

import numpy as np
import pytest
import torch
from helpers import bound
from scipy import ndimage

from pinnsine.errors import ProblemError
from pinnsine.fit.pixels import centres
from pinnsine.fit.poisson import poisson
from pinnsine.fit.stencil import gradient, laplacian
from pinnsine.nets import Siren

NOISE = np.random.default_rng(1).random((5, 7))
X, Y = centres((5, 7))


@pytest.mark.parametrize("stencil", ["forward", "central", "sobel"])
def test_the_gradient_of_a_plane_is_exact_inside(stencil):
    gx, gy = gradient(2 * X - 3 * Y, stencil)
    assert np.allclose(gx[1:-1, 1:-1], 2, atol=1e-13)
    assert np.allclose(gy[1:-1, 1:-1], -3, atol=1e-13)


@pytest.mark.parametrize("stencil", ["central", "sobel"])
def test_symmetric_differences_are_exact_on_parabolas_and_forward_ones_are_half_a_pixel_off(stencil):
    assert np.allclose(gradient(X**2, stencil)[0][1:-1, 1:-1], 2 * X[1:-1, 1:-1])
    assert np.allclose(gradient(X**2, "forward")[0][:, :-1], 2 * X[:, :-1] + 1)


def test_the_laplacian_and_sobel_are_those_of_scipy():
    assert np.allclose(laplacian(NOISE), ndimage.laplace(NOISE, mode="nearest"), atol=1e-14)
    gx, gy = gradient(NOISE, "sobel")
    assert np.allclose(gx, ndimage.sobel(NOISE, axis=1, mode="nearest") / 8, atol=1e-14)
    assert np.allclose(gy, ndimage.sobel(NOISE, axis=0, mode="nearest") / 8, atol=1e-14)


def test_colours_are_differenced_one_by_one():
    colour = np.stack([NOISE, 2 * NOISE, -NOISE], axis=-1)
    assert np.array_equal(gradient(colour)[0][..., 1], gradient(2 * NOISE)[0])


@pytest.mark.parametrize("stencil", ["forward", "central", "sobel", "laplacian"])
def test_rows_of_a_network_are_the_differences_of_its_picture(stencil):
    zeros = np.zeros((5, 7))
    problem = poisson(laplacian=zeros, stencil="forward") if stencil == "laplacian" else poisson((zeros, zeros), stencil=stencil)
    objective, theta = bound(problem, Siren(8, 2))
    [name] = objective.points
    with torch.no_grad():
        local = objective.ansatz.local(objective.views(theta), objective.points[name], {"u": {()}})
        picture = local.u.values.numpy().reshape(5, 7)
    expected = [laplacian(picture)] if stencil == "laplacian" else gradient(picture, stencil)
    found = objective.rows(theta).numpy() * np.sqrt(35)
    assert np.allclose(found, np.concatenate([e.ravel() for e in expected]), atol=1e-13)
    assert objective.terms[0].route == "one backward"


def test_an_array_has_no_exact_derivatives():
    with pytest.raises(ProblemError, match="differences of an array are 'forward', 'central', 'sobel', got 'exact'"):
        gradient(NOISE, "exact")
