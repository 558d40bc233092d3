"""Signed distances and their level sets, against the exact ones of a sphere."""

import math

import numpy as np
import pytest
import torch
from fit.test_cloud import sphere

import pinnsine as ps
from pinnsine.ansatz import build_ansatz
from pinnsine.domain import Ball
from pinnsine.fit import distance_error, sdf, surface_gap
from pinnsine.fit.cloud import Cloud
from pinnsine.fit.known_distance import bounds, exact_distance, winding_number
from pinnsine.fit.sdf import BALL, ROUNDED, SINGULAR
from pinnsine.fit.shape_quality import SurfaceGap
from pinnsine.objective import bind
from pinnsine.probe import FieldScale

POINTS = sphere(150)
SETTINGS = {"net": ps.Siren(16, 2, omega=1.5), "optimizer": ps.LevenbergMarquardt(), "iterations": 15, "progress": False}


@pytest.fixture(scope="module")
def ball():
    return ps.solve(sdf(np.hstack([POINTS, POINTS]), points=200, margin=0.3), **SETTINGS)


def radius(points):
    return np.linalg.norm(points, axis=1) - 1


def test_the_distance_to_a_sphere_is_found(ball):
    """From 150 oriented points and 200 off the surface; the corner of the distance at the middle is lost: measured 0.0043 and 0.998."""
    error = distance_error(ball, radius)
    assert error.relative < 0.013
    assert error.iou > 0.993
    assert error.rms == pytest.approx(error.relative * 2 * 1.6 * math.sqrt(3), rel=0.05)


def test_its_surface_is_one_sphere(ball, tmp_path):
    pytest.importorskip("skimage")
    """Its triangles are off by 0.0058 at most."""
    surface = ball.surface(resolution=24)
    assert surface.components() == 1
    assert abs(np.linalg.norm(surface.vertices, axis=1) - 1).max() < 0.018
    a, b, c = (surface.vertices[surface.faces[:, k]] for k in range(3))
    outwards = np.einsum("nd,nd->n", np.cross(b - a, c - a), a + b + c)
    assert (outwards > 0).mean() > 0.99
    trimesh = pytest.importorskip("trimesh")
    for suffix in (".stl", ".ply", ".obj"):
        path = surface.export(tmp_path / f"ball{suffix}")
        assert trimesh.load(path).volume == pytest.approx(4 / 3 * math.pi, rel=0.1)


def test_constraints_vanish_for_the_exact_distance():
    """Rows of a linear problem: u = z - 1/4 is the distance to a plane."""
    plane = np.random.default_rng(0).random((50, 3)) * [1, 1, 0] + [0, 0, 0.25]
    problem = sdf(np.hstack([plane, np.tile([0.0, 0.0, 2.0], (50, 1))]), points=60)
    report = problem.check()
    assert report is not None
    assert [c.name for c in problem.constraints] == ["surface", "normals", "eikonal", "bounds", "apart"]
    assert [len(c.on) for c in problem.constraints] == [50, 50, 60, 60, 60]
    sides = [a.length for a in problem.domain.axes]
    assert sides == pytest.approx([1.4 * np.ptp(plane[:, :2], axis=0).max()] * 3)


def test_the_exact_distance_lies_between_its_bounds():
    points = np.random.default_rng(5).uniform(-1.6, 1.6, (500, 3))
    found = bounds(Cloud(POINTS, POINTS), points)
    assert (radius(points) <= found["upper"]).all()
    assert (found["lower"] <= radius(points) + 0.05).all()  # the box of the points, not of the sphere, is 0.05 smaller
    outside = abs(points).max(axis=1) > 1
    assert (found["lower"][outside] > 0).all()


def even_sphere(count):
    """Points of the unit sphere, each for the same area, along Fibonacci's spiral."""
    z, angle = 1 - (2 * np.arange(count) + 1) / count, np.pi * (1 + math.sqrt(5)) * np.arange(count)
    return np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z], axis=1)


def test_the_bounds_close_in_on_the_distance_with_more_points():
    """The width of the bounds is the radius of a disk of twelve neighbours, sqrt(4 * 12 / N) on the unit sphere."""
    points = np.random.default_rng(6).uniform(-0.2, 0.2, (50, 3))
    for count in (150, 600):
        cloud = even_sphere(count)
        found = bounds(Cloud(cloud, cloud), points)
        assert (found["upper"] < 0).all()  # inside, for sure
        assert (found["upper"] - found["lower"]) == pytest.approx(np.full(50, math.sqrt(48 / count)), rel=0.15)
    beyond = bounds(Cloud(cloud, cloud), 1.4 * cloud)
    assert (beyond["lower"] > 0).all()
    assert beyond["upper"] == pytest.approx(np.full(600, 0.4))


