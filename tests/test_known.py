"""Known parts and symmetries of fields: exact derivatives, fewer parameters, conditions that still hold, run files."""

import pytest
import torch
from helpers import bound, gap, nested_grad, rand

import pinnsine as ps
from pinnsine.ansatz import build_ansatz
from pinnsine.index import Collapsed
from pinnsine.points import Points
from pinnsine.probe import FieldScale

SQUARE = ps.Rectangle(x=(-1, 1), y=(0, 1))
INDICES = [(), ("x",), ("y",), ("x", "x"), ("x", "y"), ("x", "x", "y"), Collapsed(("x", "y"))]
NETS = {"sines": ps.Siren(6, 2), "frozen": ps.FrozenSines(12, omega=3.0), "tanh": ps.MLP(6, 2)}


def exact(s):
    return torch.sin(2 * s.x) * torch.exp(s.y)


def poisson(**field):
    walls = ps.Dirichlet("walls", u=exact, on=SQUARE.boundary())
    equation = ps.Residual("poisson", lambda s: ps.laplacian(s.u) + 3 * exact(s))
    return ps.Problem(SQUARE, ps.Field("u", **field), [equation, walls], reference=ps.Reference.exact(u=exact))


def jet_of(problem, net, batch, need):
    ansatz = build_ansatz(problem, net, {"u": FieldScale(0.0, 1.3)}, torch.Generator().manual_seed(0))
    theta = ansatz.flat() + 0.1 * rand(ansatz.size, seed=1)
    return ansatz.local(ansatz.views(theta), Points(batch), {"u": set(need)}).u, ansatz, theta


def plain(problem, ansatz, theta):
    """The network of the trial function alone, as a function of x and y."""
    module = ansatz.pieces[0].module
    views = {n.removeprefix("networks.0."): v for n, v in ansatz.views(theta).items() if n.startswith("networks.0.")}
    return lambda x, y: 1.3 * torch.func.functional_call(module, views, (torch.stack([x, y], dim=1),))[:, 0]


@pytest.mark.parametrize("evaluator", ["taylor", "forward", "reverse"])
@pytest.mark.parametrize("net", NETS)
def test_derivatives_with_symmetries_and_a_known_part_are_exact(net, evaluator):
    def g(s):
        return torch.exp(s.x) * s.y**2

    problem = poisson(plus=g, symmetry={"x": ("odd", 0.2), "y": "even"})
    batch = {"x": rand(9, seed=3), "y": rand(9, seed=4, low=0.0)}
    ansatz = build_ansatz(problem, NETS[net], {"u": FieldScale(0.0, 1.3)}, torch.Generator().manual_seed(0), evaluator)
    theta = ansatz.flat() + 0.1 * rand(ansatz.size, seed=1)
    jet, network = ansatz.local(ansatz.views(theta), Points(batch), {"u": set(INDICES)}).u, plain(problem, ansatz, theta)

    def truth(x, y):
        mirrored = 0.4 - x
        return torch.exp(x) * y**2 + (network(x, y) - network(mirrored, y) + network(x, -y) - network(mirrored, -y)) / 4

    for index in INDICES:
        names = [(n, n) for n in index.names] if isinstance(index, Collapsed) else [index]
        assert gap(jet.at(index), sum(nested_grad(truth, batch, i) for i in names)) < 1e-11


def test_an_odd_field_is_odd_and_solved_with_half_the_parameters():
    """Measured: 8.8e-6 with 40 sines and the symmetry, 9.1e-6 with 80 and 1.3e-2 with 40 without."""

    def error(width, **field):
        net = ps.FrozenSines(width, omega=5.0)
        solution = ps.solve(poisson(**field), net=net, iterations=2, progress=False, estimate=False)
        return solution, solution.compare().relative_l2["u"]

    solution, halved = error(40, symmetry={"x": "odd"})
    assert halved < 3e-5
    assert error(40)[1] > 100 * halved
    x = torch.linspace(0, 1, 5)
    assert abs(solution.predict(x=x, y=0.3)["u"] + solution.predict(x=-x, y=0.3)["u"]).max() < 1e-14


def test_the_jacobian_of_a_symmetric_network_takes_one_backward_pass():
    objective, theta = bound(poisson(symmetry={"x": "odd"}))
    assert {t.route for t in objective.terms} == {"one backward"}
    jacobian = objective.jacobian(theta)[1]
    direction = rand(len(theta), seed=5)
    assert gap(jacobian @ direction, objective.jvp(theta, direction)) < 1e-12


