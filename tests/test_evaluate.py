"""Three evaluators, one answer: taylor, forward and reverse give the same derivatives of the same network."""

import pytest
import torch
from helpers import gap, multi_indices, nested_grad, rand
from torch import nn

from pinnsine.errors import EvaluationError, ProblemError
from pinnsine.evaluate import EVALUATORS, choose_evaluator
from pinnsine.index import Collapsed
from pinnsine.nets import MLP, Siren

NETWORKS = {
    "siren": Siren(6, 3, omega=2.0),
    "tanh": MLP(6, 2),
    "sigmoid": MLP(6, 2, activation="sigmoid"),
    "softplus": MLP(6, 2, activation="softplus"),
    "sin": MLP(6, 2, activation="sin"),
}
NAMES = ("x", "y", "z")


def network(kind, dimension, outputs=2):
    return NETWORKS[kind].build(dimension, outputs, torch.Generator().manual_seed(0))


def components(evaluator, module, points, names, need):
    stack = EVALUATORS[evaluator](module, points, names, need)
    return {index: stack.at(index).detach() for index in need}


SIZES = [(kind, dimension) for dimension in (1, 2) for kind in NETWORKS] + [("siren", 3), ("tanh", 3)]


@pytest.mark.parametrize(("kind", "dimension"), SIZES)
def test_evaluators_agree_to_order_four_mixed_derivatives_included(kind, dimension):
    module, names = network(kind, dimension), NAMES[:dimension]
    points, need = rand(3, dimension, seed=1), multi_indices(names, 4)
    truth = components("reverse", module, points, names, need)
    for evaluator in ("taylor", "forward"):
        found = components(evaluator, module, points, names, need)
        for index in need:
            assert gap(found[index], truth[index]) <= 1e-12, (evaluator, index)


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_derivatives_are_those_of_nested_differentiation(evaluator):
    module = network("siren", 2)
    batch = dict(zip("xy", rand(2, 5, seed=2), strict=True))
    need = [("x",), ("x", "y"), ("y", "y"), ("x", "x", "y")]
    found = components(evaluator, module, torch.stack([*batch.values()], 1), ("x", "y"), need)
    for column in range(2):
        for index in need:
            expected = nested_grad(lambda x, y, k=column: module(torch.stack([x, y], 1))[:, k], batch, index)
            assert gap(found[index][:, column], expected) <= 1e-12


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("kind", NETWORKS)
def test_collapsed_laplacian_is_the_sum_of_second_derivatives(kind, evaluator):
    module, points = network(kind, 3), rand(5, 3, seed=3)
    seconds = components("reverse", module, points, NAMES, [(n, n) for n in NAMES])
    laplacian = Collapsed(NAMES)
    found = components(evaluator, module, points, NAMES, [laplacian])[laplacian]
    assert gap(found, sum(seconds.values())) <= 1e-12
    over_two = Collapsed(("x", "y"))
    with_third = components(evaluator, module, points, NAMES, [over_two, ("z", "z"), ("x", "z")])
    assert gap(with_third[over_two], seconds["x", "x"] + seconds["y", "y"]) <= 1e-12
    assert gap(with_third["z", "z"], seconds["z", "z"]) <= 1e-12


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_the_names_give_the_columns_whatever_their_order(evaluator):
    module = nn.Sequential(network("tanh", 2, outputs=1))
    points = rand(4, 2, seed=4)
    one = components(evaluator, module, points, ("x", "t"), [("x",), ("t", "t")])
    swapped = components(evaluator, module, points, ("t", "x"), [("t",), ("x", "x")])
    assert torch.equal(one["x",], swapped["t",])
    assert torch.equal(one["t", "t"], swapped["x", "x"])


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_a_derivative_that_was_not_asked_for_is_refused_by_name(evaluator):
    stack = EVALUATORS[evaluator](network("tanh", 2), rand(3, 2), ("x", "y"), [("x", "x")])
    with pytest.raises(EvaluationError, match="The derivative xy was not seen when the constraint was traced"):
        stack.at(("x", "y"))


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_values_and_derivatives_carry_parameter_gradients(evaluator):
    module, points = network("siren", 2, outputs=1), rand(4, 2, seed=5)

    def gradients(name):
        stack = EVALUATORS[name](module, points, ("x", "y"), [("x", "x")])
        loss = sum((stack.at(i) ** 2).sum() for i in ((), ("x",), ("x", "x")))
        return torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, list(module.parameters()))])

    assert gap(gradients(evaluator), gradients("reverse")) <= 1e-12


def test_a_linear_network_has_zero_second_derivatives():
    module = nn.Linear(2, 1, dtype=torch.float64)
    for evaluator in EVALUATORS:
        found = components(evaluator, module, rand(3, 2), ("x", "y"), [("x", "x"), ("x", "y")])
        assert all(torch.equal(value, torch.zeros(3, 1, dtype=torch.float64)) for value in found.values())


class Module(nn.Module):
    """A network whose forward is a given function of the input and a hidden layer."""

    def __init__(self, function):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Linear(2, 4, dtype=torch.float64), nn.Linear(4, 1, dtype=torch.float64)
        self.extra = nn.Parameter(torch.rand(4, dtype=torch.float64) + 0.5)
        self.function = function

    def forward(self, x):
        return self.last(self.function(self, torch.tanh(self.first(x))))


