import pytest
import torch

from pinnsine.errors import ProblemError
from pinnsine.reference import Reference


@pytest.fixture
def columns():
    generator = torch.Generator().manual_seed(0)
    return {name: torch.rand(10, generator=generator, dtype=torch.float64) for name in ("x", "t")}


def test_fields_are_functions_of_the_coordinates(columns):
    reference = Reference.exact(u=lambda s: torch.exp(-(torch.pi**2) * s.t) * torch.sin(torch.pi * s.x), v=lambda s: s.x - s.t)
    values = reference.evaluate(columns)
    assert list(values) == ["u", "v"]
    torch.testing.assert_close(values["v"], columns["x"] - columns["t"], rtol=0, atol=0)
    expected = torch.exp(-(torch.pi**2) * columns["t"]) * torch.sin(torch.pi * columns["x"])
    torch.testing.assert_close(values["u"], expected, rtol=0, atol=0)


@pytest.mark.parametrize("chunk", [1, 3, 10, 11])
def test_chunks_do_not_show_in_the_values(columns, chunk):
    sizes = []

    def u(s):
        sizes.append(len(s.x))
        return (s.x[:, None] * torch.arange(5.0)).sum(-1)

    values = Reference.exact(u=u).evaluate(columns, chunk=chunk)["u"]
    torch.testing.assert_close(values, 10 * columns["x"])
    assert max(sizes) <= chunk
    assert sum(sizes) == 10


def test_a_number_stands_for_all_points(columns):
    values = Reference.exact(u=lambda s: 2).evaluate(columns)["u"]
    assert values.dtype == torch.float64
    assert values.tolist() == [2.0] * 10


def test_no_points_give_no_values():
    assert Reference.exact(u=lambda s: s.x**2).evaluate({"x": torch.empty(0)})["u"].shape == (0,)


def test_values_are_float64_and_carry_no_gradient(columns):
    columns["x"].requires_grad_()
    values = Reference.exact(u=lambda s: s.x.float()).evaluate(columns)["u"]
    assert values.dtype == torch.float64
    assert not values.requires_grad


def test_floor_is_rounding_unless_stated():
    reference = Reference.exact("series of 20 terms", floor={"v": 1e-7}, u=lambda s: s.x, v=lambda s: s.x)
    assert reference.floor == {"u": 2.2e-16, "v": 1e-7}
    assert reference.description == "series of 20 terms"
    assert Reference.exact(u=lambda s: s.x).description == "exact solution"


@pytest.mark.parametrize(
    ("field", "got"),
    [
        (lambda s: s.x[:, None], r"torch.float64 of shape \(10, 1\)"),
        (lambda s: s.x.sum(), r"torch.float64 of shape \(\)"),
        (lambda s: s.x + 1j, r"torch.complex128 of shape \(10,\)"),
        (lambda s: s.x.numpy(), "a ndarray"),
        (lambda s: None, "a NoneType"),
    ],
)
def test_other_values_are_refused(columns, field, got):
    rule = r"'u' must return a real tensor of shape \(N,\), here \(10,\)"
    with pytest.raises(ProblemError, match=f"{rule}.*got {got}: use elementwise"):
        Reference.exact(u=field).evaluate(columns)


def test_a_missing_coordinate_is_named_with_the_known_ones(columns):
    with pytest.raises(ProblemError, match=r"s\.y is not a coordinate of these points, which have 'x', 't'.*field 'u'"):
        Reference.exact(u=lambda s: s.y).evaluate(columns)


@pytest.mark.parametrize("columns", [{}, {"x": torch.zeros(2, 3)}, {"x": torch.zeros(2), "t": torch.zeros(3)}, {"x": torch.tensor(0.0)}])
def test_columns_of_other_shapes_are_refused(columns):
    with pytest.raises(ProblemError, match=r"columns of one shape \(N,\), got .*broadcast the coordinates"):
        Reference.exact(u=lambda s: s.x).evaluate(columns)


def test_fields_and_floor_are_checked():
    with pytest.raises(ProblemError, match="at least one field, got none"):
        Reference.exact()
    with pytest.raises(ProblemError, match=r"field 'u' must be a function of the state, got 0\.0: write u=lambda s"):
        Reference.exact(u=0.0)
    with pytest.raises(ProblemError, match=r"own fields \('u'\), got 'u', 'w'"):
        Reference.exact(floor={"w": 1e-3}, u=lambda s: s.x)
