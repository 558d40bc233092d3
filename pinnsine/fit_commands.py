"""The command line of fits: ``pinnsine fit image | video | poisson | blend | sdf | audio``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from pinnsine.cli_report import exit_by_outcome, plain
from pinnsine.errors import ProblemError
from pinnsine.fit_options import FitOptions, with_fit_options

if TYPE_CHECKING:
    from pinnsine.problem import Problem
    from pinnsine.solution import Solution
    from pinnsine.surface import Surface

fit_app = typer.Typer(help="Fit images, films, gradients, shapes and sounds.", no_args_is_help=True, rich_markup_mode=None)

File = Annotated[Path, typer.Argument(metavar="FILE")]
SETTINGS = ("net", "optimizer", "parameters", "points", "iterations", "evaluations", "seconds", "loss", "dtype", "device", "seed", "versions")


@fit_app.command()
@with_fit_options
def image(file: File, options: FitOptions, psnr: Annotated[float | None, typer.Option(help="Stop at so many decibels.")] = None) -> None:
    """Fit the values of an image."""
    from pinnsine import fit
    from pinnsine.fit.pixels import as_image
    from pinnsine.fit.quality import require_ssim

    truth = as_image(file)
    require_ssim()
    solution = _solved(fit.image(truth), options, [] if psnr is None else [fit.stop_at(psnr)])
    if options.plot is not None:
        fit.plot_image(solution, options.plot, truth)
    found = fit.quality(solution, truth)
    figures = {"mse": found.mse, "psnr": found.psnr, "ssim": found.ssim, "psnr_between": found.between}
    _report("image", solution, figures | {"parameters_per_pixel": found.parameters_per_pixel}, str(found), options)


@fit_app.command()
@with_fit_options
def video(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="The frames in their order.")],
    options: FitOptions,
    psnr: Annotated[float | None, typer.Option(help="Stop at so many decibels.")] = None,
) -> None:
    """Fit a film, given as images of one shape."""
    from pinnsine import fit
    from pinnsine.fit.picture import draw_panels
    from pinnsine.fit.pixels import as_image

    truth = [as_image(file) for file in files]
    solution = _solved(fit.video(truth), options, [] if psnr is None else [fit.stop_at(psnr)])
    found = fit.film(solution)
    if options.plot is not None:
        middle = len(truth) // 2
        panels = [(f"{what}, frame {middle + 1}", a, "gray", (0, 1)) for what, a in (("film", truth[middle]), ("fit", found[middle]))]
        draw_panels(panels, options.plot, "video")
    score = fit.psnr(found, np.stack(truth))
    _report("video", solution, {"psnr": score, "frames": len(truth)}, f"PSNR {score:.1f} dB over {len(truth)} frames", options)


@fit_app.command()
@with_fit_options
def poisson(
    file: File,
    options: FitOptions,
    source: Annotated[str, typer.Option("--from", help="gradient, laplacian or both")] = "gradient",
    stencil: Annotated[str, typer.Option(help="forward, central or sobel: the differences that are taken and inverted.")] = "forward",
) -> None:
    """Take an image's derivatives, and find the image from them."""
    from pinnsine import fit
    from pinnsine.fit.pixels import as_image

    truth = as_image(file)
    if source not in ("gradient", "laplacian", "both"):
        raise ProblemError(f"--from takes gradient, laplacian or both, got {source!r}.")
    if source != "gradient" and stencil == "sobel":
        raise ProblemError("Sobel's differences make no Laplacian: take --stencil forward or central, or --from gradient.")
    slopes = fit.gradient(truth, stencil)  # which refuses what is no stencil, of a Laplacian alone as well
    curvature = fit.laplacian(truth) if source != "gradient" else None
    solution = _solved(fit.poisson(None if source == "laplacian" else slopes, curvature, stencil=stencil), options)
    if options.plot is not None:
        fit.plot_image(solution, options.plot)
    score = fit.psnr(fit.render(solution), truth, offset=True)
    _report("poisson", solution, {"psnr": score}, f"PSNR {score:.1f} dB after the free constant", options)


@fit_app.command()
@with_fit_options
def blend(
    files: Annotated[list[Path], typer.Argument(metavar="FILE")],
    options: FitOptions,
    weights: Annotated[list[float] | None, typer.Option("--weight", help="One for each image; equal by default.")] = None,
    mixed: Annotated[bool, typer.Option("--mixed", help="The longest gradient at every pixel instead of the sum.")] = False,
) -> None:
    """Compose images of one shape by their gradients."""
    from pinnsine import fit

    solution = _solved(fit.blend(files, weights or None, mixed), options)
    if options.plot is not None:
        fit.plot_image(solution, options.plot)
    _report("blend", solution, {}, f"loss {solution.settings['loss']:.1e}", options)


