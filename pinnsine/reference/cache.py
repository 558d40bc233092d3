"""Arrays kept on disk between runs: HDF5 files, each under the key of what it was computed from.

They lie in the folder PINNSINE_CACHE if that is set, else in ``pinnsine`` inside XDG_CACHE_HOME or, by default, ``~/.cache``; all of it may
be deleted at any time. Where nothing can be read or written, things are computed anew.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def folder() -> Path:
    """Where the files lie. Raises RuntimeError if no folder is set and there is no home."""
    if own := os.environ.get("PINNSINE_CACHE"):
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "pinnsine"


def read(key: str) -> dict[str, np.ndarray] | None:
    """The arrays kept under a key; None if there are none, or the file is damaged."""
    try:
        import h5py

        with h5py.File(folder() / f"{key}.h5", "r") as file:
            if file.attrs["key"] != key:
                return None
            return {name: dataset[...] for name, dataset in file.items()}
    except (ImportError, OSError, RuntimeError, KeyError):
        return None


def write(key: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Keep arrays under a key, as one file that is complete or not there at all; does nothing where that is impossible."""
    beside = None
    try:
        import h5py

        target = folder() / f"{key}.h5"
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f"{key}.", suffix=".part")
        os.close(handle)
        with h5py.File(beside, "w") as file:
            for name, array in arrays.items():
                file.create_dataset(name, data=array, chunks=array.shape, fletcher32=True)
            file.attrs["key"] = key
        os.replace(beside, target)
    except (ImportError, OSError, RuntimeError):
        if beside is not None:
            with contextlib.suppress(OSError):
                os.unlink(beside)
