"""How a name in a residual is read: declared names first, then derivatives; what reads two ways or not at all is refused."""

import pytest
import torch
from helpers import columns, gap, nested_grad, state

from pinnsine.calculus import D
from pinnsine.errors import EvaluationError, ProblemError
from pinnsine.jet import Constant
from pinnsine.local import Names, TwoSided

BATCH = columns("xyt", seed=3)


def u(x, y, t):
    return torch.sin(x * y + t)


def v(x, y, t):
    return torch.exp(x * t) + y**3


def names(coordinates="x y t", fields="u", unknowns=""):
    return Names(tuple(coordinates.split()), tuple(fields.split()), tuple(unknowns.split()))


READINGS = [
    ("x", "coordinates", "x", ()),
    ("u", "fields", "u", ()),
    ("D", "unknowns", "D", ()),
    ("D_in", "unknowns", "D_in", ()),
    ("u_x", "fields", "u", ("x",)),
    ("u_xxt", "fields", "u", ("t", "x", "x")),
    ("u_xtx", "fields", "u", ("t", "x", "x")),
    ("u_txx", "fields", "u", ("t", "x", "x")),
    ("v_1", "fields", "v_1", ()),
    ("v_1_xx", "fields", "v_1", ("x", "x")),
    ("v_xx", "fields", "v", ("x", "x")),
    ("p_in", "fields", "p_in", ()),
    ("p_in_y", "fields", "p_in", ("y",)),
    ("u_n", "normal derivative", "u", ()),
    ("v_1_n", "normal derivative", "v_1", ()),
    ("n_x", "normal", "x", ()),
]


@pytest.mark.parametrize(("name", "kind", "base", "index"), READINGS)
def test_every_name_has_its_one_reading(name, kind, base, index):
    assert names(fields="u v v_1 p_in", unknowns="D D_in").resolve(name) == (kind, base, index)


def test_names_are_case_sensitive():
    declared = names(fields="u U", unknowns="d D")
    assert declared.resolve("U_x") == ("fields", "U", ("x",))
    assert declared.resolve("u_x") == ("fields", "u", ("x",))


@pytest.mark.parametrize(("declared", "name"), [("n", "u_n"), ("x n", "u_n"), ("x n", "u_nn")])
def test_where_a_coordinate_is_called_n_its_derivative_is_meant(declared, name):
    assert names(coordinates=declared).resolve(name) == ("fields", "u", ("n",) * name.count("n"))


def test_where_a_field_is_called_n_its_derivative_is_meant():
    assert names(fields="u n").resolve("n_x") == ("fields", "n", ("x",))
    with pytest.raises(ProblemError, match=r"s\.u_n has no meaning here"):
        names(fields="u n").resolve("u_n")


@pytest.mark.parametrize("name", ["w", "u_z", "u_xz", "u_", "u__x", "ux", "u_1", "xx", "x_t", "D_x", "n_z", "n", "n_n", "u_nn"])
def test_a_name_without_meaning_is_refused_with_the_known_names(name):
    message = rf"s\.{name} has no meaning here\. Known: coordinates x, y, t; fields u, v; unknowns D; derivatives as in s\.u_x"
    with pytest.raises(ProblemError, match=message):
        names(fields="u v", unknowns="D").resolve(name)


def test_longer_coordinate_names_have_no_suffix_form():
    declared = names(coordinates="r theta")
    assert declared.resolve("theta") == ("coordinates", "theta", ())
    with pytest.raises(ProblemError, match=r"s\.u_theta has no meaning here"):
        declared.resolve("u_theta")
    batch = {"r": BATCH["x"], "theta": BATCH["y"]}
    s = state(batch, u=lambda r, theta: r * torch.sin(theta))
    assert gap(D(s.u, "theta").values, batch["r"] * torch.cos(batch["theta"])) <= 1e-15
    assert gap(D(s.u, "theta", "theta", "r").values, -torch.sin(batch["theta"])) <= 1e-15


