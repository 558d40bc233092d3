"""The trial function: one flat vector of parameters, scaled inputs and outputs, unknown numbers, fields of fewer coordinates."""

import math

import pytest
import torch
from helpers import gap, nested_grad, rand
from torch import nn

from pinnsine.ansatz import build_ansatz
from pinnsine.calculus import D, laplacian
from pinnsine.constraint import Periodic, Residual
from pinnsine.domain import Box, Interval, Rectangle, Time
from pinnsine.errors import ProblemError
from pinnsine.evaluate import EVALUATORS
from pinnsine.index import Collapsed
from pinnsine.nets import MLP, Siren
from pinnsine.points import Points
from pinnsine.probe import FieldScale
from pinnsine.problem import Field, Problem, Unknown

DOMAIN = Interval("x", -3, 5) * Time(10, 20)
SCALES = {"u": FieldScale(2.0, 10.0), "v": FieldScale(0.0, 1.0), "q": FieldScale(1.0, 3.0)}
PDE = Residual("pde", lambda s: s.u_t - s.u_xx)


def make(fields="u", unknowns=(), constraints=(PDE,), net=None, domain=DOMAIN, seed=0, evaluator="auto"):
    problem = Problem(domain, fields, constraints, unknowns=unknowns)
    return build_ansatz(problem, net or Siren(6, 2), SCALES, torch.Generator().manual_seed(seed), evaluator)


def places(count=5, domain=DOMAIN):
    return domain.sample(count, "uniform", torch.Generator().manual_seed(1))


def need_of(ansatz, *indices):
    return {f.name: set(indices) or {()} for f in ansatz.problem.fields}


def test_flat_vector_and_named_views_are_the_same_numbers():
    ansatz = make(unknowns=[Unknown("D", 1.0)])
    theta = rand(ansatz.size)
    views = ansatz.views(theta)
    assert {n: v.shape for n, v in views.items()} == {n: p.shape for n, p in ansatz.named_parameters()}
    assert torch.equal(torch.cat([v.reshape(-1) for v in views.values()]), theta)
    ansatz.load(theta)
    assert torch.equal(ansatz.flat(), theta)
    assert not ansatz.flat().requires_grad
    assert ansatz.size == len(theta)


def test_the_state_is_a_function_of_the_views_and_of_nothing_else():
    ansatz, points = make(), places()
    before = ansatz.flat()
    theta = before + 0.1 * rand(ansatz.size)
    given = ansatz.local(ansatz.views(theta), points, need_of(ansatz)).u.values
    assert torch.equal(ansatz.flat(), before)
    ansatz.load(theta)
    assert torch.equal(given, ansatz.local(ansatz.views(ansatz.flat()), points, need_of(ansatz)).u.values)


def test_a_field_is_shift_plus_scale_times_the_network_of_scaled_coordinates():
    ansatz, points = make(net=MLP(5, 1)), places()
    views = ansatz.views(ansatz.flat())
    w0, b0, w1, b1 = (v for n, v in views.items() if n != "unknowns")
    y = torch.stack([(points["x"] - 1) / 4, (points["t"] - 15) / 5], 1)
    expected = 2.0 + 10.0 * (torch.tanh(y @ w0.T + b0) @ w1.T + b1)[:, 0]
    assert gap(ansatz.local(views, points, need_of(ansatz)).u.values, expected) <= 1e-14


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_derivatives_are_in_the_coordinates_of_the_problem(evaluator):
    ansatz, points = make(evaluator=evaluator), places()
    views = ansatz.views(ansatz.flat())
    s = ansatz.local(views, points, need_of(ansatz, ("t", "x", "x")))

    def u(x, t):
        return make(evaluator="taylor").local(views, Points({"x": x, "t": t}), need_of(ansatz)).u.values

    for index in ("x", "t", "xx", "xt", "xxt"):
        assert gap(getattr(s, f"u_{index}").values, nested_grad(u, points.columns, index)) <= 1e-12


def test_columns_of_points_may_come_in_any_order_with_others_between():
    ansatz, points = make(), places()
    shuffled = Points({"m": points["x"], "t": points["t"], "x": points["x"]})
    views = ansatz.views(ansatz.flat())
    found = ansatz.local(views, shuffled, need_of(ansatz))
    assert torch.equal(found.u.values, ansatz.local(views, points, need_of(ansatz)).u.values)
    assert torch.equal(found.data.m.values, points["x"])


def test_fields_of_the_same_coordinates_share_a_network_and_others_have_their_own():
    ansatz = make(fields=["u", Field("q", of="x"), "v"])
    assert [(p.fields, p.inputs) for p in ansatz.pieces] == [(("u", "v"), ("x", "t")), (("q",), ("x",))]
    views, points = ansatz.views(ansatz.flat()), places()
    s = ansatz.local(views, points, need_of(ansatz, ("x", "x"), ("t",), ("t", "x")))
    moved = Points({"x": points["x"], "t": points["t"] + 1})
    assert gap(s.q.values, ansatz.local(views, moved, need_of(ansatz)).q.values) <= 1e-14
    assert torch.equal((s.u_t + s.q_t).values, s.u_t.values)
    flux = D(s.q * s.u_x, "x").values
    assert gap(flux, (s.q_x * s.u_x + s.q * s.u_xx).values) <= 1e-13


