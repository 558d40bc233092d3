"""Images composed in the gradient domain, against the linear systems that define them."""

import numpy as np
import pytest

import pinnsine as ps
from pinnsine.fit import blend, clone, gradient, psnr, render

RNG = np.random.default_rng(4)
A, B = RNG.random((7, 6)), RNG.random((7, 6))
EXACT = {"optimizer": ps.LevenbergMarquardt(factorisation="dual", damping=1e-3, factor=16), "iterations": 20, "progress": False}
NET = ps.Siren(20, 2, omega=10.0)


def columns(problem):
    points = problem.constraints[0].on
    return points["gx"].numpy().reshape(7, 6), points["gy"].numpy().reshape(7, 6)


def test_weighted_gradients_are_those_of_the_weighted_image():
    for found, expected in zip(columns(blend([A, B], weights=(0.25, 0.75))), gradient(0.25 * A + 0.75 * B), strict=True):
        assert np.allclose(found, expected, atol=1e-15)
    assert np.allclose(columns(blend([A, B]))[0], gradient(A / 2 + B / 2)[0])
    assert blend([A, B]).name == "blend"


def test_mixed_gradients_are_the_longest_at_every_pixel():
    (gx, gy), (ax, ay), (bx, by) = columns(blend([A, B], weights=(1, 1), mixed=True)), gradient(A), gradient(B)
    first = ax**2 + ay**2 >= bx**2 + by**2
    assert np.array_equal(gx, np.where(first, ax, bx))
    assert np.array_equal(gy, np.where(first, ay, by))


def test_a_blend_solves_to_the_average_up_to_a_constant():
    solution = ps.solve(blend([A, B], weights=(0.5, 0.5)), net=NET, **EXACT)
    assert psnr(render(solution), (A + B) / 2, offset=True) > 60


def test_a_clone_of_the_target_itself_and_of_it_plus_a_constant_is_the_target():
    """The constant is lost inside, and the edge gives it back: there is no seam."""
    mask = np.zeros(A.shape, dtype=bool)
    mask[2:5, 2:4] = True
    solution = ps.solve(clone(A + 0.4, A, mask), net=NET, **EXACT)
    assert psnr(render(solution), A) > 60


def test_outside_the_mask_the_target_stands():
    mask = np.zeros(A.shape, dtype=bool)
    mask[2:5, 2:4] = True
    inside, outside = clone(B, A, mask).constraints
    assert len(outside.on) == (~mask).sum()
    assert len(inside.on) == 11  # six pixels, three to the left of them and two above: their differences reach inside


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: blend([A, B.T]), "images of one shape"),
        (lambda: blend([]), "images of one shape"),
        (lambda: blend([A, B], weights=[1.0]), "a weight for each"),
        (lambda: clone(A, B.T, A > 0), "images of one shape"),
        (lambda: clone(A, B, A > -1), "outside the mask"),
        (lambda: clone(A, B, A > 2), "leaves out every pixel"),
    ],
)
def test_what_cannot_be_composed_is_refused(make, message):
    with pytest.raises(ps.ProblemError, match=message):
        make()
