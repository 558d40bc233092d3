"""Networks by name, and their specifications as plain values and as text."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from pinnsine.nets.bsnn import BSNN
from pinnsine.nets.encoding import ENCODINGS
from pinnsine.nets.finer import FINER
from pinnsine.nets.frozen_sines import FrozenSines
from pinnsine.nets.gabor import Gabor
from pinnsine.nets.lifted_sines import LiftedSines
from pinnsine.nets.local_sines import LocalSines
from pinnsine.nets.mixed import Mixed
from pinnsine.nets.mlp import MLP
from pinnsine.nets.modified_mlp import ModifiedMLP, ResidualMLP
from pinnsine.nets.simple_sine import SimpleSine
from pinnsine.nets.siren import Siren

_NETWORKS = (Siren, SimpleSine, BSNN, MLP, FrozenSines, LiftedSines, LocalSines, FINER, Gabor, Mixed, ModifiedMLP, ResidualMLP)
NETWORKS = {kind.__name__.lower(): kind for kind in _NETWORKS}
_KINDS = {**NETWORKS, **ENCODINGS}


def to_record(spec) -> dict | None:
    """A specification, with its encoding, as plain values; None for anything else, such as a module of the user's own."""
    if not is_dataclass(spec) or _KINDS.get(type(spec).__name__.lower()) is not type(spec):
        return None
    parts = {f.name: getattr(spec, f.name) for f in fields(spec)}
    return {"kind": type(spec).__name__.lower(), **{n: to_record(v) if is_dataclass(v) else v for n, v in parts.items()}}


def from_record(record: dict):
    """The specification that ``to_record`` wrote down."""
    settings = {n: from_record(v) if isinstance(v, dict) else v for n, v in record.items() if n != "kind"}
    return _KINDS[record["kind"]](**settings)


def describe(spec) -> str:
    """A specification as the command line writes it: ``siren:width=20,depth=3,omega=4.0``; a module by its class."""
    record = to_record(spec)
    return type(spec).__name__ if record is None else _written(record, ":{}")


def _written(record: dict, form: str) -> str:
    said = {n: v for n, v in record.items() if n != "kind" and v not in (None, 0, False, ())}  # what a network has not is not written
    parts = (f"{n}={_written(v, '({})') if isinstance(v, dict) else v}" for n, v in said.items())
    return record["kind"] + form.format(",".join(parts))
