"""Figures of fits: images, images from their derivatives, shapes and sounds, one row each; "peers256" takes eleven times its budget.

    [OMP_NUM_THREADS=1] python benchmarks/fit.py [ROW ...] [--threads 2] [--time DURATION] [--write]

Images: "camera" is scikit-image's 512 x 512 camera, mean over blocks of 4 x 4 pixels, 128 x 128, values in [0, 1], a smaller one a crop of
that from row 16 and column 32; "astronaut" is the mean over blocks of 2 x 2 pixels, 256 x 256, three channels. MSE and PSNR are of values
in [0, 1]; PSNR from derivatives is that after the best constant. "Between" is half a pixel off the grid against the cubic spline.
"""

import argparse
import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import image_peers
import numpy as np
import torch
from scipy import sparse
from scipy.sparse.linalg import spsolve

import pinnsine as ps
from pinnsine.bench.measure import machine
from pinnsine.budget import seconds
from pinnsine.domain import Shape, Torus
from pinnsine.fit import gradient, laplacian, poisson_dct, psnr, quality, render
from pinnsine.fit.picture import draw_panels

EXACT = ps.LevenbergMarquardt(factorisation="dual", damping=1e-3, factor=16, ratio=0.5)
SEED = 0


def camera(size: int) -> np.ndarray:
    from skimage import data

    image = data.camera().reshape(128, 4, 128, 4).mean((1, 3)) / 255
    return image if size == 128 else image[16 : 16 + size, 32 : 32 + size]


def bsnn(size: int, width: int) -> ps.BSNN:
    """Rotated octaves up to half the Nyquist limit of ``size`` pixels."""
    return ps.BSNN(width, 3, encoding=ps.nets.RotatedOctaves(round(math.log2(size)), nyquist=math.pi * size / 2))


def first(solution: ps.Solution, mse: float) -> str:
    """The first iteration with a smaller mean squared error, and its second."""
    below = np.flatnonzero(solution.history["loss"] < mse)
    return f"{below[0] + 1} ({solution.history['seconds'][below[0]]:.0f} s)" if len(below) else "not reached"


def fit_camera(size: int, width: int, budget: str) -> dict[str, str]:
    image = camera(size)
    options = {"net": bsnn(size, width), "optimizer": EXACT, "dtype": "float32", "iterations": 25, "time": budget, "seed": SEED}
    solution = ps.solve(ps.fit.image(image), callbacks=[ps.fit.stop_at(100)], **options)
    found = quality(solution, image)
    return {
        "MSE < 1e-6 at iteration": first(solution, 1e-6), "MSE < 1e-8 at iteration": first(solution, 1e-8), "PSNR": f"{found.psnr:.1f} dB",
        "between": f"{found.between:.1f} dB", "SSIM": f"{found.ssim:.4f}",
        "parameters a pixel": f"{found.parameters_per_pixel:.2f}" + (" (interpolation)" if found.parameters_per_pixel >= 1 else ""),
    }  # fmt: skip


def astronaut(size: int) -> np.ndarray:
    from skimage import data

    return (data.astronaut().reshape(256, 2, 256, 2, 3).mean((1, 3)) / 255)[:size, :size]


def fit_astronaut(budget: str) -> dict[str, str]:
    image = astronaut(256)
    solution = ps.solve(ps.fit.image(image), time=budget, seed=SEED, estimate=False)
    found = quality(solution, image)
    return {
        "PSNR": f"{found.psnr:.1f} dB", "between": f"{found.between:.1f} dB", "SSIM": f"{found.ssim:.4f}",
        "parameters a value": f"{found.parameters_per_pixel / 3:.2f} (interpolation)", "seconds": f"{solution.settings['seconds']:.0f}",
    }  # fmt: skip


def fit_peers(size: int, budget: str) -> dict[str, str]:
    """Each for the budget, ours for no more than that; runs/peers.png shows them."""
    image = astronaut(size)
    ours = render(ps.solve(ps.fit.image(image), time=budget, seed=SEED, estimate=False))
    fits = image_peers.compared(image, seconds(budget), SEED)
    found = {name: f"{fit.psnr:.1f} dB ({fit.steps} steps at {fit.rate:g})" for name, fit in fits.items()}
    shown = {"the image": image, f"ours, {psnr(ours, image):.1f} dB": ours}
    shown |= {f"{name.split(',')[0]}, {fit.psnr:.1f} dB": fit.pixels for name, fit in fits.items()}
    Path("runs").mkdir(exist_ok=True)
    draw_panels([(name, pixels, "gray", (0, 1)) for name, pixels in shown.items()], "runs/peers.png", f"{budget} each")
    return {**found, "ours": f"{psnr(ours, image):.1f} dB", "parameters of each network": f"{image_peers.parameters(image.shape[2]):,}"}


