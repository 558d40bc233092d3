"""The shipped problems against their own exact solutions, and what every problem file looks like."""

import ast
import re

import pytest
import torch
from helpers import exact_points, exact_rows

import pinnsine as ps
from pinnsine.probe import FieldScale, trace
from pinnsine.problem import problems_folder, shipped_problems

EXACT = ("absorbing_layer", "advection", "advection_fast", "annulus", "ball_neumann", "beltrami", "black_scholes", "bratu", "burgers",
         "burgers_2d", "burgers_family", "disks", "eikonal", "eikonal_obstacles", "elasticity", "fredholm", "harmonic", "harmonic_oscillator",
         "heat", "heat_2d", "heat_long", "helmholtz", "helmholtz_complex", "helmholtz_hole", "inverse_burgers",
         "inverse_diffusivity", "inverse_navier_stokes", "inverse_radius", "inverse_reaction", "interface", "kdv_solitons", "klein_gordon",
         "kovasznay", "l_shape", "laplace", "maxwell", "multiscale_poisson", "nonlinear_helmholtz", "nonlinear_poisson",
         "obstacle", "plate", "poisson", "poisson_1d", "poisson_3d", "poisson_exp", "poisson_nd", "poisson_squares", "robin_heat",
         "sine_gordon", "steady_burgers", "stefan",
         "stokes", "taylor_green", "volterra", "wave", "wave_2d")  # fmt: skip
UNKNOWNS = {
    "inverse_radius": {"R": 0.4},
    "harmonic_oscillator": {"E": 0.5},
    "inverse_burgers": {"convection": 1.0, "nu": 0.01 / torch.pi},
    "inverse_navier_stokes": {"convection": 1.0, "nu": 1 / 40},
    "inverse_reaction": {"k": 1.3, "m": 0.4},
}
OTHERS = {  # coefficients away from their defaults, under which terms may cancel or coincide
    "absorbing_layer": {"k": 7.0, "strength": 20.0},
    "advection": {"c": 2.5},
    "annulus": {"inner": 0.3},
    "black_scholes": {"sigma": 0.5, "r": 0.1},
    "burgers_2d": {"Re": 40.0},
    "burgers_family": {"low": 0.02, "high": 0.3},
    "elasticity": {"lam": 0.3, "mu": 2.0, "Q": 1.0},
    "harmonic": {"dim": 4},
    "heat_2d": {"contrast": -0.9},
    "heat_long": {"kappa": 0.3, "until": 2.0},
    "helmholtz_complex": {"k": 5.0, "angle": 2.0},
    "kdv_solitons": {"c": (4.0, 1.0), "places": (1.0, 7.0)},
    "laplace": {"k": 2},
    "maxwell": {"m": 1, "n": 3},
    "plate": {"a": 3, "b": 1},
    "poisson_1d": {"high": 6},
    "poisson_3d": {"b": 1},
    "poisson_exp": {"dim": 3},
    "poisson_squares": {"dim": 3},
    "wave_2d": {"c": 2.0},
    "beltrami": {"a": 0.7, "d": 1.3, "nu": 0.5},
    "bratu": {"lam": 0.5},
    "disks": {"radius": 0.15},
    "eikonal": {"d": 0.2},
    "eikonal_obstacles": {"d": 0.3, "r": 0.3},
    "fredholm": {"d": 2.0},
    "heat": {"kappa": 0.6},
    "interface": {"k": 0.02, "radius": 0.3},
    "robin_heat": {"mu": 1.2},
    "helmholtz": {"a": 2, "b": 3, "k": 2.0},
    "helmholtz_hole": {"k": 6.0, "radius": 0.4},
    "kovasznay": {"Re": 20.0},
    "multiscale_poisson": {"waves": (1, 3)},
    "obstacle": {"height": 0.3},
    "nonlinear_helmholtz": {"k": 2.0, "alpha": 1.5},
    "poisson_nd": {"dim": 3},
    "sine_gordon": {"omega": 0.8},
    "stefan": {"St": 0.3, "begin": 0.2},
    "steady_burgers": {"nu": 0.3},
    "taylor_green": {"nu": 0.02, "hard": False},
    "volterra": {"until": 3.0},
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
