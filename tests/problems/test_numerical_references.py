"""Problems with numerical references other than periodic ones on a line: the reference solves the problem as it is written down."""

import pytest
import torch

import pinnsine as ps
from pinnsine.constraint import Residual, row_points
from pinnsine.domain.shape import Shape
from pinnsine.index import Collapsed
from pinnsine.jet import Constant, Context, Jet
from pinnsine.local import Local
from pinnsine.named_rows import rows_of
from pinnsine.points import Points
from pinnsine.probe import FieldScale, coordinates_at, data_of, trace

SLOPE = torch.tensor([1 / 280, -4 / 105, 1 / 5, -4 / 5, 0.0, 4 / 5, -1 / 5, 4 / 105, -1 / 280], dtype=torch.float64)  # of eighth order


class Sampled(Jet):
    """A field of a reference, differentiated by differences of eighth order with the gaps given by coordinate."""

    def __init__(self, reference, name, columns, gaps, context):
        super().__init__(context)
        self.reference, self.name, self.columns, self.gaps = reference, name, columns, gaps

    def _component(self, index):
        if isinstance(index, Collapsed):
            return sum(self.at((n, n)) for n in index.names)
        return self._difference(index, self.columns)

    def _difference(self, index, columns):
        if not index:
            return self.reference.evaluate(columns)[self.name]
        along, gap = index[-1], self.gaps[index[-1]]
        moved = [self._difference(index[:-1], {**columns, along: columns[along] + k * gap}) for k in range(-4, 5)]
        return SLOPE @ torch.stack(moved) / gap


def rows(problem, constraint, points, gaps, unknowns):
    """The rows of a constraint with the reference in place of the fields."""
    nodes = constraint.expand(points, problem.domain)
    context = Context(problem.domain.names, problem.domain.space, nodes.normal)
    columns = {n: nodes[n] for n in problem.domain.names}
    fields = {f.name: Sampled(problem.reference, f.name, columns, gaps, context) for f in problem.fields}
    numbers = {n: Constant(torch.full((len(nodes),), v, dtype=torch.float64), context) for n, v in unknowns.items()}
    local = Local(problem.names, context, coordinates_at(problem, nodes, context), fields, numbers, data_of(problem, nodes))
    return rows_of(constraint, local, len(points))


