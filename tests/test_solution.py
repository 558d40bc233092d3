"""Predictions, comparisons and run files."""

import io
import math

import h5py
import numpy as np
import pytest
import torch

import pinnsine as ps
from pinnsine import durable


@pytest.fixture(scope="module")
def solution():
    """u_t = 0.1 u_xx with u = exp(-0.1 pi^2 t) sin(pi x), nearly solved."""
    domain = ps.Interval("x", 0, 1) * ps.Time(0, 1)
    problem = ps.Problem(
        domain,
        "u",
        [
            ps.Residual("heat", lambda s: s.u_t - 0.1 * s.u_xx),
            ps.Initial("start", u=lambda s: torch.sin(torch.pi * s.x)),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary()),
        ],
        reference=ps.Reference.exact(u=lambda s: torch.exp(-0.1 * torch.pi**2 * s.t) * torch.sin(torch.pi * s.x)),
    )
    return ps.solve(problem, net=ps.Siren(10, 2, omega=2.0), points=300, iterations=60, progress=False)


def exact(x, t):
    return np.exp(-0.1 * np.pi**2 * t) * np.sin(np.pi * x)


def test_predictions_broadcast_and_keep_their_shape(solution):
    x, t = np.linspace(0, 1, 7)[:, None], np.linspace(0, 1, 5)[None, :]
    u = solution.predict(x=x, t=t)["u"]
    assert u.shape == (7, 5)
    assert u.dtype == np.float64
    np.testing.assert_allclose(u, exact(x, t), atol=1e-5)
    assert solution.predict(x=0.5, t=torch.tensor(0.5))["u"].shape == ()


def test_derivatives_and_expressions_are_predicted(solution):
    x = np.linspace(0.1, 0.9, 5)
    np.testing.assert_allclose(solution.predict("u_xx", x=x, t=0.5), -(np.pi**2) * exact(x, 0.5), atol=1e-2)
    np.testing.assert_allclose(solution.predict(lambda s: s.u_t - 0.1 * s.u_xx, x=x, t=0.5), 0, atol=1e-3)


def test_integrals_of_expressions(solution):
    assert solution.integrate("u", over=solution.problem.domain.side(t=0)) == pytest.approx(2 / math.pi, abs=1e-5)
    assert solution.integrate(lambda s: 0 * s.u + s.x * s.t) == pytest.approx(0.25, abs=1e-12)


def test_wrong_coordinates_are_refused_by_name(solution):
    with pytest.raises(ps.ProblemError, match="'t' is missing"):
        solution.predict(x=0.5)
    with pytest.raises(ps.ProblemError, match="'y' is no coordinate"):
        solution.predict(x=0.5, t=0.5, y=0.5)
    with pytest.raises(ps.ProblemError, match=r"coordinates that broadcast against each other, got x \(3,\), t \(2,\)"):
        solution.predict(x=[0.1, 0.2, 0.3], t=[0.1, 0.2])


def test_points_outside_the_domain_give_one_warning(solution):
    with pytest.warns(UserWarning, match="outside the domain"):
        solution.predict(x=[1.5, 2.0], t=0.5)


def test_the_comparison_reports_the_error_and_the_floor(solution):
    comparison = solution.compare()
    x, t = np.meshgrid(np.linspace(0, 1, 513), np.linspace(0, 1, 101), indexing="ij")
    difference = solution.predict(x=x, t=t)["u"] - exact(x, t)
    assert comparison.relative_l2["u"] == pytest.approx(np.linalg.norm(difference) / np.linalg.norm(exact(x, t)))
    assert comparison.max_error["u"] == pytest.approx(np.abs(difference).max())
    assert "51,813 points (reference floor 2e-16)" in str(comparison)


def test_the_estimate_is_within_a_decade_of_the_error(solution):
    assert 0.1 < solution.estimate["u"] / solution.compare().relative_l2["u"] < 10


