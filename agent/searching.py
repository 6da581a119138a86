"""Search, told as plain values."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from agent import assembly
from agent.errors import UsageError
from agent.settings import Settings
from memory.documents import KINDS, Chunk, Hit
from memory.filters import Filter
from memory.search import THOROUGH, USUAL
from memory.store import DocumentStore

_RERANKED = 20
"""Passages that the executive puts in order, at least."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchWish:
    """What to look for, where, and how."""

    text: str
    k: int = 10
    kinds: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    path: str | None = None
    """A file or a folder, or the beginning of a uri."""
    sender: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    per_document: int | None = None
    around: int = 0
    """Passages before and behind each that are shown with it."""
    thorough: bool = False
    rerank: bool = False

    @property
    def filter(self) -> Filter:
        """Which documents are looked at."""
        return Filter(
            kinds=frozenset(self.kinds) or None,
            uri_prefix=None if self.path is None else _uri_prefix(self.path),
            sources=frozenset(map(_uri, self.sources)) or None,
            sender=self.sender,
            since=_moment(self.since),
            until=_moment(self.until),
        )


async def search(settings: Settings, wish: SearchWish) -> dict[str, Any]:
    """Return the best passages of the collection."""
    if not wish.text.strip():
        raise UsageError("There is nothing to look for. Give a word or a question.")
    narrowing = await asyncio.to_thread(lambda: wish.filter)
    async with assembly.memory(settings) as memory:
        await _check_kinds(memory.store, wish.kinds)
        found = await memory.searcher.search(
            wish.text,
            k=max(wish.k, _RERANKED) if wish.rerank else wish.k,
            collections=[settings.collection],
            filter=narrowing,
            per_document=wish.per_document,
            effort=THOROUGH if wish.thorough else USUAL,
        )
        judge = None
        if wish.rerank:
            judge, found = await _reranked(settings, wish.text, found)
        shown = [
            _told(hit) | await _around(memory.store, hit.chunk, wish.around)
            for hit in found[: wish.k]
        ]
    result = {"query": wish.text, "collection": settings.collection, "hits": shown}
    return result if judge is None else {**result, "reranked_by": judge}


async def _reranked(settings: Settings, text: str, found: Sequence[Hit]) -> tuple[str, list[Hit]]:
    """Let the executive order what was found. Raises UsageError for one without judgement."""
    from graphs.rerank import reranked

    async with aclosing(await assembly.executive(settings)) as executive:
        profile = executive.profile
        if not profile.judgement:
            raise UsageError(
                f"{profile.name} has no judgement to order passages by. Install Ollama and run "
                "`ollama pull qwen3:14b`, or search without --rerank."
            )
        return profile.name, await reranked(executive, text, found)


async def _check_kinds(store: DocumentStore, kinds: Sequence[str]) -> None:
    """Raise UsageError for a word that is no kind: a reader of a user's own may bring some."""
    strange = sorted(set(kinds) - set(KINDS))
    if not strange:
        return
    own = {kind for one in await store.collections() for kind in one.documents}
    if wrong := [kind for kind in strange if kind not in own]:
        there = ", ".join([*KINDS, *sorted(own - set(KINDS))])
        raise UsageError(f"There is no kind of document {wrong[0]!r}. There are: {there}.")


async def _around(store: DocumentStore, chunk: Chunk, count: int) -> dict[str, Any]:
    if not count:
        return {}
    near = await store.neighbours(chunk.id, before=count, after=count)
    return {
        "around": [
            {"text": one.text, "where": str(one.place), "chunk": one.id}
            for one in near
            if one.id != chunk.id
        ]
    }


def _moment(given: datetime | None) -> datetime | None:
    """Return a local time with its zone. Raises UsageError at the ends of time."""
    try:
        return None if given is None else given.astimezone()
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"The date {given:%Y-%m-%d} is too near to the first or the last that there is. Leave "
            "it out, or give one between the years 2 and 9998."
        ) from error


def _uri_prefix(path: str) -> str:
    """Return what the uris of a file, or of all that lies in a folder, begin with."""
    uri = _uri(path)
    return f"{uri}/" if uri != path and Path(path).expanduser().is_dir() else uri


def _uri(path: str) -> str:
    return path if ":" in path.partition("/")[0] else Path(path).expanduser().resolve().as_uri()


def _told(hit: Hit) -> dict[str, Any]:
    chunk, document = hit.chunk, hit.chunk.document
    return {
        "score": hit.score,
        "lexical": hit.lexical,
        "cosine": hit.cosine,
        "source": document.uri,
        "title": document.title,
        "kind": document.kind,
        "date": document.modified_at and document.modified_at.isoformat(),
        "place": chunk.place.to_json(),
        "where": str(chunk.place),
        "text": chunk.text,
        "context": chunk.context,
        "chunk": chunk.id,
        "label": chunk.label.to_json(),
    }
