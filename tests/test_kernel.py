"""Kernels of wide networks: closed forms against Monte Carlo, limits, and networks of finite width, trained ones among them."""

import math

import numpy as np
import pytest
import torch
from helpers import gap, rand
from torch import nn

from pinnsine.errors import ProblemError
from pinnsine.jet import Coordinate
from pinnsine.kernel import bandwidth, empirical_ntk, nngp, ntk
from pinnsine.nets import BSNN, MLP, Octaves, RandomFourier, SimpleSine, Siren
from pinnsine.nets.activations import SELF_NORMALISING
from pinnsine.nets.siren import SPREADS

WIDE = 10**18  # the limit
SPECS = {
    "simple 1": SimpleSine(1500, 1, omega=3.0),
    "simple 2": SimpleSine(1500, 2, omega=3.0),
    "simple 4": SimpleSine(1500, 4, omega=3.0),
    "simple encoded": SimpleSine(1500, 2, encoding=Octaves(2)),
    "siren 1": Siren(1500, 1, omega=3.0),
    "siren 2": Siren(1500, 2, omega=3.0),
    "siren unit": Siren(1500, 3, omega=3.0, init="unit"),
    "siren inside": Siren(1500, 3, omega=3.0, init="controlled", inside=True),
    "bsnn 1": BSNN(1500, 1, omega=3.0),
    "bsnn 2": BSNN(1500, 2, omega=3.0, activation="cosine"),
    "bsnn 4": BSNN(1500, 4, omega=3.0),
    "bsnn encoded": BSNN(1500, 3, encoding=Octaves(2)),
    "bsnn exp": BSNN(1500, 2, activation="exp", encoding=Octaves(2)),
}


def build(spec, inputs=2, outputs=1, seed=0):
    return spec.build(inputs, outputs, torch.Generator().manual_seed(seed))


def deviations(spec, module):
    """The deviation with which each parameter of a module was drawn."""
    found = {}
    for k, layer in enumerate(module.layers):
        first, last, n = k == 0 and spec.encoding is None, k == spec.depth, layer.in_features
        if isinstance(spec, SimpleSine):
            weight, bias = math.sqrt(2 / n), math.sqrt(2 / n)
        elif first:
            weight, bias = spec.omega / math.sqrt(3), math.pi / math.sqrt(3)
        elif isinstance(spec, BSNN):
            weight, bias = (0.3 if last else 1.0) / math.sqrt(n), 0.0
        elif last:
            weight, bias = 0.3 * math.sqrt(2 / n), 0.3 / math.sqrt(3 * n)
        else:
            spread = SPREADS[spec.init]
            weight = spread / math.sqrt(3 * n)
            bias = {"controlled": 0.0, "unit": spread * math.exp(-1) / math.sqrt(3)}.get(spec.init, 1 / math.sqrt(3 * n))
        inside = spec.omega if isinstance(spec, Siren) and spec.inside and not last else 1.0
        found |= {f"layers.{k}.weight": weight / inside, f"layers.{k}.bias": bias / inside}
    return found


def narrower(spec, width):
    return type(spec)(**{**vars(spec), "width": width})


def measured(spec, x, networks):
    """The means of covariance and tangent kernel over freshly drawn networks; the former given the last hidden layer."""
    tangents, covariances = [], []
    for seed in range(networks):
        module = build(spec, x.shape[1], seed=seed)
        scales = deviations(spec, module)
        tangents.append(empirical_ntk(module, x, scales=scales))
        hidden = module.hidden(x).detach()
        last = f"layers.{spec.depth}"
        covariances.append(scales[f"{last}.weight"] ** 2 * hidden @ hidden.T + scales[f"{last}.bias"] ** 2)
    return torch.stack(covariances).mean(0), torch.stack(tangents).mean(0)


def distance(found, expected):
    return float((found - expected).norm() / expected.norm())


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in SPECS if "1" in n or "2" in n or "4" in n])
def test_kernels_are_the_mean_of_wide_random_networks(name):
    """Networks of width 1,500 and depth 1, 2 and 4 at six points, in the Frobenius norm; those of BSNNs scatter less and cost more."""
    spec, x = SPECS[name], rand(6, 2, seed=3)
    covariance, tangent = measured(spec, x, 16 if isinstance(spec, BSNN) else 60)
    assert distance(tangent, ntk(spec, x)) <= 0.02
    assert distance(covariance, nngp(spec, x)) <= 0.02


@pytest.mark.parametrize("name", [n for n in SPECS if "exp" not in n])  # whose fourth moments scatter too much
def test_kernels_are_near_those_of_networks_of_width_200(name):
    spec, x = narrower(SPECS[name], 200), rand(5, 2, seed=3)
    covariance, tangent = measured(spec, x, 20)
    assert distance(tangent, ntk(spec, x)) <= 0.12  # 0.06 at most measured
    assert distance(covariance, nngp(spec, x)) <= 0.12  # 0.06 at most measured


