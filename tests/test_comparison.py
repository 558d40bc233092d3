"""Comparisons: errors that are known in advance, in every norm and on every part."""

import math
from types import SimpleNamespace

import pytest
import torch

import pinnsine as ps
from pinnsine.comparison import compare
from pinnsine.errors import ProblemError
from pinnsine.local import Names

DOMAIN = ps.Interval("x", 0, 1) * ps.Time(0, 2)


def stand(domain=DOMAIN, reference=None, **fields):
    """Stands in for a solution whose fields are given by formulas."""
    found = ps.Reference.exact(**fields)
    names = Names(domain.names, tuple(fields))
    problem = SimpleNamespace(domain=domain, reference=reference, fields=[ps.Field(n) for n in fields], names=names, name="test")
    return SimpleNamespace(problem=problem, evaluate=lambda points: list(found.evaluate({n: points[n] for n in domain.names}).values()))


def wave(s):
    return torch.sin(torch.pi * s.x)


def test_errors_by_field_on_the_grid():
    found = stand(u=lambda s: 1.01 * wave(s), v=lambda s: s.t + 0.25)
    result = compare(found, ps.Reference.exact(u=wave, v=lambda s: s.t, floor={"v": 1e-3}))
    assert result.count == 513 * 101
    assert result.relative_l2["u"] == pytest.approx(0.01)
    assert result.max_error["u"] == pytest.approx(0.01)
    assert result.max_error["v"] == pytest.approx(0.25)
    assert result.floor == {"u": 2.2e-16, "v": 1e-3}
    assert "v: relative L2 2.2e-01, max 2.5e-01 on 51,813 points (reference floor 1e-03)" in str(result)


def test_random_points_and_points_given():
    found, reference = stand(u=lambda s: s.x + 0.1), ps.Reference.exact(u=lambda s: s.x)
    random = compare(found, reference, points=20_000)
    assert random.count == 20_000
    assert random.relative_l2["u"] == pytest.approx(0.1 * math.sqrt(3), rel=0.02)  # the mean square of x is 1/3, here of random points
    assert random == compare(found, reference, points=20_000)
    given = ps.Points({"t": [0.0, 1.0], "x": [1.0, 2.0]})
    assert compare(found, reference, points=given).relative_l2["u"] == pytest.approx(0.1 * math.sqrt(2 / 5))


def test_single_times():
    """An error that grows like t beside a field that is 1."""
    result = compare(stand(u=lambda s: 1 + 1e-3 * s.t), ps.Reference.exact(u=lambda s: 1.0), times=[0.0, 0.5, 2])
    assert {t: c.relative_l2["u"] for t, c in result.at.items()} == pytest.approx({0.0: 0.0, 0.5: 5e-4, 2.0: 2e-3})
    assert result.at[0.5].count == 513
    assert "at 0.5: u: relative L2 5.0e-04" in str(result)


def test_parts_away_from_a_singular_set():
    def found(s):
        return 1 + 1e-6 + 4 * (s.x < 0.1).double()

    result = compare(stand(u=found), ps.Reference.exact(u=lambda s: 1.0), away={"the wall": lambda s: s.x > 0.1})
    assert result.relative_l2["u"] > 0.1
    assert result.away["the wall"].relative_l2["u"] == pytest.approx(1e-6, rel=1e-6)
    assert result.away["the wall"].count < result.count
    assert "away from the wall: u: relative L2 1.0e-06" in str(result)


@pytest.mark.parametrize("domain", [DOMAIN, ps.Rectangle(x=(0, 1), y=(0, 2)), ps.Box(dim=4)])
def test_first_derivatives_count_in_h1(domain):
    """u = sin(pi z) and its error e = 1e-3 sin(4 pi z) for the first coordinate z: mean squares of both and of both slopes are known."""
    z = domain.names[0]
    found = stand(domain, u=lambda s: torch.sin(torch.pi * getattr(s, z)) + 1e-3 * torch.sin(4 * torch.pi * getattr(s, z)))
    result = compare(found, ps.Reference.exact(u=lambda s: torch.sin(torch.pi * getattr(s, z))), h1=True)
    expected = 1e-3 * math.sqrt((1 + (4 * math.pi) ** 2) / (1 + math.pi**2))
    assert result.relative_h1["u"] == pytest.approx(expected, rel=0.02)
    assert result.relative_l2["u"] == pytest.approx(1e-3, rel=0.02)


def test_h1_tells_errors_of_rounding_from_none():
    result = compare(stand(u=wave), ps.Reference.exact(u=wave), h1=True)
    assert result.relative_h1["u"] == 0.0


def test_points_where_the_reference_is_infinite_are_left_out():
    reference = ps.Reference.exact(u=lambda s: torch.log(s.x))
    result = compare(stand(u=lambda s: torch.log(s.x + 1e-300)), reference, h1=True)
    assert result.count == 512 * 101
    assert result.relative_l2["u"] < 1e-12


def test_a_field_that_vanishes_is_compared_absolutely():
    assert compare(stand(u=lambda s: 1e-3 + 0 * s.x), ps.Reference.exact(u=lambda s: 0.0)).relative_l2["u"] == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("domain", "reference", "arguments", "message"),
    [
        (DOMAIN, None, {}, "no reference to compare with"),
        (DOMAIN, {"w": wave}, {}, "has fields w, none of which is a field"),
        (DOMAIN, {"u": wave}, {"points": 0}, "positive number of random points"),
        (DOMAIN, {"u": wave}, {"points": ps.Points({"x": [0.0]})}, "lack the coordinate 't'"),
        (DOMAIN, {"u": wave}, {"times": [3]}, r"holds 3, which is outside t in \[0, 2\]"),
        (ps.Interval("x", 0, 1), {"u": wave}, {"times": [1]}, "needs a time coordinate"),
        (DOMAIN, {"u": wave}, {"away": {"all": lambda s: s.x > 2}}, "'all' must be a function of s that is true"),
        (DOMAIN, {"u": wave}, {"away": {"all": lambda s: s.x}}, "'all' must be a function of s that is true"),
        (DOMAIN, {"u": lambda s: math.nan}, {}, "no finite value at any of the points"),
    ],
)
def test_what_cannot_be_compared_is_refused(domain, reference, arguments, message):
    with pytest.raises(ProblemError, match=message):
        compare(stand(domain, u=wave), ps.Reference.exact(**reference) if reference else None, **arguments)
