"""Frozen sines: what is drawn and kept, what is left to find, and exact periodicity."""

import itertools
import math

import pytest
import torch
from helpers import bound, columns, gap, rand, routes

from pinnsine.ansatz import build_ansatz
from pinnsine.calculus import laplacian
from pinnsine.constraint import Dirichlet, Periodic, Residual
from pinnsine.domain import Box, Interval, Time
from pinnsine.errors import ProblemError
from pinnsine.least_squares import least_squares
from pinnsine.nets import FrozenSines
from pinnsine.nets.frozen_sines import lattice_step
from pinnsine.points import Points
from pinnsine.probe import FieldScale
from pinnsine.problem import Problem


def build(spec, inputs=2, outputs=3, seed=0, periodic=()):
    return spec.build(inputs, outputs, torch.Generator().manual_seed(seed), periodic)


def everything(module):
    return torch.cat([t.detach().reshape(-1) for t in (*module.parameters(), *module.buffers())])


def test_the_module_is_a_linear_combination_of_its_sines():
    module, x = build(FrozenSines(9, 4.0)), rand(11, 2)
    expected = torch.sin(x @ module.weight.T + module.phase) @ module.output.weight.T + module.output.bias
    assert module(x).shape == (11, 3)
    assert gap(module(x), expected) <= 1e-15


def test_a_part_of_the_sines_varies_along_one_coordinate_each():
    weight = build(FrozenSines(400, 0.5, alone=0.3), inputs=4).weight
    single = weight[(weight != 0).sum(dim=1) == 1]
    assert [int((single[:, i] != 0).sum()) for i in range(4)] == [30] * 4
    assert 2.5 <= float(single.abs().max()) <= 3.0  # 30 sines a coordinate have the bandwidth 3
    assert float(weight[len(single) :].abs().max()) <= 0.5
    assert bool((weight[len(single) :] != 0).all())


def test_sums_over_coordinates_are_resolved_where_dense_wave_numbers_are_too_few():
    """sum_i cos(pi y_i / 2) in five dimensions by 600 sines; measured 9e-15 and 1.3e-3."""
    y, missed = rand(2400, 5), {}
    truth = torch.cos(torch.pi / 2 * y).sum(dim=1)
    for share in (0.3, 0.0):
        module = build(FrozenSines(600, 0.5, alone=share), inputs=5)
        waves = torch.sin(y @ module.weight.T + module.phase)
        missed[share] = float((waves @ least_squares(waves, truth, 1e-14) - truth).norm() / truth.norm())
    assert missed[0.3] <= 3e-14
    assert missed[0.0] >= 1e-4


@pytest.mark.parametrize("hard", [False, True])
def test_only_what_the_result_needs_is_made_of_a_laplacian(hard):
    cube = Box(dim=5)
    walls = Dirichlet("walls", u=0.0, on=cube.boundary(), hard=hard)
    objective, theta = bound(Problem(cube, "u", [Residual("pde", lambda s: laplacian(s.u)), walls]), FrozenSines(20, 2.0, alone=0.3))
    slow, _ = bound(
        Problem(cube, "u", [Residual("pde", lambda s: laplacian(s.u)), walls]), FrozenSines(20, 2.0, alone=0.3), evaluator="reverse"
    )
    (rows, jacobian), (other, others) = objective.jacobian(theta), slow.jacobian(theta)
    assert gap(rows, other) <= 1e-13
    assert gap(jacobian, others) <= 1e-13
    tape = []
    [term] = [t for t in objective.terms if t.constraint.name == "pde"]
    objective.term_rows(term, objective.views(theta), objective.points["pde"], tape)
    assert len(tape[-1][3]) == (7 if hard else 2)  # value and Laplacian, or with them the slopes that the product with the cutoff takes


def test_wave_numbers_and_phases_are_kept_and_only_the_output_layer_is_free():
    module = build(FrozenSines(9, 4.0))
    assert {n: tuple(p.shape) for n, p in module.named_parameters()} == {"output.weight": (3, 9), "output.bias": (3,)}
    assert {n: tuple(b.shape) for n, b in module.named_buffers()} == {"weight": (9, 2), "phase": (9,)}
    assert all(t.dtype == torch.float64 for t in (*module.parameters(), *module.buffers()))


def test_the_generator_alone_decides_what_is_drawn():
    torch.manual_seed(1)
    first = everything(build(FrozenSines(30, 4.0), seed=4))
    torch.manual_seed(2)
    assert torch.equal(first, everything(build(FrozenSines(30, 4.0), seed=4)))
    assert not torch.equal(first, everything(build(FrozenSines(30, 4.0), seed=5)))


def test_a_larger_bandwidth_stretches_the_same_draw():
    small, large = (build(FrozenSines(30, omega)) for omega in (3.0, (3.0, 12.0)))
    assert gap(large.weight, small.weight * torch.tensor([1.0, 4.0], dtype=torch.float64)) <= 1e-15
    assert torch.equal(large.phase, small.phase)


