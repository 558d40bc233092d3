"""Pictures: the right plane, the right numbers at the right pixels, colours with a meaning."""

import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

import pinnsine as ps
from pinnsine import plot
from pinnsine.errors import ProblemError

SPACETIME = ps.Interval("x", -1, 1) * ps.Time(0, 1)
SQUARE = ps.Rectangle(x=(-1, 1), y=(-1, 1))
LINE = ps.Interval("x", 0, 2)


class Stand:
    """Stands in for a solution: the given fields, each off the reference by ``error``."""

    def __init__(self, domain, reference=True, error=1e-3, history=True, **fields):
        self.exact = ps.Reference.exact(**fields)
        known = self.exact if reference is True else ps.Reference.exact(**reference) if reference else None
        names = [ps.Field(n) for n in fields]
        self.problem = SimpleNamespace(domain=domain, reference=known, fields=names, name="test")
        self.error = error
        rows = np.array([1e-1, np.nan, 1e-3])
        self.history = dict.fromkeys(("seconds", "loss", "held_out", "error"), rows) if history else {}
        self.settings = {"net": "siren:width=20,depth=3", "seconds": 12.0}
        self.estimate = dict.fromkeys(fields, 4e-6)
        self.unknowns = {}

    def predict(self, **coordinates):
        arrays = np.broadcast_arrays(*coordinates.values())
        columns = {n: torch.tensor(a.ravel()) for n, a in zip(coordinates, arrays, strict=True)}
        return {n: v.numpy().reshape(arrays[0].shape) + self.error for n, v in self.exact.evaluate(columns).items()}

    def compare(self):
        return SimpleNamespace(relative_l2=dict.fromkeys(self.problem.reference.fields, 3.1e-6))


def wave(s):
    return torch.sin(math.pi * s.x)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(plot, "PIXELS", 20)
    monkeypatch.setattr(plot, "CURVE", 41)
    monkeypatch.setattr(plot, "DPI", 40)


@pytest.fixture
def axes():
    return Figure().add_subplot()


STANDS = {
    "evolution": Stand(SPACETIME, u=wave),
    "without reference": Stand(SPACETIME, reference=None, u=wave),
    "line": Stand(LINE, u=wave),
    "bare line": Stand(LINE, reference=None, history=False, u=wave),
    "plane": Stand(SQUARE, u=lambda s: wave(s) * s.y),
    "box": Stand(ps.Box(dim=3) * ps.Time(0, 1), u=lambda s: s.x1 + s.x3 * s.t),
    "one of two known": Stand(SPACETIME, reference={"u": wave}, u=wave, v=lambda s: s.t),
    "two bare lines": Stand(LINE, reference=None, u=wave, v=wave),
    "zero": Stand(SPACETIME, error=0.0, u=lambda s: 0.0),
    "not a number": Stand(SPACETIME, error=math.nan, u=wave),
    "long channel": Stand(ps.Rectangle(x=(0, 50), y=(0, 1)), u=wave),
}


@pytest.mark.parametrize("kind", ["evolution", "line", "bare line", "box", "one of two known", "zero", "not a number"])
def test_every_kind_of_problem_is_drawn_without_a_warning(kind, tmp_path):
    path = plot.plot_solution(STANDS[kind], tmp_path / "new" / "u.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [p.name for p in path.parent.iterdir()] == ["u.png"]


@pytest.mark.parametrize("suffix", plot.FORMATS)
def test_every_format_is_written(suffix, tmp_path):
    assert plot.plot_solution(STANDS["bare line"], tmp_path / f"u{suffix}").stat().st_size > 1000


def test_other_formats_are_refused_by_name(tmp_path):
    with pytest.raises(ProblemError, match=r"ends in \.png, .*, got '.*u\.bmp'"):
        plot.plot_solution(STANDS["line"], tmp_path / "u.bmp")


def test_pictures_leave_pyplot_alone(tmp_path):
    before = "matplotlib.pyplot" in sys.modules
    plot.plot_solution(STANDS["line"], tmp_path / "u.png")
    assert ("matplotlib.pyplot" in sys.modules) == before


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("evolution", [["u field", "u error"], ["u slices", "history"]]),
        ("without reference", [["u field", "u slices"], ["history", "history"]]),
        ("line", [["u field", "u error"], ["history", "history"]]),
        ("bare line", [["u field", "history"]]),
        ("one of two known", [["u field", "u error", "u slices"], ["v field", ".", "v slices"], ["history"] * 3]),
        ("two bare lines", [["u field"] * 2, ["v field"] * 2, ["history"] * 2]),
    ],
)
def test_panels_stand_two_a_row_for_one_field_and_one_row_a_field_for_several(kind, rows):
    panels, mosaic = plot.arrange(STANDS[kind], plot.look(STANDS[kind]))
    assert mosaic == rows
    assert set(panels) == {label for row in rows for label in row} - {"."}


@pytest.mark.parametrize(
    ("domain", "names", "fixed"),
    [
        (SPACETIME, ("t", "x"), {}),
        (ps.Time(0, 1) * ps.Interval("x", 0, 1), ("t", "x"), {}),
        (LINE, ("x", None), {}),
        (ps.Time(0, 5), ("t", None), {}),
        (SQUARE * ps.Time(0, 3), ("x", "y"), {"t": 1.5}),
        (ps.Time(0, 3) * SQUARE, ("x", "y"), {"t": 1.5}),
        (ps.Interval("x", 0, 1) * ps.Parameter("nu", 1, 2), ("x", "nu"), {}),
        (ps.Parameter("nu", 1, 2) * SPACETIME, ("t", "x"), {"nu": 1.5}),
    ],
)
def test_the_plane_drawn_is_of_space_or_of_time_and_space(domain, names, fixed):
    plane = plot.drawn_plane(domain)
    assert (plane.horizontal.name, plane.vertical and plane.vertical.name) == names
    assert plane.fixed == fixed


