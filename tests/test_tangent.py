"""The tangent kernel layer by layer, against the product of explicit Jacobian rows."""

import pytest
import torch
from helpers import bound, gap, rand
from test_objective import PROBLEMS

from pinnsine import tangent
from pinnsine.nets import MLP, Siren
from pinnsine.tangent import Columns, Outer, RowBlock, is_cheaper, tangent_kernel

LAYERED = [name for name in PROBLEMS if name not in ("function without a rule", "sum over an axis")]


def block(count, seed, derivatives=2):
    slopes, inputs = rand(derivatives, count, 5, seed=seed), rand(derivatives, count, 7, seed=seed + 1)
    return RowBlock(count, {"weight": Outer(slopes, inputs), "bias": Columns(slopes[0])})


def explicit(part):
    outer = part.factors["weight"]
    weight = torch.einsum("sno,sni->noi", outer.slopes, outer.inputs).flatten(1)
    return torch.cat([weight, part.factors["bias"].columns], dim=1)


@pytest.mark.parametrize("tile", [3, 4, 1000])
def test_the_kernel_is_the_product_of_the_rows(tile, monkeypatch):
    monkeypatch.setattr(tangent, "TILE", tile)
    blocks = [block(8, seed=1), block(5, seed=3, derivatives=3)]
    jacobian = torch.cat([explicit(b) for b in blocks])
    kernel = tangent_kernel(blocks, jacobian)
    assert gap(kernel, jacobian @ jacobian.T) <= 1e-14
    assert gap(kernel, kernel.T) <= 1e-15


def test_rows_without_a_parameter_have_no_inner_product_by_it():
    left, right = RowBlock(4, {"a": Columns(rand(4, 2))}), RowBlock(3, {"b": Columns(rand(3, 2))})
    kernel = tangent_kernel([left, right], rand(1))
    assert not kernel[:4, 4:].any()
    assert gap(kernel[:4, :4], left.factors["a"].columns @ left.factors["a"].columns.T) <= 1e-15


def test_joined_blocks_are_the_block():
    whole = block(9, seed=5)
    joined = RowBlock.join([whole.select(slice(0, 4)), whole.select(slice(4, 9))])
    assert joined.count == 9
    assert torch.equal(explicit(joined), explicit(whole))


def test_values_of_a_wide_layer_are_cheaper_layer_by_layer_and_many_derivatives_are_not():
    wide = RowBlock(1, {"w": Outer(rand(1, 1, 50), rand(1, 1, 50))})
    derivatives = RowBlock(1, {"w": Outer(rand(6, 1, 50), rand(6, 1, 50))})
    assert is_cheaper([wide])
    assert not is_cheaper([derivatives])


@pytest.mark.parametrize("name", sorted(LAYERED))
def test_every_residual_has_the_kernel_of_its_jacobian(name, monkeypatch):
    monkeypatch.setattr("pinnsine.row_model.is_cheaper", lambda blocks: True)
    objective, theta = bound(PROBLEMS[name](), MLP(6, 2), count=5)
    if any(t.route != "one backward" for t in objective.terms):
        pytest.skip("rows are coupled")
    rows, jacobian = objective.jacobian(theta)
    model = objective.linearise(theta, "dual")
    assert torch.equal(model.rows, rows)
    assert gap(model.kernel, jacobian @ jacobian.T) <= 1e-12


@pytest.mark.parametrize("memory", [2e9, 1e5])
def test_the_step_is_that_of_the_explicit_dual_form(memory, monkeypatch):
    objective, theta = bound(PROBLEMS["value"](), Siren(24, 3), count=40, memory=memory)
    layered = objective.linearise(theta, "dual")
    monkeypatch.setattr("pinnsine.row_model.is_cheaper", lambda blocks: False)
    dense = objective.linearise(theta, "dual")
    assert layered.whole == (memory > 1e6)
    assert gap(layered.kernel, dense.kernel) <= 1e-12
    assert gap(layered.factor(1e-3).solve(layered.rows), dense.factor(1e-3).solve(dense.rows)) <= 1e-9
