"""Complex fields from the residual to the answer: two real fields inside, one complex one outside."""

import math

import numpy as np
import pytest
import torch
from helpers import bound, gap, routes, rows_function

import pinnsine as ps

X = ps.Interval("x", 0, 1)
PSI = ps.Field("psi", complex=True)


def wave(s):
    return torch.exp((0.3 + 2j) * s.x)


def travelling(hard=False, **conditions):
    """psi'' = (0.3 + 2i)^2 psi, whose coefficient couples the parts."""
    conditions = conditions or {"psi": wave}
    return ps.Problem(
        X,
        PSI,
        [
            ps.Residual("equation", lambda s: s.psi_xx - (0.3 + 2j) ** 2 * s.psi),
            ps.Dirichlet("left", psi=1.0, on=X.side(x=0), hard=hard),
            ps.Dirichlet("right", on=X.side(x=1), hard=hard, **conditions),
        ],
        reference=ps.Reference.exact(psi=wave),
    )


@pytest.fixture(scope="module")
def solution():
    return ps.solve(travelling(), net=ps.FrozenSines(40, omega=4.0), points=200, progress=False)


def test_a_complex_field_is_two_real_ones():
    problem = travelling()
    assert [f.name for f in problem.fields] == ["psi_re", "psi_im"]
    assert problem.names.shown == ("psi",)
    assert set(problem.constraints[1].targets) == {"psi_re", "psi_im"}
    assert list(problem.check().constraints[0].scale) == ["re", "im"]
    assert set(problem.reference.fields) == {"psi_re", "psi_im"}


@pytest.mark.parametrize("hard", [False, True])
def test_the_answer_is_complex(hard):
    """Measured with seed 0: 2e-14 and 4e-15."""
    solution = ps.solve(travelling(hard), net=ps.FrozenSines(40, omega=4.0), points=200, progress=False)
    x = np.linspace(0, 1, 5)
    exact = np.exp((0.3 + 2j) * x)
    found = solution.predict(x=x)
    assert list(found) == ["psi"]
    assert found["psi"].dtype == np.complex128
    assert np.abs(found["psi"] - exact).max() < 1e-12
    assert np.abs(solution.predict("psi_x", x=x) - (0.3 + 2j) * exact).max() < 1e-11
    assert np.abs(solution.predict(lambda s: abs(s.psi) ** 2, x=x) - np.exp(0.6 * x)).max() < 1e-12
    assert np.abs(solution.predict("psi_im", x=x) - exact.imag).max() < 1e-12


def test_errors_are_those_of_the_complex_field(solution):
    comparison = solution.compare(h1=True)
    x = X.grid()["x"].numpy()
    off, exact = solution.predict(x=x)["psi"] - np.exp((0.3 + 2j) * x), np.exp((0.3 + 2j) * x)
    assert comparison.relative_l2 == {"psi": pytest.approx(np.linalg.norm(off) / np.linalg.norm(exact), rel=1e-6)}
    assert comparison.max_error == {"psi": pytest.approx(np.abs(off).max(), rel=1e-6)}
    assert set(comparison.floor) == set(comparison.relative_h1) == set(solution.estimate) == {"psi"}
    assert comparison.relative_l2["psi"] < 10 * solution.estimate["psi"] < 1e-10
    shifted = ps.Reference.exact(psi=lambda s: wave(s) + 1e-3j)
    assert solution.compare(shifted).max_error["psi"] == pytest.approx(1e-3, rel=1e-6)


def test_integrals_are_complex(solution):
    assert solution.integrate("psi") == pytest.approx((np.exp(0.3 + 2j) - 1) / (0.3 + 2j), rel=1e-12)
    assert isinstance(solution.integrate(lambda s: abs(s.psi)), float)


def test_files_and_pictures_have_the_parts(solution, tmp_path):
    solution.plot(tmp_path / "a.png")
    with np.load(solution.export(tmp_path / "a.npz")) as columns:
        assert set(columns) == {"x", "psi_re", "psi_im"}
    solution.save(tmp_path / "a.h5")
    loaded = ps.load(tmp_path / "a.h5")
    assert np.array_equal(loaded.predict(x=0.3)["psi"], solution.predict(x=0.3)["psi"])
    assert ps.load(tmp_path / "a.h5", problem=travelling()).compare() == solution.compare()


@pytest.mark.parametrize("net", [ps.Siren(5, 2), ps.FrozenSines(7, omega=3.0)], ids=["trained", "frozen"])
def test_the_one_backward_jacobian_is_that_of_the_rows(net):
    domain = ps.Interval("x", 0, 1) * ps.Time(0, 1)
    equation = ps.Residual("equation", lambda s: 1j * s.psi_t + s.psi_xx / 2 + abs(s.psi) ** 2 * s.psi + s.psi.conj() / (s.psi + 3))
    flux = ps.Robin("flux", lambda s: s.psi_n - 1j * s.psi, on=domain.side(x=1))
    wrap = ps.Periodic("wrap", "x", fields=("psi",))
    objective, theta = bound(ps.Problem(domain, PSI, [equation, flux, wrap]), net)
    assert set(routes(objective).values()) == {"one backward"}
    expected = torch.autograd.functional.jacobian(rows_function(objective), theta)
    assert gap(objective.jacobian(theta)[1], expected) < 1e-12


def test_a_march_keeps_fields_complex():
    """psi_t = (2i - 1) psi in two windows; measured 1e-14."""
    domain = ps.Time(0, 2)
    rate = -1 + 2j
    problem = ps.Problem(
        domain,
        PSI,
        [ps.Residual("decay", lambda s: s.psi_t - rate * s.psi), ps.Initial("start", psi=1j)],
        reference=ps.Reference.exact(psi=lambda s: 1j * torch.exp(rate * s.t)),
    )
    solution = ps.march(problem, 2, net=ps.FrozenSines(30, omega=3.0), points=150, progress=False)
    assert solution.compare().relative_l2["psi"] < 1e-12
    assert set(solution.estimate) == {"psi"}
    assert math.isfinite(solution.estimate["psi"])


REFUSED = {
    "a column": (lambda: ps.Problem(X, PSI, [ps.Data("d", ps.Points({"x": [0.5], "c": [1.0]}), psi="c")]), "data columns are real"),
    "a name twice": (lambda: ps.Problem(X, [PSI, "psi_re"], []), "declared twice"),
    "a complex value of a real field": (lambda: ps.Problem(X, "u", [ps.Dirichlet("d", u=1j, on=X.side(x=0))]), "u=1j is complex"),
    "an unknown name": (lambda: travelling(phi=1.0), "s.phi has no meaning here"),
    "a complex reference of a real field": (
        lambda: ps.solve(ps.Problem(X, "u", [ps.Residual("r", lambda s: s.u - 1)]), net=ps.FrozenSines(5, omega=1.0), progress=False).compare(
            ps.Reference.exact(u=wave)
        ),
        "must return a real tensor",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    make, message = REFUSED[name]
    with pytest.raises(ps.ProblemError, match=message):
        make()
