"""Vector calculus against nested reverse differentiation, and its identities."""

import numpy as np
import pytest
import torch
from helpers import columns, gap, jets, nested_grad, rand, state
from torch import nn

from pinnsine.calculus import D, Vector, advect, curl, div, grad, laplacian, normal_derivative
from pinnsine.errors import EvaluationError, ProblemError
from pinnsine.evaluate import taylor
from pinnsine.index import Collapsed
from pinnsine.jet import Context, Coordinate, values
from pinnsine.local import Local, Names
from pinnsine.nets import Siren

PLANE, SOLID = columns("xy", seed=1), columns("xyz", seed=2)


def wave(x, y, z=0.3):
    return torch.sin(1.3 * x - 0.7 * y + z) * torch.exp(0.4 * x * y)


def other(x, y, z=0.5):
    return torch.cos(x + y * y) / (2 + x * z)


def third(x, y, z):
    return torch.tanh(x * y + z) + x * z**2


def space_of_three():
    return state(SOLID, u=wave, v=other, w=third)


class Network(nn.Module):
    """A sine network behind another one: both act on all derivatives together."""

    def __init__(self, inputs):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.inner, self.outer = Siren(5, 2).build(inputs, 2, generator), Siren(4, 1).build(2, 2, generator)

    def forward(self, x):
        return self.outer(torch.sin(self.inner(x)))


def trained(batch, need, space=None):
    """The state in which u and v are the outputs of a network, evaluated by taylor with the derivatives of ``need``."""
    names = tuple(batch)
    context = Context(space=names if space is None else space)
    coordinates = {n: Coordinate(n, c, context) for n, c in batch.items()}
    stack = taylor(Network(len(names)), torch.stack([*batch.values()], 1), names, need, context)
    return Local(Names(names, ("u", "v")), context, coordinates, {"u": stack[:, 0], "v": stack[:, 1]})


def output(column, dimension):
    """The function of coordinates that ``trained`` has as u (0) or v (1)."""
    module = Network(dimension)
    return lambda *x: module(torch.stack(x, 1))[:, column]


@pytest.mark.parametrize("names", ["x", "y", "xx", "xy", "xxy", "xyyy"])
def test_repeated_and_mixed_derivatives_in_any_order(names):
    s = state(PLANE, u=wave)
    expected = nested_grad(wave, PLANE, tuple(names))
    one_by_one = s.u
    for name in names:
        one_by_one = D(one_by_one, name)
    for found in (getattr(s, f"u_{names}"), D(s.u, *names), D(s.u, *reversed(names)), one_by_one):
        assert gap(found.values, expected) <= 1e-12


COEFFICIENTS = {
    "polynomial": lambda x: 1 + x**2,
    "polynomial from the left": lambda x: np.float64(1.0) + x * x,
    "function": lambda x: torch.exp(torch.sin(x)),
    "quotient": lambda x: torch.pi / (3 + x),
}


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_derivative_of_a_flux_keeps_that_of_its_coefficient(name):
    k, s = COEFFICIENTS[name], state(PLANE, u=wave)
    found = D(k(s.x) * s.u_x, "x").values
    k_x = nested_grad(lambda x, y: torch.as_tensor(k(x)), PLANE, ("x",))
    expected = k_x * nested_grad(wave, PLANE, ("x",)) + k(PLANE["x"]) * nested_grad(wave, PLANE, ("x", "x"))
    assert gap(found, expected) <= 1e-12


def test_derivative_of_a_flux_of_a_network_keeps_that_of_its_coefficient():
    s = trained(PLANE, [("x", "x")])
    u = output(0, 2)
    expected = 2 * PLANE["x"] * nested_grad(u, PLANE, ("x",))
    expected = expected + (1 + PLANE["x"] ** 2) * nested_grad(u, PLANE, ("x", "x"))
    assert gap(D((1 + s.x**2) * s.u_x, "x").values.detach(), expected) <= 1e-12


def test_gradient_and_divergence_are_the_partial_derivatives():
    s = space_of_three()
    for component, name in zip(grad(s.u), "xyz", strict=True):
        assert gap(component.values, nested_grad(wave, SOLID, name)) <= 1e-12
    expected = sum(nested_grad(f, SOLID, n) for f, n in ((wave, "x"), (other, "y"), (third, "z")))
    assert gap(div(s.vector("u", "v", "w")).values, expected) <= 1e-12


