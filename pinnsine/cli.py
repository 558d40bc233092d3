"""The command line: ``pinnsine list | check | solve | resume | diagnose | compare | plot | export | fit | bench``.

Exit status: 0 done; 2 the user's input is wrong (one clear line); 3 the run stopped on numbers that are not finite;
130 interrupted, with what was found saved where ``--out`` says.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pinnsine.cli_report import NOT_FINITE, report, tell
from pinnsine.errors import EvaluationError, ProblemError, RankError
from pinnsine.fit_commands import fit_app

if TYPE_CHECKING:
    from pinnsine.problem import Problem

WRONG_INPUT = 2
RUN_FILES = (".h5", ".hdf5")

app = typer.Typer(
    help="Solve partial differential equations with physics-informed sinusoidal networks.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(fit_app, name="fit")

ProblemName = Annotated[str, typer.Argument(metavar="PROBLEM", help="A shipped name, a file mine.py or module:factory.")]
Coefficients = Annotated[list[str], typer.Option("--set", metavar="NAME=VALUE", help="A coefficient; may be repeated.")]
RunFile = Annotated[Path, typer.Argument(metavar="RUN.h5", help="A run file written by `pinnsine solve --out`.")]
Picture = Annotated[Path | None, typer.Option(metavar="FILE.png", help="Where to draw.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line, by default on the program's own arguments, and exit with the status above."""
    try:
        app(arguments, prog_name="pinnsine")
    except ProblemError as error:
        status, message = WRONG_INPUT, str(error)
    except (EvaluationError, RankError) as error:
        status, message = NOT_FINITE, str(error)
    print("error:", " ".join(message.split()), file=sys.stderr)
    sys.exit(status)


@app.command("list")
def list_problems() -> None:
    """The shipped problems, one a line: relative L2 error and seconds as measured by `pinnsine bench`, and what they are."""
    from pinnsine.problem import problems_folder, shipped_problems

    names, known = shipped_problems(), measured_errors()
    for name in names:
        print(f"{name:<{max(map(len, names))}}  {known.get(name, '-'):<16}  {first_sentence(problems_folder() / f'{name}.py')}".rstrip())


def measured_errors() -> dict[str, str]:
    """By shipped problem, the error that the solver's own choices reached, and the seconds they took, where that was measured."""
    data = Path(__file__).parent / "measured.json"
    known = json.loads(data.read_text(encoding="utf-8")) if data.exists() else {}
    return {name: f"{record['error']:.1e} in {record['seconds']:.0f} s" for name, record in known.items()}