def test_hard_conditions_hold_with_a_known_part():
    walls = ps.Dirichlet("walls", u=exact, on=SQUARE.boundary(), hard=True)
    equation = ps.Residual("poisson", lambda s: ps.laplacian(s.u) + 3 * exact(s))
    problem = ps.Problem(SQUARE, ps.Field("u", plus=lambda s: torch.cos(s.x) * s.y), [equation, walls])
    points = walls.on.sample(40, "sobol", torch.Generator().manual_seed(0))
    jet, *_ = jet_of(problem, ps.MLP(6, 2), {n: points[n] for n in ("x", "y")}, [()])
    assert float((jet.values - torch.sin(2 * points["x"]) * torch.exp(points["y"])).abs().max()) < 1e-14


def test_the_scale_is_that_of_what_is_not_known():
    from pinnsine.scaling import field_scales

    problem = poisson(plus=lambda s: exact(s) + 1e-3 * s.x)
    assert field_scales(problem)["u"].scale == pytest.approx(1e-3, rel=0.05)


def singular(s):
    """r^(2/3) sin(2 theta / 3) about the re-entrant corner of the L-shape (see problems/l_shape.py)."""
    across = torch.atan2(-s.x - s.y, s.y - s.x)
    return (s.x**2 + s.y**2) ** (1 / 3) * torch.sin(2 / 3 * (across + 3 * torch.pi / 4))


def test_a_singular_part_with_an_unknown_coefficient_on_the_l_shape():
    """Measured: error 3.8e-13 (Intel) and 1.1e-12 (AMD), |w - 1.7| 1e-12; without the singular part 200 sines reach 1.1e-2."""
    domain = ps.Rectangle(x=(-1, 1), y=(-1, 1)) - ps.Rectangle(x=(0, 1), y=(-1, 0))

    def truth(s):
        return 1.7 * singular(s) + torch.exp(s.x) * torch.sin(s.y)

    problem = ps.Problem(
        domain,
        ps.Field("u", plus=lambda s: s.w * singular(s)),
        [ps.Residual("laplace", lambda s: ps.laplacian(s.u)), ps.Dirichlet("walls", u=truth, on=domain.boundary())],
        unknowns=[ps.Unknown("w", 1.0)],
        reference=ps.Reference.exact(u=truth),
    )
    solution = ps.solve(problem, net=ps.FrozenSines(200, omega=4.0), iterations=4, progress=False, estimate=False)
    assert float(solution.unknowns["w"]) == pytest.approx(1.7, abs=1e-11)
    assert solution.compare().relative_l2["u"] < 3e-12


def test_a_symmetry_is_kept_in_the_run_file_and_a_known_part_is_asked_for(tmp_path):
    net = ps.FrozenSines(30, omega=4.0)
    for field in ({"symmetry": {"x": ("odd", 0.0), "y": ("even", 0.5)}}, {"plus": exact}):
        problem = poisson(**field)
        solution = ps.solve(problem, net=net, iterations=1, progress=False, estimate=False)
        path = solution.save(tmp_path / "run.h5")
        if "plus" in field:
            with pytest.raises(ps.ProblemError, match="known part, plus="):
                ps.load(path)
        loaded = ps.load(path, problem=problem) if "plus" in field else ps.load(path)
        x = torch.linspace(-1, 1, 7)
        assert (loaded.predict(x=x, y=0.3)["u"] == solution.predict(x=x, y=0.3)["u"]).all()
    with pytest.raises(ps.ProblemError, match="fields differ"):
        ps.load(path, problem=poisson())


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"symmetry": {"x": "skew"}}, '"odd" or "even" by coordinate'),
        ({"symmetry": "odd"}, '"odd" or "even" by coordinate'),
        ({"symmetry": {"z": "odd"}}, "no coordinate 'z'"),
        ({"of": "y", "symmetry": {"x": "odd"}}, "a field that depends on it"),
        ({"plus": 3.0}, "plus= is a function of s"),
        ({"plus": lambda s: torch.ones(7)}, "a plain tensor has no derivatives"),
        ({"plus": lambda s: s.u}, "s.u is not known here"),
    ],
)
def test_what_cannot_be_built_is_refused(field, message):
    with pytest.raises(ps.ProblemError, match=message):
        poisson(**field).check()
