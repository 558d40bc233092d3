"""Images from their derivatives, beside the cosine transform."""

import numpy as np
import pytest
from scipy import ndimage

import pinnsine as ps
from pinnsine.fit import gradient, laplacian, poisson, poisson_dct, psnr, render

IMAGE = ndimage.gaussian_filter(np.random.default_rng(2).random((8, 9)), 0.7)
COLOUR = np.stack([IMAGE, 1 - IMAGE, IMAGE**2], axis=-1)
EXACT = {"optimizer": ps.LevenbergMarquardt(factorisation="dual", damping=1e-3, factor=16), "iterations": 20, "progress": False}
NET = ps.Siren(20, 2, omega=10.0)
KNOWN = ps.Points({"x": [0.5, 8.5], "y": [0.5, 7.5], "u": [IMAGE[0, 0], IMAGE[-1, -1]]})


@pytest.mark.parametrize("image", [IMAGE, COLOUR], ids=["grey", "colour"])
def test_the_cosine_transform_inverts_differences(image):
    assert psnr(poisson_dct(gradient(image)), image, offset=True) > 250
    assert psnr(poisson_dct(laplacian=laplacian(image)), image, offset=True) > 250
    assert poisson_dct(gradient(image), mean=0.2).mean() == pytest.approx(0.2)


@pytest.mark.parametrize("data", [{"gradient": gradient(IMAGE)}, {"laplacian": laplacian(IMAGE)}], ids=["gradient", "laplacian"])
def test_an_image_is_found_from_its_differences_up_to_a_constant(data):
    """As by the cosine transform: 326 and 318 dB."""
    solution = ps.solve(poisson(**data, stencil="forward"), net=NET, **EXACT)
    assert psnr(render(solution), IMAGE, offset=True) > 300


def test_anchors_give_the_lost_constant():
    solution = ps.solve(poisson(gradient(IMAGE), laplacian(IMAGE), stencil="forward", anchors=KNOWN), net=NET, **EXACT)
    assert psnr(render(solution), IMAGE) > 300  # 328


def test_a_smooth_function_is_found_from_exact_derivatives_where_they_are_known():
    """Of sin(0.3 x) cos(0.2 y) / 2 + 1/2, at 60 scattered points, up to the constant; measured 133 dB."""
    rng = np.random.default_rng(3)
    x, y = 9 * rng.random(60), 8 * rng.random(60)
    gx, gy = 0.15 * np.cos(0.3 * x) * np.cos(0.2 * y), -0.1 * np.sin(0.3 * x) * np.sin(0.2 * y)
    problem = poisson(ps.Points({"x": x, "y": y, "gx": gx, "gy": gy}), shape=(8, 9))
    solution = ps.solve(problem, net=ps.Siren(12, 2, omega=2.0), **EXACT)
    px, py = np.meshgrid(np.arange(9) + 0.5, np.arange(8) + 0.5)
    assert psnr(render(solution), 0.5 + 0.5 * np.sin(0.3 * px) * np.cos(0.2 * py), offset=True) > 120


def test_entries_that_are_unknown_are_left_out():
    gx, gy = gradient(IMAGE)
    mask = np.ones(IMAGE.shape, dtype=bool)
    mask[2:4, 3:5] = False
    by_mask = poisson((gx, gy), stencil="forward", mask=mask).constraints[0]
    by_nan = poisson((np.where(mask, gx, np.nan), gy), stencil="forward").constraints[0]
    assert len(by_mask.on) == len(by_nan.on) == mask.sum()


def test_colour_has_a_row_for_every_channel_and_direction():
    [constraint] = poisson(gradient(COLOUR), stencil="central").constraints
    assert sorted(constraint.rows) == ["gx_b", "gx_g", "gx_r", "gy_b", "gy_g", "gy_r"]
    assert poisson(gradient(COLOUR)).check() is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "got neither"),
        ({"gradient": (IMAGE, IMAGE.T)}, r"arrays of one shape.*\(8, 9\) and \(9, 8\)"),
        ({"gradient": IMAGE}, "gradient= takes gx and gy, got ndarray"),
        ({"gradient": (IMAGE, IMAGE), "stencil": "backward"}, "Unknown stencil 'backward'"),
        ({"laplacian": IMAGE, "stencil": "sobel"}, "no Sobel stencil"),
        ({"gradient": (IMAGE, IMAGE), "laplacian": COLOUR}, "both grey or both of colour"),
        ({"gradient": (IMAGE, IMAGE), "laplacian": IMAGE.T}, "image of one shape"),
        ({"laplacian": np.full((2, 2), np.nan)}, "known nowhere"),
        ({"laplacian": IMAGE, "mask": np.ones((8, 9))}, "array of booleans"),
        ({"laplacian": ps.Points({"x": [1.0], "y": [1.0]}), "shape": (3, 3)}, "lack the column 'laplacian'"),
        ({"laplacian": ps.Points({"x": [1.0], "y": [1.0], "laplacian": [0.0]})}, "scattered derivatives need shape"),
        ({"laplacian": IMAGE, "anchors": ps.Points({"x": [1.0], "y": [1.0]})}, "no column 'u'"),
    ],
)
def test_what_makes_no_problem_is_refused(arguments, message):
    with pytest.raises(ps.ProblemError, match=message):
        poisson(**arguments)
