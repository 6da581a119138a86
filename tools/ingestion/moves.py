"""Files that have vanished at one place and appeared at another with the same content.

They keep their documents, passages and vectors, and are not read again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from memory.files import FileRecord, FileStore, Move
from memory.patience import patiently
from tools.ingestion.roots import Root, path_of
from tools.reading.base import UnreadableError
from tools.reading.disk import Summary, summary
from tools.stamps import size_of

_BATCH = 256
"""Files that are moved in one transaction."""


@dataclass(slots=True)
class Vanished:
    """Files that memory knows and that are no longer where they were."""

    by_digest: dict[bytes, list[tuple[int, str]]] = field(default_factory=dict)
    """Source and uri of those of each content."""
    sizes: set[int] = field(default_factory=set)
    any_size: bool = False
    """Whether the size of one is not known."""

    def add(self, source_id: int, records: Iterable[FileRecord]) -> None:
        """Take in files of a source; what could not be read has nothing to keep."""
        for record in records:
            if record.reason is not None:
                continue
            self.by_digest.setdefault(record.digest, []).append((source_id, record.uri))
            if record.stamp is None:
                self.any_size = True
            else:
                self.sizes.add(size_of(record.stamp))

    def may_hold(self, size: int) -> bool:
        """Return whether one had so many bytes, or may have had."""
        return self.any_size or size in self.sizes

    def claim(self, digest: bytes, uri: str) -> tuple[int, str] | None:
        """Take out the one of a content whose path ends most like another; None: there is none."""
        alike = self.by_digest.get(digest)
        if not alike:
            return None
        best = max(alike, key=lambda one: _shared_end(one[1], uri))
        alike.remove(best)
        return best


def _shared_end(one: str, other: str) -> int:
    """Count the names at the end of two paths that are the same."""
    count = 0
    for name, another in zip(reversed(one.split("/")), reversed(other.split("/")), strict=False):
        if name != another:
            break
        count += 1
    return count


async def settle(roots: Sequence[Root], files: FileStore) -> None:
    """Give documents of moved files the uris that these have now."""
    vanished = Vanished()
    for root in roots:
        vanished.add(root.source_id, (root.known.files[uri] for uri in root.vanished()))
        for source_id, known in root.inner.items():
            vanished.add(source_id, known.files.values())
    if not vanished.by_digest:
        return
    candidates = [
        (root, path)
        for root in roots
        for path, stamp in root.found.files.items()
        if vanished.may_hold(stamp.size) and path.as_uri() not in root.known.files
    ]
    for start in range(0, len(candidates), _BATCH):
        await _move(roots, candidates[start : start + _BATCH], vanished, files)


async def _move(
    roots: Sequence[Root],
    candidates: Sequence[tuple[Root, Path]],
    vanished: Vanished,
    files: FileStore,
) -> None:
    summaries = await asyncio.gather(*(asyncio.to_thread(_summary, path) for _, path in candidates))
    moves: defaultdict[int, list[Move]] = defaultdict(list)
    for (root, path), found in zip(candidates, summaries, strict=True):
        uri = path.as_uri()
        claimed = vanished.claim(found.digest, uri) if found is not None else None
        if found is not None and claimed is not None:
            source_id, old = claimed
            moves[root.source_id].append(
                Move(
                    source_id=source_id,
                    old=old,
                    new=uri,
                    old_name=path_of(old).name,
                    new_name=path.name,
                    stamp=found.stamp,
                )
            )
    for source_id, wanted in moves.items():
        done = await _carried_out(files, source_id, wanted)
        for move in wanted:
            if move.new in done:
                _follow(roots, source_id, move)


async def _carried_out(files: FileStore, source_id: int, moves: Sequence[Move]) -> set[str]:
    return await patiently(lambda: files.move(source_id, moves))


def _follow(roots: Sequence[Root], source_id: int, move: Move) -> None:
    """Bring what is known of files up to what memory holds after a move."""
    taken: dict[str, FileRecord] = {}
    for root in roots:
        known = root.known if root.source_id == move.source_id else root.inner.get(move.source_id)
        if known is not None:
            taken |= known.take_out(move.old)
    renamed = {
        move.new + uri[len(move.old) :]: replace(record, uri=move.new + uri[len(move.old) :])
        for uri, record in taken.items()
    }
    renamed[move.new] = replace(renamed[move.new], stamp=move.stamp)
    for root in roots:
        if root.source_id == source_id:
            root.known.add(renamed)
            root.moved.add(move.new)


def _summary(path: Path) -> Summary | None:
    """Look through a file; None where it cannot be read, which whoever reads it will tell."""
    try:
        return summary(path, head_bytes=0)
    except (OSError, UnreadableError):
        return None