def test_time_and_parameters_take_no_part_in_vector_calculus():
    s = state(SOLID, space="xy", u=wave)
    assert len(grad(s.u)) == 2
    expected = nested_grad(wave, SOLID, "xx") + nested_grad(wave, SOLID, "yy")
    assert gap(laplacian(s.u).values, expected) <= 1e-12
    assert gap(div(grad(s.u)).values, expected) <= 1e-12


def test_curl_of_a_gradient_and_divergence_of_a_curl_vanish():
    s = space_of_three()
    scale = max(float(nested_grad(wave, SOLID, i).abs().max()) for i in ("xy", "yz", "xz"))
    for component in curl(grad(s.u)):
        assert float(component.values.abs().max()) <= 1e-14 * scale
    assert float(div(curl(s.vector("u", "v", "w"))).values.abs().max()) <= 1e-13
    plane = state(PLANE, u=wave)
    assert float(curl(grad(plane.u)).values.abs().max()) <= 1e-14


def test_curl_of_a_rotation_is_twice_its_axis():
    s = jets(SOLID)
    rotation = Vector(2 * s["z"] - 3 * s["y"], 3 * s["x"] - s["z"], s["y"] - 2 * s["x"])
    for component, expected in zip(curl(rotation), (2.0, 4.0, 6.0), strict=True):
        assert torch.allclose(component.values, torch.full((6,), expected, dtype=torch.float64))
    plane = jets(PLANE)
    assert torch.equal(curl(Vector(-plane["y"], plane["x"])).values, torch.full((6,), 2.0, dtype=torch.float64))


def test_curl_of_a_curl_is_gradient_of_divergence_minus_laplacian():
    V = space_of_three().vector("u", "v", "w")
    left, right = curl(curl(V)), grad(div(V)) - laplacian(V)
    for a, b in zip(left, right, strict=True):
        assert gap(a.values, b.values) <= 1e-12


def test_product_rules_of_the_divergence():
    s = space_of_three()
    V = s.vector("u", "v", "w")
    found, expected = div(s.u * V), s.u * div(V) + advect(V, s.u)
    assert gap(found.values, expected.values) <= 1e-12
    cross = Vector(V[1] * s.z - V[2] * s.y, V[2] * s.x - V[0] * s.z, V[0] * s.y - V[1] * s.x)  # V x (x, y, z)
    position = Vector(s.x, s.y, s.z)
    assert gap(div(cross).values, (position.dot(curl(V)) - V.dot(curl(position))).values) <= 1e-12


def test_advection_of_a_scalar_and_of_the_velocity_itself():
    s = state(PLANE, u=wave, v=other)
    V, u, v = s.vector("u", "v"), wave(*PLANE.values()), other(*PLANE.values())
    expected = [u * nested_grad(f, PLANE, "x") + v * nested_grad(f, PLANE, "y") for f in (wave, other)]
    assert gap(advect(V, s.u).values, expected[0]) <= 1e-12
    for found, truth in zip(advect(V, V), expected, strict=True):
        assert gap(found.values, truth) <= 1e-12
    constant = advect(Vector(2.0, -1.0), s.u)
    assert gap(constant.values, 2 * nested_grad(wave, PLANE, "x") - nested_grad(wave, PLANE, "y")) <= 1e-12


LAPLACIANS = {
    "field": lambda s: s.u,
    "product": lambda s: s.u * s.v,
    "square": lambda s: s.u**2,
    "quotient": lambda s: s.u / (2 + s.v**2),
    "nested functions": lambda s: torch.exp(torch.sin(s.u * s.x) + s.v),
    "coefficient": lambda s: (1 + s.x**2) * s.u + s.y,
    "sum over an axis": lambda s: (torch.sin(s.u[:, None] * torch.arange(3.0, dtype=torch.float64)) * s.v[:, None]).sum(-1),
    "derivative of the field": lambda s: s.u_x * s.v,
    "coordinates alone": lambda s: s.x**2 * s.y + torch.sin(s.y),
}
SECOND_ORDER = [Collapsed(("x", "y"))]


