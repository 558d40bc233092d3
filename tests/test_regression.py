import math

import pytest
import torch

import pinnsine as ps
from pinnsine.regression import apart, is_regression, tanh_width, widths

DOMAIN = ps.Interval("x", 0, 6)


def wave(s):
    return torch.sin(2 * s.x)


def measured(count, sigma=None, noise=0.0, **columns):
    generator = torch.Generator().manual_seed(0)
    x = 6 * torch.rand(count, generator=generator, dtype=torch.float64)
    y = torch.sin(2 * x) + noise * torch.randn(count, generator=generator, dtype=torch.float64)
    data = ps.Data("probe", ps.Points({"x": x, "y": y, **columns}), u="y", sigma=sigma)
    return ps.Problem(DOMAIN, fields="u", constraints=[data], reference=ps.Reference.exact(u=wave))


@pytest.mark.parametrize("count", [200, 1000])
def test_a_curve_is_found_in_noise_and_the_estimate_is_honest(count):
    solution = ps.solve(measured(count, sigma=0.1, noise=0.1), time=30)
    error, estimate = solution.compare().relative_l2["u"], solution.estimate["u"]
    # 4.4e-2 and 2.0e-2 measured; sqrt(sines / measurements) * sigma / rms is 3.5e-2 of 200, an interpolation has 0.14 and more
    assert error < 0.06
    assert error / 3 < estimate < 10 * error
    assert "one in 5 of them held out" in solution.settings["reason"]


def test_exact_measurements_are_followed_to_rounding():
    solution = ps.solve(measured(150), time=30)
    assert solution.compare().relative_l2["u"] < 1e-10
    assert solution.estimate["u"] < 1e-10


def test_standard_deviations_of_single_measurements_count():
    x, sigma = torch.linspace(0, 6, 300, dtype=torch.float64), torch.full((300,), 0.05, dtype=torch.float64)
    sigma[::3] = 5.0
    y = torch.sin(2 * x) + sigma * torch.randn(300, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    problem = ps.Problem(DOMAIN, fields="u", constraints=[ps.Data("probe", ps.Points({"x": x, "y": y, "err": sigma}), u="y", sigma="err")])
    solution = ps.solve(problem, time=30)
    grid = torch.linspace(0, 6, 500)
    gap = torch.as_tensor(solution.predict(x=grid)["u"]) - torch.sin(2 * grid)
    assert float(gap.square().mean().sqrt()) < 0.06  # unweighted, a third of them is off by 5


def test_every_measurement_is_fitted_or_held_out_and_none_is_both():
    points = ps.Points({"x": torch.arange(23.0), "y": torch.arange(23.0)})
    fitted, held_out = (set(apart(points, 3, h)["x"].tolist()) for h in (False, True))
    assert len(held_out) == 5
    assert not fitted & held_out
    assert fitted | held_out == set(map(float, range(23)))


def test_a_single_measurement_says_nothing_of_the_error():
    problem = ps.Problem(DOMAIN, fields="u", constraints=[ps.Data("probe", ps.Points({"x": [1.0], "y": [2.0]}), u="y")])
    solution = ps.solve(problem, time=5)
    assert math.isnan(solution.estimate["u"])
    assert float(solution.predict(x=1.0)["u"]) == pytest.approx(2.0)


def test_which_problems_are_regressions():
    assert is_regression(measured(20))
    assert is_regression(measured(1000, sigma=0.1))
    assert is_regression(measured(1000))  # without noise, but scattered
    x = torch.linspace(0, 6, 1001, dtype=torch.float64)
    for own, yes in ((x, False), (x[::3], True), (x[torch.rand(1001, generator=torch.Generator().manual_seed(0)) < 0.9], False)):
        even = ps.Data("probe", ps.Points({"x": own, "y": torch.sin(own)}), u="y")
        assert is_regression(ps.Problem(DOMAIN, fields="u", constraints=[even])) == yes  # a third of them are few: no signal
    assert not is_regression(ps.load_problem("poisson"))
    assert not is_regression(ps.load_problem("inverse_burgers"))


def test_many_scattered_values_are_met_between_the_points_too():
    x = 2 * torch.rand(9000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 1

    def smooth(x, y):
        return torch.sin(3 * x) * torch.cos(2 * y + 1) + torch.exp(-4 * (x**2 + y**2))

    data = ps.Data("probe", ps.Points({"x": x[:, 0], "y": x[:, 1], "v": smooth(x[:, 0], x[:, 1])}), u="v")
    square = ps.Interval("x", -1, 1) * ps.Interval("y", -1, 1)
    problem = ps.Problem(square, fields="u", constraints=[data], reference=ps.Reference.exact(u=lambda s: smooth(s.x, s.y)))
    solution = ps.solve(problem, time=60)
    assert solution.compare().relative_l2["u"] < 1e-10  # 1e-12 measured of 10,000, where sines under windows left 0.3
    assert solution.estimate["u"] < 1e-10


def test_there_are_fewer_sines_than_measurements():
    assert widths(measured(200)) == (10, 40, 80)
    assert widths(measured(20_000)) == (700, 1000, 2800)
    assert widths(measured(2)) == (1,)


def test_a_tanh_network_is_as_wide_as_the_measurements_tell():
    """Eight of those fitted for each of about 2 w^2 parameters, between bounds."""
    assert [tanh_width(measured(count)) for count in (100, 10_000, 14_580, 20_000, 100_000)] == [24, 24, 27, 30, 30]


def test_a_network_of_ones_own_is_trained_on_the_same_measurements():
    solution = ps.solve(measured(50), net=ps.Siren(10, 2, omega=3.0), iterations=3)
    assert solution.settings["points"] == 40


def test_kinks_that_sines_ring_at_are_found_by_tanh():
    """|x - 0.3 y| from 400 values: 2.3e-3 measured, where frozen sines leave 3.8e-2."""
    x = 2 * torch.rand(400, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 1
    data = ps.Data("probe", ps.Points({"x": x[:, 0], "y": x[:, 1], "v": (x[:, 0] - 0.3 * x[:, 1]).abs()}), u="v")
    square = ps.Interval("x", -1, 1) * ps.Interval("y", -1, 1)
    problem = ps.Problem(square, fields="u", constraints=[data], reference=ps.Reference.exact(u=lambda s: (s.x - 0.3 * s.y).abs()))
    solution = ps.solve(problem, iterations=25, time=60)
    assert solution.settings["net"].startswith("mlp")
    assert solution.compare().relative_l2["u"] < 7e-3