@pytest.mark.parametrize("name", SELF_NORMALISING)
def test_all_self_normalising_functions_have_one_kernel(name):
    """E f(u) f(v) = E f'(u) f'(v) = e^(rho - 1) for standard normal u, v of correlation rho, by Gauss and Hermite's rule."""
    nodes, weights = (torch.from_numpy(a) for a in np.polynomial.hermite_e.hermegauss(60))
    u, w = nodes.repeat_interleave(60), torch.outer(weights, weights).reshape(-1) / (2 * math.pi)
    for rho in (-1.0, -0.4, 0.0, 0.3, 0.9, 1.0):
        v = rho * u + math.sqrt(1 - rho**2) * nodes.repeat(60)
        left, right = (SELF_NORMALISING[name](Coordinate("z", z)) for z in (u, v))
        for order in (0, 1):
            mean = float((w * left.at(("z",) * order) * right.at(("z",) * order)).sum())
            assert mean == pytest.approx(math.exp(rho - 1), abs=1e-12)


def test_the_kernel_of_one_layer_is_the_closed_form_of_the_gaussian():
    x, y, omega = rand(7, 3), rand(5, 3, seed=1), 2.0
    a = 2 * omega**2 / 3
    near, far = (torch.exp(-a * (x[:, None] + sign * y).square().sum(-1) / 2) for sign in (-1, 1))
    far = far * math.exp(-2 * a)
    spec, inner = SimpleSine(WIDE, 1, omega), a * (x @ y.T + 1)
    assert gap(nngp(spec, x, y), near - far) <= 1e-14
    assert gap(ntk(spec, x, y), (near - far) + (near + far) * inner) <= 1e-14


def test_a_bsnn_on_the_shell_iterates_the_exponential():
    spec, x = BSNN(WIDE, 5, encoding=Octaves(3)), rand(6, 2)
    features = spec.encoding.build(2, torch.Generator())(x)
    k = tangent = features @ features.T / features.shape[1]
    for _ in range(5):
        k = torch.exp(k - 1)
        tangent = k * (1 + tangent)
    assert gap(nngp(spec, x), 0.09 * k) <= 1e-14
    assert gap(ntk(spec, x), 0.09 * tangent) <= 1e-14


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_kernels_are_symmetric_positive_and_finite_at_any_bandwidth(spec):
    for omega in (1e-3, 3.0, 1000.0, 1e6):
        wide = type(spec)(**{**vars(spec), "omega": omega})
        x = rand(40, 2)
        for kernel in (nngp, ntk):
            k = kernel(wide, x)
            assert torch.isfinite(k).all()
            assert gap(k, k.T) <= 1e-15
            assert gap(k, kernel(wide, x, x.clone())) <= 1e-15
            assert float(torch.linalg.eigvalsh(k).min() / k.diagonal().max()) >= -1e-12


def test_at_a_bandwidth_of_1000_the_kernel_of_neighbours_keeps_its_digits():
    x, step = torch.tensor([[0.7, -0.3]], dtype=torch.float64), 1e-4
    y = x + torch.tensor([[step, 0.0]], dtype=torch.float64)
    omega = 1000.0
    exact = math.exp(-((omega * float(y[0, 0] - x[0, 0])) ** 2) / 2)
    assert float(nngp(SimpleSine(WIDE, 1, omega), x, y)) == pytest.approx(exact, rel=1e-14)


@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_the_bandwidth_of_a_gaussian_kernel_is_its_omega(inputs):
    def gaussian(x, y):
        return torch.exp(-(7.0**2) * (x[:, None] - y).square().sum(-1) / 2)

    assert gap(bandwidth(gaussian, rand(4, inputs)), torch.full((inputs,), 7.0, dtype=torch.float64)) <= 1e-13


def test_the_bandwidth_of_a_network_is_omega_and_grows_by_the_root_of_1_203_a_layer():
    x = rand(20, 2)
    spec = SimpleSine(WIDE, 1, omega=30.0)  # Kaiming: wave numbers of deviation omega sqrt(2 / d) = omega in the plane
    assert float(bandwidth(lambda x, y: nngp(spec, x, y), x).max()) == pytest.approx(30, rel=1e-12)
    deep = [float(bandwidth(lambda x, y, k=k: nngp(SimpleSine(WIDE, k, omega=30.0), x, y), x)[0]) for k in (14, 15)]
    assert (deep[1] / deep[0]) ** 2 == pytest.approx(1.203, abs=5e-4)
    siren = [float(bandwidth(lambda x, y, k=k: nngp(Siren(WIDE, k, omega=30.0), x, y), x)[0]) for k in (1, 14, 15)]
    assert siren[0] == pytest.approx(30 / math.sqrt(3), rel=1e-9)
    assert (siren[2] / siren[1]) ** 2 == pytest.approx(1.203, abs=5e-4)


