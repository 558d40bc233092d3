"""Arrays on disk: what is written is read again, and nothing that goes wrong with the disk is an error."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from pinnsine.reference import cache

ARRAYS = {"a": np.arange(12.0).reshape(3, 4), "b": np.array([1 + 2j, -1j])}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("PINNSINE_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_what_is_written_is_read(place):
    assert cache.read("key") is None
    cache.write("key", ARRAYS)
    found = cache.read("key")
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert os.listdir(place) == ["key.h5"]
    assert cache.read("other") is None


def damaged(content):
    middle = len(content) // 2
    first = content.find(np.arange(12.0).tobytes())
    return [
        b"",
        b"no HDF5 at all",
        content[:middle],
        content[: first + 8] + b"\xff" + content[first + 9 :],  # one byte of the data: found by its checksum
    ]


@pytest.mark.parametrize("kind", range(4))
def test_a_damaged_file_is_ignored_and_written_anew(place, kind):
    cache.write("key", ARRAYS)
    file = place / "key.h5"
    file.write_bytes(damaged(file.read_bytes())[kind])
    assert cache.read("key") is None
    cache.write("key", ARRAYS)
    np.testing.assert_array_equal(cache.read("key")["a"], ARRAYS["a"])


def test_a_file_under_another_key_is_ignored(place):
    cache.write("key", ARRAYS)
    (place / "key.h5").rename(place / "other.h5")
    assert cache.read("other") is None


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PINNSINE_CACHE", str(tmp_path / "file" / "below"))
    cache.write("key", ARRAYS)
    assert cache.read("key") is None


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(place, monkeypatch):
    def refuse(*paths):
        raise PermissionError("read-only")

    monkeypatch.setattr(os, "replace", refuse)
    cache.write("key", ARRAYS)
    assert os.listdir(place) == []


def test_without_h5py_nothing_is_kept(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    cache.write("key", ARRAYS)
    assert cache.read("key") is None


def test_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("PINNSINE_CACHE", "/one")
    monkeypatch.setenv("XDG_CACHE_HOME", "/two")
    assert cache.folder() == Path("/one")
    monkeypatch.delenv("PINNSINE_CACHE")
    assert cache.folder() == Path("/two/pinnsine")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.folder() == tmp_path / ".cache" / "pinnsine"
