"""Complex values on jets: derivatives against nested differentiation of the parts, and the modulus."""

import pytest
import torch
from helpers import columns, gap, jets, multi_indices, nested_grad

from pinnsine.complex_jet import ComplexJet, Modulus
from pinnsine.jet import values

BATCH = columns("xy", 7)
COORDINATES = jets(BATCH)


def field(x, y):
    """A complex function as the pair of its parts."""
    return torch.sin(2 * x + y), torch.cos(x * y) + 0.3


def whole(x, y):
    return torch.complex(*field(x, y))


Z = ComplexJet(*field(*COORDINATES.values()))
EXPRESSIONS = {
    "product with numbers": (lambda z: (2 - 1j) * z + 0.5j - z / (1 + 2j), lambda z: (2 - 1j) * z + 0.5j - z / (1 + 2j)),
    "products and quotients": (lambda z: z * z.conj() * z / (z + 3), lambda z: z * z.conj() * z / (z + 3)),
    "functions": (lambda z: torch.exp(1j * z) + torch.sin(z) ** 2, lambda z: torch.exp(1j * z) + torch.sin(z) ** 2),
    "modulus": (lambda z: abs(z) ** 2 * z + abs(z), lambda z: z.abs() ** 2 * z + z.abs()),
    "parts": (lambda z: z.real * torch.imag(z) + torch.conj(z), lambda z: z.real * z.imag + z.conj()),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_derivatives_are_those_of_the_parts(name):
    on_jets, on_tensors = EXPRESSIONS[name]
    jet = on_jets(Z)
    for index in multi_indices("xy", 3):
        real = nested_grad(lambda x, y: on_tensors(whole(x, y)).real, BATCH, index)
        imag = nested_grad(lambda x, y: (on_tensors(whole(x, y)) * -1j).real, BATCH, index)
        assert gap(jet.at(index), torch.complex(real, imag)) < 1e-11, index


def test_a_real_jet_has_no_imaginary_part():
    x = COORDINATES["x"]
    assert not values(x.imag).any()
    assert torch.equal(values(x.real), BATCH["x"])
    assert not values(abs(x)).is_complex()


def test_the_modulus_has_a_gradient_of_zero_at_zero():
    zero = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    jet = ComplexJet(*(jets({"x": zero})["x"] for _ in range(2)))
    [slope] = torch.autograd.grad((Modulus(jet) ** 2).values.sum(), zero)
    assert torch.equal(slope, torch.zeros_like(zero))
