"""Every Taylor rule against nested reverse differentiation, to order four in two coordinates."""

import numpy as np
import pytest
import torch
from helpers import columns, gap, jets, multi_indices, nested_grad, rand, state

from pinnsine.calculus import D
from pinnsine.errors import EvaluationError
from pinnsine.index import Collapsed, closure, make_index, splits
from pinnsine.jet import Constant, Opaque
from pinnsine.towers import TOWERS

BATCH = columns("xy", count=6)
INDICES = multi_indices("xy", 4)
CENTRES, WEIGHTS, MATRIX = rand(4, seed=1), rand(4, seed=2), rand(3, 3, seed=3)


def positive(x, y):
    return 1.5 + 0.3 * x - 0.4 * y + 0.5 * x * y


def signed(x, y):
    return 0.1 + 0.9 * x - 0.7 * y + 0.4 * x * x * y


def assert_all_derivatives_match(function, batch=BATCH, indices=INDICES, tolerance=1e-12):
    jet = function(*jets(batch).values())
    for index in indices:
        assert gap(derivative(jet, index), nested_grad(function, batch, index)) <= tolerance, index


def derivative(jet, index):
    """The component of a jet in its full shape; None stands for zero."""
    component = jet.at(index)
    return torch.zeros_like(jet.values) if component is None else component.expand_as(jet.values)


def torch_function(name):
    return torch.nn.functional.softplus if name == "softplus" else getattr(torch, name)


@pytest.mark.parametrize("name", TOWERS)
def test_scalar_function_of_an_expression(name):
    inner = positive if name in ("log", "sqrt", "rsqrt", "reciprocal") else signed
    assert_all_derivatives_match(lambda x, y: torch_function(name)(inner(x, y)))


@pytest.mark.parametrize("name", TOWERS)
def test_tower_is_the_chain_of_derivatives_of_its_function(name):
    z = rand(7, seed=4, low=0.3, high=1.9)
    tower = TOWERS[name](z)
    for order in range(7):
        assert gap(tower(order), nested_grad(torch_function(name), {"z": z}, ("z",) * order)) <= 1e-12, order


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 5, 2.0, -1, -2, -3, np.int64(3)])
def test_integer_powers_of_either_sign(exponent):
    assert_all_derivatives_match(lambda x, y: (signed(x, y) + 0.05) ** exponent)


@pytest.mark.parametrize("exponent", [0.5, 1.5, -0.5, 2.7, -1 / 3, np.float64(0.5)])
def test_fractional_powers_of_positive_values(exponent):
    assert_all_derivatives_match(lambda x, y: positive(x, y) ** exponent)


@pytest.mark.parametrize("exponent", [2, 3, 4])
def test_integer_powers_at_zero(exponent):
    batch = {"x": torch.zeros(1, dtype=torch.float64), "y": torch.ones(1, dtype=torch.float64)}
    assert_all_derivatives_match(lambda x, y: (x * y) ** exponent, batch)


@pytest.mark.parametrize("exponent", [2.0, 3.0, -1.0])
def test_a_zero_dimensional_tensor_as_exponent_of_negative_values(exponent):
    assert_all_derivatives_match(lambda x, y: (x - 2.0 + 0.3 * y) ** torch.tensor(exponent, dtype=torch.float64))