@pytest.mark.parametrize(
    ("spec", "growth"),
    [
        (Siren(WIDE, 30, omega=30.0), 15.6),  # 1.203^(29 / 2) = 14.6, and the first layers more
        (Siren(WIDE, 30, omega=30.0, init="controlled"), 1.1),
        (Siren(WIDE, 30, omega=30.0, init="unit"), 1.05),
        (BSNN(WIDE, 30, omega=30.0), 1.0),
    ],
)
def test_the_bandwidth_of_a_siren_grows_with_depth_and_that_of_controlled_networks_does_not(spec, growth):
    shallow = type(spec)(**{**vars(spec), "depth": 1})
    x = rand(5, 1)
    deep, first = (float(bandwidth(lambda x, y, s=s: nngp(s, x, y), x)) for s in (spec, shallow))
    assert deep / first == pytest.approx(growth, rel=0.02)


def test_the_empirical_kernel_is_the_gram_matrix_of_the_gradients():
    module, x, y = build(MLP(5, 2), 2, outputs=3), rand(4, 2), rand(3, 2, seed=1)
    names = [n for n, _ in module.named_parameters()]
    scales = {names[0]: 2.0, names[3]: 0.5}

    def gradients(points):
        rows = []
        for out in module(points).reshape(-1):
            parts = torch.autograd.grad(out, list(module.parameters()), retain_graph=True)
            rows.append(torch.cat([scales.get(n, 1.0) * g.reshape(-1) for n, g in zip(names, parts, strict=True)]))
        return torch.stack(rows).view(len(points), 3, -1)

    expected = torch.einsum("amp,bmp->ab", gradients(x), gradients(y)) / 3
    assert gap(empirical_ntk(module, x, y, scales), expected) <= 1e-14
    plain = nn.Sequential(nn.Linear(2, 1, dtype=torch.float64))
    assert gap(empirical_ntk(plain, x), x @ x.T + 1) <= 1e-14


def trained(spec, x, values, grid, steps, share):
    """Gradient descent in the parameters' own deviations, and what kernel regression of the same length predicts; values at ``grid``."""
    module = build(spec, 1)
    scales = deviations(spec, module)
    theta = {n: p.detach().clone() for n, p in module.named_parameters()}
    own = ntk(spec, x)
    rate = share / float(torch.linalg.eigvalsh(own).max())
    with torch.no_grad():
        start, start_there = module(x)[:, 0], module(grid)[:, 0]

    def residual(parameters):
        return torch.func.functional_call(module, parameters, (x,))[:, 0] - values

    slope = torch.func.grad(lambda parameters: residual(parameters).square().sum() / 2)
    for _ in range(steps):
        for n, g in slope(theta).items():
            theta[n] = theta[n] - rate * scales[n] ** 2 * g
    values_found = torch.func.functional_call(module, theta, (grid,))[:, 0]
    lam, v = torch.linalg.eigh(own)
    factors = -torch.special.expm1(steps * torch.log1p(-rate * lam)) / lam
    predicted = start_there + ntk(spec, grid, x) @ (v @ (factors * (v.T @ (values - start))))
    return values_found, predicted, start_there


def followed(width, steps):
    x, grid = (torch.linspace(-1, 1, n, dtype=torch.float64)[:, None] for n in (24, 200))
    signal = torch.sin(4 * math.pi * x[:, 0]) + 0.5 * torch.cos(7 * x[:, 0])
    found, predicted, start = trained(SimpleSine(width, 1, omega=8.0), x, signal, grid, steps, 0.5)
    assert float((predicted - start).norm() / start.norm()) > 0.5  # training moved it far
    return float((found - predicted).norm() / predicted.norm())


def test_a_network_trained_by_small_steps_follows_kernel_regression():
    assert followed(512, 400) <= 0.16  # 0.053 measured


@pytest.mark.slow
def test_a_wide_network_trained_by_small_steps_follows_kernel_regression():
    assert followed(4096, 3000) <= 0.05  # 0.043 measured; 0.030 after 400 steps


def test_kernels_that_are_not_known_are_refused():
    with pytest.raises(ProblemError, match="closed form for SimpleSine, Siren and BSNN, got MLP"):
        ntk(MLP(), rand(3, 2))
    with pytest.raises(ProblemError, match="known behind an encoding only"):
        nngp(BSNN(activation="exp"), rand(3, 2))
    with pytest.raises(ProblemError, match="drawn at random"):
        nngp(BSNN(encoding=RandomFourier(5)), rand(3, 2))
