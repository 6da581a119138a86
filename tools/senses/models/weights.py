"""A folder of weights, with a manifest that says what it has to hold.

    manifest.json  {"version": 1, "variant": …, "kind": …, "source": …, "revision": …,
                    "files": {NAME: {"bytes": …, "sha256": …}}, "languages": […]}

A file that the manifest does not name is not loaded. The whole is hashed when it is brought to this
machine, and again whenever a file is not, to the nanosecond, the one that was hashed.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, get_args

from tools.senses.errors import WeightsError
from tools.senses.models.base import Kind

MANIFEST = "manifest.json"
VERSION = 1
log = logging.getLogger(__name__)

_CHUNK = 1 << 22
_STAMPS = ".verified.json"
_MOST_BYTES = 1 << 20
_READ_SUFFIXES = {".bin", ".jinja", ".json", ".model", ".pt", ".pth", ".py", ".safetensors", ".txt"}


@dataclass(frozen=True, kw_only=True, slots=True)
class FileFacts:
    """What a file has to be."""

    bytes: int
    sha256: str
    """Hexadecimal."""


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


def read(folder: Path) -> Manifest:
    """Return what a folder says that it holds; nothing of it is checked. Raises WeightsError."""
    path = folder / MANIFEST
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _broken(path, "it is larger than any manifest")
        told = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise WeightsError(
            f"{folder} holds no weights: there is no {MANIFEST}. Bring them with `cortical models "
            "pull`."
        ) from error
    except (OSError, ValueError) as error:
        raise _broken(path, str(error)) from error
    try:
        return _parsed(path, told)
    except (KeyError, TypeError, AttributeError) as error:
        raise _broken(path, f"{type(error).__name__} {error}") from error


def _parsed(path: Path, told: Any) -> Manifest:
    if told["version"] != VERSION:
        raise _broken(path, f"it is of version {told['version']!r}, not {VERSION}")
    if told["kind"] not in get_args(Kind):
        raise _broken(path, f"nothing here loads the kind {told['kind']!r}")
    files = {}
    for name, facts in told["files"].items():
        pure = PurePosixPath(name)
        if pure.is_absolute() or not pure.parts or ".." in pure.parts or "\\" in name:
            raise _broken(path, f"{name!r} is no name of a file in the folder")
        files[name] = FileFacts(bytes=int(facts["bytes"]), sha256=str(facts["sha256"]).lower())
    return Manifest(
        variant=str(told["variant"]),
        kind=told["kind"],
        source=str(told["source"]),
        revision=str(told["revision"]),
        files=files,
        languages=tuple(str(one) for one in told.get("languages", ())),
    )


def verified(folder: Path) -> Manifest:
    """Return what a folder holds, once every file is what it has to be. Raises WeightsError.

    Hashes go at a gigabyte or two a second, so files that have not been written since are not
    hashed again: their inode and times of change are kept beside the manifest. Where that cannot be
    written, all are hashed each time.
    """
    manifest = read(folder)
    known = _stamps(folder)
    stamps: dict[str, list[int | str]] = {}
    for name, facts in manifest.files.items():
        path = folder / name
        try:
            if not path.resolve().is_relative_to(folder.resolve()):
                raise WeightsError(f"{path} leads out of the folder of weights. Remove it.")
            found = path.stat()
        except OSError as error:
            raise WeightsError(f"{path}: {error.strerror}. {_again(manifest)}") from error
        if found.st_size != facts.bytes:
            raise WeightsError(
                f"{path} has {found.st_size} bytes, not {facts.bytes}. {_again(manifest)}"
            )
        stamp: list[int | str] = [found.st_ino, found.st_mtime_ns, found.st_ctime_ns, facts.sha256]
        if known.get(name) != stamp:
            _compare(path, facts, manifest)
        stamps[name] = stamp
    if stamps != known:
        _keep(folder, stamps)
    return manifest


def refuse_strangers(folder: Path, manifest: Manifest) -> None:
    """Raise WeightsError for a file that a library might read and the manifest does not name."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        known = name in manifest.files or name in (MANIFEST, _STAMPS)
        if path.suffix in _READ_SUFFIXES and path.is_file() and not known:
            raise WeightsError(
                f"{path} lies beside the weights and {MANIFEST} does not name it. Remove it."
            )


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            hashed.update(block)
    return hashed.hexdigest()


def _compare(path: Path, facts: FileFacts, manifest: Manifest) -> None:
    try:
        found = digest(path)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}.") from error
    if found != facts.sha256:
        raise WeightsError(
            f"{path} is not what was brought: SHA-256 {found}, not {facts.sha256}. "
            f"{_again(manifest)}"
        )


def _stamps(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads((folder / _STAMPS).read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _keep(folder: Path, stamps: Mapping[str, Any]) -> None:
    path = folder / _STAMPS
    try:
        path.with_suffix(".new").write_text(json.dumps(stamps))
        path.with_suffix(".new").replace(path)
    except OSError as error:
        log.info("weights_not_stamped", extra={"folder": str(folder), "reason": str(error)})


def _again(manifest: Manifest) -> str:
    return f"Bring them again: `cortical models pull {manifest.variant}`."


def _broken(path: Path, why: str) -> WeightsError:
    return WeightsError(f"{path} is no manifest of weights: {why}.")
