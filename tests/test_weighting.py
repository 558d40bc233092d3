"""Loss weights: what each strategy makes equal, the formulas of one update, and the minimax solution that weights of points ascend to."""

import math

import numpy as np
import pytest
import torch
from helpers import bound, gap

import pinnsine as ps
from pinnsine.optim import GradientNorm, NTKTrace, ReLoBRaLo, SelfAdaptive


def problem(loss=None):
    """u'' = sin(x) and two conditions of other sizes."""
    line = ps.Interval("x", 0, 1)
    return ps.Problem(
        line,
        "u",
        [
            ps.Residual("pde", lambda s: 40 * s.u_xx - torch.sin(s.x), loss=loss),
            ps.Dirichlet("left", u=0.0, on=line.side(x=0), weight=3.0),
            ps.Neumann("right", u=1.0, on=line.side(x=1)),
        ],
    )


@pytest.fixture
def objective():
    return bound(problem(), count=20)


def test_a_weighted_loss_is_the_weighted_sum_of_losses(objective):
    whole, theta = objective
    weights = {"pde": 0.25, "left": 3.0, "right": 0.5}
    heavy, losses = whole.weighted(weights), whole.losses(theta)
    assert heavy.losses(theta) == pytest.approx({n: w * losses[n] for n, w in weights.items()}, rel=1e-14)
    assert float(heavy.rows(theta).square().sum()) == pytest.approx(heavy.loss(theta), rel=1e-14)
    parts = sum(w * whole.only(n).loss_and_gradient(theta)[1] for n, w in weights.items())
    assert gap(heavy.loss_and_gradient(theta)[1], parts) <= 1e-13
    assert whole.losses(theta) == losses


def test_weights_of_points_weigh_them_one_by_one_in_batches_too(objective):
    whole, theta = objective
    weights = torch.linspace(0.5, 3, 20, dtype=torch.float64)
    heavy = whole.weighted({"pde": weights, "left": 1.0, "right": 1.0})
    squares = whole.only("pde").rows(theta).square()
    assert heavy.losses(theta)["pde"] == pytest.approx(float((weights * squares).sum()), rel=1e-13)
    batches = heavy.only("pde").batches(5, seed=1)
    assert len(batches) == 4
    assert sum(b.loss(theta) for b in batches) / 4 == pytest.approx(heavy.losses(theta)["pde"], rel=1e-13)


def test_a_loss_of_the_users_own_is_weighted_as_it_is():
    whole, theta = bound(problem(loss=lambda r: r.abs().mean()), count=20)
    before, after = (o.losses(theta)["pde"] for o in (whole, whole.weighted({"pde": 7.0, "left": 1.0, "right": 1.0})))
    assert after == pytest.approx(7 * before, rel=1e-14)


def test_gradients_weighted_by_their_norms_are_of_one_length(objective):
    whole, theta = objective
    plain = [float(whole.only(n).loss_and_gradient(theta)[1].norm()) for n in ("pde", "left", "right")]
    factors = GradientNorm().start(whole, theta)["factors"]
    lengths = [float(whole.weighted(factors).only(n).loss_and_gradient(theta)[1].norm()) for n in factors]
    assert max(plain) > 20 * min(plain)
    assert lengths == pytest.approx([sum(plain) / 3] * 3, rel=1e-12)


def test_kernels_weighted_by_their_traces_have_one_trace(objective):
    whole, theta = objective
    factors = NTKTrace().start(whole, theta)["factors"]
    traces = [float(whole.weighted(factors).only(n).jacobian(theta)[1].square().sum()) for n in factors]
    assert traces == pytest.approx([traces[0]] * 3, rel=1e-12)
    assert max(factors.values()) > 5 * min(factors.values())


def test_the_trace_of_many_rows_is_that_of_some():
    """The mean over 2,000 points and over the 256 that are taken, every eighth of a Sobol sequence; 4.4 % measured."""
    many, theta = bound(problem(), count=2000)
    exact = {n: float(many.only(n).jacobian(theta)[1].square().sum()) for n in ("pde", "left", "right")}
    mean = sum(exact.values()) / 3
    assert NTKTrace().start(many, theta)["factors"] == pytest.approx({n: mean / t for n, t in exact.items()}, rel=0.13)


@pytest.mark.parametrize("strategy", [GradientNorm(memory=0.75), NTKTrace(memory=0.75)])
def test_weights_are_averaged_over_time(objective, strategy):
    whole, theta = objective
    first, other = strategy.start(whole, theta), theta + 0.3
    second, fresh = strategy.update(whole, other, first)["factors"], strategy.start(whole, other)["factors"]
    assert second == pytest.approx({n: 0.75 * w + 0.25 * fresh[n] for n, w in first["factors"].items()}, rel=1e-14)


class Losses:
    """An objective that has nothing but losses."""

    def __init__(self, **losses):
        self.values = losses

    def losses(self, theta):
        return self.values


