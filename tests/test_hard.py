"""Hard conditions: the trial function takes the prescribed values on every face, whatever the network."""

import pytest
import torch
from helpers import bound, gap, nested_grad, rand, routes, rows_function

from pinnsine.ansatz import build_ansatz
from pinnsine.calculus import laplacian
from pinnsine.constraint import Dirichlet, Initial, Periodic, Residual, row_points
from pinnsine.domain import Interval, Rectangle, Time
from pinnsine.errors import ProblemError
from pinnsine.hard import cutoff, hard_conditions, lift
from pinnsine.jet import Context
from pinnsine.local import Local
from pinnsine.nets import MLP, Siren
from pinnsine.points import Points
from pinnsine.probe import FieldScale, coordinates_at
from pinnsine.problem import Field, Problem, Unknown

LINE = Interval("x", -1, 2) * Time(0.5, 2)
SQUARE = Rectangle(x=(-1, 2), y=(0, 3))
FLOW = SQUARE * Time(0, 1)


def smooth(s):
    """A function of all coordinates, so that conditions taken from it agree where faces meet."""
    parts = [s.x] + [getattr(s, n) for n in ("y", "t") if n in s._names.coordinates]
    return torch.sin(sum((k + 1) * p for k, p in enumerate(parts))) + parts[0] * parts[-1]


def dirichlet(name, on, target=smooth):
    return Dirichlet(name, u=target, on=on, hard=True)


SETS = {
    "both ends": (LINE, [dirichlet("walls", LINE.boundary("x"))]),
    "left end": (LINE, [dirichlet("left", LINE.side(x=-1))]),
    "right end": (LINE, [dirichlet("right", LINE.side(x=2))]),
    "start": (LINE, [Initial("start", u=smooth, hard=True)]),
    "start and walls": (LINE, [Initial("start", u=smooth, hard=True), dirichlet("walls", LINE.boundary("x"))]),
    "walls and start": (LINE, [dirichlet("walls", LINE.boundary("x")), Initial("start", u=smooth, hard=True)]),
    "start and one wall": (LINE, [Initial("start", u=smooth, hard=True), dirichlet("right", LINE.side(x=2))]),
    "square": (SQUARE, [dirichlet("walls", SQUARE.boundary())]),
    "square, side by side": (SQUARE, [dirichlet(n, SQUARE.side(**{n: v})) for n, v in (("x", -1), ("y", 3))]),
    "different functions that meet": (
        SQUARE,
        [
            dirichlet("left", SQUARE.side(x=-1), lambda s: s.y * (3 - s.y)),
            dirichlet("right", SQUARE.side(x=2), lambda s: torch.sin(torch.pi * s.y)),
            dirichlet("rest", SQUARE.boundary("y"), 0.0),
        ],
    ),
    "square in time": (FLOW, [dirichlet("walls", FLOW.boundary()), Initial("start", u=smooth, hard=True)]),
    "zero walls": (SQUARE, [dirichlet("walls", SQUARE.boundary(), 0.0)]),
    "constants that agree": (LINE, [dirichlet("walls", LINE.boundary("x"), 2.5), Initial("start", u=2.5, hard=True)]),
}


def problem_of(domain, conditions, **kwargs):
    return Problem(domain, "u", [Residual("pde", lambda s: s.u_xx + s.u * s.u_x), *conditions], **kwargs)


def network_state(problem, points, need=((),), net=None, scale=3.0):
    ansatz = build_ansatz(problem, net or MLP(6, 2), {"u": FieldScale(0.7, scale)}, torch.Generator().manual_seed(0))
    theta = ansatz.flat() + 0.5 * rand(ansatz.size, seed=1)
    return ansatz.local(ansatz.views(theta), points, {"u": set(need)})


@pytest.mark.parametrize("name", SETS)
def test_the_trial_function_takes_the_prescribed_values_on_every_face(name):
    domain, conditions = SETS[name]
    problem = problem_of(domain, conditions)
    for condition in conditions:
        points = row_points(condition, domain, 64, "uniform", torch.Generator().manual_seed(1))
        s = network_state(problem, points)
        target = condition.targets["u"]
        wanted = target(s).values if callable(target) else torch.full((len(points),), target, dtype=torch.float64)
        assert float((s.u.values - wanted).abs().max()) <= 1e-14 * (1 + float(wanted.abs().max()))