def test_pixels_show_the_field_where_they_stand(axes):
    view = plot.look(Stand(SPACETIME, error=0.0, u=lambda s: s.x + 10 * s.t))
    plot.draw_map(axes, view, "u")
    [image] = axes.images
    left, right, low, high = image.get_extent()
    values = image.get_array()
    for row, column in [(0, 0), (3, 17), (19, 5)]:
        x, t = low + (high - low) * (row + 0.5) / 20, left + (right - left) * (column + 0.5) / 20
        assert values[row, column] == pytest.approx(x + 10 * t)
    assert (image.origin, axes.get_xlabel(), axes.get_ylabel()) == ("lower", "t", "x")


def test_errors_have_logarithmic_colours_down_to_a_floor(axes):
    stand = Stand(SPACETIME, error=0.0, reference={"u": lambda s: wave(s) - 1e-9 - s.t**8}, u=wave)
    plot.draw_error_map(axes, plot.look(stand), "u")
    [image] = axes.images
    assert isinstance(image.norm, LogNorm)
    assert image.get_array().max() == pytest.approx((1 - 0.5 / 20) ** 8, rel=1e-6)
    assert image.get_array().min() == image.norm.vmin >= 1e-5 * image.norm.vmax


@pytest.mark.parametrize(
    ("values", "cmap", "limits"),
    [
        ([-1.0, 3.0], "RdBu_r", (-3, 3)),
        ([0.0, 2.0], "viridis", (0, 2)),
        ([-1e-6, 2.0], "viridis", (-1e-6, 2)),
        ([5.0, 5.0], "viridis", (5, 5)),
    ],
)
def test_colours_diverge_from_zero_only_where_both_signs_occur(values, cmap, limits):
    colours = plot.field_colours(np.array(values))
    assert (colours["cmap"], colours["vmin"], colours["vmax"]) == (cmap, *limits)


def test_slices_are_the_field_at_four_times_with_the_reference_dashed(axes):
    stand = Stand(SPACETIME, error=0.5, u=lambda s: s.x * (1 + s.t))
    plot.draw_slices(axes, stand, plot.look(stand), "u")
    x = np.linspace(-1, 1, 41)
    found, truth = axes.lines[:4], axes.lines[4:]
    assert [line.get_label() for line in found] == ["t = 0", "t = 0.333", "t = 0.667", "t = 1"]
    for k, (line, dashed) in enumerate(zip(found, truth, strict=True)):
        np.testing.assert_allclose(line.get_ydata(), x * (1 + k / 3) + 0.5)
        np.testing.assert_allclose(dashed.get_ydata(), x * (1 + k / 3))
        assert dashed.is_dashed()


def test_a_plane_is_cut_where_something_is_to_be_seen():
    view = plot.look(Stand(SQUARE, u=lambda s: torch.sin(math.pi * s.x) * torch.sin(4 * math.pi * s.y)))
    lines = plot.telling_lines(view, "u")
    assert 0.0 in lines
    assert np.abs(np.sin(4 * math.pi * lines)).max() > 0.9
    hill = plot.look(Stand(SQUARE, u=lambda s: torch.cos(s.x) * torch.cos(s.y)))
    assert plot.telling_lines(hill, "u").tolist() == [0.0]


def test_space_keeps_its_proportions_and_time_need_not(axes):
    plot.draw_map(axes, plot.look(STANDS["plane"]), "u")
    assert axes.get_aspect() == 1
    for kind in ("evolution", "long channel"):
        other = Figure().add_subplot()
        plot.draw_map(other, plot.look(STANDS[kind]), "u")
        assert other.get_aspect() == "auto"


def test_the_history_leaves_out_what_was_not_measured(axes):
    plot.draw_history(axes, STANDS["line"].history)
    assert [line.get_label() for line in axes.lines] == ["training loss", "held-out loss", "relative L2 error"]
    assert all(len(line.get_xdata()) == 2 for line in axes.lines)
    assert axes.get_yscale() == "log"


def test_the_history_of_one_step_spans_decades_and_not_digits(axes):
    plot.draw_history(axes, {"seconds": np.array([1.0]), "loss": np.array([2.66e-32]), "held_out": np.array([2.67e-32])})
    low, high = axes.get_ylim()
    assert high / low > 1e3
    assert low < 2.66e-32 < 2.67e-32 < high
    assert axes.get_xlim()[1] > 1.03


def test_the_title_names_problem_network_errors_and_time():
    stand = Stand(SQUARE * ps.Time(0, 1), u=wave)
    stand.unknowns = {"D": 0.3}
    lines = plot.title(stand, plot.look(stand), width=60).replace("\xa0", " ").splitlines()
    assert lines == [
        "test, t = 0.5",
        "siren:width=20,depth=3, 12 s  ·",
        "relative L2 error 3.1e-06  ·  estimated error 4.0e-06  ·",
        "D = 0.3",
    ]
