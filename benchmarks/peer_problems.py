"""The problems of peers.py as pinnsine solves them, each with the coefficients, conditions and domain of the script that it stands for.

Shipped problems where a script poses the same; the others are written here. All of them have an exact solution or a reference of their own, on
whose grid every solver is measured.
"""

import math
from collections.abc import Callable

import numpy as np
import torch

import pinnsine as ps

TRUE = {
    "lorenz": {"sigma": 10.0, "rho": 15.0, "beta": 8 / 3},
    "source_place": {"mu1": 0.5, "mu2": 0.5},
    "viscosity": {"nu": 0.01 / math.pi},
}  # the numbers that belong to the data of an inverse problem


def allen_cahn_walls(nu: float = 1e-3) -> ps.Problem:
    """u_t = nu u_xx + 5 (u - u^3) on [-1, 1] x [0, 1], u = x^2 cos(pi x) at first and -1 on the walls; reference by lines."""
    domain, half = ps.Interval("x", -1, 1) * ps.Time(0, 1), ps.Interval("x", 0, 1) * ps.Time(0, 1)

    def start(x):
        return x**2 * torch.cos(torch.pi * x)

    constraints = [
        ps.Residual("allen_cahn", lambda s: s.u_t - nu * s.u_xx - 5 * (s.u - s.u**3)),
        ps.Initial("start", u=lambda s: start(s.x)),
        ps.Dirichlet("walls", u=-1.0, on=domain.boundary("x")),
    ]
    evolution = {"rate": lambda s: nu * s.u_xx + 5 * (s.u - s.u**3), "start": {"u": start}, "walls": {"u": ((0.0, 1.0, 0.0), -1.0)}}
    right = ps.reference.lines(half, **evolution, degree=256, method="Radau", tolerance=1e-9)  # u is even: half as many polynomials

    def even(s):
        return right.evaluate({"x": s.x.abs(), "t": s.t})["u"]

    return ps.Problem(domain, "u", constraints, reference=ps.Reference({"u": even}, right.floor, right.description))


def helmholtz_short(k: float = 4 * math.pi) -> ps.Problem:
    """-lap u - k^2 u = k^2 sin(k x) sin(k y) on the unit square, u = 0 on its boundary: u = sin(k x) sin(k y)."""
    domain = ps.Rectangle(x=(0, 1), y=(0, 1))

    def exact(s):
        return torch.sin(k * s.x) * torch.sin(k * s.y)

    constraints = [
        ps.Residual("helmholtz", lambda s: -ps.laplacian(s.u) - k**2 * s.u - k**2 * exact(s)),
        ps.Dirichlet("walls", u=0.0, on=domain.boundary()),
    ]
    return ps.Problem(domain, "u", constraints, reference=ps.Reference.exact(u=exact))


def helmholtz_line() -> ps.Problem:
    """u_xx + 10 pi^2 u = -6 pi^2 sin(3 pi x) cos(pi x) on [0, 2], periodic: u = sin(pi x) cos(3 pi x)."""
    domain, pi = ps.Interval("x", 0, 2), torch.pi

    def source(s):
        return -6 * pi**2 * torch.sin(3 * pi * s.x) * torch.cos(pi * s.x)

    constraints = [
        ps.Residual("helmholtz", lambda s: s.u_xx + 10 * pi**2 * s.u - source(s)),
        ps.Periodic("ends", "x", hard=True),
    ]
    exact = ps.Reference.exact(u=lambda s: torch.sin(pi * s.x) * torch.cos(3 * pi * s.x))
    return ps.Problem(domain, "u", constraints, reference=exact)


def wave_fast(c: float = 10.0, a: int = 2) -> ps.Problem:
    """u_tt = c^2 u_xx on [0, 1] x [0, 1] from rest, fixed ends: u = sin(pi x) cos(c pi t) + sin(a pi x) cos(a c pi t)."""
    domain, pi = ps.Interval("x", 0, 1) * ps.Time(0, 1), torch.pi

    def exact(s):
        return sum(torch.sin(m * pi * s.x) * torch.cos(m * c * pi * s.t) for m in (1, a))

    constraints = [
        ps.Residual("wave", lambda s: s.u_tt - c**2 * s.u_xx),
        ps.Initial("start", u=exact, u_t=0.0),
        ps.Dirichlet("ends", u=0.0, on=domain.boundary("x")),
    ]
    return ps.Problem(domain, "u", constraints, reference=ps.Reference.exact(u=exact))


def wave_membrane() -> ps.Problem:
    """u_tt = lap u on the unit square for t in [0, 1] from rest, fixed rim: u = sin(pi x) sin(pi y) cos(sqrt(2) pi t)."""
    domain, pi = ps.Rectangle(x=(0, 1), y=(0, 1)) * ps.Time(0, 1), torch.pi

    def exact(s):
        return torch.sin(pi * s.x) * torch.sin(pi * s.y) * torch.cos(math.sqrt(2) * pi * s.t)

    constraints = [
        ps.Residual("wave", lambda s: s.u_tt - ps.laplacian(s.u)),
        ps.Initial("start", u=exact, u_t=0.0),
        ps.Dirichlet("rim", u=0.0, on=domain.boundary()),
    ]
    return ps.Problem(domain, "u", constraints, reference=ps.Reference.exact(u=exact))


