"""A folder of weights, with a manifest that says what it has to hold.

    manifest.json  {"version": 1, "variant": …, "kind": …, "source": …, "revision": …,
                    "files": {NAME: {"bytes": …, "sha256": …, "at": null}}, "languages": […]}

Libraries are handed the folder, and load what they find in it. So a file that the manifest does not
name makes the whole void, as does a link that it does not tell of; only hidden files are passed
over. All is hashed when it is brought to this machine, and again whenever a file may have changed
since.
"""

import hashlib
import json
import logging
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, get_args

from tools.senses.errors import WeightsError
from tools.senses.models.base import Kind
from tools.stamps import Stamp

MANIFEST = "manifest.json"
VERSION = 1
log = logging.getLogger(__name__)

_CHUNK = 1 << 22
_STAMPS = ".verified.json"
_MOST_BYTES = 1 << 20
_VARIANT = re.compile(r"[A-Za-z0-9][\w.+-]{0,79}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")

Statuses = Mapping[str, os.stat_result]


@dataclass(frozen=True, kw_only=True, slots=True)
class FileFacts:
    """What a file has to be."""

    bytes: int
    sha256: str
    """Hexadecimal, in lower case."""
    at: str | None = None
    """Where it lies, if it stayed elsewhere and is only linked to; None: in the folder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What a folder of weights holds."""

    variant: str
    """Name of the model at a precision, as leases and the plan know it."""
    kind: Kind
    source: str
    """Where it came from, for a person."""
    revision: str
    files: Mapping[str, FileFacts]
    """By their names relative to the folder, with `/`."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes of what it was trained on, where that matters and is known."""

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(one.bytes for one in self.files.values())

    def to_json(self) -> dict[str, Any]:
        """Return what the file holds."""
        return {"version": VERSION, **asdict(self)}


def is_variant(name: str) -> bool:
    """Whether a name may be one of a variant: it names a folder, and stands in advice to type."""
    return _VARIANT.fullmatch(name) is not None


