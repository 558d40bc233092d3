"""The diagnosis of a march: the window at fault comes first, and an error that a window began with is told from its own."""

import math

import numpy as np
import pytest
import torch

import pinnsine as ps
from pinnsine.diagnose_windows import SHOWN

QUIET = {"progress": False, "estimate": False}


def decay(rate=1.0, late=0.0):
    """u' = -rate u from u = 1 on [0, 3]; after t = 2 the equation is ``late`` off the reference, exp(-t)."""
    return ps.Problem(
        ps.Time(0, 3),
        "u",
        [ps.Residual("ode", lambda s: s.u_t + rate * s.u - torch.where(s.t > 2, late, 0.0)), ps.Initial("start", u=1.0)],
        reference=ps.Reference.exact(u=lambda s: torch.exp(-s.t)),
    )


def marched(problem, windows=3, **options):
    return ps.march(problem, windows, **{"net": ps.FrozenSines(30, 2.0), "iterations": 3, **QUIET, **options})


def test_a_sound_march_has_nothing_to_be_found():
    diagnosis = marched(decay()).diagnose()
    assert diagnosis.causes == ()
    assert sorted(w.number for w in diagnosis.windows) == [0, 1, 2]
    assert [(w.lower, w.upper) for w in sorted(diagnosis.windows, key=lambda w: w.number)] == [(0, 1), (1, 2), (2, 3)]
    assert max(w.violation for w in diagnosis.windows) < 1e-6
    assert str(diagnosis).count("nothing found") == 3


def test_an_equation_that_is_wrong_late_is_found_in_the_window_where_it_is():
    diagnosis = marched(decay(late=0.5)).diagnose()
    causes = {w.number: w.diagnosis.causes for w in diagnosis.windows}
    assert causes == {0: (), 1: (), 2: ("equation",)}


def test_an_error_that_a_window_began_with_is_not_its_own():
    """With a wrong rate the first window is at fault; half an e-fold later the error is mostly what it was at the start."""
    diagnosis = marched(decay(rate=1.5), 6).diagnose()
    by_number = {w.number: w.diagnosis.causes for w in diagnosis.windows}
    assert by_number[0] == ("equation",)
    assert by_number[5] == ("inherited error",)
    last = next(w.diagnosis.findings[0] for w in diagnosis.windows if w.number == 5)
    assert last.data["start"]["u"] == pytest.approx(1 - math.exp(-1.25), rel=1e-6)


def test_the_window_that_is_violated_most_comes_first(tmp_path):
    """sin(30 t) from t = 2 on, of which the few slow sines make nothing."""
    equation = ps.Residual("ode", lambda s: s.u_t + s.u - torch.where(s.t > 2, 30 * torch.sin(30 * s.t), 0.0))
    problem = ps.Problem(ps.Time(0, 3), "u", [equation, ps.Initial("start", u=1.0)])
    solution = marched(problem, 6)
    first = solution.diagnose()
    assert {w.number for w in first.windows[:2]} == {4, 5}
    assert first.windows[0].violation > 100 * first.windows[2].violation
    text = str(first).splitlines()
    assert text[0] in ("window 5 of 6, from 2 to 2.5:", "window 6 of 6, from 2.5 to 3:")
    assert len(first.windows) - SHOWN == 1
    assert text[-1].startswith("and 1 more, violated by at most")
    assert first.plot(tmp_path / "a.png").stat().st_size > 1000
    picture = first.plot(tmp_path / "a.svg").read_text()  # letters are outlines, each line of text a comment beside
    assert f"window {first.windows[0].number + 1} of " in picture
    again = ps.load(solution.save(tmp_path / "a.h5"), problem=problem).diagnose()
    assert [w.number for w in again.windows] == [w.number for w in first.windows]
    np.testing.assert_allclose([w.violation for w in again.windows], [w.violation for w in first.windows])
