"""Diagnosis: eight faults are planted, and each is named first; a sound run has none."""

import math

import pytest
import torch

import pinnsine as ps

PI = math.pi
QUICK = {"progress": False, "seed": 0, "estimate": False}  # the estimate takes longer than the runs
EXACT = ps.Reference.exact(u=lambda s: torch.sin(PI * s.x))
LINE = ps.Interval("x", 0, 1)


def poisson(sign=1.0, ends=0.0, waves=1, weight=None, reference=EXACT, extra=(), **options):
    """-u'' = (k pi)^2 sin(k pi x) on [0, 1]."""
    k = waves * PI
    equation = ps.Residual("pde", lambda s: sign * s.u_xx + k**2 * torch.sin(k * s.x), weight=weight)
    return ps.Problem(LINE, "u", [equation, ps.Dirichlet("ends", u=ends, on=LINE.boundary("x"), **options), *extra], reference=reference)


def found(problem, **options):
    return ps.solve(problem, **{**QUICK, "net": ps.Siren(8, 2, omega=3.0), "points": 100, **options}).diagnose()


def test_a_sound_run_has_nothing_to_be_found():
    diagnosis = found(poisson(), iterations=30)
    assert diagnosis.causes == ()
    assert max(diagnosis.violations.values()) < 1e-4
    assert "nothing found" in str(diagnosis)
    points, sizes = diagnosis.residuals["pde"]
    assert len(points) == len(sizes) == 2000


def test_weights_off_by_a_million():
    diagnosis = found(poisson(weight=1e6), optimizer=ps.Adam(150, lr=1e-2))
    assert diagnosis.causes[0] == "weights"
    assert diagnosis.findings[0].data["constraint"] == "ends"


def test_too_low_a_bandwidth():
    diagnosis = found(poisson(waves=12, reference=None), net=ps.Siren(8, 1, omega=1.0), iterations=25, points=200)
    assert diagnosis.causes[0] == "bandwidth"
    assert diagnosis.findings[0].data["ratios"]["x"] > 2


def test_too_few_points_at_a_front():
    """u = tanh((x - 0.37) / 0.03): sixteen points miss most of the front."""

    def source(s):
        t = torch.tanh((s.x - 0.37) / 0.03)
        return -2 * t * (1 - t**2) / 9e-4

    problem = ps.Problem(
        LINE,
        "u",
        [
            ps.Residual("pde", lambda s: s.u_xx - source(s)),
            ps.Dirichlet("ends", u=lambda s: torch.tanh((s.x - 0.37) / 0.03), on=LINE.boundary("x")),
        ],
    )
    diagnosis = found(problem, points=16, iterations=20)
    assert diagnosis.causes[0] == "too few points"
    assert diagnosis.findings[0].data["share"] > 0.6
    assert float(diagnosis.findings[0].data["place"].removeprefix("x = ")) == pytest.approx(0.37, abs=0.05)


def test_a_wrong_sign_in_the_equation():
    diagnosis = found(poisson(sign=-1.0), iterations=30)
    assert diagnosis.causes[0] == "equation"
    assert diagnosis.findings[0].data["errors"]["u"] == pytest.approx(2.0, rel=1e-2)


def test_contradictory_boundary_data():
    diagnosis = found(poisson(extra=[ps.Dirichlet("right", u=1.0, on=LINE.side(x=1))]), iterations=20)
    assert diagnosis.causes[0] == "contradictory conditions"
    assert diagnosis.findings[0].data == {"constraints": ("ends", "right"), "gap": 1.0, "place": "x = 1"}


def test_conditions_that_disagree_where_they_meet():
    domain = LINE * ps.Time(0, 1)
    problem = ps.Problem(
        domain,
        "u",
        [
            ps.Residual("heat", lambda s: s.u_t - s.u_xx),
            ps.Initial("start", u=1.0),
            ps.Dirichlet("walls", u=0.0, on=domain.boundary("x")),
        ],
    )
    [first, *_] = found(problem, iterations=3, points=40).findings
    assert first.cause == "contradictory conditions"
    assert "t = 0" in first.data["place"]


def test_the_floor_of_float32():
    diagnosis = found(poisson(), dtype="float32", iterations=40)
    assert diagnosis.causes[0] == "float32"
    assert diagnosis.findings[0].data["noise"] > 0.1


def test_the_floor_of_the_reference():
    rough = ps.Reference.exact(u=lambda s: torch.sin(PI * s.x) * (1 + 1e-4 * torch.cos(9 * s.x)), floor={"u": 1e-4})
    assert found(poisson(reference=rough), iterations=30).causes[0] == "reference floor"


def test_unknowns_that_trade_off():
    x = torch.linspace(0, 1, 30, dtype=torch.float64)
    constraints = [
        ps.Residual("pde", lambda s: s.D * s.E * s.u_xx + torch.sin(PI * s.x)),
        ps.Data("probe", ps.Points({"x": x, "value": torch.sin(PI * x) / (0.3 * PI**2)}), u="value"),
    ]
    problem = ps.Problem(LINE, "u", constraints, unknowns=[ps.Unknown("D", 1.0, positive=True), ps.Unknown("E", 1.0, positive=True)])
    with pytest.warns(UserWarning, match="'D' and 'E' trade off"):
        solution = ps.solve(problem, **QUICK, net=ps.Siren(8, 2, omega=3.0), points=100, iterations=25)
    [first, *_] = solution.diagnose().findings
    assert first.cause == "unknowns that trade off"
    assert first.data["unknowns"] == ("D", "E")
    alone = ps.Problem(
        LINE,
        "u",
        [ps.Residual("pde", lambda s: s.D * s.u_xx + torch.sin(PI * s.x)), constraints[1]],
        unknowns=[ps.Unknown("D", 1.0, positive=True)],
    )
    assert found(alone, iterations=25).causes == ()


def test_what_cannot_be_diagnosed_says_so(tmp_path):
    path = ps.solve(poisson(), net=ps.Siren(4, 1), points=20, iterations=1, progress=False, estimate=False).save(tmp_path / "a.h5")
    with pytest.raises(ps.ProblemError, match=r"load\(path, problem=...\)"):
        ps.load(path).diagnose()
    assert ps.load(path, problem=poisson()).diagnose().violations.keys() == {"pde", "ends"}