def test_the_module_is_the_field(solution):
    points = torch.rand(6, 2, dtype=torch.float64)
    found = solution.module(points).detach().numpy()[:, 0]
    np.testing.assert_array_equal(found, solution.predict(x=points[:, 0], t=points[:, 1])["u"])


def test_a_run_file_returns_the_same_solution(solution, tmp_path):
    path = solution.save(tmp_path / "run.h5")
    again = ps.load(path)
    x = np.linspace(0, 1, 9)
    np.testing.assert_array_equal(again.predict(x=x, t=0.3)["u"], solution.predict(x=x, t=0.3)["u"])
    np.testing.assert_array_equal(again.history["loss"], solution.history["loss"])
    assert (again.outcome, again.settings) == (solution.outcome, solution.settings)
    with pytest.raises(ps.ProblemError, match="no reference"):
        again.compare()
    assert ps.load(path, problem=solution.problem).compare() == solution.compare()


def straight(net, **options):
    """u_xx + u_yy = 0 with u = x y given on the walls, on frozen sines."""
    domain = ps.Rectangle(x=(0, 1), y=(0, 2))
    constraints = [ps.Residual("pde", lambda s: ps.laplacian(s.u)), ps.Dirichlet("walls", u=lambda s: s.x * s.y, on=domain.boundary())]
    problem = ps.Problem(domain, "u", constraints)
    return ps.solve(problem, net=net, points=80, progress=False, **options)


@pytest.mark.parametrize("net", [ps.FrozenSines(20, 3.0), ps.FrozenSines(20, (3.0, 5.0)), ps.FrozenSines(20)])
def test_a_run_file_holds_the_sines_that_were_drawn(net, tmp_path):
    solution = straight(net, seed=3)  # loading draws with another seed
    again = ps.load(solution.save(tmp_path / "run.h5"))
    x, y = np.linspace(0, 1, 7)[:, None], np.linspace(0, 2, 5)[None, :]
    np.testing.assert_array_equal(again.predict(x=x, y=y)["u"], solution.predict(x=x, y=y)["u"])
    np.testing.assert_array_equal(again.predict("u_xy", x=x, y=y), solution.predict("u_xy", x=x, y=y))
    assert {n: b.tolist() for n, b in again.ansatz.named_buffers()} == {n: b.tolist() for n, b in solution.ansatz.named_buffers()}
    assert again.ansatz.net == solution.ansatz.net
    assert (again.estimate, again.settings) == (solution.estimate, solution.settings)
    with h5py.File(tmp_path / "run.h5") as file:
        np.testing.assert_array_equal(file["frozen/networks.0.1.weight"], solution.ansatz.networks[0][1].weight)


def alter(path, change):
    """Change a run file in HDF5, and give it the checksum of what it is now."""
    content = io.BytesIO(durable.read(path))
    with h5py.File(content, "a") as file:
        change(file)
    durable.write(path, content.getvalue())


def test_a_run_file_without_frozen_numbers_is_still_read(tmp_path):
    domain = ps.Interval("x", 0, 1)
    problem = ps.Problem(domain, "u", [ps.Residual("pde", lambda s: s.u_xx + 1)])
    solution = ps.solve(problem, net=ps.Siren(4, 1), points=20, iterations=2, progress=False)
    path = solution.save(tmp_path / "run.h5")
    alter(path, lambda file: file.pop("frozen"))
    np.testing.assert_array_equal(ps.load(path).predict(x=[0.1, 0.7])["u"], solution.predict(x=[0.1, 0.7])["u"])


def test_a_run_of_another_problem_is_refused_naming_the_difference(solution, tmp_path):
    path = solution.save(tmp_path / "run.h5")
    domain = solution.problem.domain
    start, walls = solution.problem.constraints[1:]
    other = ps.Problem(domain, "u", [ps.Residual("heat", lambda s: s.u_t - 0.2 * s.u_xx), start, walls])
    with pytest.raises(ps.ProblemError, match="constraint 'heat' gives other rows"):
        ps.load(path, problem=other)
    with pytest.raises(ps.ProblemError, match="fields differ"):
        ps.load(path, problem=ps.Problem(domain, "v", [ps.Residual("heat", lambda s: s.v_t)]))