@pytest.mark.parametrize("name", SETS)
def test_away_from_the_faces_the_network_is_free(name):
    domain, conditions = SETS[name]
    points = domain.sample(64, "uniform", torch.Generator().manual_seed(1))
    context = Context(space=domain.space)
    parts = hard_conditions(problem_of(domain, conditions))["u"]
    factor = cutoff(parts, coordinates_at(problem_of(domain, conditions), points, context)).values
    assert bool((factor > 0).all())
    assert 0.2 < float(factor.max()) <= 1 + 1e-14


@pytest.mark.parametrize("name", SETS)
def test_the_cutoff_vanishes_on_its_faces_and_on_no_other(name):
    domain, conditions = SETS[name]
    problem = problem_of(domain, conditions)
    parts = hard_conditions(problem)["u"]
    prescribed = {(p.face.name, p.face.value) for p in parts}
    for face in domain.boundary(*domain.names).faces:
        points = face.sample(32, "uniform", torch.Generator().manual_seed(2))
        factor = cutoff(parts, coordinates_at(problem, points, Context(space=domain.space))).values
        if (face.name, face.value) in prescribed:
            assert torch.equal(factor, torch.zeros_like(factor))
        else:
            assert bool((factor > 0).all())


@pytest.mark.parametrize("name", ["start and walls", "different functions that meet", "square in time"])
def test_derivatives_of_lift_and_cutoff_are_right(name):
    domain, conditions = SETS[name]
    problem = problem_of(domain, conditions)
    parts = hard_conditions(problem)["u"]
    points = domain.sample(5, "uniform", torch.Generator().manual_seed(3))

    def values_at(function, batch):
        context = Context(space=domain.space)
        return function(coordinates_at(problem, Points(batch), context), context)

    def lifted(coordinates, context):
        return lift(parts, coordinates, lambda there: Local(problem.names, context, there, {}))

    def cut(coordinates, context):
        return cutoff(parts, coordinates)

    batch = {n: points[n] for n in domain.names}
    for function in (lifted, cut):
        jet = values_at(function, batch)
        for index in ("x", "xx", "xy", "xt", "xxt", "yy", "xxyy"):
            if set(index) <= set(domain.names):
                truth = nested_grad(lambda *c, f=function: values_at(f, dict(zip(batch, c, strict=True))).values, batch, index)
                found = jet.at(tuple(sorted(index)))
                assert gap(torch.zeros_like(truth) if found is None else found, truth) <= 1e-12, index


def test_derivatives_of_the_whole_trial_function_are_right():
    domain, conditions = SETS["start and walls"]
    problem = problem_of(domain, conditions)
    batch = domain.sample(5, "uniform", torch.Generator().manual_seed(3)).columns
    s = network_state(problem, Points(batch), need=[("t",), ("x", "x"), ("t", "x")], net=Siren(6, 2))

    def u(x, t):
        return network_state(problem, Points({"x": x, "t": t}), net=Siren(6, 2)).u.values

    for index in ("t", "x", "xx", "tx"):
        assert gap(getattr(s, f"u_{index}").values, nested_grad(u, batch, index)) <= 1e-12


def test_the_collapsed_laplacian_passes_through_cutoff_and_lift():
    domain, conditions = SETS["different functions that meet"]
    problem = Problem(domain, "u", [Residual("pde", lambda s: laplacian(s.u)), *conditions])
    objective, theta = bound(problem, count=8)
    separate = Problem(domain, "u", [Residual("pde", lambda s: s.u_xx + s.u_yy), *conditions])
    other, _ = bound(separate, count=8)
    assert gap(objective.rows(theta), other.rows(theta)) <= 1e-12


@pytest.mark.parametrize("name", SETS)
def test_the_jacobian_behind_hard_conditions_is_that_of_reverse_differentiation(name):
    objective, theta = bound(problem_of(*SETS[name]))
    assert routes(objective) == {"pde": "one backward"}
    rows, jacobian = objective.jacobian(theta)
    function = rows_function(objective)
    assert gap(rows, function(theta)) <= 1e-13
    assert gap(jacobian, torch.func.jacrev(function)(theta)) <= 1e-12