def first_sentence(path: Path) -> str:
    """The first sentence of a module's docstring, read without importing it; empty where there is none."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"(?<=[.!?])\s", paragraph, maxsplit=1)[0]


@app.command()
def check(problem: ProblemName, coefficients: Coefficients = ()) -> None:
    """The dry run of a problem: every constraint, where it holds, its typical size and the derivatives it needs."""
    print(_load_problem(problem, coefficients).check())


@app.command()
def solve(
    problem: ProblemName,
    coefficients: Coefficients = (),
    net: Annotated[str | None, typer.Option(help="siren, bsnn, mlp, frozensines ..., with settings: siren:width=32,depth=4")] = None,
    optimizer: Annotated[str | None, typer.Option(help="lm, gn, ssbroyden, lbfgs ...; phases: adam:iterations=900,lr=1e-3+lm")] = None,
    time: Annotated[str | None, typer.Option(metavar="DURATION", help="Wall time: 60s, 2m, 1.5h.")] = None,
    iterations: Annotated[int | None, typer.Option(help="The most iterations.")] = None,
    target: Annotated[float | None, typer.Option(help="Stop at this estimated relative error.")] = None,
    points: Annotated[int | None, typer.Option(min=1, help="Points of the equations together.")] = None,
    windows: Annotated[str | None, typer.Option(metavar="N|auto", help="Solve an evolution in so many time windows, or chosen ones.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None,
    memory: Annotated[str | None, typer.Option(metavar="SIZE", help="What an evaluation may hold: 500MB, 4GB, auto, or bytes.")] = None,
    compiled: Annotated[bool, typer.Option("--compile", help="Compile the gradients of first-order methods (torch.compile).")] = False,
    dtype: Annotated[str, typer.Option(help="float64 or float32.")] = "float64",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of network and points.")] = 0,
    out: Annotated[Path | None, typer.Option(metavar="RUN.h5", help="Write the run here.")] = None,
    plot: Picture = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress and print no summary.")] = False,
) -> None:
    """Solve a problem; whatever is not given is chosen and reported."""
    import pinnsine
    from pinnsine.export import require_writable
    from pinnsine.options import parse_net, parse_optimizer, parse_windows
    from pinnsine.plot import FORMATS

    network, phases = parse_net(net), parse_optimizer(optimizer)
    # what the user's own file prints must not mix with the JSON object
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        asked = _load_problem(problem, coefficients)
        for path, suffixes, what in ((out, RUN_FILES, "A run"), (plot, FORMATS, "A picture")):
            if path is not None:
                require_writable(path, suffixes, what)
        if asked.reference is not None:
            dict(asked.reference.floor)  # a numerical reference is computed here, once, and not in the time of the solution
        method = pinnsine.solve if windows is None else functools.partial(pinnsine.march, windows=parse_windows(windows))
        solution = method(
            asked, net=network, optimizer=phases, points=points, dtype=dtype, device=device, seed=seed, time=time, iterations=iterations,
            target=target, threads=threads, memory=memory, compile=compiled, out=out, progress=not quiet,
        )  # fmt: skip
        if plot is not None:
            solution.plot(plot)
    tell(solution, out, [path for path in (out, plot) if path is not None], as_json, quiet)


@app.command()
def resume(
    run: RunFile,
    problem: Annotated[str | None, typer.Argument(metavar="PROBLEM", help="The run's problem, unless it is a shipped one.")] = None,
    coefficients: Coefficients = (),
    time: Annotated[str | None, typer.Option(metavar="DURATION", help="Wall time; by default what was left.")] = None,
    iterations: Annotated[int | None, typer.Option(help="The most iterations, with those done before.")] = None,
    target: Annotated[float | None, typer.Option(help="Stop at this estimated relative error.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress and print no summary.")] = False,
) -> None:
    """Go on with a run that was interrupted, or whose budget is spent."""
    import pinnsine

    changes = {"time": time, "iterations": iterations, "target": target, "threads": threads}
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        asked = None if problem is None else _load_problem(problem, coefficients)
        solution = pinnsine.resume(run, asked, **{n: v for n, v in changes.items() if v is not None}, progress=not quiet)
    tell(solution, run, [run], as_json, quiet)


@app.command()
def compare(
    run: RunFile,
    reference: Annotated[Path | None, typer.Option(metavar="FILE", help="A table: .h5, .npz, .mat or .csv.")] = None,
    at: Annotated[list[float], typer.Option(metavar="TIME", help="Compare at this time as well; may be repeated.")] = (),
    h1: Annotated[bool, typer.Option("--h1", help="Compare first derivatives as well.")] = False,
    as_json: Json = False,
) -> None:
    """The error of a stored solution against its problem's reference, or a table."""
    import pinnsine

    solution = pinnsine.load(run)
    domain, fields = solution.problem.domain, [f.name for f in solution.problem.fields]
    table = None if reference is None else pinnsine.reference.table(reference, fields, domain.names)
    comparison = solution.compare(table, times=at, h1=h1)
    print(report(solution, comparison) if as_json else comparison)


@app.command()
def diagnose(
    run: RunFile,
    problem: Annotated[str | None, typer.Argument(metavar="PROBLEM", help="The run's problem, unless it is a shipped one.")] = None,
    coefficients: Coefficients = (),
    plot: Picture = None,
) -> None:
    """Why a stored solution is not better than it is, and what to do about it."""
    import pinnsine

    diagnosis = pinnsine.load(run, problem=None if problem is None else _load_problem(problem, coefficients)).diagnose()
    print(diagnosis)
    if plot is not None:
        print(diagnosis.plot(plot))


@app.command()
def plot(run: RunFile, out: Picture = None) -> None:
    """Draw a stored solution, by default beside the run."""
    import pinnsine

    print(pinnsine.load(run).plot(out or run.with_suffix(".png")))


@app.command()
def export(run: RunFile, file: Annotated[Path, typer.Argument(metavar="FILE", help=".vtu, .csv or .npz")]) -> None:
    """Write a stored solution on a grid for other programs."""
    import pinnsine

    print(pinnsine.load(run).export(file))


@app.command()
def bench(
    name: Annotated[list[str], typer.Argument(metavar="NAME", help="Shipped problems or labels of rows; all by default.")] = (),
    seed: Annotated[list[int], typer.Option(help="Of network and points; may be repeated.")] = (0,),
    jobs: Annotated[int, typer.Option(min=1, help="Rows measured at a time.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of each.")] = 1,
    write: Annotated[bool, typer.Option("--write", help="In a checkout: measure stale rows alone, and write docs/acceptance.md.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Measure rows that are not stale as well.")] = False,
) -> None:
    """The acceptance table, measured here: every shipped problem in its time, against its own reference."""
    from pinnsine.bench.table import run

    run(name, seed, jobs, threads, write, again, functools.partial(print, flush=True))


def _load_problem(name: str, settings: Sequence[str]) -> Problem:
    """The problem of a name and its coefficients; whatever goes wrong in a user's file becomes a ProblemError."""
    from pinnsine.options import assignment
    from pinnsine.problem import load_problem

    coefficients = dict(assignment(text, "--set") for text in settings)
    try:
        return load_problem(name, **coefficients)
    except ProblemError:
        raise
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}, line {frame.lineno}"
        raise ProblemError(f"{name!r} cannot be loaded: {type(error).__name__}: {error} ({place}).") from error