EXPRESSIONS = {
    "product": lambda x, y: signed(x, y) * torch.sin(x + 2 * y),
    "square by product": lambda x, y: signed(x, y) * signed(x, y),
    "quotient": lambda x, y: torch.sin(x) / positive(x, y),
    "quotient of coordinates": lambda x, y: x / (2 + y),
    "power of expressions": lambda x, y: positive(x, y) ** signed(x, y),
    "number to an expression": lambda x, y: 2 ** (x * y),
    "expression over tensor": lambda x, y: torch.sin(x * y) / torch.tensor(3.0, dtype=torch.float64),
    "number over expression": lambda x, y: 2 / positive(x, y),
    "number minus expression": lambda x, y: 1 - x * y * y,
    "nested functions": lambda x, y: torch.exp(torch.sin(torch.tanh(x * y) + y)),
    "angle": lambda x, y: torch.atan2(x - 0.3 * y * y, y - x * x),
    "angle against a tensor": lambda x, y: torch.atan2(torch.ones(6, dtype=torch.float64), x * y),
    "negation": lambda x, y: -(x**3) * y,
    "plus": lambda x, y: +(x**3) * y,
    "built-in abs": lambda x, y: abs(x * y),
    "method": lambda x, y: (x * y).sin().square(),
    "torch.add with alpha": lambda x, y: torch.add(x * x, y * y, alpha=3),
    "torch.sub with alpha": lambda x, y: torch.sub(x * x, y * y * x, alpha=3),
    "torch.rsub": lambda x, y: torch.rsub(x * x, y * y * x),
    "torch.mul, div, pow": lambda x, y: torch.div(torch.mul(x, y), torch.pow(positive(x, y), 2)),
    "broadcast and sum": lambda x, y: (WEIGHTS * torch.sin(x[..., None] * CENTRES + y[..., None])).sum(-1),
    "broadcast of unequal axes": lambda x, y: (torch.cos(x[..., None] - CENTRES) * y[..., None] ** 2).mean(dim=-1),
    "tensor minus expression": lambda x, y: (CENTRES - x[..., None] * y[..., None]).sum(-1) * x,
    "expression over a batch": lambda x, y: (torch.exp(y)[..., None] / (2 + CENTRES)).sum(-1),
    "matmul with a constant": lambda x, y: (torch.stack([x, y * x, y], -1) @ MATRIX).sin().sum(-1),
    "constant matmul": lambda x, y: (MATRIX @ torch.stack([x, y * x, y], 0)).sin().sum(0),
    "matmul of expressions": lambda x, y: (torch.stack([x, y], -1)[:, None, :] @ torch.stack([y, x * y], -1)[..., None])[:, 0, 0],
    "where": lambda x, y: torch.where(x > y, torch.sin(x * y), x**3 * y),
    "where with numbers": lambda x, y: torch.where(x > 0, x * y, 0.5),
    "where, number first": lambda x, y: torch.where(y < 0, 1.0, x * x * y),
    "cat": lambda x, y: torch.cat([torch.sin(x * y)[:, None], (y**3)[:, None]], dim=-1).square().sum(-1),
    "cat with a constant": lambda x, y: torch.cat([(x * y)[:, None], torch.ones(6, 2, dtype=torch.float64)], 1).exp().sum(1),
    "stack": lambda x, y: torch.stack([x * y, torch.cos(x), y], dim=0).exp().sum(0),
    "stack and index": lambda x, y: torch.stack([x * y, torch.cos(x)], dim=1)[:, 1] * torch.stack([x, y], 1)[:, 0],
    "reshape": lambda x, y: ((x * y)[:, None] * CENTRES).reshape(-1, 2, 2).sin().sum((1, 2)),
    "view": lambda x, y: (x[:, None] * torch.ones(4, dtype=torch.float64)).view(-1, 2, 2).sin().sum((1, 2)),
    "view of a broadcast sum": lambda x, y: (x[:, None] * y[:, None] - CENTRES).view(-1, 2, 2).sin().sum((1, 2)),
    "view that merges a broadcast axis": lambda x, y: ((x * y)[:, None] - CENTRES).view(-1).view(6, 4).sin().sum(1),
    "unsqueeze, squeeze": lambda x, y: torch.sin(x.unsqueeze(1) * y.unsqueeze(1)).squeeze(1),
    "expand": lambda x, y: ((x * y).unsqueeze(1).expand(-1, 4) * CENTRES).sin().sum(1),
    "transpose": lambda x, y: (torch.stack([x, x * y], 0).transpose(0, 1) * CENTRES[:2]).sin().sum(1),
    "flip and roll": lambda x, y: torch.stack([x, x * y, y], 1).flip(1).sin().roll(1, 1)[:, 0],
    "cumsum": lambda x, y: torch.stack([x, x * y, y], 1).cumsum(1).sin()[:, 2],
    "clone": lambda x, y: (x * y).clone() ** 2,
}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expression(name):
    assert_all_derivatives_match(EXPRESSIONS[name])


def test_linear_layer_of_expressions():
    weight, bias = rand(4, 3, seed=5), rand(4, seed=6)

    def function(x, y):
        return torch.nn.functional.linear(torch.stack([x, x * y, y * y], -1), weight, bias).tanh().sum(-1)

    assert_all_derivatives_match(function)


