"""The files below a path."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.reading import maildir
from tools.reading.base import UnreadableError


@dataclass(kw_only=True, slots=True)
class Found:
    """What there is below a path."""

    files: list[Path] = field(default_factory=list)
    """Regular files by their path, in order."""
    closed: dict[Path, str] = field(default_factory=dict)
    """Folders that cannot be listed, each with the reason."""


def find(root: Path) -> Found:
    """Return all files below a folder, or the one file that the path names. Blocks.

    Below the root no symbolic link is followed, so that nothing loops or leads out of the folder,
    and nothing hidden is entered: its name begins with a dot. In a Maildir its mails are found.
    """
    if not root.is_dir():
        return Found(files=[root])
    found = Found()
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            waiting += _listed(folder, found)
        except OSError as error:
            found.closed[folder] = error.strerror or str(error)
    found.files.sort()
    return found


def _listed(folder: Path, found: Found) -> list[Path]:
    """Take the files of a folder and return the folders in it."""
    inner = []
    looked_at = maildir.rule(folder)
    with os.scandir(folder) as entries:
        for entry in entries:
            if not looked_at(entry):
                continue
            if entry.is_dir(follow_symlinks=False):
                inner.append(folder / entry.name)
            elif entry.is_file(follow_symlinks=False):
                found.files.append(folder / entry.name)
    return inner


def real(paths: Sequence[Path]) -> list[Path]:
    """Return real absolute paths, without those below another one. Blocks.

    Raises `UnreadableError` for one that does not exist or is neither file nor folder.
    """
    kept: list[Path] = []
    for path in sorted({_real(path) for path in paths}):
        if not any(reaches(other, path) for other in kept):
            kept.append(path)
    return kept


def _real(path: Path) -> Path:
    try:
        real_path = Path(os.path.realpath(path, strict=True))
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else error.strerror
        raise UnreadableError(
            f"{path}: {reason}. Name a file or a folder that can be read."
        ) from error
    if not (real_path.is_file() or real_path.is_dir()):
        raise UnreadableError(f"{path} is neither a file nor a folder.")
    return real_path


def reaches(root: Path, path: Path) -> bool:
    """Return whether `find` of a root comes to a real path, unless it is gone or hidden."""
    return path.is_relative_to(root) and not any(
        maildir.hides(inner)
        for inner in (path, *path.parents)
        if inner != root and inner.is_relative_to(root)
    )


def above(path: Path) -> Iterator[Path]:
    """Yield a path and the folders whose `find` comes to it, the nearest first."""
    yield path
    for folder in path.parents:
        if not reaches(folder, path):
            return
        yield folder
