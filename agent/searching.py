"""Search, told as plain values."""

from typing import Any

from agent import assembly
from agent.errors import UsageError
from agent.settings import Settings
from memory.documents import Hit


async def search(settings: Settings, text: str, *, k: int) -> dict[str, Any]:
    """Return the best passages of the collection."""
    if not text.strip():
        raise UsageError("There is nothing to look for. Give a word or a question.")
    async with assembly.memory(settings) as memory:
        found = await memory.searcher.search(text, k=k, collections=[settings.collection])
    return {
        "query": text,
        "collection": settings.collection,
        "hits": [_told(hit) for hit in found],
    }


def _told(hit: Hit) -> dict[str, Any]:
    chunk = hit.chunk
    return {
        "score": hit.score,
        "lexical": hit.lexical,
        "cosine": hit.cosine,
        "source": chunk.document.uri,
        "title": chunk.document.title,
        "kind": chunk.document.kind,
        "place": chunk.place.to_json(),
        "where": str(chunk.place),
        "text": chunk.text,
        "context": chunk.context,
        "chunk": chunk.id,
        "label": chunk.label.to_json(),
    }