@pytest.mark.parametrize("name", LAPLACIANS)
def test_collapsed_laplacian_of_an_expression_is_the_sum_of_its_second_derivatives(name):
    expression = LAPLACIANS[name]
    s = state(PLANE, u=wave, v=other)
    found, separate = laplacian(expression(s)).values, D(expression(s), "x", "x") + D(expression(s), "y", "y")
    assert gap(found, separate.values) <= 1e-12


@pytest.mark.parametrize("name", [n for n in LAPLACIANS if n != "derivative of the field"])
def test_collapsed_laplacian_of_networks_is_the_sum_of_their_second_derivatives(name):
    expression = LAPLACIANS[name]
    collapsed, full = trained(PLANE, SECOND_ORDER), trained(PLANE, [("x", "x"), ("y", "y"), ("x", "y")])
    with pytest.raises(EvaluationError, match="The derivative xx was not seen"):
        collapsed.u_xx.values  # noqa: B018 - the sum is carried, not its parts
    found = laplacian(expression(collapsed)).values
    separate = D(expression(full), "x", "x") + D(expression(full), "y", "y")
    assert gap(found, separate.values) <= 1e-12
    assert gap(laplacian(expression(full)).values, separate.values) <= 1e-12


def test_laplacian_of_a_vector_is_that_of_each_component():
    s = state(PLANE, u=wave, v=other)
    for found, f in zip(laplacian(s.vector("u", "v")), (wave, other), strict=True):
        assert gap(found.values, nested_grad(f, PLANE, "xx") + nested_grad(f, PLANE, "yy")) <= 1e-12


def test_laplacian_of_a_laplacian_is_the_biharmonic_operator():
    expected = sum(c * nested_grad(wave, PLANE, i) for c, i in ((1, "xxxx"), (2, "xxyy"), (1, "yyyy")))
    s = state(PLANE, u=wave)
    assert gap(laplacian(laplacian(s.u)).values, expected) <= 1e-12
    need = [tuple(i) for i in ("xxxx", "xxyy", "yyyy")]
    found = laplacian(laplacian(trained(PLANE, need).u)).values
    u = output(0, 2)
    expected = sum(c * nested_grad(u, PLANE, i) for c, i in ((1, "xxxx"), (2, "xxyy"), (1, "yyyy")))
    assert gap(found.detach(), expected) <= 1e-12


def test_derivatives_of_a_laplacian():
    s = state(PLANE, u=wave, v=other)
    expected = nested_grad(wave, PLANE, "xxx") + nested_grad(wave, PLANE, "xyy")
    assert gap(D(laplacian(s.u), "x").values, expected) <= 1e-12
    found = laplacian(s.v * laplacian(s.u)).values
    lap = D(s.u, "x", "x") + D(s.u, "y", "y")
    assert gap(found, (D(s.v * lap, "x", "x") + D(s.v * lap, "y", "y")).values) <= 1e-12


def test_normal_derivative_is_the_slope_along_the_outward_normal():
    normal = {"x": torch.full((6,), 0.6, dtype=torch.float64), "y": torch.full((6,), -0.8, dtype=torch.float64)}
    s = state(PLANE, normal=normal, u=wave)
    expected = 0.6 * nested_grad(wave, PLANE, "x") - 0.8 * nested_grad(wave, PLANE, "y")
    assert gap(s.u_n.values, expected) <= 1e-12
    assert gap(normal_derivative(s.u).values, expected) <= 1e-12
    squared = normal_derivative(s.u * s.u)
    assert gap(squared.values, 2 * wave(*PLANE.values()) * expected) <= 1e-12
    assert torch.equal(s.n_x.values, normal["x"])
    assert torch.equal(s.normal("y").values, normal["y"])
    with pytest.raises(ProblemError, match="exists on a boundary only"):
        state(PLANE, u=wave).u_n  # noqa: B018


