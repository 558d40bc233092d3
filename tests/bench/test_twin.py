"""A problem under other names, in other units and about another origin is the same problem to the solver."""

import pytest
import torch
from helpers import exact_points, exact_rows, gap

import pinnsine as ps
from pinnsine.bench.twin import twin
from pinnsine.scaling import field_scales, row_scales

QUICK = ("wave", "helmholtz", "poisson_1d")
TEN = (
    *("poisson", "helmholtz", "wave", "heat", "advection", "klein_gordon", "nonlinear_poisson", "bratu", "steady_burgers"),
    "inverse_diffusivity",
)
ROUNDING = 1e-12


def solved(problem, points, iterations):
    solution = ps.solve(problem, points=points, iterations=iterations, progress=False, estimate=False)
    return max(*solution.compare().relative_l2.values(), ROUNDING)


@pytest.mark.parametrize("name", ["burgers", "wave", "kovasznay", "inverse_reaction", "taylor_green", "advection"])
def test_the_exact_solution_of_the_twin_satisfies_its_constraints(name):
    problem = twin(ps.load_problem(name), 1e3, 1e-3)
    numbers = {"inverse_reaction": {"k": 1.3, "m": 0.4}}.get(name)
    scales = field_scales(problem)
    for constraint in problem.constraints:
        rows = exact_rows(problem, constraint, exact_points(problem, constraint, 50), numbers)
        sizes = row_scales(problem, constraint, scales)
        assert all(float(values.abs().max()) * sizes[part] < 1e-7 for part, values in rows.items())


@pytest.mark.parametrize("factors", [(1e-3, 1e3), (1.0, 7.3)], ids=str)
@pytest.mark.parametrize("name", ["burgers", "kovasznay", "inverse_diffusivity", "heat_long"])
def test_the_scales_of_the_twin_are_those_of_the_problem(name, factors):
    """Measured: 2e-4, where an amplitude is balanced to a part of its bracket."""
    problem = ps.load_problem(name)
    other = twin(problem, *factors)
    scales, others = (torch.tensor([[s.shift, s.scale] for s in field_scales(p).values()], dtype=torch.float64) for p in (problem, other))
    units = torch.tensor([[factors[1] ** (-1) ** k] for k in range(len(scales))], dtype=torch.float64)
    assert gap(others / units / scales[:, 1:], scales / scales[:, 1:]) < 1e-3


@pytest.mark.parametrize("name", QUICK)
def test_twins_reach_the_same_error(name):
    """Errors of the problems: 1e-5 to 0.8, far from rounding. Measured ratios: below 1.01."""
    problem = ps.load_problem(name)
    own = solved(problem, 160, 4)
    for scale in (1e3, 1e-3):
        assert 1 / 3 < solved(twin(problem, scale, scale), 160, 4) / own < 3


@pytest.mark.slow
@pytest.mark.parametrize("name", TEN)
def test_ten_twins_converge_to_the_same_error(name):
    """Measured ratios: below 1.5 but for 3.2 at 2e-15, of errors from 2e-16 to 1e-5 (benchmarks/results/twins.md)."""
    problem = ps.load_problem(name)
    options = {"optimizer": ps.GaussNewton(), "points": 1200, "progress": False, "estimate": False}
    own, *others = (
        max(ps.solve(p, **options).compare().relative_l2.values()) for p in (problem, twin(problem, 1e3, 1e3), twin(problem, 1e-3, 1e-3))
    )
    assert own < 1e-4
    for error in others:
        assert max(own, error) < max(3 * min(own, error), 1e-11)


def test_a_shape_has_no_twin():
    with pytest.raises(ps.ProblemError, match="A twin has no Part"):
        twin(ps.load_problem("annulus"))
