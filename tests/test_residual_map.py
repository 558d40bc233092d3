"""The residual map: a panel for every constraint, over the coordinates along which its points spread."""

import pytest
import torch
from matplotlib.figure import Figure

import pinnsine as ps
from pinnsine.diagnose import Diagnosis, Finding
from pinnsine.residual_map import draw_residual


def spread(count, **fixed):
    line = torch.linspace(0, 1, count, dtype=torch.float64)
    return ps.Points({n: line.flip(0) if v is None else torch.full_like(line, v) for n, v in fixed.items()})


def test_colours_are_logarithms_with_the_largest_on_top_and_zero_has_one_too():
    figure = Figure()
    sizes = torch.tensor([1.0, 0.0, 100.0, 0.1], dtype=torch.float64)
    draw_residual(axes := figure.subplots(), spread(4, x=None, t=None), sizes)
    [drawn] = axes.collections
    assert drawn.get_array().tolist() == pytest.approx([-30, -1, 0, 2])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "t")


def test_a_residual_of_zero_does_not_take_the_colours_of_all_others():
    sizes = torch.tensor([1.0, 0.0, 100.0, 0.1], dtype=torch.float64)
    draw_residual(axes := Figure().subplots(), spread(4, x=None, t=None), sizes)
    assert axes.collections[0].get_clim() == pytest.approx((-3, 2))


def test_points_on_a_side_are_drawn_along_it():
    draw_residual(axes := Figure().subplots(), spread(3, x=1.0, t=None), torch.ones(3, dtype=torch.float64))
    [drawn] = axes.lines
    assert drawn.get_xdata().tolist() == [1.0, 0.5, 0.0]
    assert (axes.get_xlabel(), axes.get_yscale()) == ("t", "log")


def test_a_picture_is_written_and_a_foreign_suffix_refused(tmp_path):
    residuals = {f"c{k}": (spread(9, x=None, t=None if k % 2 else 0.0), torch.rand(9, dtype=torch.float64)) for k in range(4)}
    diagnosis = Diagnosis((Finding("bandwidth", "seen.", "remedy."),), dict.fromkeys(residuals, 0.5), residuals)
    assert diagnosis.plot(tmp_path / "map.png").stat().st_size > 5000
    with pytest.raises(ps.ProblemError, match="A picture is a file that ends in"):
        diagnosis.plot(tmp_path / "map.txt")
