"""Weights taken from a path: a folder that a person brought, a snapshot of a hub's cache, a file.

Files are copied, so that nothing that happens to the path later can change them. With `link` they
stay where they are and are linked to: nothing is written there, no space is taken, and the weights
are void once a file changes or goes.
"""

import asyncio
import errno
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

from agent.errors import AgentError, UsageError
from agent.models.pulling import Watch
from agent.models.weights import catalogue, shelf
from agent.models.weights.catalogue import Source
from tools.senses.models import weights
from tools.senses.models.base import Kind
from tools.senses.models.weights import FileFacts, Manifest

_LOADED = frozenset((".bin", ".json", ".pt", ".pth", ".safetensors", ".txt"))
"""Endings of what any library here loads."""
_MOST_FILES = 1_000
_FULL = (errno.ENOSPC, errno.EDQUOT)

Files = Mapping[str, Path]
"""Files by their names relative to the folder of the weights, with `/`."""


async def add(
    data_dir: Path,
    path: Path,
    *,
    variant: str | None,
    kind: str | None,
    link: bool,
    watch: Watch,
) -> dict[str, Any]:
    """Take the weights in, and return what was taken. Raises UsageError or AgentError."""
    return await asyncio.to_thread(_added, data_dir, path, variant, kind, link=link, watch=watch)


def _added(
    data_dir: Path, path: Path, variant: str | None, kind: str | None, *, link: bool, watch: Watch
) -> dict[str, Any]:
    path = path.expanduser().absolute()
    found = _found(path)
    name = variant or _meant(path, found)
    target = shelf.folder(data_dir, name)
    known = catalogue.source(name)
    files = _all(path, found) if known is None else _named(path, found, name, known)
    whose = _kind(name, kind, known)
    with shelf.alone(data_dir), _disk(data_dir):
        if target.exists():
            raise UsageError(
                f"There are weights {name!r} already. `cortical models remove {name}` makes room."
            )
        whole = shelf.adding(data_dir, name)
        whole.mkdir()
        try:
            facts = {
                file: _taken(at, whole / file, link=link, watch=watch) for file, at in files.items()
            }
            manifest = Manifest(
                variant=name, kind=whose, source=str(path), revision="", files=facts
            )
            shelf.take_in(data_dir, whole, manifest)
        finally:
            shutil.rmtree(whole, ignore_errors=True)
        shutil.rmtree(shelf.coming(data_dir, name), ignore_errors=True)
    return {
        "model": name,
        "kind": whose,
        "source": str(path),
        "bytes": manifest.bytes,
        "files": len(facts),
        "linked": link,
    }


def _found(path: Path) -> Files:
    """Return the files at a path. Raises UsageError."""
    if path.is_file():
        return {path.name: path}
    if not path.is_dir():
        raise UsageError(f"There is no folder or file {str(path)!r}. Is the path right?")
    found: dict[str, Path] = {}
    for at in path.rglob("*"):
        name = at.relative_to(path).as_posix()
        if at.is_file() and weights.is_file_name(name):
            found[name] = at
        if len(found) > _MOST_FILES:
            raise UsageError(
                f"{path} has more than {_MOST_FILES} files: it is no folder of one model's weights."
            )
    return dict(sorted(found.items()))


def _meant(path: Path, found: Files) -> str:
    """Return the variant that files at a path are of. Raises UsageError where that is not clear."""
    able = [
        name
        for name in catalogue.variants()
        if (known := catalogue.source(name)) is not None and not _lacks(found, known)
    ]
    if path.name in able:
        return path.name
    if len(able) != 1:
        could = f"It could be {', '.join(able)}." if able else "No model's files are all there."
        raise UsageError(
            f"It is not clear which weights {path} holds. {could} Say it by --as NAME."
        )
    return able[0]


def _lacks(found: Files, known: Source) -> list[str]:
    """Return the files that a variant needs and that are not there."""
    return [
        " or ".join(part.names)
        for part in known.parts
        if part.needed and not any(name in found for name in part.names)
    ]


def _named(path: Path, found: Files, name: str, known: Source) -> Files:
    """Return the files that the catalogue names, and no others. Raises UsageError."""
    lacks = _lacks(found, known)
    if lacks:
        raise UsageError(f"{path} holds no {', no '.join(lacks)}, which {name} needs.")
    taken = [next((one for one in part.names if one in found), None) for part in known.parts]
    return {one: found[one] for one in taken if one is not None}


def _all(path: Path, found: Files) -> Files:
    """Return all files of weights, for a variant that the catalogue does not know."""
    files = {name: at for name, at in found.items() if at.suffix in _LOADED}
    if not files:
        raise UsageError(f"{path} holds no weights: no {', '.join(sorted(_LOADED))}.")
    return files


def _kind(name: str, told: str | None, known: Source | None) -> Kind:
    if known is not None and told in (None, known.kind):
        return known.kind
    if known is not None:
        raise UsageError(f"--kind {told!r} is wrong: {name} is of the kind {known.kind}.")
    for kind in get_args(Kind):
        if kind == told:
            return kind  # type: ignore[no-any-return]  # the literals of Kind are its arguments
    kinds = ", ".join(get_args(Kind))
    raise UsageError(
        f"The weights {name!r} are not known here, so --kind has to say what loads them: {kinds}. "
        f"Known are {', '.join(catalogue.variants())}."
    )


def _taken(at: Path, place: Path, *, link: bool, watch: Watch) -> FileFacts:
    """Copy a file, or link to it; return what it is, hashed where it is loaded from."""
    watch({"event": "pulling_step", "text": f"{'hashing' if link else 'copying'} {at}"})
    place.parent.mkdir(parents=True, exist_ok=True)
    real = at.resolve()
    if link:
        place.symlink_to(real)
    else:
        shutil.copyfile(real, place)
    return FileFacts(
        bytes=place.stat().st_size,
        sha256=weights.digest(place),
        at=str(real) if link else None,
    )


@contextmanager
def _disk(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise AgentError(
            f"The disk of {shelf.root(data_dir)} is full. Free some space, or leave the files "
            "where they are with --link."
        ) from error
