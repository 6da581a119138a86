"""A path that is ingested: what there is below it, and what memory knows of it."""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from memory.files import FileRecord, FileStore
from memory.store import DocumentStore
from tools import folders
from tools.ignoring import reaches


@dataclass(kw_only=True, slots=True)
class Root:
    """A path that is ingested."""

    uri: str
    source_id: int
    """The source that it belongs to; a folder further up may be the source."""
    known: dict[str, FileRecord]
    """Files of the source, by uri; read before the folders, so that nothing counts as vanished
    that another process has only just brought in."""
    found: folders.Found
    inner: dict[int, dict[str, FileRecord]]
    """Sources below it, whose files now belong to it."""
    gone: set[str] = field(default_factory=set)
    """Files that were there when the folder was listed, and hold nothing or are not there now."""
    broken: dict[str, dict[str, FileRecord]] = field(default_factory=dict)
    """What is known of documents within files, by file and uri: those that could not be read."""

    def vanished(self) -> list[str]:
        """Return the known files that are no longer below the path, in order."""
        there = {path.as_uri() for path in self.found.files} - self.gone
        closed = tuple(f"{folder.as_uri()}/" for folder in self.found.closed)
        return sorted(
            uri
            for uri in self.known
            if uri not in there
            and (uri == self.uri or uri.startswith(f"{self.uri.rstrip('/')}/"))
            and not uri.startswith(closed)
        )

    def taken_out(self, source_id: int, uri: str) -> dict[str, FileRecord]:
        """Forget a file of a source, and return what was known of it and of what is within it."""
        taken: dict[str, FileRecord] = {}
        known = self.known if source_id == self.source_id else self.inner.get(source_id, {})
        if (record := known.pop(uri, None)) is not None:
            taken = {uri: record, **self.broken.pop(uri, {})}
        return taken

    def take_in(self, records: dict[str, FileRecord]) -> None:
        """Remember files of the source, and what is within them."""
        for uri, record in records.items():
            file, within, _ = uri.partition("#")
            known = self.broken.setdefault(file, {}) if within else self.known
            known[uri] = record


async def open_root(path: Path, collection: str, store: DocumentStore, files: FileStore) -> Root:
    """Find the files below a real path, and what memory knows of them."""
    sources = await store.sources(collection)
    owner, inner = await asyncio.to_thread(_places, path, list(sources))
    source_id = await store.source(collection, owner)
    known = await files.known(source_id)
    within = {sources[uri]: await files.known(sources[uri]) for uri in inner}
    root = Root(
        uri=path.as_uri(),
        source_id=source_id,
        known={},
        found=await asyncio.to_thread(folders.find, path),
        inner={
            other: {uri: one for uri, one in records.items() if "#" not in uri}
            for other, records in within.items()
        },
    )
    root.take_in(known)
    return root


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