def test_what_rows_do_not_tell_is_compared_as_well(tmp_path):
    """Hard against soft, weights, the noise and the number of measurements, and bounds of unknowns: all give the same rows."""
    domain = ps.Interval("x", 0, 1)

    def problem(hard=False, weight=2.0, sigma=0.1, count=20, bounds=(0.0, 2.0)):
        data = ps.Points({"x": torch.linspace(0, 1, 20)[:count], "m": torch.linspace(0, 1, 20)[:count]})
        constraints = [
            ps.Residual("pde", lambda s: s.u_xx + s.k, weight=weight),
            ps.Dirichlet("ends", u=0.0, on=domain.boundary(), hard=hard),
            ps.Data("probe", data, u="m", sigma=sigma),
        ]
        return ps.Problem(domain, "u", constraints, unknowns=[ps.Unknown("k", 1.0, bounds=bounds)])

    options = {"net": ps.Siren(4, 1), "points": 20, "iterations": 1, "progress": False, "estimate": False}
    path = ps.solve(problem(), **options).save(tmp_path / "run.h5")
    assert ps.load(path, problem=problem()).problem.name == "problem"
    for change, message in {
        ("hard", True): "constraint 'ends' has hard=False there, hard=True here",
        ("weight", 3.0): "constraint 'pde' has weight=2.0 there, weight=3.0 here",
        ("weight", lambda s: s.x + 1): "constraint 'pde' has weight=2.0 there, weight='a function' here",
        ("sigma", 0.2): "constraint 'probe' has sigma=0.1 there, sigma=0.2 here",
        ("count", 19): "constraint 'probe' has points=20 there, points=19 here",
        ("bounds", (0.0, 3.0)): "its unknowns differ",
    }.items():
        with pytest.raises(ps.ProblemError, match=message):
            ps.load(path, problem=problem(**dict([change])))


def test_conditions_built_in_with_functions_need_the_problem_again(tmp_path):
    domain = ps.Interval("x", 0, 1)
    constraints = [
        ps.Residual("pde", lambda s: s.u_xx),
        ps.Dirichlet("ends", u=lambda s: s.x, on=domain.boundary(), hard=True),
    ]
    problem = ps.Problem(domain, "u", constraints)
    path = ps.solve(problem, net=ps.Siren(4, 1), points=20, iterations=2, progress=False).save(tmp_path / "run.h5")
    with pytest.raises(ps.ProblemError, match=r"load\(path, problem=...\)"):
        ps.load(path)
    assert ps.load(path, problem=problem).predict(x=1.0)["u"] == pytest.approx(1.0)


def test_files_that_are_not_ours_are_refused(solution, tmp_path):
    path = solution.save(tmp_path / "run.h5")
    whole = path.read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.h5").write_text("not HDF5")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["x"] = 1
    alter(path, lambda file: file.attrs.update(version=99))
    cases = {
        "cut": "truncated",
        "text": "truncated or no run file",
        "foreign": "not a run",
        "run": "upgrade pinnsine",
        "none": "no run file",
    }
    for name, message in cases.items():
        with pytest.raises(ps.ProblemError, match=message):
            ps.load(tmp_path / f"{name}.h5")


def test_solution_problem_and_domain_are_shown_in_a_line(solution):
    assert repr(solution.problem.domain) == "<x in [0, 1] x t in [0, 1]>"
    assert repr(solution.problem) == "<problem 'problem': u on x in [0, 1] x t in [0, 1], from heat, start, walls>"
    assert repr(solution).startswith("<solution of 'problem': u to ")