def test_the_winding_number_is_one_inside_and_zero_outside():
    cloud = even_sphere(600)
    points = np.array([[0, 0, 0], [0.3, -0.4, 0.2], [1.5, 0, 0.2], [-2, 2, 1]])
    found = winding_number(Cloud(cloud, cloud), np.full(600, 4 * math.pi / 600), points)
    assert found == pytest.approx([1, 1, 0, 0], abs=1e-3)


@pytest.mark.parametrize("power", [1, 2])
def test_without_normals_the_hessian_is_singular_for_a_distance(power):
    """At u = (|x|^n - 1) / n: for n = 1 the determinant vanishes, for n = 2 it is one, and |grad u| = |x|."""
    cloud = even_sphere(200)
    problem = sdf(cloud, points=100, margin=0.3, losses="singular")
    half = problem.domain.axes[0].length / 2
    middle = torch.tensor([a.lower + a.length / 2 for a in problem.domain.axes], dtype=torch.float64)

    class Rest(torch.nn.Module):
        """What is left of u beside the ball that the field begins as."""

        def __init__(self):
            super().__init__()
            self.factor = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))

        def forward(self, y):
            ball = torch.sqrt(((half * y) ** 2).sum(dim=1, keepdim=True) + (ROUNDED * half) ** 2) - BALL * half
            radius = ((half * y + middle) ** 2).sum(dim=1, keepdim=True) ** 0.5
            return self.factor * ((radius**power - 1) / power - ball)

    ansatz = build_ansatz(problem, Rest(), {"u": FieldScale(0.0, 1.0)}, torch.Generator())
    losses = bind(ansatz, {c.name: c.on for c in problem.soft}).losses(ansatz.flat())
    assert losses["surface"] == pytest.approx(0, abs=1e-18)
    assert losses["slope"] == pytest.approx(0, abs=1e-18)
    assert losses["singular"] == pytest.approx(SINGULAR * half**6 if power == 2 else 0.0, rel=1e-9, abs=1e-18)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_a_sphere_is_found_without_normals(seed):
    """Measured: 0.0021 and 0.0032, the inside whole; without the ball that is begun with seed 0 ends in three parts."""
    problem = sdf(POINTS, points=200, margin=0.3, losses="singular")
    solution = ps.solve(problem, **{**SETTINGS, "iterations": 40}, seed=seed, time="10m", estimate=False)
    error = distance_error(solution, radius, 3000)
    assert error.relative < 0.01
    assert error.iou > 0.99
    assert solution.surface(resolution=24).components() == 1