def kovasznay_20() -> ps.Problem:
    """The shipped flow at Re = 20, with its pressure given on the right side in place of one point."""
    flow = ps.load_problem("kovasznay", Re=20.0)
    side = ps.Dirichlet("pressure", p=flow.reference.fields["p"], on=flow.domain.side(x=1))
    constraints = [c for c in flow.constraints if c.name != "pressure"]
    return ps.Problem(flow.domain, flow.fields, [*constraints, side], reference=flow.reference)


def source_place(samples: int = 20) -> ps.Problem:
    """lap u = exp(-2 (x - mu1)^2 - 2 (y - mu2)^2) on [-2, 2]^2, u = 0 on its boundary; mu1 and mu2 from u at samples^2 points, exactly."""
    domain = ps.Rectangle(x=(-2, 2), y=(-2, 2))

    def balance(s, mu1, mu2):
        return ps.laplacian(s.u) - torch.exp(-2 * (s.x - mu1) ** 2 - 2 * (s.y - mu2) ** 2)

    walls = ps.Dirichlet("walls", u=0.0, on=domain.boundary())
    known = ps.Residual("poisson", lambda s: balance(s, 0.5, 0.5))
    reference = ps.reference.chebyshev(domain, "u", [known, walls], degree=48)
    line = -2 + 4 * (torch.arange(samples, dtype=torch.float64) + 0.5) / samples
    x, y = torch.cartesian_prod(line, line).unbind(1)
    measured = ps.Points({"x": x, "y": y, "measured": reference.evaluate({"x": x, "y": y})["u"]})
    return ps.Problem(
        domain,
        "u",
        unknowns=[ps.Unknown("mu1", 0.0, bounds=(-1, 1)), ps.Unknown("mu2", 0.0, bounds=(-1, 1))],
        constraints=[ps.Residual("poisson", lambda s: balance(s, s.mu1, s.mu2)), walls, ps.Data("samples", measured, u="measured")],
        reference=reference,
    )


def viscosity(samples: int = 2500, start: float = 0.0682) -> ps.Problem:
    """Burgers' equation with its initial and boundary values, and nu unknown, from exact values of u drawn from a grid of 513 x 101."""
    known = ps.load_problem("burgers")
    grid = known.domain.grid()
    chosen = grid.select(torch.randperm(len(grid), generator=torch.Generator().manual_seed(0))[:samples])
    measured = ps.Points({**chosen.columns, "measured": known.reference.evaluate(chosen.columns)["u"]})
    conditions = [c for c in known.constraints if c.name != "burgers"]
    burgers = ps.Residual("burgers", lambda s: s.u_t + s.u * s.u_x - s.nu * s.u_xx)
    return ps.Problem(
        known.domain,
        "u",
        unknowns=[ps.Unknown("nu", start, positive=True)],
        constraints=[burgers, *conditions, ps.Data("samples", measured, u="measured")],
        reference=known.reference,
    )


STATEMENTS: dict[str, Callable[[], ps.Problem]] = {
    "burgers": lambda: ps.load_problem("burgers"),
    "allen_cahn": lambda: ps.load_problem("allen_cahn"),
    "allen_cahn_walls": allen_cahn_walls,
    "helmholtz": lambda: ps.load_problem("helmholtz"),
    "helmholtz_short": helmholtz_short,
    "helmholtz_line": helmholtz_line,
    "wave": lambda: ps.load_problem("wave"),
    "wave_fast": wave_fast,
    "wave_membrane": wave_membrane,
    "kovasznay": lambda: ps.load_problem("kovasznay"),
    "kovasznay_20": kovasznay_20,
    "lorenz": lambda: ps.load_problem("inverse_lorenz"),
    "source_place": source_place,
    "viscosity": viscosity,
}


def grid(problem: ps.Problem) -> dict[str, np.ndarray]:
    """The points at which every solver's fields are measured, by coordinate."""
    return {name: column.numpy() for name, column in problem.domain.grid().columns.items()}


def truth(problem: ps.Problem, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The reference's fields at points."""
    return {name: value.numpy() for name, value in problem.reference.evaluate({n: torch.from_numpy(c) for n, c in columns.items()}).items()}


def field_error(problem: ps.Problem, fields: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]) -> float:
    """The largest relative L2 error of the fields on the problem's grid."""
    columns = grid(problem)
    found, known = fields(columns), truth(problem, columns)
    return max(float(np.linalg.norm(np.ravel(found[name]) - value) / np.linalg.norm(value)) for name, value in known.items())


def number_error(statement: str, found: dict[str, float]) -> float:
    """The largest relative error of the numbers that an inverse problem asks for."""
    return max(abs(found[name] / true - 1) for name, true in TRUE[statement].items())


def data_of(problem: ps.Problem) -> dict[str, np.ndarray]:
    """The columns of a problem's samples."""
    points = next(c for c in problem.constraints if c.name == "samples").on
    return {name: points[name].numpy() for name in points.names}