def invert(size: int, kind: str, budget: str) -> dict[str, str]:
    image = camera(size)
    given = {kind: gradient(image) if kind == "gradient" else laplacian(image)}
    solution = ps.solve(ps.fit.poisson(**given, stencil="forward"), time=budget, seed=SEED, estimate=False)
    return {
        "PSNR": f"{psnr(render(solution), image, offset=True):.1f} dB", "stencil": "forward differences",
        "network": solution.settings["net"], "seconds": f"{solution.settings['seconds']:.0f}",
        "cosine transform": f"{psnr(poisson_dct(**given), image, offset=True):.0f} dB",
    }  # fmt: skip


def composite(size: int, budget: str) -> dict[str, str]:
    """A disk of coins laid into the moon, against the linear system that defines it; their mixed gradients, against the cosine transform."""
    from skimage import data

    coins = data.coins()[: 2 * size, : 2 * size].reshape(size, 2, size, 2).mean((1, 3)) / 255
    moon = data.moon()[: 4 * size, : 4 * size].reshape(size, 4, size, 4).mean((1, 3)) / 255
    options = {"time": budget, "seed": SEED, "estimate": False}
    mask = np.hypot(*(np.indices(moon.shape) - (size - 1) / 2)) < 0.28 * size
    laid, cloned = ps.solve(ps.fit.clone(coins, moon, mask), **options), linear_clone(coins, moon, mask)
    found, across = render(laid), edge(mask)
    mixed = ps.solve(ps.fit.blend([coins, moon], mixed=True), **options)
    slopes = [mixed.problem.constraints[0].on[n].numpy().reshape(moon.shape) for n in ("gx", "gy")]
    jumps = {"pasted": np.where(mask, coins, moon), "cloned": found, "source": coins}
    return {
        "cloned against the linear system": f"{psnr(found, cloned):.1f} dB", "outside the mask": f"{psnr(found[~mask], moon[~mask]):.1f} dB",
        "mean difference across its edge": ", ".join(f"{name} {np.abs(across @ u.ravel()).mean():.3f}" for name, u in jumps.items()),
        "network": laid.settings["net"], "seconds": f"{laid.settings['seconds']:.0f}",
        "mixed gradients against the cosine transform": f"{psnr(render(mixed), poisson_dct(gradient=slopes), offset=True):.1f} dB",
    }  # fmt: skip


def differences(shape: tuple[int, int]) -> sparse.csr_array:
    """The differences of neighbours along x, then along y, of an image's values in rows."""
    along, down = (sparse.diags_array([-np.ones(n), np.ones(n - 1)], offsets=[0, 1], shape=(n - 1, n)) for n in shape[::-1])
    return sparse.vstack([sparse.kron(sparse.eye_array(shape[0]), along), sparse.kron(down, sparse.eye_array(shape[1]))]).tocsr()


def edge(mask: np.ndarray) -> sparse.csr_array:
    """The differences of two neighbours of which one lies in the mask."""
    steps = differences(mask.shape)
    return steps[np.abs(steps @ mask.ravel().astype(float)) == 1]


