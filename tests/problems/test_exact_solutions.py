"""The shipped problems against their own exact solutions, and what every problem file looks like."""

import ast
import re

import pytest
import torch
from helpers import exact_points, exact_rows

import pinnsine as ps
from pinnsine.probe import FieldScale, trace
from pinnsine.problem import problems_folder, shipped_problems

EXACT = ("annulus", "ball_neumann", "beltrami", "bratu", "burgers", "disks", "eikonal", "heat", "helmholtz", "helmholtz_hole",
         "inverse_burgers", "klein_gordon", "kovasznay", "l_shape", "multiscale_poisson", "nonlinear_helmholtz",
         "nonlinear_poisson", "poisson", "poisson_nd", "sine_gordon", "steady_burgers", "taylor_green", "wave")  # fmt: skip
UNKNOWNS = {"inverse_burgers": {"convection": 1.0, "nu": 0.01 / torch.pi}}
OTHERS = {  # coefficients away from their defaults, under which terms may cancel or coincide
    "annulus": {"inner": 0.3},
    "beltrami": {"a": 0.7, "d": 1.3, "nu": 0.5},
    "bratu": {"lam": 0.5},
    "disks": {"radius": 0.15},
    "eikonal": {"d": 0.2},
    "heat": {"kappa": 0.6},
    "helmholtz": {"a": 2, "b": 3, "k": 2.0},
    "helmholtz_hole": {"k": 6.0, "radius": 0.4},
    "kovasznay": {"Re": 20.0},
    "multiscale_poisson": {"waves": (1, 3)},
    "nonlinear_helmholtz": {"k": 2.0, "alpha": 1.5},
    "poisson_nd": {"dim": 3},
    "sine_gordon": {"omega": 0.8},
    "steady_burgers": {"nu": 0.3},
    "taylor_green": {"nu": 0.02, "hard": False},
    "wave": {"c": 1.5},
}
CASES = [*((name, {}) for name in EXACT), *OTHERS.items()]
SOURCE = re.compile(r"[A-Z]\. [A-Z][a-z]+.*\b(19|20)\d\d\b|arXiv \d{4}\.\d{5}")


def row_sizes(problem, constraint, points):
    """The root mean square of each row for another field of the reference's size: what its terms amount to."""
    where = problem.domain.sample(500, "sobol", torch.Generator().manual_seed(0))
    truth = problem.reference.evaluate(where.columns)
    scales = {name: FieldScale(float(values.mean()), float(values.std())) for name, values in truth.items()}
    return {name: float(rows.square().mean().sqrt()) for name, rows in trace(problem, constraint, points, scales).rows.items()}


@pytest.mark.parametrize(("name", "coefficients"), CASES, ids=str)
def test_the_exact_solution_satisfies_every_constraint(name, coefficients):
    problem = ps.load_problem(name, **coefficients)
    assert set(problem.reference.fields) == {field.name for field in problem.fields}
    for constraint in problem.constraints:
        points = exact_points(problem, constraint)
        sizes = row_sizes(problem, constraint, points)
        for part, values in exact_rows(problem, constraint, points, UNKNOWNS.get(name)).items():
            assert float(values.abs().max()) < 1e-9 * sizes[part], f"{constraint.name} {part}"


@pytest.mark.parametrize("name", EXACT)
def test_the_dry_run_finds_nothing_to_warn_of(name):
    assert not ps.load_problem(name).check().warnings


@pytest.mark.parametrize("name", shipped_problems())
def test_a_problem_file_fits_on_a_screen_and_names_its_source(name):
    text = (problems_folder() / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert SOURCE.search(" ".join(ast.get_docstring(ast.parse(text)).split()))
