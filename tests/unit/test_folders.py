"""The files below a path."""

import errno
import os
from pathlib import Path

import pytest

from tools import folders
from tools.reading.base import UnreadableError


def test_links_and_hidden_names_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / ".cache").mkdir()
    for name in ("z.txt", "a/b/y.txt", ".cache/x.txt", "a/.x.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "link.txt").symlink_to(tmp_path / "z.txt")
    os.mkfifo(tmp_path / "pipe")
    found = folders.find(tmp_path)
    assert list(found.files) == [tmp_path / "a" / "b" / "y.txt", tmp_path / "z.txt"]
    assert found.closed == {}


def test_a_folder_that_cannot_be_listed_is_named_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "z.txt").write_text("x")
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(25):
        # The path of the innermost is longer than the kernel takes.
        os.mkdir("d" * 200, dir_fd=folder)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    found = folders.find(tmp_path)
    assert list(found.files) == [tmp_path / "z.txt"]
    assert list(found.closed.values()) == [os.strerror(errno.ENAMETOOLONG)]


def test_a_path_below_another_is_not_taken_twice(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").write_text("x")
    (tmp_path / ".b").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "a")
    paths = [link, tmp_path / "a" / "x.txt", tmp_path / "a", tmp_path / ".b", tmp_path]
    assert folders.real(paths) == [tmp_path, tmp_path / ".b"]


def test_a_path_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path in (tmp_path / "missing", loop, tmp_path / "x" / "y"):
        with pytest.raises(UnreadableError, match=f"^{path}"):
            folders.real([path])


def test_the_folders_that_come_to_a_path_are_those_without_hidden_ones_between() -> None:
    assert list(folders.above(Path("/home/ann/.notes/2026/a.md"))) == [
        Path("/home/ann/.notes/2026/a.md"),
        Path("/home/ann/.notes/2026"),
        Path("/home/ann/.notes"),
    ]


def test_a_mailbox_is_entered_also_where_its_folders_are_hidden_and_mail_in_delivery_is_not(
    tmp_path: Path,
) -> None:
    for folder in ("", ".Sent/", ".cache/"):
        for part in ("cur", "new", "tmp"):
            (tmp_path / folder / part).mkdir(parents=True)
            (tmp_path / folder / part / "1.host").write_text("x")
    (tmp_path / ".cache" / "tmp" / "1.host").unlink()
    (tmp_path / ".cache" / "tmp").rmdir()
    found = folders.find(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in found.files] == [
        ".Sent/cur/1.host",
        ".Sent/new/1.host",
        "cur/1.host",
        "new/1.host",
    ]
