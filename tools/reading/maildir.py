"""Maildir: a folder of mails whose own folders `cur` and `new` hold a file for each."""

import os
from collections.abc import Callable
from pathlib import Path

HELD = ("cur", "new")
"""Where the mails are; `tmp` beside them holds what has not arrived in full."""


def rule(folder: Path) -> Callable[[os.DirEntry[str]], bool]:
    """Return what tells of a folder's entries whether they are looked at. Blocks.

    Of a Maildir that is the mails and the folders of mails, and neither what is on its way nor the
    files in which mail programs keep their notes; of any other folder all.
    """
    return _of_mail if is_maildir(folder) else _of_any


def is_maildir(folder: Path) -> bool:
    """Return whether a folder is laid out as a Maildir. Blocks."""
    parts = (*HELD, "tmp")
    return all(os.path.isdir(folder / name) for name in parts)  # noqa: PTH112 - which never raises


def shows(folder: Path) -> bool:
    """Return whether a folder is a part of a Maildir: not hidden, whatever its name. Blocks.

    In Maildir++ the names of the further folders begin with a dot.
    """
    return is_maildir(folder) and is_maildir(folder.parent)


def _of_any(_: os.DirEntry[str]) -> bool:
    return True


def _of_mail(entry: os.DirEntry[str]) -> bool:
    if not entry.is_dir(follow_symlinks=False):
        return False
    return entry.name in HELD or is_maildir(Path(entry.path)) or _holds_maildirs(entry)


def _holds_maildirs(entry: os.DirEntry[str]) -> bool:
    """Return whether it is a folder of mail folders, as some servers keep them."""
    if entry.name.startswith(".") or entry.name == "tmp":
        return False
    try:
        with os.scandir(entry.path) as inner:
            return any(one.is_dir() and is_maildir(Path(one.path)) for one in inner)
    except OSError:
        # Who lists it says why it cannot be listed.
        return True
