"""Files that are whole or not there at all: written beside with a checksum, brought to the disk, then moved into place.

The first 512 bytes are a line of text with the SHA-256 of the rest; to HDF5 they are a user block, which its readers skip.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

HEADER = 512
MARK = b"pinnsine run: HDF5 from byte 512 on, SHA-256 "


class DamagedError(ValueError):
    """The content of a file is not what was written."""


def previous(path: Path) -> Path:
    """Where ``write`` keeps the file before."""
    return path.with_name(path.name + ".previous")


def write(path: Path, content: bytes, keep: bool = False) -> None:
    """Replace a file by ``content``, whose first 512 bytes are empty; ``keep``: the file before is kept as ``previous(path)``.

    Raises OSError; the file at ``path`` is then the one before.
    """
    beside = path.with_name(path.name + ".part")
    content = memoryview(content)[HEADER:]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, "wb") as file:
            file.write((MARK + hashlib.sha256(content).hexdigest().encode()).ljust(HEADER - 1) + b"\n")
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if keep and path.exists():
            _keep(path)
        os.replace(beside, path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _keep(path: Path) -> None:
    """Keep a file as the one before; it has its own name all the while, where the system knows hard links."""
    second = path.with_name(path.name + ".link")
    try:
        second.unlink(missing_ok=True)
        os.link(path, second)
        os.replace(second, previous(path))
    except OSError:
        os.replace(path, previous(path))


def _sync_folder(folder: Path) -> None:
    """Bring the new names to the disk, on systems where folders can be opened."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read(path: Path) -> bytes:
    """The content of a file; one without a checksum is taken as it is.

    Raises DamagedError if the checksum does not fit, OSError if the file cannot be read.
    """
    content = path.read_bytes()
    if content.startswith(MARK):
        written = content[len(MARK) : HEADER].strip()
        if hashlib.sha256(memoryview(content)[HEADER:]).hexdigest().encode() != written:
            raise DamagedError("its checksum does not fit: bytes were changed, or the end is missing")
    return content