@pytest.mark.parametrize(("factor", "surface", "eikonal"), [(1.0, 0.0, 0.0), (3.0, 0.0, 100.0), (-1.0, 0.0, 0.0)])
def test_the_losses_of_siren_are_those_of_their_formulas(factor, surface, eikonal):
    """At u = factor (|x| - 1), whose gradient has the length |factor| everywhere, and the direction of the normals but for its sign."""
    cloud = even_sphere(200)
    problem = sdf(np.hstack([cloud, cloud]), points=100, margin=0.3, losses="siren")
    half = problem.domain.axes[0].length / 2
    middle = torch.tensor([a.lower + a.length / 2 for a in problem.domain.axes], dtype=torch.float64)

    class Cone(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = torch.nn.Parameter(torch.tensor([factor], dtype=torch.float64))

        def forward(self, y):
            return self.factor * (((half * y + middle) ** 2).sum(dim=1, keepdim=True) ** 0.5 - 1)

    ansatz = build_ansatz(problem, Cone(), {"u": FieldScale(0.0, 1.0)}, torch.Generator())
    losses = bind(ansatz, {c.name: c.on for c in problem.soft}).losses(ansatz.flat())
    assert losses["surface"] == pytest.approx(surface, abs=1e-9)
    assert losses["normals"] == pytest.approx(100.0 if factor < 0 else 0.0, abs=1e-6)
    assert losses["eikonal"] == pytest.approx(eikonal, abs=1e-9)
    off = next(c.on for c in problem.constraints if c.name == "apart").matrix("xyz").numpy()
    assert losses["apart"] == pytest.approx(50 * np.exp(-100 * abs(factor * radius(off)) / half).mean())


def test_the_losses_of_siren_are_for_gradient_methods():
    problem = sdf(np.hstack([POINTS, POINTS]), points=100, losses="siren")
    solution = ps.solve(problem, net=ps.Siren(16, 2, omega=1.5), optimizer=ps.Adam(lr=5e-3, batch=100), iterations=30, progress=False)
    assert solution.history["loss"][-1] < 0.5 * solution.history["loss"][0]
    with pytest.raises(ps.ProblemError, match="loss of its own"):
        ps.solve(problem, optimizer=ps.LevenbergMarquardt(), iterations=1, progress=False)
    with pytest.raises(ps.ProblemError, match="'siren' or 'singular', got 'siren' for a Ball"):
        sdf(Ball((0, 0, 0), 1), losses="siren")


def test_a_shape_gives_its_exact_distance():
    """A ball from 40 points on it and 360 off it: measured 0.0028 of the diagonal."""
    problem = sdf(Ball((0, 0, 0), 1), points=200, margin=0.3)
    assert [c.name for c in problem.constraints] == ["surface", "distance"]
    on, off = (c.on for c in problem.constraints)
    assert (len(on), len(off)) == (40, 360)
    for points, distance in ((on, torch.zeros(40)), (off, off["distance"])):
        assert torch.allclose(points.matrix("xyz").norm(dim=1) - 1, distance.double(), atol=1e-9)
    solution = ps.solve(problem, **SETTINGS)
    assert distance_error(solution, radius).relative < 0.014
    with pytest.raises(ps.ProblemError, match="x, y and z, got x, y"):
        sdf(ps.Disk((0, 0), 1))


def test_inside_a_union_the_distance_is_that_to_the_boundary_of_the_whole():
    """Two cubes that share their middle third, (0, 3) x (0, 2) x (0, 2) together, whose own distance is up to 0.7 too short."""
    union = ps.Box(x=(0, 2), y=(0, 2), z=(0, 2)) | ps.Box(x=(1, 3), y=(0, 2), z=(0, 2))
    points = np.random.default_rng(7).uniform(-1, 4, (4000, 3))
    middle, half = np.array([1.5, 1, 1]), np.array([1.5, 1, 1])
    beyond = abs(points - middle) - half
    exact = np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(axis=1), 0)
    assert 10 < (abs(union.signed(torch.from_numpy(points)).numpy() - exact) > 1e-3).sum() < 100
    assert exact_distance(union, points) == pytest.approx(exact, abs=1e-9)


def test_the_distance_to_an_inward_edge_is_found():
    """Inside an L, at points nearer to the edge x = y = 1 than to any face."""
    union = ps.Box(x=(0, 2), y=(0, 1), z=(0, 2)) | ps.Box(x=(0, 1), y=(0, 2), z=(0, 2))
    points = np.random.default_rng(8).uniform([0.7, 0.7, 0.6], [1, 1, 1.4], (500, 3))
    exact = -np.hypot(1 - points[:, 0], 1 - points[:, 1])
    assert exact_distance(union, points) == pytest.approx(exact, abs=1e-3)


def test_a_surface_is_refused_where_there_is_none(ball, tmp_path):
    pytest.importorskip("skimage")
    with pytest.raises(ps.ProblemError, match="level 9 is not crossed"):
        ball.surface(level=9.0, resolution=5)
    with pytest.raises(ps.ProblemError, match="resolution of at least 2"):
        ball.surface(resolution=1)
    with pytest.raises(ps.ProblemError, match=r"is called something.*\.stl|\.stl"):
        ball.surface(resolution=12).export(tmp_path / "ball.txt")


def test_the_gap_of_shifted_points_is_the_shift():
    a = np.stack([np.arange(5.0), np.zeros(5), np.zeros(5)], axis=1)
    up = np.tile([0.0, 0.0, 1.0], (5, 1))
    gap = surface_gap(a, a + 0.25 * up, (up, up))
    assert gap == SurfaceGap(0.25, 0.25, 0.0)
    assert surface_gap(a, a[:4]).hausdorff == 1.0
    assert surface_gap(a, a[:4]).chamfer == pytest.approx(0.1)
    assert math.isnan(surface_gap(a, a).angle)


@pytest.mark.parametrize("arguments", [{"margin": 0.0}, {"points": 0}])
def test_a_domain_without_room_is_refused(arguments):
    with pytest.raises(ps.ProblemError, match="margin above zero"):
        sdf(np.hstack([POINTS, POINTS]), **arguments)
