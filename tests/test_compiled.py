"""Compiled gradients: the numbers of the eager ones, and what happens where they are not. The compiler itself runs in the slow tests alone."""

import math
from dataclasses import replace

import pytest
import torch
from helpers import bound, gap

import pinnsine as ps
from pinnsine.compiled import HELD, SIZES, Compiler, block
from pinnsine.objective import Objective


def problem():
    domain = ps.Interval("x", -1, 1) * ps.Time(0, 1)
    return ps.Problem(
        domain,
        "u",
        [
            ps.Residual("burgers", lambda s: s.u_t + s.u * s.u_x - s.nu * s.u_xx, weight=lambda s: 1 + s.x**2),
            ps.Data("probe", ps.Points({"x": [0.1, 0.2, 0.3], "t": [0.5, 0.5, 0.6], "v": [1.0, 2.0, 3.0]}), u="v", sigma=0.1),
        ],
        unknowns=[ps.Unknown("nu", 0.1, positive=True)],
    )


def compiling(count=40, memory=2e9):
    """The objective of the problem, the same with a compiler, and parameters."""
    plain, theta = bound(problem(), count=count, memory=memory)
    compiler = Compiler()
    terms = tuple(replace(t, compiler=compiler) for t in plain.terms)
    return plain, Objective(plain.ansatz, terms, plain.points, memory), theta, compiler


@pytest.fixture
def recorded(monkeypatch):
    """The recorded graph in place of the compiled one."""
    monkeypatch.setattr(torch, "compile", lambda graph: graph)


def same(found, expected):
    assert found[0] == pytest.approx(expected[0], rel=1e-13)
    assert gap(found[1], expected[1]) <= 1e-12


def test_the_recorded_step_gives_loss_and_gradient_at_any_parameters(recorded):
    plain, compiled, theta, compiler = compiling()
    for point in (theta, theta + 0.3, 0.5 * theta):
        same(compiled.loss_and_gradient(point), plain.loss_and_gradient(point))
    assert compiler.graphs == 2
    assert 0 < compiler.seconds < 100


def test_weights_and_other_points_take_the_same_graphs(recorded):
    plain, compiled, theta, compiler = compiling()
    compiled.loss_and_gradient(theta)
    weights = {"burgers": 0.3, "probe": 7.0}
    same(compiled.weighted(weights).loss_and_gradient(theta), plain.weighted(weights).loss_and_gradient(theta))
    other = {"burgers": bound(problem(), count=40, seed=5)[0].points["burgers"]}
    same(compiled.with_points(other).loss_and_gradient(theta), plain.with_points(other).loss_and_gradient(theta))
    assert compiler.graphs == 2


def test_weights_of_points_are_columns_of_the_graph(recorded):
    plain, compiled, theta, _ = compiling()
    weights = {"burgers": torch.linspace(0.1, 2, 40, dtype=torch.float64), "probe": 1.0}
    for factor in (1.0, 3.0):
        heavy = {"burgers": factor * weights["burgers"], "probe": 1.0}
        same(compiled.weighted(heavy).loss_and_gradient(theta), plain.weighted(heavy).loss_and_gradient(theta))


def test_pieces_and_batches_of_one_size_share_a_graph_and_few_sizes_are_compiled(recorded):
    plain, compiled, theta, compiler = compiling()
    for part, expected in zip(compiled.batches(11, 1), plain.batches(11, 1), strict=True):  # four batches of ten points, and all data
        same(part.loss_and_gradient(theta), expected.loss_and_gradient(theta))
    assert compiler.graphs == 2
    for count in range(20, 20 + 2 * SIZES):
        fewer = {"burgers": plain.points["burgers"].select(slice(0, count))}
        same(compiled.with_points(fewer).loss_and_gradient(theta), plain.with_points(fewer).loss_and_gradient(theta))
    assert compiler.graphs == 1 + SIZES


def test_points_are_computed_in_equal_blocks_that_share_a_graph(recorded, monkeypatch):
    """Forty points are three blocks of thirteen and one left over, at which nothing is compiled."""
    monkeypatch.setattr("pinnsine.compiled.BLOCK", 15)
    plain, compiled, theta, compiler = compiling()
    assert [block(compiled, term, compiled.points[term.constraint.name]) for term in compiled.terms] == [13, 3]
    heavy = {"burgers": torch.linspace(0.1, 2, 40, dtype=torch.float64), "probe": 7.0}  # weights of points are cut as these are
    plain, compiled = plain.weighted(heavy), compiled.weighted(heavy)
    for point in (theta, theta + 0.3):
        same(compiled.loss_and_gradient(point), plain.loss_and_gradient(point))
    assert compiler.graphs == 2


def test_blocks_fit_the_memory_with_what_compiled_code_holds():
    _, compiled, _, _ = compiling(count=4000)
    [term, _], points = compiled.terms, compiled.points["burgers"]
    held = HELD * compiled.bytes_per_row(term)
    sizes = {
        memory: block(Objective(compiled.ansatz, compiled.terms, compiled.points, memory * held), term, points) for memory in (1, 300, 1e9)
    }
    assert sizes == {1: 16, 300: 285, 1e9: 1000}  # 4,000 points are 250, 14 and 4 blocks
    assert block(compiled, replace(term, route="batched vjp"), points) == 4000


def test_a_compiler_that_gives_other_numbers_is_given_up(monkeypatch):
    """It has dropped parts of gradients before."""
    monkeypatch.setattr(torch, "compile", lambda graph: lambda *arguments: [part * (1 + 1e-6) for part in graph(*arguments)])
    plain, compiled, theta, compiler = compiling()
    with pytest.warns(UserWarning, match=r"torch.compile is not used: its gradient of 'burgers' is off by 1.0e-06. The run goes on without"):
        found = compiled.loss_and_gradient(theta)
    same(found, plain.loss_and_gradient(theta))
    same(compiled.loss_and_gradient(theta + 1), plain.loss_and_gradient(theta + 1))
    assert compiler.failed


def test_a_compiler_that_fails_is_given_up(monkeypatch):
    def fail(graph):
        raise RuntimeError("no C++ compiler")

    monkeypatch.setattr(torch, "compile", fail)
    _, compiled, theta, _ = compiling()
    with pytest.warns(UserWarning, match="torch.compile is not used: it failed with RuntimeError"):
        assert math.isfinite(compiled.loss_and_gradient(theta)[0])


def test_solve_compiles_and_says_what_it_took(recorded):
    arguments = {"net": ps.Siren(5, 2), "points": 30, "optimizer": ps.Adam(12), "progress": False, "estimate": False}
    plain, compiled = (ps.solve(problem(), **arguments, compile=c) for c in (False, True))
    assert compiled.settings["compile_seconds"] > 0
    assert "compile_seconds" not in plain.settings
    assert gap(compiled.ansatz.flat(), plain.ansatz.flat()) < 1e-6


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_compiler_itself_gives_the_eager_numbers(monkeypatch):
    monkeypatch.setattr("pinnsine.compiled.BLOCK", 15)
    plain, compiled, theta, compiler = compiling()
    for point in (theta, theta + 0.3):
        same(compiled.loss_and_gradient(point), plain.loss_and_gradient(point))
    assert not compiler.failed