def test_vector_arithmetic_is_componentwise():
    s = state(PLANE, u=wave, v=other)
    V = s.vector("u", "v")
    u, v = wave(*PLANE.values()), other(*PLANE.values())

    def assert_components(vector, *expected):
        for found, truth in zip(vector, expected, strict=True):
            assert torch.allclose(torch.as_tensor(values(found)), truth, rtol=0, atol=1e-15)

    assert_components(V + V, 2 * u, 2 * v)
    assert_components(V - (1.0, s.x), u - 1, v - PLANE["x"])
    assert_components((1.0, 2.0) - V, 1 - u, 2 - v)
    assert_components(2 * V * s.x, 2 * u * PLANE["x"], 2 * v * PLANE["x"])
    assert_components(np.float64(2) * V, 2 * u, 2 * v)
    assert_components(s.x * V, u * PLANE["x"], v * PLANE["x"])
    assert_components(PLANE["x"] * V, u * PLANE["x"], v * PLANE["x"])
    assert_components(V / 2, u / 2, v / 2)
    assert_components(-V, -u, -v)
    assert torch.allclose(V.dot(V).values, u * u + v * v)
    assert_components(D(V, "x"), nested_grad(wave, PLANE, "x"), nested_grad(other, PLANE, "x"))


def test_vectors_of_unequal_length_and_products_of_vectors_are_refused():
    s = space_of_three()
    with pytest.raises(ProblemError, match="vector of 2 components needs another of the same length here, got 3 components"):
        s.vector("u", "v") + s.vector("u", "v", "w")
    with pytest.raises(ProblemError, match="needs another of the same length here, got float"):
        s.vector("u", "v") + 1.0
    with pytest.raises(ProblemError, match=r"write a\.dot\(b\)"):
        s.vector("u", "v") * s.vector("u", "v")
    with pytest.raises(ProblemError, match=r"write a\.dot\(b\)|vector"):
        s.vector("u", "v") / s.vector("u", "v")
    with pytest.raises(ProblemError, match="at least one component"):
        Vector()
    with pytest.raises(ProblemError, match="div needs one component for each of x, y, z, got 2"):
        div(s.vector("u", "v"))
    with pytest.raises(ProblemError, match="curl needs two or three components"):
        curl(s.vector("u", "v"))


def test_a_constant_first_component_does_not_hide_the_space():
    s = state(PLANE, u=wave)
    assert gap(div(Vector(1.0, s.u)).values, nested_grad(wave, PLANE, "y")) <= 1e-12
    assert gap(curl(Vector(0.0, s.u)).values, nested_grad(wave, PLANE, "x")) <= 1e-12


def test_operators_need_space_and_names():
    s = state(PLANE, space=(), u=wave)
    with pytest.raises(ProblemError, match="laplacian runs over the space coordinates"):
        laplacian(s.u)
    with pytest.raises(ProblemError, match=r'D\(expression, "x"\)'):
        D(s.u)
    with pytest.raises(ProblemError, match="got a plain tensor, whose derivatives are not known"):
        D(rand(6), "x")


def test_the_derivative_of_a_number_is_zero():
    s = state(PLANE, u=wave)
    assert torch.equal((s.u + D(2.0, "x")).values, s.u.values)
    assert torch.equal((s.u + D(torch.tensor(2.0), "x")).values, s.u.values)


def test_plain_functions_of_expressions_work_as_conditions():
    s = state(PLANE, u=wave)
    u, x = wave(*PLANE.values()), PLANE["x"]
    found = torch.where((s.x > 0) & (s.u <= 0.5), s.u, -s.u)
    assert torch.equal(found.values, torch.where((x > 0) & (u <= 0.5), u, -u))
    assert (
        gap(
            D(torch.where(s.x > 0, s.u, s.u**2), "x").values,
            torch.where(x > 0, 1.0, 2 * u) * nested_grad(wave, PLANE, "x"),
        )
        < 1e-12
    )


def test_an_expression_of_a_network_without_a_rule_gives_values_and_refuses_derivatives():
    s = trained(PLANE, [("x", "x")])
    u = output(0, 2)(*PLANE.values())
    expression = s.u_xx + torch.atan(s.u)
    assert gap(expression.values, s.u_xx.values + torch.atan(u)) <= 1e-14
    with pytest.raises(EvaluationError, match="'atan' has no Taylor rule"):
        D(s.u + torch.atan(s.u), "x").values  # noqa: B018


def test_a_module_applied_to_derivatives_of_a_network_in_a_residual():
    """A learned law k(u_xx): the layer's own values need no derivatives beyond those that the residual asks for."""
    law = nn.Sequential(nn.Linear(1, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    s = trained(PLANE, [("x", "x")])
    found = law(s.u_xx[:, None])[:, 0].values
    assert gap(found, law(s.u_xx.values[:, None])[:, 0]) <= 1e-14
