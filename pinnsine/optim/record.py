"""Optimizers as plain values and back, with the schedules and weightings in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from pinnsine.optim import OPTIMIZERS, SCHEDULES, WEIGHTINGS

_KINDS = {**OPTIMIZERS, **SCHEDULES, **WEIGHTINGS}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def to_record(spec) -> dict | None:
    """A method of the package and its settings as plain values; None where it, or a strategy in it, is the user's own."""
    if type(spec) not in _NAMES:
        return None
    parts = {f.name: getattr(spec, f.name) for f in fields(spec)}
    plain = {n: to_record(v) if is_dataclass(v) else v for n, v in parts.items()}
    own = [n for n, v in plain.items() if v is None and parts[n] is not None]
    return None if own else {"kind": _NAMES[type(spec)], **plain}


def from_record(record: Mapping):
    """The method that ``to_record`` wrote down."""
    settings = {n: from_record(v) if isinstance(v, Mapping) else v for n, v in record.items() if n != "kind"}
    return _KINDS[record["kind"]](**settings)
