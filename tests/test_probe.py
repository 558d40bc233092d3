"""Probes and their combinations, which tell a linear residual from a nonlinear one."""

import pytest
import torch
from helpers import gap

from pinnsine.calculus import laplacian
from pinnsine.constraint import Dirichlet, Residual, row_points
from pinnsine.domain import Rectangle
from pinnsine.probe import FieldScale, trace
from pinnsine.problem import Problem, Unknown

DOMAIN = Rectangle(x=(0, 3), y=(-1, 1))
SCALES = {"u": FieldScale(0.5, 2.0), "v": FieldScale(0.0, 0.1)}
NAMES = ("u", "u_x", "u_xy", "u_yyy", "v", "v_xx")


def traced(residual, seed, unknowns=()):
    constraint = Residual("pde", residual)
    problem = Problem(DOMAIN, ["u", "v"], [constraint], unknowns=unknowns)
    points = row_points(constraint, DOMAIN, 20, "sobol", torch.Generator().manual_seed(0))
    return trace(problem, constraint, points, SCALES, seed=seed)


def components(s):
    return {name: getattr(s, name) for name in NAMES}


def test_a_combination_of_probes_has_their_combined_values_and_derivatives():
    first, second, both = (traced(components, seed).rows for seed in (0, 1, {0: 0.3, 1: 0.7}))
    for name in NAMES:
        assert gap(both[name], 0.3 * first[name] + 0.7 * second[name]) <= 1e-13
        assert gap(both[name], first[name]) > 0.01


def test_one_probe_with_the_factor_one_is_that_probe():
    for seed in (0, 5):
        alone, combined = (traced(components, s).rows for s in (seed, {seed: 1.0}))
        assert all(torch.equal(alone[name], combined[name]) for name in NAMES)


def test_a_combination_asks_for_the_same_derivatives_and_unknowns():
    def residual(s):
        return laplacian(s.u) + s.D * s.v_x

    alone, combined = (traced(residual, seed, [Unknown("D", 2.0)]) for seed in (0, {0: 2.0, 1: -1.0}))
    assert combined.need == alone.need
    assert combined.unknowns == alone.unknowns == {"D"}
    assert combined.fixed == alone.fixed == frozenset()


@pytest.mark.parametrize("factors", [{0: 0.3, 1: 0.7}, {0: 2.0, 1: -1.0}, {0: 0.2, 1: 0.3, 2: 0.5}])
def test_affine_rows_combine_like_the_probes_and_others_do_not(factors):
    def affine(s):
        return laplacian(s.u) - (1 + s.x) * s.v + s.x * s.y

    def square(s):
        return affine(s) + s.u**2

    for residual, equal in ((affine, True), (square, False)):
        parts = sum(factor * traced(residual, seed).rows[""] for seed, factor in factors.items())
        assert (gap(traced(residual, factors).rows[""], parts) <= 1e-12) is equal


def test_the_rows_of_a_condition_combine_too():
    walls = Dirichlet("walls", u=lambda s: torch.cos(s.x), on=DOMAIN.boundary())
    problem = Problem(DOMAIN, ["u", "v"], [walls])
    points = row_points(walls, DOMAIN, 20, "sobol", torch.Generator().manual_seed(0))
    first, second, both = (trace(problem, walls, points, SCALES, seed=s).rows[""] for s in (0, 1, {0: 0.3, 1: 0.7}))
    assert gap(both, 0.3 * first + 0.7 * second) <= 1e-13
