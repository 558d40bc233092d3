"""Sums over lattices of sines at grids: against the plane waves themselves, their transposes, and fast Fourier transforms against tables."""

import pytest
import torch

from pinnsine.evaluate import taylor
from pinnsine.index import Collapsed
from pinnsine.jet import Context
from pinnsine.lattice_sum import Fourier, Lattice, LatticeGrid, Table, grid_of
from pinnsine.nets import FrozenSines

NAMES = ("x", "y", "t")
NEED = [(), ("x",), ("t",), ("x", "y"), ("t", "x", "x"), Collapsed(("x", "y"))]


def drawn(lattice, periodic, fields=2):
    generator = torch.Generator().manual_seed(0)
    layer = FrozenSines(lattice=lattice).build(len(lattice), fields, generator, periodic)
    with torch.no_grad():
        layer.output.weight.normal_(generator=generator)
        layer.output.bias.normal_(generator=generator)
    return layer


def evenly(count, first=0.3):
    return 2 * (torch.arange(count, dtype=torch.float64) + first) / count - 1


def grid(*axes):
    return torch.cartesian_prod(*axes)


def random_grid(seed=0):
    generator = torch.Generator().manual_seed(seed)
    points = grid(*(2 * torch.rand(n, generator=generator, dtype=torch.float64) - 1 for n in (7, 6, 5)))
    return points[torch.randperm(len(points), generator=generator)]


def test_derivatives_on_a_grid_are_those_of_the_plane_waves():
    layer, points = drawn((4, 3, 2), (True, False, False)), random_grid()
    fast = taylor(layer, points, NAMES, NEED, Context(NAMES, ("x", "y")))
    layer.lattice = None
    slow = taylor(layer, points, NAMES, NEED, Context(NAMES, ("x", "y")))
    for index in NEED:
        torch.testing.assert_close(fast.at(index), slow.at(index), rtol=1e-11, atol=1e-9)


def test_coefficients_of_products_are_those_of_the_layer_and_back():
    layer = drawn((3, 2), (True, False))
    products = layer.lattice.products(layer.output.weight, layer.output.bias)
    assert products.shape == (2, 7, 5)
    weight, bias = layer.lattice.layer(products)
    torch.testing.assert_close(weight, layer.output.weight.detach(), rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(bias, layer.output.bias.detach())


def test_the_adjoint_is_the_transpose():
    lattice = Lattice((60, 2), (torch.pi, 1.0), (0, 0))
    nodes, place = grid_of(grid(evenly(150), torch.linspace(-1, 1, 6, dtype=torch.float64)).flip(0))
    sums = LatticeGrid(lattice, nodes, place, ("x", "t"), (1.0, 2.0), [(), ("x",), ("t",), ("x", "x", "x")])
    assert {type(m) for m in sums.maps.values()} == {Fourier, Table}
    generator = torch.Generator().manual_seed(1)
    products = torch.randn(2, 121, 5, generator=generator, dtype=torch.float64)
    components = sums.components(products)
    slopes = torch.randn(components.shape, generator=generator, dtype=torch.float64)
    torch.testing.assert_close((components * slopes).sum(), (sums.adjoint(slopes) * products).sum(), rtol=1e-11, atol=0)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_fast_transforms_give_what_tables_give(order):
    lattice, nodes = Lattice((60,), (torch.pi,), (0,)), evenly(150)
    products = torch.randn(1, 121, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    sums = LatticeGrid(lattice, [nodes], torch.arange(150), ("x",), (0.5,), [("x",) * order])
    [fast] = sums.maps.values()
    slow = Table(lattice.along(0, nodes, order, 0.5))
    assert isinstance(fast, Fourier)
    size = (60 * torch.pi / 2) ** order
    torch.testing.assert_close(fast.apply(products, 1), slow.apply(products, 1), rtol=0, atol=1e-11 * size)
    torch.testing.assert_close(
        fast.adjoint(slow.apply(products, 1), 1), slow.adjoint(slow.apply(products, 1), 1), rtol=1e-9, atol=1e-9 * size**2
    )


def test_scattered_points_form_no_grid():
    assert grid_of(torch.rand(100, 2, generator=torch.Generator().manual_seed(0))) is None
    nodes, place = grid_of(random_grid())
    assert [len(n) for n in nodes] == [7, 6, 5]
    assert sorted(place.tolist()) == list(range(210))
