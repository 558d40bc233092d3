"""The command line of fits: ``pinnsine fit image | poisson | blend | sdf | audio``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pinnsine.errors import ProblemError

if TYPE_CHECKING:
    from pinnsine.problem import Problem
    from pinnsine.solution import Solution

fit_app = typer.Typer(help="Fit images, gradients, shapes and sounds.", no_args_is_help=True, rich_markup_mode=None)

File = Annotated[Path, typer.Argument(metavar="FILE")]
Net = Annotated[str | None, typer.Option(help="A network with settings, as for solve.")]
Optimizer = Annotated[str | None, typer.Option(help="A method or phases of them, as for solve.")]
Duration = Annotated[str | None, typer.Option(metavar="DURATION", help="Wall time: 60s, 2m, 1.5h.")]
Iterations = Annotated[int | None, typer.Option(help="The most iterations.")]
Threads = Annotated[int | None, typer.Option(help="CPU threads.")]
Dtype = Annotated[str, typer.Option(help="float64 or float32.")]
Seed = Annotated[int, typer.Option(help="Seed of network and points.")]
Out = Annotated[Path | None, typer.Option(metavar="RUN.h5", help="Write the run here.")]
Picture = Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw the fit here.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress and print no summary.")]
SETTINGS = ("net", "optimizer", "parameters", "points", "iterations", "evaluations", "seconds", "loss", "dtype", "device", "seed", "versions")


@fit_app.command()
def image(
    file: File,
    psnr: Annotated[float | None, typer.Option(help="Stop at so many decibels.")] = None,
    net: Net = None,
    optimizer: Optimizer = None,
    time: Duration = None,
    iterations: Iterations = None,
    threads: Threads = None,
    dtype: Dtype = "float64",
    seed: Seed = 0,
    out: Out = None,
    plot: Picture = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit the values of an image."""
    from pinnsine import fit
    from pinnsine.fit.pixels import as_image

    truth = as_image(file)
    callbacks = [] if psnr is None else [fit.stop_at(psnr)]
    solution = _solved(fit.image(truth), net, optimizer, time, iterations, threads, dtype, seed, out, plot, quiet, callbacks)
    if plot is not None:
        fit.plot_image(solution, plot, truth)
    found = fit.quality(solution, truth)
    figures = {"mse": found.mse, "psnr": found.psnr, "ssim": found.ssim, "psnr_between": found.between}
    _report("image", solution, figures | {"parameters_per_pixel": found.parameters_per_pixel}, str(found), as_json, quiet, out)