LEFT = {
    "float": 2.0,
    "int": 3,
    "numpy float64": np.float64(2.0),
    "numpy float32": np.float32(2.0),
    "numpy int64": np.int64(3),
    "torch.pi": torch.pi,
    "0-d tensor": torch.tensor(2.0, dtype=torch.float64),
    "(N,) tensor": rand(6, seed=7, low=1.0, high=2.0),
}
OPERATORS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
}


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("kind", LEFT)
def test_operators_with_numbers_and_tensors_on_either_side(kind, operator, side):
    constant, operation = LEFT[kind], OPERATORS[operator]

    def function(x, y):
        expression = positive(x, y)
        return operation(constant, expression) if side == "left" else operation(expression, constant)

    plain = torch.as_tensor(constant, dtype=torch.float64)
    expected = operation(plain, positive(*BATCH.values())) if side == "left" else operation(positive(*BATCH.values()), plain)
    assert gap(function(*jets(BATCH).values()).values, expected) <= 1e-15

    def by_torch(x, y):
        return operation(plain, positive(x, y)) if side == "left" else operation(positive(x, y), plain)

    jet = function(*jets(BATCH).values())
    for index in multi_indices("xy", 2):
        assert gap(derivative(jet, index), nested_grad(by_torch, BATCH, index)) <= 1e-12


@pytest.mark.parametrize("operator", OPERATORS)
def test_operators_with_numpy_arrays_are_right_or_refused(operator):
    array = np.linspace(1, 2, 6)
    operation = OPERATORS[operator]
    try:
        found = operation(array, positive(*jets(BATCH).values()))
    except (TypeError, EvaluationError):
        return
    assert gap(found.values, operation(torch.from_numpy(array), positive(*BATCH.values()))) <= 1e-15


def test_numbers_multiply_batches_that_carry_a_graph():
    leaf = rand(6).requires_grad_()
    for number in (np.float64(2.0), np.int64(2), 2.0):
        assert torch.equal((number * Constant(leaf)).values, 2 * leaf)
        assert torch.equal((Constant(leaf) * number).values, 2 * leaf)


COMPARISONS = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


@pytest.mark.parametrize("other", [0.25, torch.full((6,), 0.25, dtype=torch.float64), "y"], ids=["number", "tensor", "jet"])
@pytest.mark.parametrize("sign", COMPARISONS)
def test_comparisons_are_those_of_the_values(sign, other):
    compare = COMPARISONS[sign]
    batch = {**BATCH, "x": torch.tensor([0.25, -1, 1, 0.25, 0, 2], dtype=torch.float64)}
    s = jets(batch)
    right, plain = (s["y"], batch["y"]) if isinstance(other, str) else (other, other)
    for found, expected in (
        (compare(s["x"], right), compare(batch["x"], plain)),
        (compare(right, s["x"]), compare(plain, batch["x"])),
    ):
        assert isinstance(found, torch.Tensor)
        assert torch.equal(found, expected)


@pytest.mark.parametrize("function", [torch.isfinite, torch.sign, torch.floor, torch.ones_like, torch.zeros_like])
def test_piecewise_constant_functions_give_plain_tensors(function):
    found = function(jets(BATCH)["x"])
    assert isinstance(found, torch.Tensor)
    assert torch.equal(found, function(BATCH["x"]))


RULELESS = {
    "atan": torch.atan,
    "relu": torch.relu,
    "clamp": lambda z: z.clamp(min=0),
    "norm": lambda z: torch.linalg.vector_norm(torch.stack([z, z], -1), dim=-1),
    "max along an axis": lambda z: torch.stack([z, 2 * z], -1).max(dim=-1)[0],
    "amax": lambda z: torch.stack([z, 2 * z], -1).amax(dim=-1),
    "sort": lambda z: torch.stack([z, 2 * z], -1).sort(dim=-1)[0][..., 0],
    "prod": lambda z: torch.stack([z, 2 * z], -1).prod(-1),
    "einsum": lambda z: torch.einsum("n,n->n", z, z),
    "fft": lambda z: torch.fft.irfft(torch.fft.rfft(torch.stack([z, 2 * z, z * z], -1)), n=3)[..., 1],
    "softplus with beta": lambda z: torch.nn.functional.softplus(z, beta=2.0),
}


