"""A file as it was read."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from memory.files import FileRecord
from tools.ingest_report import Outcome, Tally
from tools.ingestion.roots import Root
from tools.reading.disk import contents, summary


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file as it was read."""

    path: Path
    uri: str
    size: int
    """Bytes, as the folder tells them."""
    data: bytes
    """All of it; the beginning of one that is too large."""
    digest: bytes
    stamp: str
    """As in `tools.reading.disk.Contents`."""
    modified_at: datetime

    def record(self, reader: str, *, reason: str | None = None, many: bool = False) -> FileRecord:
        """Return what memory is to know of it."""
        return FileRecord(
            uri=self.uri,
            stamp=self.stamp,
            digest=self.digest,
            reader=reader,
            reason=reason,
            many=many,
        )


def load(path: Path, size: int, bytes_limit: int) -> File:
    """Read a regular file of bearable size. Blocks; raises as `contents` does."""
    found = contents(path, bytes_limit=bytes_limit)
    return File(
        path=path,
        uri=path.as_uri(),
        size=size,
        data=found.data,
        digest=hashlib.sha256(found.data).digest(),
        stamp=found.stamp,
        modified_at=found.modified_at,
    )


def look_through(path: Path, size: int) -> File:
    """Look through a regular file of any size. Blocks; raises as `summary` does."""
    found = summary(path)
    return File(
        path=path,
        uri=path.as_uri(),
        size=size,
        data=found.head,
        digest=found.digest,
        stamp=found.stamp,
        modified_at=found.modified_at,
    )


def tell_again(root: Root, known: FileRecord, tally: Tally) -> Outcome:
    """Name again what could not be read of an unchanged file; return what is to be said of it."""
    for record in root.known.members.get(known.uri, {}).values():
        if record.reason is not None:
            tally.fail(record.uri, record.reason)
    if known.reason is not None:
        return tally.fail(known.uri, known.reason)
    return Outcome.MOVED if known.uri in root.moved else Outcome.UNCHANGED