@fit_app.command()
def poisson(
    file: File,
    source: Annotated[str, typer.Option("--from", help="gradient, laplacian or both")] = "gradient",
    stencil: Annotated[str, typer.Option(help="forward, central or sobel: the differences that are taken and inverted.")] = "forward",
    net: Net = None,
    optimizer: Optimizer = None,
    time: Duration = None,
    iterations: Iterations = None,
    threads: Threads = None,
    dtype: Dtype = "float64",
    seed: Seed = 0,
    out: Out = None,
    plot: Picture = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take an image's derivatives, and find the image from them."""
    from pinnsine import fit
    from pinnsine.fit.pixels import as_image

    truth = as_image(file)
    if source not in ("gradient", "laplacian", "both"):
        raise ProblemError(f"--from takes gradient, laplacian or both, got {source!r}.")
    slopes = fit.gradient(truth, stencil) if source != "laplacian" else None
    curvature = fit.laplacian(truth) if source != "gradient" else None
    problem = fit.poisson(slopes, curvature, stencil=stencil)
    solution = _solved(problem, net, optimizer, time, iterations, threads, dtype, seed, out, plot, quiet)
    if plot is not None:
        fit.plot_image(solution, plot)
    score = fit.psnr(fit.render(solution), truth, offset=True)
    text = f"PSNR {score:.1f} dB after the free constant"
    _report("poisson", solution, {"psnr": score}, text, as_json, quiet, out)


@fit_app.command()
def blend(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...")],
    weights: Annotated[list[float] | None, typer.Option("--weight", help="One for each image; equal by default.")] = None,
    mixed: Annotated[bool, typer.Option("--mixed", help="The longest gradient at every pixel instead of the sum.")] = False,
    net: Net = None,
    optimizer: Optimizer = None,
    time: Duration = None,
    iterations: Iterations = None,
    threads: Threads = None,
    dtype: Dtype = "float64",
    seed: Seed = 0,
    out: Out = None,
    plot: Picture = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compose images of one shape by their gradients."""
    from pinnsine import fit

    solution = _solved(fit.blend(files, weights or None, mixed), net, optimizer, time, iterations, threads, dtype, seed, out, plot, quiet)
    if plot is not None:
        fit.plot_image(solution, plot)
    _report("blend", solution, {}, f"loss {solution.settings['loss']:.1e}", as_json, quiet, out)


@fit_app.command()
def sdf(
    file: File,
    points: Annotated[int, typer.Option(min=1, help="Points drawn on a mesh, and off the surface.")] = 20_000,
    surface: Annotated[Path | None, typer.Option(metavar="FILE.stl", help="Write the surface here: .stl, .ply or .obj.")] = None,
    resolution: Annotated[int, typer.Option(help="Points of the surface's grid along the longest side.")] = 128,
    net: Net = None,
    optimizer: Optimizer = None,
    time: Duration = None,
    iterations: Iterations = None,
    threads: Threads = None,
    dtype: Dtype = "float64",
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find the signed distance to a mesh or a cloud of points."""
    from pinnsine import fit
    from pinnsine.export import require_writable
    from pinnsine.surface import FORMATS

    if surface is not None:
        require_writable(surface, FORMATS, "A surface")
    problem = fit.sdf(file, points=points, seed=seed)
    solution = _solved(problem, net, optimizer, time, iterations, threads, dtype, seed, out, None, quiet)
    found = solution.surface(resolution=resolution)
    if surface is not None:
        found.export(surface)
    figures = {"components": found.components(), "triangles": len(found.faces)}
    _report("sdf", solution, figures, f"surface of {len(found.faces):,} triangles in {figures['components']} part(s)", as_json, quiet, out)


@fit_app.command()
def audio(
    file: File,
    sound: Annotated[Path | None, typer.Option(metavar="FILE.wav", help="Write the fit here.")] = None,
    net: Net = None,
    optimizer: Optimizer = None,
    time: Duration = None,
    iterations: Iterations = None,
    threads: Threads = None,
    dtype: Dtype = "float64",
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit a sound."""
    from pinnsine import fit
    from pinnsine.export import require_writable
    from pinnsine.fit.audio import as_sound

    if sound is not None:
        require_writable(sound, (".wav",), "A sound")
    samples, rate = as_sound(file)
    solution = _solved(fit.audio(samples, rate), net, optimizer, time, iterations, threads, dtype, seed, out, None, quiet)
    found = fit.sound(solution, rate)
    if sound is not None:
        fit.write_sound(found, rate, sound)
    score = fit.snr(found, samples)
    _report("audio", solution, {"snr": score}, f"SNR {score:.1f} dB", as_json, quiet, out)


def _solved(
    problem: Problem, net, optimizer, time, iterations, threads, dtype, seed, out, plot, quiet: bool, callbacks: Sequence[Callable] = ()
) -> Solution:
    """The solution, with what is to be written checked before the work starts."""
    import pinnsine
    from pinnsine.export import require_writable
    from pinnsine.options import parse_net, parse_optimizer
    from pinnsine.plot import FORMATS

    network, phases = parse_net(net), parse_optimizer(optimizer)
    for path, suffixes, what in ((out, (".h5", ".hdf5"), "A run"), (plot, FORMATS, "A picture")):
        if path is not None:
            require_writable(path, suffixes, what)
    return pinnsine.solve(
        problem, net=network, optimizer=phases, time=time, iterations=iterations, threads=threads, dtype=dtype, seed=seed, out=out,
        callbacks=callbacks, progress=not quiet,
    )  # fmt: skip


def _report(kind: str, solution: Solution, figures: Mapping[str, float], text: str, as_json: bool, quiet: bool, out: Path | None) -> None:
    """Print what was found, and exit with the status of the outcome."""
    from pinnsine.cli import exit_by_outcome, plain

    s = solution.settings
    if as_json:
        record = {"problem": kind, "outcome": solution.outcome.name.lower(), **figures, **{key: s[key] for key in SETTINGS}}
        print(json.dumps(plain(record), allow_nan=False))
    elif not quiet:
        print(f"{kind}: {solution.outcome.value}")
        print(f"  network    {s['net']} ({s['parameters']:,} parameters; {s['reason']})")
        print(f"  run        {s['optimizer']}, {s['iterations']:,} iterations in {s['seconds']:.1f} s, loss {s['loss']:.1e}")
        print(f"  found      {text}")
    exit_by_outcome(solution, out)
