"""The options that all commands of ``pinnsine fit`` share, said once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, get_type_hints

import typer


@dataclass(frozen=True)
class FitOptions:
    """How a fit is solved, what is written of it, and what is printed."""

    net: Annotated[str | None, typer.Option(help="A network with settings, as for solve.")] = None
    optimizer: Annotated[str | None, typer.Option(help="A method or phases of them, as for solve.")] = None
    time: Annotated[str | None, typer.Option(metavar="DURATION", help="Wall time: 60s, 2m, 1.5h.")] = None
    iterations: Annotated[int | None, typer.Option(help="The most iterations.")] = None
    threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None
    dtype: Annotated[str, typer.Option(help="float64 or float32.")] = "float64"
    seed: Annotated[int, typer.Option(help="Seed of network and points.")] = 0
    out: Annotated[Path | None, typer.Option(metavar="RUN.h5", help="Write the run here.")] = None
    plot: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw the fit here.")] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress and print no summary.")] = False


def with_fit_options(command: Callable) -> Callable:
    """The command with the fields of ``FitOptions`` as options of its own, in place of its argument ``options``.

    Typer reads a command's signature, so that this one is written down where it looks: in ``__signature__`` and ``__annotations__``.
    """
    hints, shared = get_type_hints(command, include_extras=True), get_type_hints(FitOptions, include_extras=True)
    own = [p for p in inspect.signature(command).parameters.values() if p.name != "options"]

    def run(**given) -> None:
        command(options=FitOptions(**{name: given.pop(name) for name in shared}), **given)

    parameters = [p.replace(kind=p.KEYWORD_ONLY, annotation=hints[p.name]) for p in own]
    parameters += [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=shared[f.name]) for f in fields(FitOptions)
    ]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature(parameters)
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run