def test_laplacian_of_a_field_of_fewer_coordinates_and_of_its_products():
    square = Rectangle(x=(-1, 1), y=(-1, 1))
    ansatz = make(fields=["u", Field("q", of="x")], domain=square, constraints=(Residual("r", lambda s: s.u),))
    views, points = ansatz.views(ansatz.flat()), places(domain=square)
    collapsed = ansatz.local(views, points, need_of(ansatz, Collapsed(("x", "y"))))
    single = ansatz.local(views, points, need_of(ansatz, ("x", "x"), ("y", "y")))
    assert gap(laplacian(collapsed.q).values, single.q_xx.values) <= 1e-13
    expected = D(single.q * single.u, "x", "x") + D(single.q * single.u, "y", "y")
    assert gap(laplacian(collapsed.q * collapsed.u).values, expected.values) <= 1e-13


def test_the_vanishing_derivative_of_a_field_is_a_batch_of_zeros():
    ansatz = make(fields=["u", Field("q", of="x")])
    s = ansatz.local(ansatz.views(ansatz.flat()), places(), need_of(ansatz, ("t",)))
    assert torch.equal(s.q_t.values, torch.zeros(5, dtype=torch.float64))
    assert torch.equal((1 + s.q_t).values, torch.ones(5, dtype=torch.float64))


@pytest.mark.parametrize(
    ("unknown", "values"),
    [
        (Unknown("D", 2.0), lambda r: 2 + 2 * r),
        (Unknown("D", -2.0), lambda r: -2 + 2 * r),
        (Unknown("D", 0.0), lambda r: r),
        (Unknown("D", 0.5, positive=True), lambda r: 0.5 * math.exp(r)),
    ],
)
def test_unknowns_start_where_they_are_told_and_move_in_their_own_size(unknown, values):
    ansatz = make(unknowns=[unknown])
    theta = ansatz.flat()
    assert ansatz.unknown_values(theta) == {"D": unknown.start}
    for raw in (-3.0, 0.4):
        theta[0] = raw
        views = ansatz.views(theta)
        assert float(views["unknowns"]) == raw
        assert ansatz.unknown_values(theta)["D"] == pytest.approx(values(raw))
        found = ansatz.local(views, places(), need_of(ansatz)).D.values
        assert found.tolist() == pytest.approx([values(raw)] * len(places()))


@pytest.mark.parametrize(
    ("unknown", "reach"),
    [
        (Unknown("D", 2.0), (0.2, 20)),
        (Unknown("D", -2.0), (-0.2, -20)),
        (Unknown("D", 0.0), (-1, 1)),
        (Unknown("D", 0.5, positive=True), (0.05, 5)),
        (Unknown("D", 0.5, bounds=(0, 2)), (0.002, 1.998)),
        (Unknown("D", 1.9999, bounds=(0, 2)), (0.002, 1.9999)),
    ],
)
def test_what_an_unknown_may_be_expected_to_become_it_can_be(unknown, reach):
    assert unknown.reach == pytest.approx(reach)
    assert all(unknown.raw(value) is not None for value in unknown.reach)


@pytest.mark.parametrize("coordinates", ["x", "t", "xt"])
def test_an_exact_periodic_embedding_is_periodic_with_all_derivatives(coordinates):
    wraps = [Periodic(f"wrap {c}", c, hard=True) for c in coordinates]
    ansatz = make(constraints=(PDE, *wraps))
    views = ansatz.views(ansatz.flat() + 0.3 * rand(ansatz.size))
    need = need_of(ansatz, ("t", "t", "x", "x"))
    points = places(9)
    lengths = {"x": 8.0, "t": 10.0}
    for c in coordinates:
        moved = Points({n: points[n] + lengths[c] * (n == c) for n in "xt"})
        near, far = (ansatz.local(views, p, need) for p in (points, moved))
        for name in ("u", "u_x", "u_t", "u_xx", "u_xxtt"):
            assert gap(getattr(far, name).values, getattr(near, name).values) <= 1e-11


def test_the_same_seed_gives_the_same_network_and_another_seed_another():
    assert torch.equal(make(seed=1).flat(), make(seed=1).flat())
    assert not torch.equal(make(seed=1).flat(), make(seed=2).flat())


class Own(nn.Module):
    def __init__(self, inputs=2, outputs=1):
        super().__init__()
        self.layer = nn.Linear(inputs, outputs)

    def forward(self, x):
        return torch.fft.irfft(torch.fft.rfft(torch.tanh(self.layer(x)), dim=-1), n=self.layer.out_features, dim=-1)


def test_any_module_is_taken_and_its_evaluator_chosen():
    ansatz = make(net=nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)))
    assert ansatz.pieces[0].evaluator == "taylor"
    assert all(p.dtype == torch.float64 for p in ansatz.parameters())
    two = make(net=Own(outputs=4), fields=["u", "v", "q", Field("w")], constraints=(Residual("r", lambda s: s.u),))
    assert two.pieces[0].evaluator in ("forward", "reverse")


def test_a_module_of_another_shape_is_refused_with_both_shapes():
    with pytest.raises(ProblemError, match=r"must map \(N, 2\) to \(N, 1\), one column a field; it gave \(N, ...\) = \(2, 3\)"):
        make(net=nn.Linear(2, 3))
    with pytest.raises(ProblemError, match=r"cannot take inputs of shape \(N, 2\)"):
        make(net=nn.Linear(3, 1))
    with pytest.raises(ProblemError, match="each group needs a network of its own: give a specification"):
        make(net=nn.Linear(2, 1), fields=["u", Field("q", of="x")])


@pytest.mark.parametrize("net", ["siren", 3, lambda x: x])
def test_what_is_no_network_is_refused(net):
    with pytest.raises(ProblemError, match="network"):
        make(net=net)


def test_parameters_drawn_before_do_not_depend_on_the_domain_or_the_scales():
    other = make(domain=Box(x=(0, 1), t=(0, 1)), constraints=(Residual("r", lambda s: s.u),))
    assert torch.equal(make().flat(), other.flat())
