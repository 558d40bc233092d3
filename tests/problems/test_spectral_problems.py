"""The shipped problems with a spectral reference: the reference solves the problem as it is written down."""

import importlib
import time

import pytest
import torch

import pinnsine as ps
from pinnsine.jet import Context, Jet
from pinnsine.local import Local
from pinnsine.named_rows import rows_of
from pinnsine.points import Points, tensor_grid
from pinnsine.probe import coordinates_at

SLOPE = torch.tensor([1 / 280, -4 / 105, 1 / 5, -4 / 5, 0.0, 4 / 5, -1 / 5, 4 / 105, -1 / 280], dtype=torch.float64)  # of eighth order


class Known(Jet):
    """A field given by the values of its derivatives."""

    def __init__(self, table, context):
        super().__init__(context)
        self.table = table

    def _component(self, index):
        return self.table["".join(index)]


def derivatives(problem, t, count, gap):
    """By field, its values and derivatives at ``count`` equidistant x and one time: exact ones in x, differences of eighth order in t."""
    space = problem.domain.axis("x")
    x = space.lower + space.length * torch.arange(count, dtype=torch.float64) / count
    grid = tensor_grid({"t": t + gap * torch.arange(-4.0, 5.0, dtype=torch.float64), "x": x})
    tables = {}
    for name, values in problem.reference.evaluate(grid.columns).items():
        values = values.view(9, count)
        spectrum, k = torch.fft.rfft(values[4]), 2 * torch.pi / space.length * torch.arange(count // 2 + 1, dtype=torch.float64)
        tables[name] = {"x" * p: torch.fft.irfft(spectrum * (1j * k) ** p, count) for p in range(5)}
        tables[name] |= {"": values[4], "t": SLOPE @ values / gap}
    return {"x": x, "t": torch.full_like(x, t)}, tables


def residual(problem, t, count, gap, highest):
    """The largest residual of the problem's equation, of which modes up to ``highest`` are looked at, and the largest time derivative."""
    columns, tables = derivatives(problem, t, count, gap)
    context = Context(names=problem.domain.names, space=problem.domain.space)
    points = Points(columns)
    fields = {name: Known(table, context) for name, table in tables.items()}
    local = Local(problem.names, context, coordinates_at(problem, points, context), fields)
    rows = [torch.fft.rfft(row) for row in rows_of(problem.constraints[0], local, count).values()]
    smooth = torch.stack([torch.fft.irfft(row * (torch.arange(len(row)) <= highest), count) for row in rows])
    return float(smooth.abs().max()), max(float(table["t"].abs().max()) for table in tables.values())


def initial_rows(problem):
    """The rows of the initial condition with the reference in place of the fields."""
    x = torch.linspace(problem.domain.axis("x").lower, problem.domain.axis("x").upper, 101, dtype=torch.float64)
    points, context = Points({"x": x, "t": torch.zeros_like(x)}), Context(names=problem.domain.names, space=problem.domain.space)
    fields = {name: Known({"": values}, context) for name, values in problem.reference.evaluate(points.columns).items()}
    return rows_of(problem.constraints[1], Local(problem.names, context, coordinates_at(problem, points, context), fields), 101)


def ends(problem):
    """Both ends of the interval."""
    axis = problem.domain.axis("x")
    return torch.tensor([axis.lower, axis.upper], dtype=torch.float64)


NAMES = ["allen_cahn", "kdv", "kuramoto_sivashinsky", "schroedinger"]


@pytest.mark.parametrize("name", NAMES)
def test_the_problem_loads_and_passes_its_check_with_nothing_computed(name, monkeypatch):
    monkeypatch.setattr(importlib.import_module("pinnsine.reference.spectral"), "integrate", None)
    monkeypatch.setattr(importlib.import_module("pinnsine.reference.dispersive").Motion, "_states", None)
    problem = ps.load_problem(name)
    problem.check()
    assert set(problem.reference.floor) == {f.name for f in problem.fields}
    assert ps.load_problem(name, until=0.25).domain.axis("t").upper == 0.25


@pytest.mark.parametrize(
    ("name", "coefficients", "count", "gap", "highest"),
    [
        ("allen_cahn", {"nu": 2e-3, "until": 0.1}, 2048, 1e-3, 500),
        ("kdv", {"until": 0.2}, 512, 1e-4, 200),
        ("kuramoto_sivashinsky", {"until": 0.15}, 512, 1e-4, 150),
        pytest.param("schroedinger", {"until": 0.05}, 1 << 17, 1e-4, 30, marks=pytest.mark.slow),  # fewer samples fold ripples onto low modes
    ],
)
def test_the_reference_satisfies_the_problem(name, coefficients, count, gap, highest):
    problem, until = ps.load_problem(name, **coefficients), coefficients["until"]
    for t in (0.5 * until, 0.93 * until):
        largest, scale = residual(problem, t, count, gap, highest)
        assert largest < 1e-7 * scale
    for rows in initial_rows(problem).values():
        assert float(rows.abs().max()) < 1e-15
    half = torch.full((2,), until / 2, dtype=torch.float64)
    for left, right in problem.reference.evaluate({"x": ends(problem), "t": half}).values():
        assert abs(left - right) < 1e-13


@pytest.mark.slow
def test_the_two_solitons_of_schroedinger_on_a_long_interval():
    """h = 4 exp(i t / 2) (cosh 3x + 3 exp(4 i t) cosh x) / (cosh 4x + 4 cosh 2x + 3 cos 4t) (J. Satsuma & N. Yajima 1974)."""
    problem = ps.load_problem("schroedinger", half=20.0, until=0.4)
    columns = problem.domain.sample(300, "uniform", torch.Generator().manual_seed(0)).columns
    x, t = columns["x"], columns["t"]
    numerator = torch.cosh(3 * x) + 3 * torch.exp(4j * t) * torch.cosh(x)
    exact = 4 * torch.exp(0.5j * t) * numerator / (torch.cosh(4 * x) + 4 * torch.cosh(2 * x) + 3 * torch.cos(4 * t))
    found = problem.reference.evaluate(columns)
    for name, part in (("h_re", exact.real), ("h_im", exact.imag)):
        assert float((found[name] - part).norm() / part.norm()) < 2e-8  # the kink is of 2e-8


@pytest.mark.slow
@pytest.mark.parametrize(("name", "floor"), [("allen_cahn", 1e-9), ("kdv", 1e-11), ("kuramoto_sivashinsky", 2e-10), ("schroedinger", 1e-9)])
def test_the_reference_is_as_good_as_stated_and_quick_once_kept(name, floor, tmp_path, monkeypatch):
    monkeypatch.setenv("PINNSINE_CACHE", str(tmp_path))
    assert max(ps.load_problem(name).reference.floor.values()) < floor
    problem = ps.load_problem(name)
    grid = problem.domain.grid()
    begin = time.process_time()
    problem.reference.evaluate(grid.columns)
    assert time.process_time() - begin < (30 if name == "schroedinger" else 2)  # steps and half a million modes at each of 101 times
