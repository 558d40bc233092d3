"""Sines under windows: a local cosine basis, orthogonal on the line, of which every point sees two functions a mode and coordinate."""

import itertools
import math

import numpy as np
import pytest
import torch
from helpers import gap, rand

import pinnsine as ps
from pinnsine.errors import ProblemError
from pinnsine.evaluate import EVALUATORS, choose_evaluator
from pinnsine.local_sum import LocalInput, local_sum
from pinnsine.nets import LocalSines, from_record, to_record


def build(spec, inputs=2, outputs=1, seed=0):
    return spec.build(inputs, outputs, torch.Generator().manual_seed(seed))


def functions(module, x):
    """All functions of a module (N, P) at points (N, d)."""
    rows = torch.eye(module.weight.shape[1], dtype=torch.float64)
    return torch.cat([torch.func.functional_call(module, {"weight": part}, (x,)) for part in rows.split(len(module.weight))], dim=1)


def test_a_sum_over_some_columns_is_the_dense_product_with_zeros_elsewhere():
    x, weight = rand(7, 4), rand(3, 9, seed=1)
    columns = torch.stack([torch.randperm(9, generator=torch.Generator().manual_seed(k))[:4] for k in range(7)])
    inputs = LocalInput(x[None], columns, 9)
    dense = inputs.stacked()
    assert int((dense != 0).sum()) == x.numel()
    assert gap(local_sum(x, weight, columns), dense[0] @ weight.T) <= 1e-15
    slopes = rand(1, 7, 3, seed=2)
    assert gap(inputs.outer(slopes, 1, slice(1, 5)), torch.einsum("no,ni->noi", slopes[0, 1:5], dense[0, 1:5])) <= 1e-15


def test_the_functions_are_those_of_the_formula():
    module, x = build(LocalSines((2, 1), (3, 2))), rand(40, 2)
    found = functions(module, x)
    bell = lambda z: torch.where(z.abs() < 1, torch.sin(math.pi / 2 * torch.cos(math.pi / 2 * z) ** 2), 0 * z)  # noqa: E731
    column = 0
    for i, j in itertools.product(range(3), range(2)):
        z = [(x[:, 0] + 1 - i * 1.0) / 1.0, (x[:, 1] + 1 - j * 2.0) / 2.0]
        for k in itertools.product(range(3), range(2)):
            expected = math.prod(bell(z[a]) * math.sqrt(2) * torch.cos((k[a] + 0.5) * math.pi * (z[a] + 0.5)) for a in range(2))
            assert gap(found[:, column], expected / math.sqrt(1 + sum((a + 0.5) ** 2 for a in k))) <= 1e-14
            column += 1
    assert column == found.shape[1]


def test_the_functions_of_inner_windows_are_orthogonal_over_a_cell():
    """Their products, by the trapezoidal rule; the window and its derivative vanish at its ends, so that it is exact to 1e-9."""
    cells, modes, count = 6, 5, 6 * 400
    x = torch.linspace(-1, 1, count + 1, dtype=torch.float64)[:, None]
    values = functions(build(LocalSines(cells, modes), inputs=1), x)[:, modes:-modes]  # the outermost windows are cut by the ends
    products = values.T @ values * (cells / count)
    squares = 1 / (1 + (torch.arange(modes, dtype=torch.float64) + 0.5) ** 2)
    assert gap(products, squares.repeat(cells - 1).diag()) <= 3e-9


def test_what_the_rows_leave_open_is_smooth():
    """48 x 48 pixels of a smooth function, half a pixel off the grid; without the weights of the wave numbers 40 dB."""
    x, y = np.meshgrid(*[(np.arange(48) + 0.5) / 48] * 2)
    image = 0.5 + 0.3 * np.sin(5 * x) * np.cos(4 * y)
    solution = ps.solve(ps.fit.image(image), progress=False, estimate=False, time=60)
    assert isinstance(solution.ansatz.net, LocalSines)
    assert ps.fit.quality(solution, image).between > 50  # 53.9


def test_derivatives_are_exact_and_taken_by_taylor_rules():
    module, x = build(LocalSines((3, 4), (3, 2)), outputs=2), rand(20, 2)
    need = [("x",), ("y",), ("x", "y"), ("x", "x"), ("y", "y")]
    found, truth = (EVALUATORS[name](module, x, ("x", "y"), need).tensor.detach() for name in ("taylor", "reverse"))
    assert gap(found, truth) <= 1e-12 * float(truth.abs().max())
    ends = torch.tensor([[-1.0, -1], [1, 1]], dtype=torch.float64)
    assert choose_evaluator("auto", module, ends, ("x", "y")) == "taylor"


def test_specifications_are_recorded_and_unsound_ones_refused():
    spec = LocalSines((4, 5), 6)
    assert from_record(to_record(spec)) == spec
    with pytest.raises(ProblemError, match="at least one of its modes"):
        LocalSines(4, 0)
    with pytest.raises(ProblemError, match="is not for 3 inputs"):
        build(spec, inputs=3)