@pytest.mark.parametrize(
    ("coordinates", "fields", "unknowns", "name"),
    [
        ("x t", "u u_x", "", "u_x"),
        ("x t", "u_x u", "", "u_x"),
        ("x t", "u", "u_xt", "u_xt"),
        ("x t u_x", "u", "", "u_x"),
        ("x t", "v_1 v_1_t", "", "v_1_t"),
    ],
)
def test_a_declared_name_that_is_also_a_derivative_is_refused(coordinates, fields, unknowns, name):
    with pytest.raises(ProblemError, match=f"'{name}' reads two ways, as declared and as the derivative of"):
        names(coordinates, fields, unknowns)


@pytest.mark.parametrize(("fields", "unknowns", "name"), [("u u_n", "", "u_n"), ("u", "u_n", "u_n"), ("u", "n_x", "n_x")])
def test_a_declared_name_that_is_also_a_normal_is_refused(fields, unknowns, name):
    with pytest.raises(ProblemError, match=f"'{name}' reads two ways"):
        names("x t", fields, unknowns)


@pytest.mark.parametrize(("coordinates", "fields", "unknowns"), [("x x", "u", ""), ("x", "u u", ""), ("x", "x", ""), ("x", "u", "u")])
def test_a_name_declared_twice_is_refused(coordinates, fields, unknowns):
    with pytest.raises(ProblemError, match="is declared twice: coordinates, fields and unknowns share one namespace"):
        names(coordinates, fields, unknowns)


@pytest.mark.parametrize("name", ["data", "vector", "normal", "minus", "plus", "_u", "2u", "u-v", ""])
def test_reserved_words_and_non_identifiers_are_no_names(name):
    with pytest.raises(ProblemError, match="cannot name a coordinate, field or unknown"):
        Names(("x",), (name,))


def test_the_state_gives_values_of_every_kind_of_name():
    D_in = Constant(torch.tensor(3.0, dtype=torch.float64))
    s = state(BATCH, data={"m": BATCH["x"] + 1}, unknowns={"D_in": D_in}, u=u, v=v)
    assert torch.equal(s.t.values, BATCH["t"])
    assert torch.equal(s.v.values, v(*BATCH.values()))
    assert gap(s.u_xyt.values, nested_grad(u, BATCH, "xyt")) <= 1e-12
    assert float(s.D_in.values) == 3
    assert torch.equal(s.data.m.values, BATCH["x"] + 1)
    assert [c is f for c, f in zip(s.vector("u", "v"), (s.u, s.v), strict=True)] == [True, True]
    assert s.field_names == ("u", "v")


def test_every_value_has_the_shape_of_the_batch():
    s = state(BATCH, normal={"x": BATCH["y"]}, data={"m": BATCH["x"]}, u=u)
    for value in (s.x, s.u, s.u_x, s.u_xxt, s.n_x, s.u_n, s.data.m, 2 * s.u + s.x):
        assert tuple(value.shape) == (6,)


def test_a_missing_normal_or_column_is_refused_with_the_known_ones():
    s = state(BATCH, data={"m": BATCH["x"]}, u=u)
    with pytest.raises(ProblemError, match="There is no normal n_x here: only points on a boundary have one"):
        s.n_x  # noqa: B018
    with pytest.raises(ProblemError, match="The data have no column 'w': they have m"):
        s.data.w  # noqa: B018


def test_data_are_exact_values_that_refuse_to_be_differentiated():
    s = state(BATCH, data={"m": BATCH["x"]}, u=u)
    assert torch.equal((s.u - s.data.m).values, u(*BATCH.values()) - BATCH["x"])
    with pytest.raises(EvaluationError, match=r"The data column 'm' is known at its points only"):
        D(s.u * s.data.m, "x").values  # noqa: B018


def test_unknowns_are_constants_of_the_coordinates():
    s = state(BATCH, unknowns={"D": Constant(torch.tensor(3.0, dtype=torch.float64))}, u=u)
    assert gap(D(s.D * s.u, "x").values, 3 * nested_grad(u, BATCH, "x")) <= 1e-15


def test_two_sided_state_pairs_neighbouring_points():
    sides = TwoSided(state(BATCH, u=u))
    assert torch.equal(sides.minus.x.values, BATCH["x"][0::2])
    assert torch.equal(sides.plus.u.values, u(*BATCH.values())[1::2])
    assert gap(sides.plus.u_xt.values, nested_grad(u, BATCH, "xt")[1::2]) <= 1e-12
