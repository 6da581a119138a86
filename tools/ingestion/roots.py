"""A path that is ingested: what there is below it, and what memory knows of it."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from memory.files import FileRecord
from memory.store import DocumentStore
from tools import folders
from tools.ignoring import reaches


@dataclass(kw_only=True, slots=True)
class Known:
    """What memory knows of the files of a source."""

    files: dict[str, FileRecord] = field(default_factory=dict)
    """By uri."""
    members: dict[str, dict[str, FileRecord]] = field(default_factory=dict)
    """By file and uri: documents within files that could not be read once."""

    def add(self, records: Mapping[str, FileRecord]) -> None:
        """Take in what is known of files and of what is within them, by uri."""
        for uri, record in records.items():
            file, within, _ = uri.partition("#")
            known = self.members.setdefault(file, {}) if within else self.files
            known[uri] = record

    def take_out(self, uri: str) -> dict[str, FileRecord]:
        """Forget a file, and return what was known of it and of what is within it, by uri."""
        record = self.files.pop(uri, None)
        return {} if record is None else {uri: record, **self.members.pop(uri, {})}


@dataclass(kw_only=True, slots=True)
class Root:
    """A path that is ingested."""

    uri: str
    source_id: int
    """The source that it belongs to; a folder further up may be the source."""
    known: Known
    """Of the source; read before the folders, so that nothing counts as vanished that another
    process has only just brought in. Roots of one source share it."""
    inner: dict[int, Known]
    """Of sources below the path, whose files now belong to its own."""
    found: folders.Found
    gone: set[str] = field(default_factory=set)
    """Files that were there when the folder was listed, and hold nothing or are not there now."""
    moved: set[str] = field(default_factory=set)
    """Files that memory knew by another name until now."""

    def vanished(self) -> list[str]:
        """Return the known files that are no longer below the path, in order."""
        there = {path.as_uri() for path in self.found.files} - self.gone
        closed = tuple(f"{folder.as_uri()}/" for folder in self.found.closed)
        below = f"{self.uri.rstrip('/')}/"
        known = self.known.files
        # A path that is a file has nothing below it, and there may be thousands of them.
        near = {self.uri} & known.keys() if self.found.is_file else known.keys()
        return sorted(
            uri
            for uri in near
            if uri not in there
            and (uri == self.uri or uri.startswith(below))
            and not uri.startswith(closed)
        )

    def emptied(self) -> bool:
        """Whether it is a folder that could be listed and holds nothing at all."""
        found = self.found
        return not (found.is_file or found.files or found.closed or found.ignored)


async def open_roots(paths: Sequence[Path], collection: str, store: DocumentStore) -> list[Root]:
    """Find the files below real paths, and what memory knows of them."""
    sources = await store.sources(collection)
    known: dict[int, Known] = {}
    roots = []
    for path in paths:
        owner, inner = await asyncio.to_thread(_places, path, list(sources))
        if owner not in sources:
            sources[owner] = await store.source(collection, owner)
        for source_id in (sources[uri] for uri in (owner, *inner)):
            if source_id not in known:
                known[source_id] = Known()
                known[source_id].add(await store.files.known(source_id))
        roots.append(
            Root(
                uri=path.as_uri(),
                source_id=sources[owner],
                known=known[sources[owner]],
                inner={sources[uri]: known[sources[uri]] for uri in inner},
                found=await asyncio.to_thread(folders.find, path),
            )
        )
    return roots


def _places(path: Path, sources: list[str]) -> tuple[str, list[str]]:
    """Return the source that a path belongs to, new or not, and the known ones below it."""
    uri = path.as_uri()
    owner = next((at.as_uri() for at in folders.above(path) if at.as_uri() in sources), uri)
    below = f"{uri.rstrip('/')}/"
    inner = [one for one in sources if one.startswith(below) and reaches(path, path_of(one))]
    return owner, inner


def path_of(uri: str) -> Path:
    """Return the path that `Path.as_uri` wrote."""
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(uri).path)))