@pytest.mark.parametrize("omega", [5.0, (5.0, 5.0), (2.0, 30.0)])
def test_wave_numbers_fill_the_bandwidth_of_each_coordinate_evenly(omega):
    weight = build(FrozenSines(256, omega)).weight
    for column, bandwidth in zip(weight.T, FrozenSines(1, omega).bandwidths(2), strict=True):
        assert 0.98 * bandwidth < float(column.abs().max()) <= bandwidth
        assert torch.histc(column, 16, -bandwidth, bandwidth).tolist() == [16] * 16  # a Sobol sequence has as many in each


def test_phases_spread_over_the_circle():
    phase = build(FrozenSines(2000, 1.0)).phase
    assert 0 <= float(phase.min()) < 0.02
    assert 0.02 > 2 * math.pi - float(phase.max()) > 0


def test_it_starts_near_zero_but_not_at_it():
    with torch.no_grad():
        out = build(FrozenSines(400, 8.0))(rand(500, 2))
    assert 1e-5 < float(out.abs().max()) < 1e-2


def test_periodic_inputs_have_whole_wave_numbers_all_equally_likely():
    free, module = build(FrozenSines(1300, 20.0)), build(FrozenSines(1300, 20.0), periodic=(True, False))
    whole = module.weight[:, 0] / math.pi
    assert gap(whole, whole.round()) <= 1e-15
    assert torch.equal(module.weight[:, 1], free.weight[:, 1])
    numbers, counts = whole.round().unique(return_counts=True)
    assert numbers.tolist() == list(range(-6, 7))  # 6 periods within 20
    assert int(counts.min()) >= 95  # of 100: the sequence is even
    assert int(counts.max()) <= 105


def test_a_periodic_module_repeats_itself_with_all_derivatives():
    module = build(FrozenSines(50, 20.0), outputs=1, periodic=(True, False))
    here = torch.stack([torch.full((7,), -1.0, dtype=torch.float64), rand(7)], 1).requires_grad_()
    there = (here.detach() + torch.tensor([2.0, 0.0], dtype=torch.float64)).requires_grad_()
    sides = [module(here).sum(), module(there).sum()]
    for _ in range(4):
        slopes = [torch.autograd.grad(side, x, create_graph=True)[0][:, 0] for side, x in zip(sides, (here, there), strict=True)]
        assert gap(*slopes) <= 1e-13
        sides = [s.sum() for s in slopes]


def test_exact_periodicity_holds_on_the_problems_own_range():
    domain = Interval("x", 3, 10) * Time(0, 2)
    problem = Problem(domain, "u", [Residual("pde", lambda s: s.u_t - s.u_xx), Periodic("wrap", "x", hard=True)])
    ansatz = build_ansatz(problem, FrozenSines(40, 15.0), {"u": FieldScale(0.3, 2.0)}, torch.Generator().manual_seed(0))
    theta = rand(ansatz.size)
    need = {"u": {(), ("x",), ("x", "x"), ("t",)}}
    t = columns(["t"], 9, low=0.0)["t"]
    ends = [ansatz.local(ansatz.views(theta), Points({"x": torch.full_like(t, end), "t": t}), need) for end in (3.0, 10.0)]
    for name in ("u", "u_x", "u_xx", "u_t"):
        left, right = (getattr(end, name).values for end in ends)
        assert gap(left, right) <= 1e-12
    assert float(ends[0].u_t.values.abs().max()) > 1e-2


def linear_problem():
    domain = Interval("x", 0, 2) * Time(0, 1)
    return Problem(
        domain,
        ["u", "v"],
        [
            Residual("pde", lambda s: (s.u_t - (1 + s.x) * s.u_xx + s.v - s.t, s.v_xx - s.u_x)),
            Dirichlet("walls", u=0.0, v=lambda s: s.t, on=domain.boundary("x"), hard=True),
        ],
    )


def test_rows_of_a_linear_problem_are_affine_in_the_parameters():
    objective, theta = bound(linear_problem(), FrozenSines(6, 3.0))
    other = theta + rand(len(theta), seed=9)
    mixed = 0.3 * theta + 0.7 * other
    assert set(routes(objective).values()) == {"one backward"}
    assert gap(objective.rows(mixed), 0.3 * objective.rows(theta) + 0.7 * objective.rows(other)) <= 1e-13
    assert gap(objective.jacobian(theta)[1], objective.jacobian(other)[1]) <= 1e-13
    rows, jacobian = objective.jacobian(theta)
    assert gap(rows + jacobian @ (other - theta), objective.rows(other)) <= 1e-13