INCONSISTENT = {
    "start and walls": [Initial("start", u=1.0, hard=True), dirichlet("walls", LINE.boundary("x"), 0.0)],
    "walls and start": [dirichlet("walls", LINE.boundary("x"), 0.0), Initial("start", u=1.0, hard=True)],
    "one corner": [Initial("start", u=lambda s: s.x - 2, hard=True), dirichlet("walls", LINE.boundary("x"), 0.0)],
    "in time": [Initial("start", u=0.0, hard=True), dirichlet("walls", LINE.boundary("x"), lambda s: s.t)],
    "in time alone at the corner": [Initial("start", u=0.0, hard=True), dirichlet("left", LINE.side(x=-1), lambda s: s.t - 0.4999)],
}


@pytest.mark.parametrize("name", INCONSISTENT)
def test_values_that_disagree_where_faces_meet_are_refused(name):
    problem = problem_of(LINE, INCONSISTENT[name])
    with pytest.raises(
        ProblemError, match=r"Constraint '\w+': its values on the side . = .* disagree by .* where the two meet: use hard=False"
    ):
        build_ansatz(problem, MLP(), {"u": FieldScale()}, torch.Generator())


def test_a_face_prescribed_twice_is_refused():
    problem = problem_of(LINE, [dirichlet("walls", LINE.boundary("x"), 0.0), dirichlet("left", LINE.side(x=-1), 0.0)])
    with pytest.raises(ProblemError, match="Constraint 'left': u is prescribed twice on the side x = -1: keep one of them"):
        hard_conditions(problem)


def test_a_hard_value_given_as_a_plain_tensor_is_right_or_refused():
    """Its derivative along the face is not known: taking it for zero would be silent."""
    domain = LINE
    condition = Initial("start", u=lambda s: torch.sin(s.x.values), hard=True)
    points = domain.sample(5, "uniform", torch.Generator().manual_seed(3))
    exact = Initial("start", u=lambda s: torch.sin(s.x), hard=True)
    try:
        found = network_state(problem_of(domain, [condition]), points, need=[("x", "x")]).u_xx.values
    except Exception as error:
        assert type(error).__name__ in ("ProblemError", "EvaluationError")  # noqa: PT017
        return
    assert gap(found, network_state(problem_of(domain, [exact]), points, need=[("x", "x")]).u_xx.values) <= 1e-12


def test_a_hard_value_may_hold_an_unknown():
    domain = Interval("x", 0, 1)
    walls = Dirichlet("walls", u=lambda s: s.A * s.x, on=domain.boundary(), hard=True)
    problem = Problem(domain, "u", [Residual("pde", lambda s: s.u_xx), walls], unknowns=[Unknown("A", 2.0)])
    objective, theta = bound(problem)
    _, jacobian = objective.jacobian(theta)
    assert gap(jacobian, torch.func.jacrev(rows_function(objective))(theta)) <= 1e-12


def test_a_hard_condition_stands_beside_exact_periodicity():
    domain = LINE
    start = Initial("start", u=lambda s: torch.cos(2 * torch.pi * (s.x + 1) / 3), hard=True)
    problem = Problem(domain, "u", [Residual("pde", lambda s: s.u_t - s.u_xx), Periodic("wrap", "x", hard=True), start])
    t = rand(9, low=0.5, high=2.0)
    left, right = ({"x": torch.full_like(t, end), "t": t} for end in (-1.0, 2.0))
    need = [("x", "x")]
    low, high = (network_state(problem, Points(batch), need=need) for batch in (left, right))
    for name in ("u", "u_x", "u_xx"):
        assert float((getattr(low, name).values - getattr(high, name).values).abs().max()) <= 1e-12


def test_only_the_fields_named_are_prescribed():
    start = Initial("start", u=0.0, hard=True)
    problem = Problem(LINE, ["u", "v", Field("q", of="x")], [Residual("pde", lambda s: s.u_x + s.v + s.q), start])
    assert set(hard_conditions(problem)) == {"u"}
