"""Functions about holes and corners: single-valued, harmonic where they should be, and worth having."""

import math

import pytest
import torch
from helpers import gap, rand

from pinnsine.calculus import laplacian
from pinnsine.constraint import Dirichlet, Periodic, Residual
from pinnsine.domain import Disk, Rectangle, Time
from pinnsine.nets import FrozenSines
from pinnsine.nets.polar import CornerLogs, CornerPowers, PolarSines
from pinnsine.nets.record import from_record, to_record
from pinnsine.places import about, of_rectangle
from pinnsine.problem import Problem, load_problem
from pinnsine.reference import Reference
from pinnsine.solve import solve

HOLE = (0.1, -0.2, 2.0, 1.0, 1.2)
CORNER = (0.0, 0.0, 0.7, 0.7, 3 * math.pi / 4, 3 * math.pi / 2)
SQUARE = Rectangle(x=(-1, 1), y=(-1, 1))


def build(spec, inputs=2):
    return spec.build(inputs, 3, torch.Generator().manual_seed(0))


def test_sines_around_a_hole_do_not_jump_where_the_angle_does():
    sines = PolarSines(HOLE, 50, (), 0)
    x = torch.tensor([[-0.6, -0.2]], dtype=torch.float64)
    nudge = torch.tensor([[0.0, 1e-12]], dtype=torch.float64)
    assert gap(sines(x + nudge), sines(x - nudge)) <= 1e-10


def test_they_depend_on_further_inputs_with_the_bandwidth_of_the_others():
    sines = PolarSines(HOLE, 50, (3.0,), 0)
    assert sines.weight.shape == (50, 3)
    assert 2.0 < float(sines.weight[:, 2].abs().max()) <= 3.0


def test_powers_of_an_l_are_thirds_and_the_smooth_ones_are_left_out():
    powers = CornerPowers(CORNER, 100).powers[1].unique()
    assert powers * 3 == pytest.approx([1, 2, 4, 5, 7, 8])


def test_powers_that_solve_laplaces_equation_do():
    powers = CornerPowers(CORNER, 100)
    harmonic = powers.powers[0] == powers.powers[1]
    x = 0.2 + 0.3 * rand(8, 2)
    for k in harmonic.nonzero()[:, 0].tolist():
        for row in x:
            assert abs(float(torch.autograd.functional.hessian(lambda y, k=k: powers(y[None])[0, k], row).trace())) <= 1e-12


def span_gap(module, x, wanted):
    """What is left of a function at points x (N, 2) by the functions of a module."""
    found = module(x)
    return gap(found @ torch.linalg.lstsq(found, wanted[:, None]).solution, wanted[:, None])


RIGHT = (-1.0, -1.0, 0.3, 0.2, math.pi / 4, math.pi / 2)


def test_logarithms_of_a_right_angle_span_the_flow_under_a_lid_and_stay_finite():
    """Moffatt's corner flow: y theta in the velocity, log r in the pressure, and what a membrane under pressure has there."""
    logs = CornerLogs(RIGHT, 100)
    assert logs.count == 2 * 15
    x = 2 * torch.rand(200, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 1
    first, second = 0.3 * (x[:, 0] + 1), 0.2 * (x[:, 1] + 1)
    angle, square = torch.atan2(second, first), first**2 + second**2
    for wanted in (
        second * (angle - math.pi / 4),
        square.log(),
        (first**2 - second**2) * (angle - math.pi / 4) + first * second * square.log(),
    ):
        assert span_gap(logs, x, wanted) <= 1e-10
    assert bool(torch.isfinite(logs(torch.tensor([[-1.0, -1.0]], dtype=torch.float64))).all())


def test_a_part_of_the_width_is_theirs_and_a_record_keeps_them():
    spec = FrozenSines(200, 4.0, holes=(HOLE,), corners=(CORNER,))
    module = build(spec)
    assert len(module.phase) + module.about.count == 200
    assert module.beside.weight.shape == (3, module.about.count)
    assert from_record(to_record(spec)) == spec
    assert build(FrozenSines(200, 4.0)).about is None


def harmonic_problem(domain, exact):
    walls = Dirichlet("walls", u=exact, on=domain.boundary())
    return Problem(domain, "u", [Residual("pde", lambda s: laplacian(s.u)), walls], reference=Reference.exact(u=exact))


def charge(s):
    """A charge in the hole and what else is harmonic."""
    return torch.log((s.x - 0.3) ** 2 + s.y**2) + s.x * s.y


def singular(s):
    across = torch.atan2(-s.x - s.y, s.y - s.x)
    return (s.x**2 + s.y**2) ** (1 / 3) * torch.sin(2 / 3 * (across + 3 * torch.pi / 4))


ROUND = harmonic_problem(SQUARE - Disk((0.25, 0), 0.2), charge)  # the charge is not at the centre
INWARD = harmonic_problem(SQUARE - Rectangle(x=(0, 1), y=(-1, 0)), singular)


@pytest.mark.parametrize(("problem", "error", "plain"), [(ROUND, 1.5e-5, 1e-2), (INWARD, 1e-12, 1e-3)], ids=["hole", "corner"])
def test_they_are_chosen_and_gain_digits(problem, error, plain):
    """Frozen sines of the policy against those without; measured 5.0e-6 and 7.8e-2, 7.7e-16 and 1.3e-2."""
    found = {}
    for places in ({}, about(problem)):
        net = FrozenSines(250, omega=6.0, **places)
        solution = solve(problem, net=net, iterations=1, progress=False, estimate=False)
        found[bool(places)] = solution.compare().relative_l2["u"]
    assert found[True] <= error
    assert found[False] >= plain


def test_the_corners_of_a_rectangle_are_where_they_are():
    """In the lengths of the coordinates the diagonal is one; none where time or a period is."""
    plate = Rectangle(x=(0, 3), y=(0, 4))
    corners = of_rectangle(harmonic_problem(plate, charge))["corners"]
    assert [c[:2] for c in corners] == [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    assert corners[0] == pytest.approx((-1, -1, 0.3, 0.4, math.atan2(4, 3), math.pi / 2))
    round_x = Problem(plate, "u", [Residual("pde", lambda s: laplacian(s.u)), Periodic("around", "x", hard=True)])
    later = Problem(plate * Time(0, 1), "u", [Residual("pde", lambda s: s.u_t - laplacian(s.u))])
    assert of_rectangle(round_x) == of_rectangle(later) == {}


@pytest.mark.slow
def test_the_cavity_is_resolved_into_its_corners():
    """Three fields of 466 functions; measured 3.5e-5, 6.8e-5 and 1.1e-4, without functions at the corners 4.4e-3, 5.8e-3 and 3.8e-2 (300)."""
    problem = load_problem("cavity")
    net = FrozenSines(466, omega=10.0, **of_rectangle(problem))
    found = solve(problem, net=net, iterations=6, progress=False, estimate=False).compare().relative_l2
    assert max(found.values()) <= 3e-4