@pytest.mark.parametrize("name", RULELESS)
def test_operations_without_a_rule_keep_the_values_and_refuse_derivatives(name):
    """Or differentiate them rightly: but a derivative is never silently zero, alone or beside a known term."""
    function = RULELESS[name]
    value = function(jets(BATCH)["x"])
    plain = value.values if hasattr(value, "values") and not isinstance(value, torch.Tensor) else value
    assert gap(plain, function(BATCH["x"].clone())) <= 1e-15

    for expression in (lambda z: z * function(z), lambda z: function(z) + z**2):
        try:
            found = D(expression(jets(BATCH)["x"]), "x").values
        except EvaluationError:
            continue
        assert gap(found, nested_grad(lambda x, y, e=expression: e(x), BATCH, ("x",))) <= 1e-12


SPLITTING = {
    "chunk": lambda z: z.chunk(2, dim=-1)[0],
    "split": lambda z: torch.split(z, 1, dim=-1)[0],
    "unbind": lambda z: torch.unbind(z, dim=-1)[0][:, None],
    "tensor_split": lambda z: torch.tensor_split(z, 2, dim=-1)[0],
}


@pytest.mark.parametrize("name", SPLITTING)
def test_functions_that_return_several_tensors_lose_no_derivative(name):
    def function(x, y):
        z = torch.stack([x * y, y], -1)
        return (z[:, :1] + SPLITTING[name](z))[:, 0]

    try:
        found = D(function(*jets(BATCH).values()), "x").values
    except EvaluationError:
        return
    assert gap(found, nested_grad(function, BATCH, ("x",))) <= 1e-12


def test_detach_stops_parameter_gradients_and_keeps_derivatives_by_the_coordinates():
    """Or it refuses them; treating u as a constant in x would be silent."""
    x = jets(BATCH)["x"]
    try:
        found = D((x**2).detach() * x, "x").values
    except EvaluationError:
        return
    assert gap(found, 3 * BATCH["x"] ** 2) <= 1e-14


def test_a_batch_refuses_truth_values_and_iteration():
    x = jets(BATCH)["x"]
    with pytest.raises(EvaluationError, match=r"no single truth value: use torch\.where"):
        bool(x)
    with pytest.raises(EvaluationError, match="cannot be iterated over"):
        list(x)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        x.nonsense  # noqa: B018


def test_derivatives_that_vanish_identically_are_batches_of_zeros():
    s = state(BATCH, u=lambda x, y: x**2)
    zeros = torch.zeros(6, dtype=torch.float64)
    one = torch.tensor(1.0, dtype=torch.float64)
    for expression in (D(s.x, "y"), D(s.x * 3 + 1, "y"), D(s.u, "y"), D(s.x, "x", "x"), D(one * s.x, "y")):
        assert torch.equal(expression.values, zeros)
        assert expression.shape == (6,)
    assert torch.equal(torch.cos(D(s.x, "y")).values, zeros + 1)
    assert torch.equal((1 + D(s.x, "y")).values, zeros + 1)
    assert torch.equal((D(s.x, "y") * D(s.u, "y")).values, zeros)
    assert torch.equal((D(s.x, "y") > 0), zeros > 0)


def test_sums_of_expressions_by_pythons_sum():
    s = jets(BATCH)
    assert torch.equal(sum([s["x"], s["y"]]).values, BATCH["x"] + BATCH["y"])


def test_data_values_refuse_their_derivative_and_name_it():
    opaque = Opaque(BATCH["x"], "The data column 'c' is known at its points only")
    with pytest.raises(EvaluationError, match=r"'c' is known at its points only .*derivative xy"):
        D(opaque * jets(BATCH)["x"], "x", "y").values  # noqa: B018


def test_index_closure_holds_every_lower_derivative_once():
    assert closure([("t", "x", "x")]) == ((), ("t",), ("x",), ("t", "x"), ("x", "x"), ("t", "x", "x"))
    assert closure([Collapsed(("x", "y"))]) == ((), ("x",), ("y",), Collapsed(("x", "y")))
    assert closure([Collapsed(("x", "y")), ("x", "x"), ("y", "y")]) == ((), ("x",), ("y",), ("x", "x"), ("y", "y"))
    assert make_index("yxx") == ("x", "x", "y")


@pytest.mark.parametrize("index", [("x",), ("x", "x"), ("x", "x", "y"), ("x", "x", "y", "y")])
def test_leibniz_multiplicities_sum_to_two_to_the_order(index):
    assert sum(count for count, _, _ in splits(index)) == 2 ** len(index)
    assert all(make_index((*a, *b)) == index for _, a, b in splits(index))
