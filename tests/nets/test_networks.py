"""Every network under every evaluator; shapes, seeds, files, number types and Jacobian routes: one table for all."""

import pytest
import torch
from helpers import bound, gap, multi_indices, rand, routes, rows_function

import pinnsine as ps
from pinnsine.evaluate import EVALUATORS, choose_evaluator
from pinnsine.history import History
from pinnsine.index import Collapsed
from pinnsine.nets import (
    BSNN,
    FINER,
    MLP,
    NETWORKS,
    Fourier,
    FrozenSines,
    Gabor,
    LiftedSines,
    LocalSines,
    Mixed,
    ModifiedMLP,
    Octaves,
    RandomFourier,
    ResidualMLP,
    RotatedOctaves,
    SimpleSine,
    Siren,
    describe,
    from_record,
    to_record,
)
from pinnsine.nets.network import Network
from pinnsine.options import parse_net

SPECS = {
    "siren": Siren(7, 3, omega=2.0),
    "siren controlled": Siren(7, 3, omega=2.0, init="controlled"),
    "siren unit": Siren(7, 3, omega=2.0, init="unit"),
    "siren wider": Siren(7, 2, omega=2.0, init=5.0),
    "siren inside": Siren(7, 3, omega=2.0, inside=True),
    "siren learnable": Siren(7, 3, omega=2.0, inside=True, learnable=True),
    "siren encoded": Siren(7, 2, encoding=RandomFourier(4, 2.0)),
    "simple sine": SimpleSine(7, 3, omega=2.0),
    "simple sine shallow": SimpleSine(9, 1, omega=2.0),
    "simple sine encoded": SimpleSine(7, 2, encoding=Octaves(2)),
    "bsnn": BSNN(7, 3, omega=2.0),
    "bsnn cosine": BSNN(7, 2, omega=2.0, activation="cosine"),
    "bsnn exp": BSNN(7, 2, omega=1.0, activation="exp"),
    "bsnn sine-cosh": BSNN(7, 2, omega=1.0, activation="sine-cosh"),
    "bsnn cosine-sinh": BSNN(7, 2, omega=1.0, activation="cosine-sinh"),
    "bsnn rotated octaves": BSNN(8, 2, encoding=RotatedOctaves(2)),
    "finer": FINER(7, 2, omega=2.0),
    "finer encoded": FINER(7, 2, encoding=Octaves(1)),
    "gabor": Gabor(7, 2, omega=2.0),
    "gabor encoded": Gabor(7, 2, omega=2.0, encoding=Octaves(1)),
    "mixed": Mixed(7, 3, sines=2, omega=2.0),
    "mixed encoded": Mixed(7, 2, sines=1, encoding=Fourier(1)),
    "tanh": MLP(7, 2),
    "softplus": MLP(7, 2, activation="softplus"),
    "tanh encoded": MLP(7, 2, encoding=Octaves(2)),
    "modified": ModifiedMLP(7, 2),
    "modified sine": ModifiedMLP(7, 2, activation="sin", encoding=RandomFourier(4, 2.0)),
    "residual": ResidualMLP(7, 3),
    "residual encoded": ResidualMLP(7, 2, encoding=Octaves(1)),
    "frozen sines": FrozenSines(9, 2.0),
    "local sines": LocalSines(2, 3),
    "lifted sines": LiftedSines(MLP(5, 2), 9),
    "lifted sines of sines": LiftedSines(Siren(5, 1, omega=2.0), 9, outer=1.5, inner=0.5),
}
TOLERANCE = 1e-14  # of derivatives to order three, relative to the largest: 2.3e-15 measured


def build(name, inputs=2, outputs=2, seed=0):
    return SPECS[name].build(inputs, outputs, torch.Generator().manual_seed(seed))


def parameters(module):
    return torch.cat([t.detach().reshape(-1) for t in (*module.parameters(), *module.buffers())])


def test_every_network_is_in_the_table_and_known_by_its_name():
    assert {type(spec) for spec in SPECS.values()} == set(NETWORKS.values())
    assert all(kind.__name__.lower() == name for name, kind in NETWORKS.items())


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("name", SPECS)
def test_evaluators_agree_to_order_three(name, evaluator):
    module, names, points = build(name), ("x", "y"), rand(4, 2, seed=1)
    need = [*multi_indices(names, 3), Collapsed(names)]
    truth, found = (EVALUATORS[e](module, points, names, need) for e in ("reverse", evaluator))
    for index in need:
        assert gap(found.at(index), truth.at(index)) <= TOLERANCE, index
    assert gap(found.at(()), module(points)) <= 1e-14


@pytest.mark.parametrize("name", SPECS)
def test_every_network_runs_on_jets_and_the_automatic_choice_finds_out(name):
    assert choose_evaluator("auto", build(name), rand(2, 2), ("x", "y")) == "taylor"


@pytest.mark.parametrize("name", SPECS)
def test_shapes_number_types_and_seeds(name):
    torch.manual_seed(1)
    module, x = build(name, inputs=3, outputs=4, seed=4), rand(11, 3)
    torch.manual_seed(2)
    assert torch.equal(parameters(module), parameters(build(name, inputs=3, outputs=4, seed=4)))
    assert not torch.equal(parameters(module), parameters(build(name, inputs=3, outputs=4, seed=5)))
    assert all(t.dtype == torch.float64 for t in (*module.parameters(), *module.buffers()))
    assert module(x).shape == (11, 4)
    single = module.float()(x.float())
    assert single.dtype == torch.float32
    assert gap(single.double(), build(name, inputs=3, outputs=4, seed=4)(x)) <= 4e-6  # 1.2e-6 measured
    if isinstance(module, Network):
        hidden = module.hidden(x.float())
        assert hidden.shape == (11, SPECS[name].width)
        assert torch.equal(module.layers[-1](hidden), single)


@pytest.mark.parametrize("name", SPECS)
def test_a_record_and_a_text_give_the_specification_back(name):
    spec = SPECS[name]
    assert from_record(to_record(spec)) == spec
    assert parse_net(describe(spec)) == spec


def problem():
    domain = ps.Interval("x", 0, 2) * ps.Time(0, 1)
    heat = ps.Residual("heat", lambda s: s.u_t - s.u_xx + s.u * s.u_x)
    return ps.Problem(domain, "u", [heat, ps.Initial("start", u=lambda s: torch.sin(s.x))])


@pytest.mark.parametrize("name", SPECS)
def test_the_jacobian_is_that_of_the_rows_and_takes_one_backward_pass(name):
    objective, theta = bound(problem(), SPECS[name], count=5)
    expected = "batched vjp" if name == "siren learnable" else "one backward"
    assert set(routes(objective).values()) == {expected}
    assert gap(objective.jacobian(theta)[1], torch.func.jacrev(rows_function(objective))(theta)) <= 1e-12


@pytest.mark.parametrize("name", SPECS)
def test_a_solution_is_saved_loaded_and_predicts_the_same(name, tmp_path):
    objective, theta = bound(problem(), SPECS[name], count=2, seed=3)
    objective.ansatz.load(theta)
    solution = ps.Solution(objective.ansatz.problem, objective.ansatz, History(), ps.Outcome.CONVERGED, {"u": 0.1}, {})
    again = ps.load(solution.save(tmp_path / "run.h5"), problem=problem())
    assert again.ansatz.net == SPECS[name]
    there = {"x": rand(20, low=0.0, high=2.0), "t": rand(20, low=0.0, seed=1)}
    assert torch.equal(torch.as_tensor(again.predict(**there)["u"]), torch.as_tensor(solution.predict(**there)["u"]))
