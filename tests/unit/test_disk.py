"""The bytes of a file and the state that it was in."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from tools.reading import disk
from tools.reading.base import UnreadableError
from tools.stamps import GRAIN_NS, Stamp, size_of


def stamp(**changes: int) -> Stamp:
    plain = {"size": 5, "mtime_ns": 10**18, "ctime_ns": 10**18, "inode": 7, "device": 1}
    return Stamp(**{**plain, **changes})


@pytest.mark.parametrize("name", ["size", "mtime_ns", "ctime_ns", "inode", "device"])
def test_any_difference_is_a_difference(name: str) -> None:
    assert str(stamp(**{name: 3})) != str(stamp())


def test_a_stamp_lasts_once_the_clock_has_moved_on() -> None:
    assert not stamp().lasting(10**18)
    assert not stamp().lasting(10**18 + GRAIN_NS)
    assert stamp().lasting(10**18 + GRAIN_NS + 1)
    assert not stamp(ctime_ns=2 * 10**18).lasting(10**18 + GRAIN_NS + 1)


def test_what_is_stored_tells_the_size_and_a_doubtful_stamp_equals_none() -> None:
    assert size_of(str(stamp())) == size_of(stamp().doubtful) == 5
    assert stamp().doubtful != str(stamp())


def test_a_file_just_written_has_a_doubtful_stamp_and_later_a_sure_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_text("12345")
    assert disk.contents(path, bytes_limit=10).stamp == "5"
    later = time.time_ns() + 2 * GRAIN_NS
    monkeypatch.setattr("time.time_ns", lambda: later)
    found = disk.contents(path, bytes_limit=10)
    assert found.stamp == str(Stamp.of(path.stat())) == disk.summary(path).stamp
    assert disk.unchanged(path, found.stamp)
    path.write_text("54321")
    os.utime(path, ns=(1, 1))
    assert not disk.unchanged(path, found.stamp)
    assert not disk.unchanged(tmp_path / "gone", found.stamp)


def test_a_file_of_any_size_is_looked_through_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(3 << 20) + b"end")
    found = disk.summary(path, head_bytes=10)
    assert found.head == bytes(10)
    assert found.digest == hashlib.sha256(path.read_bytes()).digest()
    assert disk.head(path, 7) == bytes(7)


def test_pipes_links_and_folders_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/hostname")
    for name, error in (("pipe", UnreadableError), ("link", OSError), (".", UnreadableError)):
        with pytest.raises(error):
            disk.contents(tmp_path / name, bytes_limit=10)


def test_a_time_that_no_calendar_has_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_text("x")
    assert disk._modified_at(os.stat_result((0,) * 8 + (10**17, 0))).year == 1970
