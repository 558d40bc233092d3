"""Muon: which parameters it moves, and by what."""

import torch
from optim.toys import nonlinear_poisson

from pinnsine.nets import Siren
from pinnsine.optim import Adam, Muon
from pinnsine.optim.muon import hidden_matrices


def step(depth=3):
    objective, theta = nonlinear_poisson(net=Siren(12, depth, omega=2.0))
    found = {}
    for method in (Adam(lr=1e-2), Muon(lr=1e-2)):
        moved = method.step(objective, theta, method.start(objective, theta))
        found[type(method)] = {n: v.clone() for n, v in objective.views((theta - moved.theta) / 1e-2).items()}
    return objective, theta, found[Adam], found[Muon]


def test_hidden_matrices_move_along_the_orthogonal_factor_of_the_gradient():
    """0.2 sqrt(n) U V^T up to what five Newton-Schulz iterations leave: singular values between 0.68 and 1.13 measured."""
    objective, theta, _, muon = step()
    names = hidden_matrices(muon)
    assert len(names) == 2
    gradient = objective.views(objective.loss_and_gradient(theta)[1])
    for name in names:
        u, values, v = torch.linalg.svd(gradient[name])
        large = values > 1e-2 * values[0]  # the iterations raise smaller ones only in part
        inner = (u.T @ (muon[name] / (0.2 * 12**0.5)) @ v.T)[large][:, large]
        stretch = inner.diagonal()
        assert len(stretch) > 6
        assert 0.5 < float(stretch.min()) <= float(stretch.max()) < 1.5
        assert float((inner - stretch.diag()).abs().max()) < 0.1  # 0.03 measured: bfloat16


def test_all_other_parameters_are_left_to_adam():
    _, _, adam, muon = step()
    others = set(adam) - set(hidden_matrices(adam))
    assert len(others) > 5
    assert all(torch.equal(adam[n], muon[n]) for n in others)


def test_a_network_without_hidden_matrices_is_adams_alone():
    _, _, adam, muon = step(depth=1)
    assert hidden_matrices(adam) == []
    assert all(torch.equal(adam[n], muon[n]) for n in adam)
