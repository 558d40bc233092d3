"""Files that are whole or not there: what a failed write leaves behind, and what a damaged one says."""

import os
import resource

import pytest

from pinnsine import durable

CONTENT = bytes(durable.HEADER) + bytes(range(256)) * 20


def test_what_is_written_is_read_and_the_file_before_is_kept_when_asked(tmp_path):
    path = tmp_path / "folder" / "a.h5"
    durable.write(path, CONTENT)
    assert durable.read(path)[durable.HEADER :] == CONTENT[durable.HEADER :]
    assert [p.name for p in path.parent.iterdir()] == ["a.h5"]
    durable.write(path, CONTENT + b"more", keep=True)
    assert durable.read(path).endswith(b"more")
    assert durable.read(durable.previous(path))[durable.HEADER :] == CONTENT[durable.HEADER :]
    assert {p.name for p in path.parent.iterdir()} == {"a.h5", "a.h5.previous"}


@pytest.mark.parametrize("place", [60, durable.HEADER - 3, durable.HEADER, durable.HEADER + 2000, -1])
def test_a_flipped_byte_is_found_wherever_it_is(tmp_path, place):
    path = tmp_path / "a.h5"
    durable.write(path, CONTENT)
    damaged = bytearray(path.read_bytes())
    damaged[place] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(durable.DamagedError, match="checksum does not fit"):
        durable.read(path)


def test_a_missing_tail_is_found(tmp_path):
    path = tmp_path / "a.h5"
    durable.write(path, CONTENT)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(durable.DamagedError, match="the end is missing"):
        durable.read(path)


def test_a_full_disk_leaves_the_file_before_and_nothing_beside(tmp_path):
    path = tmp_path / "a.h5"
    durable.write(path, CONTENT)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(CONTENT), hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            durable.write(path, CONTENT * 2, keep=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert durable.read(path)[durable.HEADER :] == CONTENT[durable.HEADER :]
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


@pytest.mark.parametrize("links", [True, False])
def test_at_every_step_of_a_write_a_whole_file_is_there(tmp_path, monkeypatch, links):
    path, replace, seen = tmp_path / "a.h5", os.replace, []

    def look(source, target):
        replace(source, target)
        seen.append([p.name for p in (path, durable.previous(path)) if p.exists() and durable.read(p)])

    durable.write(path, CONTENT)
    monkeypatch.setattr(os, "replace", look)
    if not links:
        monkeypatch.setattr(os, "link", lambda source, target: (_ for _ in ()).throw(OSError("no links here")))
    durable.write(path, CONTENT + b"more", keep=True)
    between = ["a.h5", "a.h5.previous"] if links else ["a.h5.previous"]
    assert seen == [between, ["a.h5", "a.h5.previous"]]