def test_another_evaluator_gives_the_same_rows():
    objective, theta = bound(linear_problem(), FrozenSines(6, 3.0), evaluator="reverse")
    expected, _ = bound(linear_problem(), FrozenSines(6, 3.0), evaluator="taylor")
    assert gap(objective.rows(theta), expected.rows(theta)) <= 1e-12


def test_single_precision_gives_the_same_rows_to_its_rounding():
    objective, theta = bound(linear_problem(), FrozenSines(6, 3.0), dtype=torch.float32)
    expected, _ = bound(linear_problem(), FrozenSines(6, 3.0))
    found = objective.rows(theta.float())
    assert found.dtype == torch.float32
    assert gap(found.double(), expected.rows(theta)) <= 1e-5


@pytest.mark.parametrize("omega", [[3, 4], (3, 4.0)])
def test_bandwidths_by_coordinate_are_numbers_in_a_tuple_however_they_are_given(omega):
    assert FrozenSines(10, omega) == FrozenSines(10, (3.0, 4.0))
    assert FrozenSines(10, omega).bandwidths(2) == (3.0, 4.0)
    assert FrozenSines(10, 3).bandwidths(2) == (3.0, 3.0)


@pytest.mark.parametrize("settings", [{"width": 0}, *({"omega": o} for o in (0.0, -1, math.nan, math.inf, (1.0, 0.0), ()))])
def test_impossible_networks_are_refused(settings):
    with pytest.raises(ProblemError, match="FrozenSines needs a width of at least 1 and every omega above 0"):
        FrozenSines(**settings)


def test_a_network_that_cannot_be_built_says_why():
    with pytest.raises(ProblemError, match="only with a bandwidth: give omega="):
        build(FrozenSines(10))
    with pytest.raises(ProblemError, match="3 bandwidths, but the network has 2 inputs"):
        build(FrozenSines(10, (1.0, 2.0, 3.0)))


@pytest.mark.parametrize("periodic", [(True, False), (False, False)])
def test_a_lattice_spans_the_products_of_sines_and_cosines(periodic):
    """Whatever is a combination of products is one of plane waves, and as many of them are independent; measured 1.3e-14."""
    spec, y = FrozenSines(lattice=(3, 2)), rand(400, 2)
    module = build(spec, periodic=periodic)
    steps = [math.pi if whole else lattice_step(n) for whole, n in zip(periodic, spec.lattice, strict=True)]
    along = []
    for i, (n, step) in enumerate(zip(spec.lattice, steps, strict=True)):
        angles = step * y[:, i : i + 1] * torch.arange(1, n + 1)
        along.append(torch.cat([torch.ones(len(y), 1, dtype=torch.float64), torch.sin(angles), torch.cos(angles)], dim=1))
    products = torch.einsum("ni,nj->nij", *along).flatten(1)
    waves = torch.cat([torch.ones(len(y), 1, dtype=torch.float64), torch.sin(y @ module.weight.T + module.phase)], dim=1)
    assert waves.shape == products.shape == (400, 7 * 5)
    assert gap(waves @ torch.linalg.lstsq(waves, products, driver="gelsd").solution, products) <= 1e-12
    assert spec.width == len(module.phase) == 34


def test_a_lattice_converges_geometrically_without_a_period():
    """exp(-3 y) sin(4 y) + y in one coordinate, by 2 n + 1 functions; measured 1.8e-2, 5.0e-5, 1.9e-7, 1.6e-9."""
    grid, check, missed = -torch.cos(torch.pi * (torch.arange(60.0) + 0.5).double() / 60)[:, None], rand(500, 1), []

    def truth(y):
        return (torch.exp(-3 * y) * torch.sin(4 * y) + y)[:, 0]

    for n in (4, 6, 8, 10):
        module = build(FrozenSines(lattice=(n,)), inputs=1)

        def waves(y, module=module):
            return torch.cat([torch.ones_like(y), torch.sin(y @ module.weight.T + module.phase)], dim=1)

        found = least_squares(waves(grid), truth(grid), 1e-14)
        missed.append(float((waves(check) @ found - truth(check)).abs().max()))
    assert all(later < earlier / 20 for earlier, later in itertools.pairwise(missed))
    assert missed[-1] < 5e-9


def test_a_lattice_repeats_itself_along_a_periodic_coordinate():
    module, t = build(FrozenSines(lattice=(5, 3)), periodic=(True, False)), rand(9)
    left, right = (module(torch.stack([torch.full_like(t, end), t], dim=1)) for end in (-1.0, 1.0))
    assert gap(left, right) <= 1e-14


@pytest.mark.parametrize("lattice", [(), (0, 0), (3, -1), 5, (2, 2)])
def test_impossible_lattices_are_refused(lattice):
    with pytest.raises(ProblemError, match="FrozenSines needs for lattice= a wave number of at least 0"):
        FrozenSines(lattice=lattice, alone=0.3 if lattice == (2, 2) else 0.0)
