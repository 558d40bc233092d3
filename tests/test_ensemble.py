"""Several seeds in one batched run: each member is what it is alone; mean and spread over them."""

import numpy as np
import pytest
import torch

import pinnsine as ps

SEEDS = (0, 3, 5)
QUICK = {"net": ps.Siren(6, 2, omega=3.0), "points": 40, "progress": False, "estimate": False}


def problem():
    """-u'' = D sin(x) with Neumann data at one end, whose normals are points' own, and an unknown number."""
    line = ps.Interval("x", 0, 2)
    return ps.Problem(
        line,
        "u",
        [
            ps.Residual("pde", lambda s: s.u_xx + s.D * torch.sin(s.x)),
            ps.Dirichlet("left", u=0.0, on=line.side(x=0)),
            ps.Neumann("right", u=1.0, on=line.side(x=2)),
            ps.Data("probe", ps.Points({"x": [0.5, 1.0], "v": [0.6, 1.1]}), u="v"),
        ],
        unknowns=[ps.Unknown("D", 0.7)],
    )


@pytest.mark.parametrize("phases", [ps.Adam(17, lr=1e-2), [ps.Adam(6, lr=1e-2), ps.Adam(6, schedule=ps.optim.Steps(0.5, 2))]])
def test_the_members_of_a_batched_run_are_the_runs_of_their_seeds(phases):
    """To the order of sums: 1e-13 measured."""
    found = ps.ensemble(problem(), SEEDS, optimizer=phases, **QUICK)
    assert found.batched
    for seed, member in zip(SEEDS, found.solutions, strict=True):
        alone = ps.solve(problem(), optimizer=phases, seed=seed, **QUICK)
        torch.testing.assert_close(member.ansatz.flat(), alone.ansatz.flat(), rtol=1e-10, atol=1e-12)
        assert member.settings["held_out"] == pytest.approx(alone.settings["held_out"], rel=1e-9)
        assert member.settings["seed"] == seed
        assert member.settings["iterations"] == alone.settings["iterations"]
    assert len({float(s.unknowns["D"].value) for s in found.solutions}) == 3


def test_mean_and_spread_are_those_of_the_members():
    found, x = ps.ensemble(problem(), SEEDS, optimizer=ps.Adam(8), **QUICK), np.linspace(0, 2, 5)
    each = np.stack([s.predict(x=x)["u"] for s in found.solutions])
    mean, spread = found.predict(x=x)
    np.testing.assert_allclose(mean["u"], each.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(spread["u"], np.sqrt(((each - mean["u"]) ** 2).sum(axis=0) / 2), rtol=1e-12)
    mean, spread = found.predict("u_x", x=x)
    assert mean.shape == spread.shape == (5,)
    assert (spread > 0).all()


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": ps.LevenbergMarquardt(3)},
        {"optimizer": ps.Adam(4, clip=0.1)},
        {"optimizer": ps.Adam(4, batch=20)},
        {"optimizer": ps.Adam(4), "memory": 1e4},
        {"optimizer": ps.Adam(4), "net": ps.MLP(6, 2, encoding=ps.nets.RandomFourier(4))},
    ],
)
def test_what_cannot_be_batched_is_solved_seed_by_seed(options):
    arguments = {**QUICK, **options}
    found = ps.ensemble(problem(), (1, 2), **arguments)
    assert not found.batched
    alone = ps.solve(problem(), seed=2, **arguments)
    assert torch.equal(found.solutions[1].ansatz.flat(), alone.ansatz.flat())


@pytest.mark.parametrize(
    ("seeds", "options", "message"),
    [
        ((1,), {}, r"at least two different seeds, as in .*, got \[1\]"),
        (3, {}, "at least two different seeds, as in .*, got 3"),
        ((1, 1), {}, r"at least two different seeds, as in .*, got \[1, 1\]"),
        ((1, 2), {"out": "a.h5"}, "takes no out=: save its solutions one by one"),
    ],
)
def test_wrong_arguments_are_refused(seeds, options, message):
    with pytest.raises(ps.ProblemError, match=message):
        ps.ensemble(problem(), seeds, **options)
