"""The rows of the acceptance table: what is solved, with what, in which time, and what it is held against.

Every shipped problem has a row with the solver's own choices. Published figures are relative L2 errors by the best network known to us, on the
same problem unless another is named; times are on their hardware, not comparable with ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from pinnsine.nets import MLP, FrozenSines, Siren
from pinnsine.optim import LevenbergMarquardt


@dataclass(frozen=True)
class Row:
    """One line of the table: a problem, what was chosen for it, the seconds allowed and the error that must be reached.

    ``windows``: the number of time windows of a march. ``unknowns``: the true numbers of an inverse problem, whose largest relative error
    counts then in place of the field's. ``away``: what the error is measured away from as well (``Solution.compare``).
    ``published``: the best figure known, with its source.
    """

    label: str
    problem: str
    seconds: float
    target: float
    coefficients: dict = field(default_factory=dict)
    choices: dict = field(default_factory=dict)
    windows: int | None = None
    unknowns: dict = field(default_factory=dict)
    away: dict = field(default_factory=dict)
    published: str = ""

    @property
    def default(self) -> bool:
        """Whether the problem is solved as it is shipped, with the solver's own choices."""
        return not (self.coefficients or self.choices or self.windows)


def sines(depth: int, omega: float) -> dict:
    """A trained network of sines."""
    return {"net": Siren(width=20, depth=depth, omega=omega)}


