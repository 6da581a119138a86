"""Passages on their way into the tables: cleaned, measured, and compared with what is stored."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from psycopg.types.json import Jsonb

from memory import lexicon
from memory.characters import storable, storable_json
from memory.documents import NewChunk, NewDocument
from memory.errors import PassageTooLongError


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A passage as its row will be."""

    ordinal: int
    text: str
    context: str
    words: str
    """What the parser sees of context and text."""
    content_key: bytes
    text_key: int
    place: Jsonb
    spans: Jsonb
    label: Jsonb
    quoted: bool


def prepared(document: NewDocument) -> list[Passage]:
    """Return the rows of a document's passages; PassageTooLongError where one cannot be indexed."""
    return [
        _prepared(chunk, ordinal, document.uri) for ordinal, chunk in enumerate(document.chunks)
    ]


def columns(passages: Sequence[Passage]) -> dict[str, list[Any]]:
    """Turn rows into columns, named in the plural as the queries name them."""
    return {
        f"{field.name.removesuffix('s')}s": [getattr(passage, field.name) for passage in passages]
        for field in fields(Passage)
    }


def matched(stored: Sequence[tuple[int, bytes]], passages: Sequence[Passage]) -> dict[int, int]:
    """Find the stored passages, given as (id, content key), that stay: their ids by new ordinal.

    Of equal ones the first stays the first, so that ids hold on to their places.
    """
    by_key: defaultdict[bytes, deque[int]] = defaultdict(deque)
    for chunk_id, key in stored:
        by_key[key].append(chunk_id)
    return {
        passage.ordinal: by_key[passage.content_key].popleft()
        for passage in passages
        if by_key[passage.content_key]
    }


def _prepared(chunk: NewChunk, ordinal: int, uri: str) -> Passage:
    text, context = storable(chunk.text), storable(chunk.context)
    if len(text) + len(context) > lexicon.CHARACTERS_LIMIT:
        raise PassageTooLongError(
            f"Passage {ordinal} of {uri} has {len(text) + len(context):,} characters with its "
            f"context, but at most {lexicon.CHARACTERS_LIMIT:,} can be indexed. Cut it in pieces."
        )
    return Passage(
        ordinal=ordinal,
        text=text,
        context=context,
        words=lexicon.indexed(context, text),
        content_key=lexicon.content_key(context, text),
        text_key=lexicon.text_key(text),
        place=Jsonb(storable_json(chunk.place.to_json())),
        spans=Jsonb([storable_json(span.to_json()) for span in chunk.spans]),
        label=Jsonb(storable_json(chunk.label.to_json())),
        quoted=chunk.quoted,
    )