@fit_app.command()
@with_fit_options
def sdf(
    file: File,
    options: FitOptions,
    points: Annotated[int, typer.Option(min=1, help="Points drawn on a mesh, and off the surface.")] = 20_000,
    losses: Annotated[str, typer.Option(help="What the points ask for: squares, siren or singular, which takes no normals.")] = "squares",
    surface: Annotated[Path | None, typer.Option(metavar="FILE.stl", help="Write the surface here: .stl, .ply or .obj.")] = None,
    resolution: Annotated[int, typer.Option(min=2, help="Points of the surface's grid along the longest side.")] = 128,
) -> None:
    """Find the signed distance to a mesh or a cloud of points."""
    from pinnsine import fit
    from pinnsine.export import require_writable
    from pinnsine.fit.cloud import as_cloud
    from pinnsine.surface import FORMATS, require_marching_cubes, require_trimesh

    fresh = as_cloud(file, points, options.seed + 1)
    require_marching_cubes()
    require_trimesh()
    if surface is not None:
        require_writable(surface, FORMATS, "A surface")
    solution = _solved(fit.sdf(file, points=points, seed=options.seed, losses=losses), options)
    if options.plot is not None:
        solution.plot(options.plot)
    found = solution.surface(resolution=resolution)
    if surface is not None:
        found.export(surface)
    figures = {"chamfer": _chamfer(found, fresh.points), "components": found.components(), "triangles": len(found.faces)}
    text = "surface of {triangles:,} triangles in {components} part(s), Chamfer distance {chamfer:.2e} to the points".format(**figures)
    _report("sdf", solution, figures, text, options)


def _chamfer(surface: Surface, points: np.ndarray) -> float:
    """The Chamfer distance of as many points drawn on a surface as there are in the cloud (N, 3)."""
    import trimesh

    from pinnsine import fit

    return fit.surface_gap(trimesh.sample.sample_surface(surface.mesh, len(points), seed=0)[0], points).chamfer


@fit_app.command()
@with_fit_options
def audio(
    file: File,
    options: FitOptions,
    sound: Annotated[Path | None, typer.Option(metavar="FILE.wav", help="Write the fit here.")] = None,
) -> None:
    """Fit a sound."""
    from pinnsine import fit
    from pinnsine.export import require_writable
    from pinnsine.fit.audio import as_sound

    if sound is not None:
        require_writable(sound, (".wav",), "A sound")
    samples, rate = as_sound(file)
    solution = _solved(fit.audio(samples, rate), options)
    found = fit.sound(solution, rate)
    if sound is not None:
        fit.write_sound(found, rate, sound)
    if options.plot is not None:
        fit.plot_sound(found[:, 0], samples[:, 0], rate, options.plot)
    score = fit.snr(found, samples)
    _report("audio", solution, {"snr": score}, f"SNR {score:.1f} dB", options)


def _solved(problem: Problem, options: FitOptions, callbacks=()) -> Solution:
    """The solution, with what is to be written checked before the work starts."""
    import pinnsine
    from pinnsine.export import require_writable
    from pinnsine.options import parse_net, parse_optimizer
    from pinnsine.plot import FORMATS

    network, phases = parse_net(options.net), parse_optimizer(options.optimizer)
    for path, suffixes, what in ((options.out, (".h5", ".hdf5"), "A run"), (options.plot, FORMATS, "A picture")):
        if path is not None:
            require_writable(path, suffixes, what)
    return pinnsine.solve(
        problem, net=network, optimizer=phases, time=options.time, iterations=options.iterations, threads=options.threads,
        dtype=options.dtype, seed=options.seed, out=options.out, callbacks=callbacks, progress=not options.quiet,
    )  # fmt: skip


def _report(kind: str, solution: Solution, figures: Mapping[str, float], text: str, options: FitOptions) -> None:
    """Print what was found, and exit with the status of the outcome."""
    s = solution.settings
    if options.as_json:
        record = {"problem": kind, "outcome": solution.outcome.name.lower(), **figures, **{key: s[key] for key in SETTINGS}}
        print(json.dumps(plain(record), allow_nan=False))
    elif not options.quiet:
        print(f"{kind}: {solution.outcome.value}")
        print(f"  network    {s['net']} ({s['parameters']:,} parameters; {s['reason']})")
        print(f"  run        {s['optimizer']}, {s['iterations']:,} iterations in {s['seconds']:.1f} s, loss {s['loss']:.1e}")
        print(f"  found      {text}")
    exit_by_outcome(solution, options.out)
