"""Maildir: a folder of mails whose own folders `cur` and `new` hold a file for each."""

import os
from collections.abc import Callable
from pathlib import Path

HELD = ("cur", "new")
"""Where the mails are; `tmp` beside them holds what has not arrived in full."""


def rule(folder: Path) -> Callable[[os.DirEntry[str]], bool]:
    """Return what tells of a folder's entries whether they are looked at. Blocks.

    Elsewhere that is whatever is not hidden. In a Maildir it is the mails and the folders of
    mails, although those of Maildir++ are hidden, and neither what is on its way nor the files in
    which mail programs keep their notes.
    """
    return _of_mail if is_maildir(folder) else _visible


def is_maildir(folder: Path) -> bool:
    """Return whether a folder is laid out as a Maildir. Blocks."""
    return all((folder / name).is_dir() for name in HELD)


def hides(path: Path) -> bool:
    """Return whether a name that begins with a dot hides a folder: it does not in a Maildir."""
    hidden = path.name.startswith(".")
    return hidden and not (is_maildir(path) and is_maildir(path.parent))


def _visible(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".")


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