def read(folder: Path) -> Manifest:
    """Return what a folder says that it holds; nothing of it is checked. Raises WeightsError."""
    path = folder / MANIFEST
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
            raise _broken(path, "it is no file, or larger than any manifest")
        told = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise WeightsError(
            f"{folder} holds no weights: there is no {MANIFEST}. Bring them with `cortical models "
            "pull` or `cortical models add`."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise _broken(path, str(error)) from error
    try:
        return _parsed(path, told)
    except (KeyError, TypeError, AttributeError) as error:
        raise _broken(path, f"{type(error).__name__} {error}") from error


def write(folder: Path, manifest: Manifest) -> None:
    """Write a manifest, and have it on the disk when this returns. Raises OSError."""
    with (folder / MANIFEST).open("x", encoding="utf-8") as file:
        json.dump(manifest.to_json(), file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def _parsed(path: Path, told: Any) -> Manifest:
    if told["version"] != VERSION:
        raise _broken(path, f"it is of version {told['version']!r}, not {VERSION}")
    if told["kind"] not in get_args(Kind):
        raise _broken(path, f"nothing here loads the kind {told['kind']!r}")
    if not isinstance(told["variant"], str) or not is_variant(told["variant"]):
        raise _broken(path, f"{told['variant']!r} is no name of a variant")
    files = {name: _facts(path, name, facts) for name, facts in told["files"].items()}
    if not files:
        raise _broken(path, "it names no file")
    return Manifest(
        variant=told["variant"],
        kind=told["kind"],
        source=str(told["source"]),
        revision=str(told["revision"]),
        files=files,
        languages=tuple(str(one) for one in told.get("languages", ())),
    )


def _facts(path: Path, name: str, told: Any) -> FileFacts:
    if not is_file_name(name):
        raise _broken(path, f"{name!r} is no name of a file in the folder")
    size, sha256, at = told["bytes"], told["sha256"], told.get("at")
    if type(size) is not int or size < 0:
        raise _broken(path, f"{size!r} is no size of {name}")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise _broken(path, f"{sha256!r} is no SHA-256 of {name}")
    if at is not None and (not isinstance(at, str) or not at.startswith("/")):
        raise _broken(path, f"{at!r} is no place of {name}")
    return FileFacts(bytes=size, sha256=sha256, at=at)


def is_file_name(name: str) -> bool:
    """Whether a name may be one of a file of weights: below the folder, visible, and plain."""
    pure = PurePosixPath(name)
    return (
        str(pure) == name
        and not pure.is_absolute()
        and name not in (MANIFEST, ".")
        and name.isprintable()
        and "\\" not in name
        and not any(part.startswith(".") for part in pure.parts)
    )


def present(folder: Path, manifest: Manifest) -> Statuses:
    """Return the status of each file, if all are there and nothing else is.

    Sizes are compared, contents are not. Raises WeightsError.
    """
    try:
        entries = dict(_entries(folder))
    except OSError as error:
        raise WeightsError(f"{folder} cannot be looked into: {error.strerror}.") from error
    strays = sorted(entries.keys() - manifest.files.keys() - {MANIFEST})
    if strays:
        raise WeightsError(
            f"{folder / strays[0]} is no file of {manifest.variant}, and libraries load what they "
            "find beside the weights. Remove it."
        )
    return {
        name: _present(folder / name, entries.get(name), facts, manifest)
        for name, facts in manifest.files.items()
    }


def _entries(folder: str | Path, above: str = "") -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    """Yield all that is not hidden and no folder, by its name with `/`; no link is followed."""
    with os.scandir(folder) as found:
        for entry in found:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(entry.path, f"{above}{entry.name}/")
            else:
                yield f"{above}{entry.name}", entry


def _present(
    path: Path, entry: "os.DirEntry[str] | None", facts: FileFacts, manifest: Manifest
) -> os.stat_result:
    if entry is None:
        raise WeightsError(f"{path} is not there. {_again(manifest)}")
    try:
        if entry.is_symlink() and str(Path(entry.path).readlink()) != facts.at:
            raise WeightsError(f"{path} leads out of the folder of weights. {_again(manifest)}")
        found = entry.stat()
    except OSError as error:
        where = path if facts.at is None else facts.at
        raise WeightsError(f"{where}: {error.strerror}. {_again(manifest)}") from error
    if not stat.S_ISREG(found.st_mode):
        raise WeightsError(f"{path} is no file. {_again(manifest)}")
    if found.st_size != facts.bytes:
        raise WeightsError(
            f"{path} has {found.st_size} bytes, not {facts.bytes}. {_again(manifest)}"
        )
    return found


def verified(
    folder: Path, *, trusting: bool = True, now_ns: Callable[[], int] = time.time_ns
) -> Manifest:
    """Return what a folder holds, once every file is what it has to be. Raises WeightsError.

    Hashes go at a gigabyte or two a second, so files that have not been written since are not
    hashed again, unless nothing is trusted: their stamps are kept beside the manifest. Where that
    cannot be written, all are hashed each time.
    """
    manifest = read(folder)
    statuses = present(folder, manifest)
    known = _stamps(folder)
    stamps: dict[str, str] = {}
    for name, facts in manifest.files.items():
        stamp = Stamp.of(statuses[name])
        text = f"{stamp} {facts.sha256}"
        lasting = trusting and known.get(name) == text
        if not lasting:
            lasting = stamp.lasting(now_ns())
            _compare(folder / name, facts, stamp, manifest)
        if lasting:
            stamps[name] = text
    if stamps != known:
        _keep(folder, stamps)
    return manifest


def digest(path: Path, *, tell: Callable[[int], None] = lambda _: None) -> str:
    """Return the SHA-256 of a file, hexadecimal; `tell` hears how many bytes were read each time.

    Raises OSError.
    """
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            hashed.update(block)
            tell(len(block))
    return hashed.hexdigest()


def _compare(path: Path, facts: FileFacts, stamp: Stamp, manifest: Manifest) -> None:
    try:
        found = digest(path)
        after = Stamp.of(path.stat())
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}.") from error
    if after != stamp:
        raise WeightsError(f"{path} changed while it was hashed. Try again when nobody writes it.")
    if found != facts.sha256:
        raise WeightsError(
            f"{path} is not what was brought: SHA-256 {found}, not {facts.sha256}. "
            f"{_again(manifest)}"
        )


def _stamps(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads((folder / _STAMPS).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _keep(folder: Path, stamps: Mapping[str, str]) -> None:
    path = folder / _STAMPS
    try:
        path.with_suffix(".new").write_text(json.dumps(stamps))
        path.with_suffix(".new").replace(path)
    except OSError as error:
        log.info("weights_not_stamped", extra={"folder": str(folder), "reason": str(error)})


def _again(manifest: Manifest) -> str:
    name = manifest.variant
    if manifest.source.startswith("/"):
        return f"Run `cortical models remove {name}` and `cortical models add` again."
    return f"Bring them again: `cortical models pull {name}`."


def _broken(path: Path, why: str) -> WeightsError:
    return WeightsError(f"{path} is no manifest of weights: {why}.")
