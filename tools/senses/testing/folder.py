"""A folder of weights whose manifest names all that is in it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.senses.models.base import Kind
from tools.senses.models.weights import MANIFEST, FileFacts, Manifest, digest


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder of weights and what it holds."""

    folder: Path
    manifest: Manifest


def described(
    folder: Path,
    kind: Kind,
    variant: str,
    *,
    languages: Sequence[str] = (),
    without: Sequence[str] = (),
) -> Manifest:
    """Write the manifest of all files in a folder, save those left out, and return it."""
    files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        kept = path.is_file() and not path.name.startswith(".")
        if kept and name not in (MANIFEST, *without):
            files[name] = FileFacts(bytes=path.stat().st_size, sha256=digest(path))
    manifest = Manifest(
        variant=variant,
        kind=kind,
        source="a test",
        revision="1",
        files=files,
        languages=tuple(languages),
    )
    (folder / MANIFEST).write_text(json.dumps(manifest.to_json()))
    return manifest