def test_relative_loss_balancing_by_its_formula():
    strategy = ReLoBRaLo(memory=0.6, temperature=0.5, lookback=1.0)
    state = strategy.start(Losses(a=4.0, b=1.0), None)
    assert state["factors"] == {"a": 1.0, "b": 1.0}
    state = strategy.update(Losses(a=2.0, b=0.9), None, state)  # ratios 0.5 and 0.9
    weight = 2 * math.exp(1.0) / (math.exp(1.0) + math.exp(1.8))
    assert state["factors"]["a"] == pytest.approx(0.6 + 0.4 * weight, rel=1e-14)
    assert sum(state["factors"].values()) == pytest.approx(2, rel=1e-14)
    assert state["last"] == {"a": 2.0, "b": 0.9}


def test_looking_back_compares_with_the_beginning():
    strategy = ReLoBRaLo(memory=0.5, temperature=1.0, lookback=0.0)
    state = strategy.update(
        Losses(a=1.0, b=1.0), None, {"factors": {"a": 9.0, "b": 9.0}, "first": {"a": 2.0, "b": 4.0}, "last": {"a": 1.0, "b": 1.0}, "count": 0}
    )
    share = 2 / (1 + math.exp(0.25 - 0.5))
    assert state["factors"]["a"] == pytest.approx(0.5 * share + 0.5, rel=1e-14)


def test_it_looks_back_as_often_as_it_says():
    strategy, equal = ReLoBRaLo(memory=0.5, lookback=0.8), Losses(a=1.0, b=1.0)
    state, kept = strategy.start(equal, None), 0
    for _ in range(1000):
        before = {"factors": {"a": 1.5, "b": 0.5}, "first": {"a": 1.0, "b": 1.0}, "last": {"a": 1.0, "b": 1.0}, "count": state["count"]}
        state = strategy.update(equal, None, before)
        kept += state["factors"]["a"] > 1.1
    assert kept / 1000 == pytest.approx(0.8, abs=0.04)  # 0.807 measured; three standard deviations


class Fit:
    """Weighted least squares of exp by a straight line at 41 points of [-1, 1]."""

    x = torch.linspace(-1, 1, 41, dtype=torch.float64)

    def __init__(self):
        self.points = {"fit": self.x}
        self.matrix, self.target = torch.stack([torch.ones(41, dtype=torch.float64), self.x], dim=1), self.x.exp()

    def solve(self, weights):
        root = weights.sqrt()[:, None]
        return torch.linalg.lstsq(self.matrix * root, self.target[:, None] * root).solution[:, 0]

    def magnitudes(self, theta, name, points):
        return (self.matrix @ theta - self.target).abs()


def test_weights_of_points_ascend_to_the_minimax_solution():
    """min over theta, max over the weights is Chebyshev's problem: for a line through exp on [-1, 1], whose error is 0.2788 in closed form."""
    fit, strategy, state = Fit(), SelfAdaptive(rate=0.05), {"factors": {"fit": torch.ones(41, dtype=torch.float64)}}
    start = float(fit.magnitudes(fit.solve(state["factors"]["fit"]), "fit", None).max())
    for _ in range(1500):
        state = strategy.update(fit, fit.solve(state["factors"]["fit"]), state)
    slope = math.sinh(1)
    minimax = (math.exp(-1) + slope * math.log(slope)) / 2  # equal errors at both ends and, of the other sign, where exp has that slope
    worst = float(fit.magnitudes(fit.solve(state["factors"]["fit"]), "fit", None).max())
    assert float(state["factors"]["fit"].mean()) == pytest.approx(1, rel=1e-12)
    assert start > 1.2 * minimax
    assert worst == pytest.approx(minimax, rel=3e-3)


def test_weights_of_points_refuse_losses_that_are_no_squares():
    whole, theta = bound(problem(loss=lambda r: r.abs().mean()), count=20)
    with pytest.raises(ps.ProblemError, match=r"'pde' has a loss of its own, so weights of single points cannot be used"):
        SelfAdaptive().start(whole, theta)


@pytest.mark.parametrize("strategy", [GradientNorm(every=7), NTKTrace(every=7), ReLoBRaLo(every=3), SelfAdaptive(every=3)])
def test_a_run_shows_its_weights_and_keeps_by_the_problems_own(strategy):
    arguments = {"net": ps.Siren(6, 2, omega=3.0), "points": 40, "progress": False, "estimate": False, "iterations": 15}
    plain, found = (ps.solve(problem(), **arguments, optimizer=ps.Adam(lr=1e-3, weights=w)) for w in (None, strategy))
    weights = np.stack([found.history[f"weight.{n}"] for n in ("pde", "left", "right")])
    assert np.isfinite(weights).all()
    assert not np.array_equal(weights[:, 0], weights[:, -1])
    assert (np.diff(weights, axis=1)[:, : strategy.every - 1] == 0).all()
    assert "weight.pde" not in plain.history
    assert found.history["held_out"][4] != plain.history["held_out"][4]
    assert found.settings["held_out"] <= np.nanmin(found.history["held_out"])


@pytest.mark.parametrize(
    "make", [lambda: GradientNorm(every=0), lambda: NTKTrace(memory=1.0), lambda: ReLoBRaLo(temperature=0), lambda: SelfAdaptive(rate=0)]
)
def test_settings_out_of_range_are_refused(make):
    with pytest.raises(ps.ProblemError, match="needs every >= 1, rates above zero"):
        make()