def inner_points(problem, count, margin):
    """Points that keep a part ``margin`` of every axis away from its ends, where differences would leave the domain."""
    unit = torch.rand(count, len(problem.domain.axes), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    points = Points({a.name: a.lower + a.length * (margin + (1 - 2 * margin) * unit[:, i]) for i, a in enumerate(problem.domain.axes)})
    if not isinstance(problem.domain, Shape):
        return points
    deep = problem.domain.contains(points) & (problem.domain.distance(points).abs() > margin * problem.domain.axes[0].length)
    return points.select(deep.nonzero()[:, 0])


def check(problem, tolerance, part, count=60, margin=0.1, unknowns=None):
    """Every row is below the tolerance times its size for another field of the reference's size; gaps are a part of the axes."""
    gaps = {a.name: part * a.length for a in problem.domain.axes}
    where = inner_points(problem, 200, margin)
    scales = {n: FieldScale(float(v.mean()), float(v.std())) for n, v in problem.reference.evaluate(where.columns).items()}
    seen = set()
    for constraint in problem.constraints:
        inside = isinstance(constraint, Residual) and constraint.on is None
        points = inner_points(problem, count, margin) if inside else row_points(constraint, problem.domain, 30, "sobol", torch.Generator())
        if not inside and any(index != () for log in trace(problem, constraint, points, scales).need.values() for index in log):
            continue  # derivatives on the boundary, which differences around it cannot give
        sizes = {n: float(r.square().mean().sqrt()) for n, r in trace(problem, constraint, points, scales).rows.items()}
        for name, values in rows(problem, constraint, points, gaps, unknowns or {}).items():
            assert float(values.abs().max()) < tolerance * sizes[name], f"{constraint.name} {name}"
            seen.add(constraint.name)
    assert len(seen) >= min(2, len(problem.constraints))


@pytest.mark.parametrize(
    ("name", "coefficients", "tolerance", "part", "unknowns"),
    [
        ("lotka_volterra", {}, 1e-8, 1e-3, {}),
        ("lotka_volterra", {"a": 1.1, "b": 0.4, "c": 0.1, "d": 0.4, "until": 3.0}, 1e-8, 1e-3, {}),
        ("lorenz", {"until": 1.0}, 1e-8, 1e-3, {}),
        ("inverse_lorenz", {}, 1e-8, 5e-4, {"sigma": 10.0, "rho": 15.0, "beta": 8 / 3}),
        ("fisher", {}, 1e-6, 4e-3, {}),
        ("boundary_layer", {"eps": 0.2}, 1e-8, 4e-3, {}),
        ("cavity", {"Re": 20.0, "degree": 24}, 2e-3, 4e-3, {}),
        ("cylinder", {"Re": 5.0, "degree": 20}, 2e-3, 4e-3, {}),
        ("slowness", {"contrast": 0.2, "samples": 5, "x_degree": 24, "omega_degree": 24}, 1e-5, 4e-3, {}),
    ],
)
def test_the_reference_satisfies_the_problem(name, coefficients, tolerance, part, unknowns):
    check(ps.load_problem(name, **coefficients), tolerance, part, unknowns=unknowns)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "coefficients"), [("ginzburg_landau", {"until": 0.3}), ("gray_scott", {"until": 0.1})])
def test_the_reference_in_the_plane_satisfies_the_problem(name, coefficients):
    check(ps.load_problem(name, **coefficients), 1e-3, 2e-3, count=20)  # gray_scott: below 1e-4


NAMES = ["boundary_layer", "cavity", "cylinder", "fisher", "ginzburg_landau", "gray_scott", "lorenz", "lotka_volterra"]


@pytest.mark.parametrize("name", NAMES)
def test_the_dry_run_finds_nothing_to_warn_of_and_computes_nothing(name, monkeypatch):
    monkeypatch.setattr("pinnsine.reference.computed.Computed.evaluate", None)
    problem = ps.load_problem(name)
    assert not problem.check().warnings
    assert set(problem.reference.floor) == {f.name for f in problem.fields}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "floor"),
    [
        ("cavity", 1e-4),  # measured 4.1e-5, of the pressure
        ("cylinder", 2e-4),  # measured 7.6e-5, of v
        ("fisher", 5e-12),  # measured 1.7e-12
        ("ginzburg_landau", 1e-5),  # measured 2.1e-6
        ("gray_scott", 1e-5),  # measured 4.5e-6
        ("lorenz", 4e-12),  # measured 1.1e-12
        ("lotka_volterra", 4e-13),  # measured 1e-13
        ("slowness", 3e-9),  # measured 9.5e-10, of v
    ],
)
def test_the_reference_is_as_good_as_stated(name, floor):
    assert max(ps.load_problem(name).reference.floor.values()) < floor


def test_the_series_of_boundary_layers_is_that_of_twice_the_terms_and_near_collocation():
    problem, more = (ps.load_problem("boundary_layer", terms=n) for n in (1000, 2000))
    points = problem.domain.sample(2000, "uniform", torch.Generator().manual_seed(0)).columns
    layers = ps.reference.chebyshev(problem.domain, "u", problem.constraints, degree=24)
    u, doubled, polynomials = (r.evaluate(points)["u"] for r in (problem.reference, more.reference, layers))
    assert float((u - doubled).norm() / doubled.norm()) < problem.reference.floor["u"]
    assert float((u - polynomials).norm() / u.norm()) < layers.floor["u"] < 1e-4  # measured: 2.2e-6 and 4.2e-5
