"""Which problems may be marched through: those that their start determines."""

import pytest
import torch

import pinnsine as ps
from pinnsine.evolution import is_evolution

LINE = ps.Interval("x", 0, 1) * ps.Time(0, 2)
HEAT = ps.Residual("pde", lambda s: s.u_t - s.u_xx)
WAVE = ps.Residual("pde", lambda s: s.u_tt - s.u_xx)
START = ps.Initial("start", u=lambda s: torch.sin(s.x))
MOVING = ps.Initial("start", u=0.0, u_t=1.0)
WALLS = ps.Dirichlet("walls", u=0.0, on=LINE.boundary("x"))
DISK = ps.Disk((0, 0), 1) * ps.Time(0, 1)
PLACES = ps.Points({"x": [0.5, 0.5], "t": [0.5, 1.0], "m": [1.0, 2.0]})


def line(*constraints, fields="u", **options):
    return ps.Problem(LINE, fields, constraints, **options)


YES = {
    "heat": line(HEAT, START, WALLS),
    "hard walls": line(HEAT, START, ps.Dirichlet("walls", u=0.0, on=LINE.boundary("x"), hard=True)),
    "periodic": line(HEAT, START, ps.Periodic("around", "x", hard=True)),
    "wave": line(WAVE, MOVING, WALLS),
    "value and velocity apart": line(WAVE, ps.Initial("place", u=0.0), ps.Initial("speed", u_t=1.0), WALLS),
    "start as a side": line(HEAT, ps.Dirichlet("start", u=0.0, on=LINE.side(t=0)), WALLS),
    "ordinary": ps.Problem(ps.Time(0, 1), "u", [ps.Residual("ode", lambda s: s.u_t + s.u), ps.Initial("start", u=1.0)]),
    "mass at every time": line(HEAT, START, ps.Integral("mass", lambda s: s.u, over="x")),
    "in a disk": ps.Problem(
        DISK,
        "u",
        [
            ps.Residual("pde", lambda s: s.u_t - ps.laplacian(s.u)),
            ps.Initial("start", u=0.0),
            ps.Dirichlet("rim", u=lambda s: s.t, on=DISK.boundary()),
        ],
    ),
    "pressure without a start": line(
        ps.Residual("flow", lambda s: (s.u_t + s.p_x, s.u_x)), START, ps.Data("gauge", PLACES, p="m"), fields=["u", "p"]
    ),
}
NO = {
    "no time": ps.Problem(ps.Interval("x", 0, 1), "u", [ps.Residual("pde", lambda s: s.u_xx)]),
    "no start": line(HEAT, WALLS),
    "no velocity": line(WAVE, START, WALLS),
    "no rate": line(ps.Residual("pde", lambda s: s.u_xx), START),
    "start of a part": line(HEAT, ps.Initial("start", u=0.0, on=ps.Box(x=(0, 0.5), t=(0, 1)).side(t=0)), WALLS),
    "given at the end": line(HEAT, START, WALLS, ps.Dirichlet("end", u=0.0, on=LINE.side(t=2))),
    "periodic in time": line(HEAT, START, ps.Periodic("again", "t")),
    "mean over time": line(HEAT, START, ps.Integral("mean", lambda s: s.u, over=("x", "t"))),
    "measured": line(HEAT, START, WALLS, ps.Data("probe", PLACES, u="m", sigma=0.1)),
    "unknown number": line(HEAT, START, WALLS, unknowns=[ps.Unknown("D", 1.0)]),
    "unknown source": line(ps.Residual("pde", lambda s: s.u_t - s.u_xx - s.q), START, WALLS, fields=["u", ps.Field("q", of="x")]),
    "loss of its own": line(ps.Residual("pde", lambda s: s.u_t - s.u_xx, loss=lambda r: r.abs().mean()), START),
}


@pytest.mark.parametrize("name", YES)
def test_what_the_start_determines_is_an_evolution(name):
    assert is_evolution(YES[name])


@pytest.mark.parametrize("name", NO)
def test_what_looks_ahead_or_is_not_started_is_none(name):
    assert not is_evolution(NO[name])
