"""Pictures of errors: a row a field, a column a time."""

import pytest
import torch
from test_plot import SPACETIME, SQUARE, STANDS, Stand, wave

import pinnsine as ps
from pinnsine import error_maps, plot
from pinnsine.errors import ProblemError


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(plot, "PIXELS", 20)
    monkeypatch.setattr(plot, "CURVE", 41)
    monkeypatch.setattr(error_maps, "DPI", 40)


MEMBRANE = Stand(SQUARE * ps.Time(0, 3), u=lambda s: wave(s) * s.y, v=lambda s: wave(s) * s.t)


def test_times_of_planes_are_chosen_or_given():
    assert [p.fixed["t"] for p in error_maps.planes_at(MEMBRANE, ())] == [1.0, 2.0, 3.0]
    assert [p.fixed["t"] for p in error_maps.planes_at(MEMBRANE, [0.5])] == [0.5]
    [line] = error_maps.planes_at(Stand(SPACETIME, u=wave), ())
    assert line.evolution


@pytest.mark.parametrize(
    ("solution", "times"), [(MEMBRANE, [0.5, 2.0]), (STANDS["evolution"], ()), (STANDS["line"], ()), (STANDS["one of two known"], ())]
)
def test_errors_are_drawn(solution, times, tmp_path):
    path = error_maps.plot_errors(solution, tmp_path / "e.png", times=times)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_another_reference_may_be_given(tmp_path):
    error_maps.plot_errors(STANDS["without reference"], tmp_path / "e.pdf", ps.Reference.exact(u=lambda s: torch.cos(s.x)))


@pytest.mark.parametrize(
    ("solution", "reference", "times", "message"),
    [
        (STANDS["without reference"], None, (), "no reference to draw"),
        (STANDS["without reference"], ps.Reference.exact(w=wave), (), "knows none of the problem's fields"),
        (STANDS["evolution"], None, [0.5], "times= are for planes of space"),
        (MEMBRANE, None, [4.0], r"outside t in \[0, 3\]"),
    ],
)
def test_what_cannot_be_drawn_is_refused(solution, reference, times, message, tmp_path):
    with pytest.raises(ProblemError, match=message):
        error_maps.plot_errors(solution, tmp_path / "e.png", reference, times)
    assert not list(tmp_path.iterdir())