def doubled_in_place(net, h):
    h = h + 0
    h.mul_(2.0)
    return h


def gated(net, h):
    a, b = h.chunk(2, dim=-1)
    return h + torch.cat([a * torch.sigmoid(b), b], -1)


MODULES = {
    "plain": lambda net, h: h,
    "own parameter": lambda net, h: net.extra * h,
    "residual connection": lambda net, h: h + torch.sin(net.extra * h),
    "einsum": lambda net, h: torch.einsum("ni,i->ni", h, net.extra),
    "layer norm": lambda net, h: nn.functional.layer_norm(h, (4,)),
    "fft": lambda net, h: torch.fft.irfft(torch.fft.rfft(h, dim=-1) * (1 + 1j), n=4, dim=-1),
    "gate by chunk": gated,
    "chunk beside a layer": lambda net, h: h + torch.cat(h.chunk(2, dim=-1)[::-1], -1),
    "largest beside a layer": lambda net, h: h + h.max(dim=-1, keepdim=True)[0],
    "in place": doubled_in_place,
    "softplus with beta": lambda net, h: nn.functional.softplus(h, beta=3.0),
    "softplus module": lambda net, h: nn.Softplus()(h),
    "silu": lambda net, h: nn.functional.silu(h),
    "gelu": lambda net, h: nn.functional.gelu(h),
    "middle axis": lambda net, h: h.unsqueeze(1).sin().squeeze(1),
    "normalised": lambda net, h: h / h.square().sum(-1, keepdim=True).sqrt(),
    "where": lambda net, h: torch.where(h > 0, h, 0.1 * h * h),
    "dropout in evaluation": lambda net, h: nn.functional.dropout(h, 0.5, training=False),
    "type check": lambda net, h: h * 2 if isinstance(h, torch.Tensor) else 1 / 0,
    "value check": lambda net, h: h * 2 if torch.is_tensor(h) else int("a jet"),
    "assertion": lambda net, h: h * 2 if torch.is_tensor(h) else [][0],
}


@pytest.mark.parametrize("name", MODULES)
def test_the_automatic_choice_is_right_for_every_module(name):
    module, points = Module(MODULES[name]), rand(5, 2, seed=6)
    need = [("x",), ("x", "y"), ("y", "y")]
    choice = choose_evaluator("auto", module, points, ("x", "y"))
    found = components(choice, module, points, ("x", "y"), need)
    truth = components("reverse", module, points, ("x", "y"), need)
    for index in need:
        assert gap(found[index], truth[index]) <= 1e-12, (choice, index)


def test_the_automatic_choice_is_taylor_where_every_operation_has_a_rule():
    points = rand(2, 2)
    for kind in NETWORKS:
        assert choose_evaluator("auto", network(kind, 2), points, ("x", "y")) == "taylor"
    assert choose_evaluator("auto", Module(MODULES["fft"]), points, ("x", "y")) == "forward"


class WithoutForwardMode(torch.autograd.Function):
    """atan with a reverse rule alone."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.atan(x)

    @staticmethod
    def backward(ctx, slope):
        return slope / (1 + ctx.saved_tensors[0] ** 2)


def test_the_automatic_choice_falls_back_to_reverse():
    module = Module(lambda net, h: WithoutForwardMode.apply(h))
    points = rand(3, 2)
    assert choose_evaluator("auto", module, points, ("x", "y")) == "reverse"
    found = components("reverse", module, points, ("x", "y"), [("x", "x")])["x", "x"]
    expected = components("reverse", Module(lambda net, h: torch.atan(h)), points, ("x", "y"), [("x", "x")])["x", "x"]
    assert gap(found, expected) <= 1e-12


@pytest.mark.parametrize("name", ["fft", "layer norm", "silu"])
def test_taylor_asked_for_by_name_refuses_an_operation_without_a_rule(name):
    with pytest.raises(EvaluationError, match="has no Taylor rule"):
        EVALUATORS["taylor"](Module(MODULES[name]), rand(3, 2), ("x", "y"), [("x",)])


def test_taylor_refuses_a_module_that_returns_no_expression():
    module = Module(lambda net, h: h)
    module.forward = lambda x: torch.zeros(3, 1, dtype=torch.float64)
    with pytest.raises(EvaluationError):
        EVALUATORS["taylor"](module, rand(3, 2), ("x", "y"), [("x",)])


def test_unknown_evaluator_names_the_known_ones():
    with pytest.raises(ProblemError, match="Unknown evaluator 'tailor': choose one of 'auto', 'taylor', 'forward', 'reverse'"):
        choose_evaluator("tailor", network("tanh", 2), rand(2, 2), ("x", "y"))


def test_a_plane_wave_has_its_known_derivatives():
    module = Siren(1, 1).build(2, 1, torch.Generator())
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), ([[2.0, 3.0]], [0.0], [[1.0]], [0.0]), strict=True):
            parameter.copy_(torch.tensor(value))
    points = rand(5, 2, seed=7)
    phase = 2 * points[:, :1] + 3 * points[:, 1:]
    for evaluator in EVALUATORS:
        found = components(evaluator, module, points, ("x", "t"), [("t", "x", "x"), Collapsed(("x", "t"))])
        assert gap(found["t", "x", "x"], -12 * torch.cos(phase)) <= 1e-14
        assert gap(found[Collapsed(("x", "t"))], -13 * torch.sin(phase)) <= 1e-14