CHOLESKY = LevenbergMarquardt()
FRONT = {"net": MLP(width=20, depth=3), "sampler": "rad"}
BREATHER = {"net": FrozenSines(width=1100, omega=(90.0, 3.5))}
SUM_OF_COSINES = {"net": Siren(width=24, depth=2, omega=1.5, init=1.0), "points": 2000}
ORBIT = {"net": FrozenSines(width=30, omega=3.0)}
VORTICES = {"net": FrozenSines(width=500, omega=(7.8, 7.8, 2.0)), "points": 4000}
ECHO = {"net": FrozenSines(width=400, omega=9.0), "points": 3200}
KINK = {"the kink": lambda s: s.x.abs() <= 0.95}
COEFFICIENTS = {"nu": 0.01 / math.pi, "convection": 1.0}
DSGNAR, SSBROYDEN, FASTLSQ = "arXiv 2607.02194, table 1", "arXiv 2501.16371", "arXiv 2602.10541"
ROWS = (
    Row("Poisson", "poisson", 5, 1e-13, published="1.2e-7, 468 s (ENGD, arXiv 2405.15603, repository)"),
    Row("Poisson on a line, 50 half-waves", "poisson_1d", 10, 1e-10),
    Row("Poisson on a cube", "poisson_3d", 30, 1e-8),
    Row("Poisson in five dimensions, default", "poisson_nd", 60, 1e-12, published=f"3.0e-16, 407 s (DSGNAR, {DSGNAR})"),
    Row("Poisson in five dimensions", "poisson_nd", 60, 1e-6, choices=SUM_OF_COSINES, published=f"3.0e-16, 407 s (DSGNAR, {DSGNAR})"),
    Row("Harmonic in ten dimensions", "harmonic", 60, 1e-6, published=f"6.0e-12, 3240 s (DSGNAR, {DSGNAR})"),
    Row("Its twin, no polynomial", "poisson_exp", 60, 1e-4),
    Row("Poisson in a hundred dimensions", "poisson_squares", 600, 1e-5, published="3.6e-3, 7000 s (SPRING, arXiv 2505.12149, repository)"),
    Row("Its twin, no polynomial, a hundred dimensions", "poisson_exp", 600, 2e-2, coefficients={"dim": 100}),
    Row("Multi-scale Poisson (4, 8, 12, 16)", "multiscale_poisson", 60, 1e-8, published=f"4.5e-14, 281 s (DSGNAR, {DSGNAR})"),
    Row("Laplace", "laplace", 10, 1e-10),
    Row("Laplace on a ring", "annulus", 180, 1e-7),
    Row("Laplace outside disks", "disks", 180, 1e-8),
    Row("Laplace on an L", "l_shape", 180, 1e-10),
    Row("Poisson in a ball, Neumann", "ball_neumann", 180, 1e-9),
    Row("Helmholtz outside a disk", "helmholtz_hole", 180, 1e-6),
    Row("Two materials, 1 : 1000", "interface", 60, 1e-9),
    Row("Plate", "plate", 10, 1e-9),
    Row("Nonlinear Poisson", "nonlinear_poisson", 30, 1e-9, published=f"6.1e-8, 8 s (Newton-FastLSQ, {FASTLSQ}, table 2)"),
    Row("Bratu", "bratu", 30, 1e-9, published=f"1.5e-7, 7 s (Newton-FastLSQ, {FASTLSQ}, table 2)"),
    Row("Helmholtz (1, 4)", "helmholtz", 5, 1e-12, published="2.0e-9, 540 s (SPRING, arXiv 2604.05230, table 3)"),
    Row("Complex Helmholtz, impedance", "helmholtz_complex", 10, 1e-10),
    Row("Complex Helmholtz, absorbing layer", "absorbing_layer", 60, 1e-4),
    Row("Nonlinear Helmholtz", "nonlinear_helmholtz", 30, 1e-9, published=f"2.4e-9, 9 s (Newton-FastLSQ, {FASTLSQ}, table 2)"),
    Row("Steady Burgers, nu = 0.1", "steady_burgers", 30, 1e-9, published=f"3.9e-9, 7 s (Newton-FastLSQ, {FASTLSQ}, table 2)"),
    Row("Obstacle", "obstacle", 120, 1e-3),
    Row("Boundary layers", "boundary_layer", 30, 1e-5),
    Row("Eikonal, point source", "eikonal", 180, 1e-5),
    Row("Eikonal, two obstacles", "eikonal_obstacles", 180, 1e-3),
    Row("Elasticity", "elasticity", 30, 1e-9),
    Row("Harmonic oscillator, first level", "harmonic_oscillator", 60, 1e-9, unknowns={"E": 0.5}),
    Row("Harmonic oscillator, second level", "harmonic_oscillator", 60, 1e-9, coefficients={"near": 1.4}, unknowns={"E": 1.5}),
    Row("Harmonic oscillator, third level", "harmonic_oscillator", 60, 1e-9, coefficients={"near": 2.4}, unknowns={"E": 2.5}),
    Row("Fredholm, Love's equation", "fredholm", 60, 1e-12),
    Row("Volterra, memory", "volterra", 60, 1e-12),
    Row("Heat", "heat", 5, 1e-11, published="2.0e-8 absolute, 1000 s (KFAC, arXiv 2405.15603)"),
    Row("Heat, Robin conditions", "robin_heat", 10, 1e-10),
    Row("Heat, long time", "heat_long", 60, 1e-8),
    Row("Stefan, melting ice", "stefan", 60, 1e-7),
    Row("Heat on a plate, variable conductivity", "heat_2d", 60, 1e-7),
    Row("Advection, c = 1", "advection", 10, 1e-10),
    Row("Advection, c = 30", "advection_fast", 60, 1e-10, published="4.3e-2 (JAXPI2, arXiv 2604.23528)"),
    Row("Advection, ten periods", "advection", 60, 1e-9, coefficients={"c": 20 * math.pi}),
    Row("Wave, two modes", "wave", 5, 1e-10, published=f"1.2e-15, 635 s (DSGNAR, {DSGNAR})"),
    Row("Wave on a membrane", "wave_2d", 60, 1e-6),
    Row("Maxwell, a standing wave", "maxwell", 60, 1e-6, published=f"6.7e-7, 0.05 s (another wave; FastLSQ, {FASTLSQ})"),
    Row("Black-Scholes", "black_scholes", 120, 1e-3),
    Row("Burgers, nu = 0.01/pi", "burgers", 120, 2e-7, published=f"1.6e-8, 2878 s (SSBroyden, {SSBROYDEN})"),
    Row("Burgers, nu = 0.01", "burgers", 120, 1e-7, coefficients={"nu": 0.01}, published=f"8.0e-14, 346 s (DSGNAR, {DSGNAR})"),
    Row("Burgers, every nu from 0.01 to 0.1", "burgers_family", 180, 1e-4),
    Row("Burgers in the plane", "burgers_2d", 120, 1e-4),
    Row("Fisher", "fisher", 120, 1e-5),
    Row("Allen-Cahn", "allen_cahn", 120, 1e-5, away=KINK, published=f"9.4e-7 against data wrong by 1.2e-5 (SSBroyden, {SSBROYDEN})"),
    Row("Korteweg-de Vries", "kdv", 300, 1e-6, published=f"8.2e-11, 1210 s (DSGNAR, {DSGNAR})"),
    Row("Two solitons", "kdv_solitons", 300, 1e-5, published="2.2e-6 (vRBA, arXiv 2509.14198)"),
    Row("Kuramoto-Sivashinsky", "kuramoto_sivashinsky", 1200, 1e-6, published=f"2.7e-5 (SSBroyden in 5 windows, {SSBROYDEN})"),
    Row("Schroedinger", "schroedinger", 300, 1e-4, published="2.0e-3 (M. Raissi et al. 2019, J. Comput. Phys. 378)"),
    Row("Sine-Gordon, default", "sine_gordon", 180, 1e-7),
    Row("Sine-Gordon breather", "sine_gordon", 180, 1e-7, choices=BREATHER, windows=16),
    Row("Klein-Gordon", "klein_gordon", 180, 1e-7, published="4.8e-6 (TINN, arXiv 2601.20361)"),
    Row("Ginzburg-Landau", "ginzburg_landau", 600, 3e-2, published="1.1e-2 until t = 0.8 (JAXPI2, arXiv 2604.23528)"),
    Row("Gray-Scott", "gray_scott", 600, 6e-3, published="7.0e-3 until t = 2 (JAXPI2, arXiv 2604.23528)"),
    Row("Kovasznay, Re 40", "kovasznay", 180, 1e-8),
    Row("Stokes", "stokes", 60, 1e-9),
    Row("Cavity, Re 100", "cavity", 180, 2e-4, published=f"1.1e-4, 403 s (DSGNAR, {DSGNAR})"),
    Row("Cavity, Re 400", "cavity", 180, 2e-3, coefficients={"Re": 400.0}),
    Row("Flow past a cylinder, Re 20", "cylinder", 180, 1e-2),
    Row("Taylor-Green", "taylor_green", 180, 1e-8),
    Row("Taylor-Green, sines of whole periods", "taylor_green", 180, 1e-8, choices=VORTICES),
    Row("Beltrami", "beltrami", 180, 1e-5),
    Row("Lotka-Volterra", "lotka_volterra", 60, 1e-6),
    Row("Lotka-Volterra, windows", "lotka_volterra", 60, 1e-6, choices=ORBIT, windows=8),
    Row("Lorenz", "lorenz", 60, 1e-4),
    Row("Inverse Burgers, default", "inverse_burgers", 120, 1e-5, unknowns=COEFFICIENTS),
    Row("Inverse Burgers, viscosity and convection", "inverse_burgers", 120, 1e-5, choices=FRONT, unknowns=COEFFICIENTS),
    Row("Inverse diffusivity", "inverse_diffusivity", 60, 1e-3, published="2.5e-2 (vPINN, arXiv 2306.08827, table 3)"),
    Row("Inverse reaction rates", "inverse_reaction", 30, 1e-8, unknowns={"k": 1.3, "m": 0.4}),
    Row("Inverse slowness, full waveform", "slowness", 120, 1e-5),
    Row("Inverse slowness, sines as short as the waves", "slowness", 120, 1e-3, choices=ECHO),
    Row("Inverse radius of a hole", "inverse_radius", 60, 1e-9, unknowns={"R": 0.4}),
    Row("Inverse Lorenz", "inverse_lorenz", 60, 1e-4, unknowns={"sigma": 10.0, "rho": 15.0, "beta": 8 / 3}),
    Row("Inverse Navier-Stokes", "inverse_navier_stokes", 180, 1e-5, unknowns={"convection": 1.0, "nu": 1 / 40}),
    Row("Poisson, trained sines, by Cholesky", "poisson", 15, 1e-10, choices={**sines(3, 1.5), "optimizer": CHOLESKY}),
    Row("Helmholtz (1, 4), trained sines, by Cholesky", "helmholtz", 30, 1e-8, choices={**sines(3, 4.0), "optimizer": CHOLESKY}),
    Row("Poisson, trained sines", "poisson", 60, 1e-10, choices=sines(3, 1.5)),
    Row("Helmholtz (1, 4), trained sines", "helmholtz", 60, 5e-9, choices=sines(3, 4.0)),
    Row("Wave, two modes, trained sines", "wave", 60, 1e-5, choices={"net": Siren(width=30, depth=2, omega=8.0), "points": 1800}),
    Row("Heat, trained sines", "heat", 60, 1e-8, choices=sines(3, 2.0)),
    Row("Burgers, nu = 0.01/pi, sines", "burgers", 120, 2e-4, choices={**sines(4, 2.0), "sampler": "rad"}),
)
