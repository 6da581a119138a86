"""The files below a path."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.ignoring import Rules, reaches
from tools.reading import maildir
from tools.reading.base import UnreadableError
from tools.stamps import Stamp


@dataclass(kw_only=True, slots=True)
class Found:
    """What there is below a path."""

    files: dict[Path, Stamp] = field(default_factory=dict)
    """Regular files by their path, in order."""
    closed: dict[Path, str] = field(default_factory=dict)
    """Folders that cannot be listed, each with the reason."""
    is_file: bool = False
    """Whether the path itself is the one file."""
    ignored: int = 0
    """Files and whole folders that rules pass over."""


def find(root: Path) -> Found:
    """Return all files below a folder, or the one file that the path names. Blocks.

    Below the root no symbolic link is followed, so that nothing loops or leads out of the folder,
    and what `tools.ignoring` says is passed over.
    """
    found = Found()
    if not root.is_dir():
        found.is_file = True
        found.files[root] = Stamp.of(os.stat(root))  # noqa: PTH116 - beside the entries' own
        return found
    waiting = [(root, Rules.of(root))]
    while waiting:
        folder, rules = waiting.pop()
        try:
            inner = _listed(folder, rules, found)
        except OSError as error:
            found.closed[folder] = error.strerror or str(error)
            continue
        waiting += [(path, rules.within(path)) for path in inner]
    found.files = dict(sorted(found.files.items()))
    return found


def _listed(folder: Path, rules: Rules, found: Found) -> list[Path]:
    """Take the files of a folder and return the folders in it that are entered."""
    inner = []
    with os.scandir(folder) as entries:
        there = list(entries)
    looked_at = maildir.rule(folder)
    for entry in filter(looked_at, there):
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            if rules.ignores(path, folder=True) and not maildir.shows(path):
                found.ignored += 1
            else:
                inner.append(path)
        elif entry.is_file(follow_symlinks=False):
            if rules.ignores(path, folder=False):
                found.ignored += 1
                continue
            try:
                found.files[path] = Stamp.of(entry.stat(follow_symlinks=False))
            except FileNotFoundError:
                continue
    return inner


def real(paths: Sequence[Path]) -> list[Path]:
    """Return real absolute paths, without those that a walk from another one comes to. Blocks.

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


def above(path: Path) -> Iterator[Path]:
    """Yield a path and the folders from which a walk comes to it, the nearest first. Blocks."""
    yield path
    yield from (folder for folder in path.parents if reaches(folder, path))