def linear_clone(source: np.ndarray, target: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The values inside that leave least of all differences that reach there, given the target's outside."""
    steps, inside, found = differences(mask.shape), mask.ravel(), target.copy()
    steps = steps[abs(steps) @ inside.astype(float) > 0]
    right = steps @ source.ravel() - steps[:, ~inside] @ target.ravel()[~inside]
    free = steps[:, inside]
    found[mask] = spsolve((free.T @ free).tocsc(), free.T @ right)
    return found


def torus(points: int, budget: str) -> dict[str, str]:
    rng = np.random.default_rng(SEED)
    around, along = 2 * np.pi * rng.random((2, points))
    normals = np.stack([np.cos(around) * np.cos(along), np.cos(around) * np.sin(along), np.sin(around)], axis=1)
    cloud = np.stack([np.cos(along), np.sin(along), 0 * along], axis=1) + 0.4 * normals
    solution = ps.solve(ps.fit.sdf(np.hstack([cloud, normals]), points=points), time=budget, seed=SEED)
    error = ps.fit.distance_error(solution, lambda p: np.hypot(np.hypot(p[:, 0], p[:, 1]) - 1, p[:, 2]) - 0.4)
    return {"far-field RMS / diagonal": f"{error.relative:.1e}", "IoU": f"{error.iou:.4f}", "parts": str(solution.surface().components())}


def boxes(points: np.ndarray) -> np.ndarray:
    """The signed distance (N,) to the union of ``BOXES`` at points (N, 3): to the faces of the cells that the boxes' planes cut space into.

    The union's own, the smaller of the two distances, is too short inside.
    """
    planes = [np.unique([b[axis] for b in BOXES]) for axis in "xyz"]
    ends = np.stack(np.meshgrid(*[np.arange(len(p) - 1) for p in planes], indexing="ij"), axis=-1).reshape(-1, 3)
    low, high = (np.stack([planes[k][ends[:, k] + side] for k in range(3)], axis=1) for side in (0, 1))
    solid = {tuple(e) for e, a, b in zip(ends, low, high, strict=True) if _within((a + b)[None] / 2)[0]}
    nearest = np.full(len(points), np.inf)
    for cell in solid:
        for k, step in ((k, step) for k in range(3) for step in (-1, 1)):
            if tuple(c + step * (i == k) for i, c in enumerate(cell)) not in solid:
                a, b = (np.array([planes[i][cell[i] + side] for i in range(3)]) for side in (0, 1))
                a[k] = b[k] = b[k] if step > 0 else a[k]
                nearest = np.minimum(nearest, np.linalg.norm(np.maximum(np.maximum(a - points, points - b), 0), axis=1))
    return np.where(_within(points), -nearest, nearest)


def _within(points: np.ndarray) -> np.ndarray:
    """Which of the points (N, 3) lie in one of the ``BOXES``."""
    sides = [np.array([b[n] for n in "xyz"]) for b in BOXES]
    return np.any([((points > s[:, 0]) & (points < s[:, 1])).all(axis=1) for s in sides], axis=0)


def exact(shape: Shape, distance: Callable[[np.ndarray], np.ndarray], budget: str, points: int) -> dict[str, str]:
    """From the shape's own distance at twice so many points, a tenth of them on the surface."""
    solution = ps.solve(ps.fit.sdf(shape, points=points), time=budget, seed=SEED, estimate=False)
    error = ps.fit.distance_error(solution, distance)
    return {"far-field RMS / diagonal": f"{error.relative:.1e}", "IoU": f"{error.iou:.4f}", "parts": str(solution.surface().components()),
            "network": solution.settings["net"], "iterations": str(solution.settings["iterations"])}  # fmt: skip


def mesh(path: str, points: int, budget: str, oriented: bool = True) -> dict[str, str]:
    """From points drawn on a mesh, with its normals or without any."""
    import trimesh

    solid = trimesh.load_mesh(path)
    source = solid if oriented else trimesh.sample.sample_surface(solid, points, seed=SEED)[0]
    solution = ps.solve(ps.fit.sdf(source, points=points), dtype="float32", time=budget, seed=SEED, estimate=False)
    shape = ps.domain.Mesh(path)
    error = ps.fit.distance_error(solution, lambda p: shape.signed(torch.from_numpy(p)).numpy())
    found = solution.surface(resolution=128)
    drawn, again, fresh = (trimesh.sample.sample_surface(m, points, seed=k)[0] for k, m in ((1, found.mesh), (2, solid), (3, solid)))
    gap, own = ps.fit.surface_gap(drawn, again), ps.fit.surface_gap(fresh, again)
    return {"Chamfer": f"{gap.chamfer:.2e}", "of the surface itself": f"{own.chamfer:.2e}", "Hausdorff": f"{gap.hausdorff:.2e}",
            "far-field RMS / diagonal": f"{error.relative:.1e}", "IoU": f"{error.iou:.4f}", "parts": str(found.components()),
            "Euler number": str(found.mesh.euler_number)}  # fmt: skip


def chord(budget: str) -> dict[str, str]:
    rate = 44_100
    t = (np.arange(rate) + 0.5) / rate
    beats = sum(np.exp(-8 * np.maximum(t - start, 0)) * (t >= start) for start in (0.05, 0.4, 0.7))
    sound = 0.2 * beats * sum(np.sin(2 * np.pi * tone * t) for tone in (261.6, 329.6, 392.0))
    found = {}
    for name, net in (("chosen", None), ("half the unknowns", ps.nets.LocalSines(1400, 16))):
        solution = ps.solve(ps.fit.audio(sound, rate), net=net, time=budget, seed=SEED, estimate=False)
        score = ps.fit.snr(ps.fit.sound(solution, rate)[:, 0], sound)
        found[f"SNR, {name}"] = (
            f"{score:.1f} dB with {solution.ansatz.size / rate:.2f} parameters a sample in {solution.settings['seconds']:.0f} s"
        )
    return found


def restore(size: int, budget: str) -> dict[str, str]:
    """30 % of the pixels, and means over 2 x 2 of them, of camera's middle."""
    from skimage.restoration import inpaint_biharmonic
    from skimage.transform import resize

    image = camera(128)[24 : 24 + size, 52 : 52 + size]
    known = np.random.default_rng(SEED).random(image.shape) < 0.3
    coarse = image.reshape(size // 2, 2, size // 2, 2).mean((1, 3))
    options = {"time": budget, "seed": SEED, "estimate": False}
    found = {f"inpainting, {p}": render(ps.solve(ps.fit.inpaint(image, known, p), **options)) for p in ("hessian", "bending", "tv")}
    found["inpainting, biharmonic"] = inpaint_biharmonic(image, ~known)
    for p in ("hessian", "bending", "tv"):
        found[f"super-resolution, {p}"] = render(ps.solve(ps.fit.super_resolve(coarse, 2, p), **options), image.shape)
    found["super-resolution, bicubic"] = resize(coarse, image.shape, order=3, mode="edge", anti_aliasing=False)
    return {name: f"{psnr(pixels, image):.1f} dB" for name, pixels in found.items()}


BOXES = ({"x": (0, 1), "y": (0, 1), "z": (0, 0.5)}, {"x": (0.5, 1.5), "y": (0.5, 1.2), "z": (0.2, 1.0)})
SHARED = "shared/shapes/spot.obj"  # beside the repository, or further up
SPOT = next((p / SHARED for p in Path(__file__).resolve().parents if (p / SHARED).exists()), Path(SHARED))
ROWS: Mapping[str, tuple[Callable[[str], dict[str, str]], str]] = {
    "camera32": (lambda t: fit_camera(32, 28, t), "5m"),
    "camera64": (lambda t: fit_camera(64, 48, t), "5m"),
    "camera128": (lambda t: fit_camera(128, 112, t), "20m"),
    "camera128-fewer": (lambda t: fit_camera(128, 68, t), "20m"),
    "astronaut256": (fit_astronaut, "3m"),
    "peers256": (lambda t: fit_peers(256, t), "3m"),
    "gradient32": (lambda t: invert(32, "gradient", t), "5m"),
    "laplacian32": (lambda t: invert(32, "laplacian", t), "5m"),
    "gradient128": (lambda t: invert(128, "gradient", t), "10m"),
    "laplacian128": (lambda t: invert(128, "laplacian", t), "10m"),
    "composite128": (lambda t: composite(128, t), "3m"),
    "torus": (lambda t: torus(20_000, t), "10m"),
    "torus-exact": (lambda t: exact(Torus(), lambda p: Torus().signed(torch.from_numpy(p)).numpy(), t, 5_000), "5m"),
    "boxes-exact": (lambda t: exact(ps.Box(**BOXES[0]) | ps.Box(**BOXES[1]), boxes, t, 10_000), "5m"),
    "spot": (lambda t: mesh(str(SPOT), 20_000, t), "10m"),
    "spot-unoriented": (lambda t: mesh(str(SPOT), 5_000, t, oriented=False), "10m"),
    "chord": (chord, "3m"),
    "restore64": (lambda t: restore(64, t), "2m"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all by default")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--time", help="in place of every row's own budget")
    parser.add_argument("--write", action="store_true", help="add the figures to benchmarks/results/fit.md")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    lines = [f"{machine()}; {arguments.threads} threads, load {os.getloadavg()[0]:.1f} at the start"]
    for name in arguments.rows or ROWS:
        measure, budget = ROWS[name]
        start, worked = time.perf_counter(), time.process_time()
        figures = measure(arguments.time or budget)
        took, worked = time.perf_counter() - start, time.process_time() - worked
        lines.append(
            f"- {name}, {took:.0f} s ({worked:.0f} s of processor time): " + ", ".join(f"{key} {value}" for key, value in figures.items())
        )
        print(lines[-1], flush=True)
    if arguments.write:
        path = Path(__file__).parent / "results" / "fit.md"
        before = path.read_text() if path.exists() else "# Fits\n"
        path.write_text(before + "\n" + "\n".join([lines[0], "", *lines[1:]]) + "\n")


if __name__ == "__main__":
    main()
