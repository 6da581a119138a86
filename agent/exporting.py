"""Memory taken out: all that is remembered, as lines of JSON in one file."""

import json
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from agent import assembly
from agent.errors import UsageError
from agent.remembering import told
from agent.settings import Settings
from memory.item_names import KIND
from memory.store import DocumentStore

if TYPE_CHECKING:
    from memory.documents import Document


async def export(settings: Settings, file: Path, *, documents: bool) -> dict[str, Any]:
    """Write all memories into a file; with `documents` a line for each of those too.

    The file is there whole or not at all, and only for its owner to read.
    """
    from memory.item_catalogue import ItemCatalogue

    counts = {"memories": 0, "documents": 0}
    with _whole(file) as out:
        async with assembly.database(settings) as pool:
            async for item in ItemCatalogue(pool).items():
                out.write(_line({"type": "memory", **told(item)}))
                counts["memories"] += 1
            if documents:
                async for document in _documents(DocumentStore(pool)):
                    out.write(_line({"type": "document", **_known(document)}))
                    counts["documents"] += 1
    return {"path": str(file), **counts}


@contextmanager
def _whole(file: Path) -> Iterator[TextIO]:
    """Lend a file that takes the place of this one when it has been written to its end."""
    if file.is_dir():
        raise UsageError(f"{str(file)!r} is a folder. Name a file for the memories.")
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.resolve().parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(file)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


async def _documents(store: DocumentStore) -> "AsyncIterator[Document]":
    for collection in await store.collections():
        for document in await store.documents(collection.name):
            if document.kind != KIND:
                yield document


def _known(document: "Document") -> dict[str, Any]:
    return {
        "collection": document.collection,
        "uri": document.uri,
        "title": document.title,
        "kind": document.kind,
        "language": document.language,
        "label": document.label.to_json(),
        "modified_at": None if document.modified_at is None else document.modified_at.isoformat(),
    }


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
