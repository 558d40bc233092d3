"""Reading images: depths, palettes, transparency, and what is refused."""

import numpy as np
import pytest

from pinnsine.errors import ProblemError
from pinnsine.fit.pixels import as_image, centres, frame, pixel_points

Image = pytest.importorskip("PIL.Image")


def stored(tmp_path, array, mode=None, suffix="png"):
    path = tmp_path / f"image.{suffix}"
    picture = Image.fromarray(array)
    (picture.convert(mode) if mode else picture).save(path)
    return path


def test_grey_and_colour_of_eight_bits_are_divided_by_255(tmp_path):
    grey = np.array([[0, 51], [102, 255]], dtype=np.uint8)
    assert np.array_equal(as_image(stored(tmp_path, grey)), grey / 255)
    colour = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(as_image(stored(tmp_path, colour)), colour / 255)


def test_sixteen_bits_are_divided_by_65535(tmp_path):
    deep = np.array([[0, 1000], [40000, 65535]], dtype=np.uint16)
    assert np.array_equal(as_image(stored(tmp_path, deep)), deep / 65535)
    assert np.array_equal(as_image(stored(tmp_path, deep, suffix="tif")), deep / 65535)


def test_a_palette_is_resolved(tmp_path):
    colour = np.zeros((4, 4, 3), dtype=np.uint8)
    colour[:2] = (255, 0, 0)
    path = tmp_path / "palette.png"
    Image.fromarray(colour).quantize(2).save(path)
    assert np.array_equal(as_image(path), colour / 255)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_transparent_pixels_lie_over_white(tmp_path, value):
    alpha = np.array([[0, 255]], dtype=np.uint8)
    pixels = np.dstack([np.full((1, 2, 3), value, dtype=np.uint8), alpha])
    expected = [1.0, value / 255]
    assert np.allclose(as_image(stored(tmp_path, pixels))[0, :, 0], expected, atol=1e-15)
    assert np.allclose(as_image(stored(tmp_path, pixels[..., 2:], suffix="png"))[0], expected, atol=1e-15)


def test_a_bitmap_and_a_single_pixel_are_images(tmp_path):
    assert np.array_equal(as_image(stored(tmp_path, np.array([[True, False]]))), [[1.0, 0.0]])
    assert as_image(stored(tmp_path, np.array([[7]], dtype=np.uint8))).shape == (1, 1)


def test_floating_point_arrays_are_taken_as_they_stand():
    values = np.array([[-0.5, 2.0]])
    assert np.array_equal(as_image(values), values)
    assert as_image(values[..., None]).shape == (1, 2)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.png", "There is no file 'nowhere.png'"),
        (np.zeros((0, 3)), r"shape \(h, w\).*got \(0, 3\)"),
        (np.zeros((2, 2, 5)), r"got \(2, 2, 5\)"),
        (np.zeros(4), r"got \(4,\)"),
        (np.zeros((2, 2), dtype=np.int64), "got int64: divide"),
        (np.zeros((2, 2), dtype=complex), "got complex128"),
        (np.array([[np.nan, 1.0]]), "holds 1 values that are not finite"),
        (np.array([[np.inf, np.nan]]), "holds 2 values"),
    ],
)
def test_what_is_no_image_is_refused_in_one_line(source, message):
    with pytest.raises(ProblemError, match=message):
        as_image(source)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n broken"])
def test_a_file_that_is_no_image_is_refused(tmp_path, content):
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(ProblemError, match=r"broken\.png is no image that can be read"):
        as_image(path)


def test_a_truncated_file_is_refused(tmp_path):
    path = stored(tmp_path, np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ProblemError, match="is no image that can be read"):
        as_image(path)


def test_pixels_that_the_mask_leaves_out_may_be_anything():
    values = np.array([[np.nan, 0.25]])
    assert np.array_equal(as_image(values, np.array([[False, True]])), [[0.0, 0.25]])


def test_centres_lie_at_half_integers_inside_the_frame():
    x, y = centres((2, 3))
    assert x.tolist() == [[0.5, 1.5, 2.5]] * 2
    assert y.tolist() == [[0.5] * 3, [1.5] * 3]
    domain, points = frame((2, 3)), pixel_points((2, 3))
    assert (domain.axis("x").upper, domain.axis("y").upper) == (3.0, 2.0)
    assert bool(domain.contains(points).all())
