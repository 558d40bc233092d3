"""Options written as text: ``nu=0.003``, ``siren:width=32,depth=4``, ``adam:iterations=1000,lr=1e-3+lm``."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import get_args, get_origin, get_type_hints

from pinnsine.errors import ProblemError


def assignment(text: str, option: str) -> tuple[str, object]:
    """Name and value of ``name=value``; a value that is no Python literal is a string.

    Raises ProblemError, with the option's name, for a text of another form.
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    if not (equals and name.isidentifier() and value):
        raise ProblemError(f"{option} takes name=value, got {text!r}: write for example nu=0.003.")
    try:
        return name, ast.literal_eval({"true": "True", "false": "False"}.get(value.lower(), value))
    except (ValueError, SyntaxError):
        return name, value


def parse_net(text: str | None):
    """The network of a text such as ``siren:width=32,depth=4``; None stays None.

    Raises ProblemError, with the known names, for an unknown network or setting and a value of the wrong type.
    """
    from pinnsine.nets import NETWORKS

    nets = _parse_specs(text, NETWORKS, "--net")
    if len(nets) > 1:
        raise ProblemError(f"--net takes one network, got {len(nets)} in {text!r}.")
    return nets[0] if nets else None


def parse_optimizer(text: str | None):
    """The phases of a text such as ``adam:iterations=1000,lr=1e-3+lm``; None stays None.

    Raises ProblemError, with the known names, for an unknown method or setting and a value of the wrong type.
    """
    from pinnsine.optim import OPTIMIZERS

    return _parse_specs(text, OPTIMIZERS, "--optimizer") or None


def parse_windows(text: str) -> int | str:
    """A number of time windows, or "auto"."""
    if text != "auto" and not text.isdecimal():
        raise ProblemError(f"--windows takes a number of windows or auto, got {text!r}.")
    return text if text == "auto" else int(text)


def _parse_specs(text: str | None, registry: Mapping[str, type], option: str) -> list:
    """Specifications ``name:key=value,key=value``, one after another, parted by a plus or a comma."""
    specs: list[tuple[str, dict]] = []
    # the plus of a number such as 1e+3 is followed by a digit, and a comma inside parentheses parts numbers
    for part in re.split(r",(?![^()]*\))|\+(?!\d)", text) if text is not None else ():
        name, colon, settings = part.partition(":")
        if colon or "=" not in part:
            specs.append((name.strip(), {}))
        else:
            settings = part
        if settings:
            if not specs:
                raise ProblemError(f"{option} starts with a name, got {text!r}: choose from {', '.join(registry)}.")
            key, value = assignment(settings, option)
            specs[-1][1][key] = value
    return [_build(name, settings, registry, option) for name, settings in specs]


def _build(name: str, settings: Mapping[str, object], registry: Mapping[str, type], option: str):
    if name not in registry:
        near = difflib.get_close_matches(name, registry, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ProblemError(f"{option}: there is no {name!r}.{hint} Known: {', '.join(registry)}.")
    kind = registry[name]
    types, known = get_type_hints(kind), [f.name for f in fields(kind)]
    for key in settings:
        if key not in known:
            raise ProblemError(f"{option}: {name} has no setting {key!r}: it has {', '.join(known)}.")
    return kind(**{key: _converted(value, types[key], f"{option}: {name}:{key}") for key, value in settings.items()})


def _converted(value: object, annotation: object, what: str):
    """The value as the type that a setting is declared with; 1e3 passes for an integer, ``name(key=value,...)`` for a specification."""
    kinds = [get_origin(kind) or kind for kind in (annotation, *get_args(annotation))]
    specs = {kind.__name__.lower(): kind for kind in kinds if is_dataclass(kind)}
    if specs and isinstance(value, str):
        name, _, settings = value.removesuffix(")").partition("(")
        return _build(name, dict(assignment(text, what) for text in settings.split(",") if text), specs, what)
    wanted = [t for t in (int, float, bool, str, tuple) if t in kinds]

    def is_number(x) -> bool:
        return isinstance(x, int | float) and not isinstance(x, bool)

    number = is_number(value)
    if int in wanted and number and float(value).is_integer():
        return int(value)
    if float in wanted and number:
        return float(value)
    if tuple in wanted and isinstance(value, tuple) and all(map(is_number, value)):
        return tuple(map(float, value))
    if (bool in wanted and isinstance(value, bool)) or (str in wanted and isinstance(value, str)):
        return value
    words = " or ".join(t.__name__ for t in wanted) or f"one of {', '.join(specs)}"
    raise ProblemError(f"{what} takes {words}, got {value!r}.")
