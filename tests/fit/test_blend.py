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


@pytest.mark.parametrize("mixed", [False, True])
def test_a_clone_solves_the_least_squares_of_all_differences_that_reach_inside(mixed):
    """Written out pixel by pixel: 48 x 48 of the two images, no edge of the mask along a side. Measured: 134 and 136 dB, 2.3e-6 outside."""
    source, target = (np.random.default_rng(k).random((48, 48)) for k in (1, 2))
    mask = np.zeros(source.shape, dtype=bool)
    mask[9:30, 14:40] = True
    mask[12, 20] = False
    found = render(ps.solve(clone(source, target, mask, mixed=mixed), progress=False, estimate=False, time=60))
    assert psnr(found, laid(source, target, mask, mixed)) > 125
    assert np.abs(found - target)[~mask].max() < 5e-6


def laid(source, target, mask, mixed):
    """Values inside that leave least of the differences between neighbours, given those outside."""
    number = np.full(mask.shape, -1)
    number[mask] = np.arange(mask.sum())
    rows, right = [], []
    wanted, others = np.stack(gradient(source)), np.stack(gradient(target))
    wanted = np.where((wanted**2).sum(0) >= (others**2).sum(0), wanted, others) if mixed else wanted
    for direction, (down, along) in enumerate(((0, 1), (1, 0))):
        for i, j in np.ndindex(mask.shape[0] - down, mask.shape[1] - along):
            row, value = np.zeros(mask.sum()), wanted[direction, i, j]
            for pixel, sign in (((i, j), -1), ((i + down, j + along), 1)):
                if mask[pixel]:
                    row[number[pixel]] = sign
                else:
                    value -= sign * target[pixel]
            if row.any():
                rows.append(row)
                right.append(value)
    whole = target.copy()
    whole[mask] = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
    return whole


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
