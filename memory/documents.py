"""What memory holds: sources have documents, documents have chunks."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from memory.labels import Label
from memory.language import CODE
from memory.messages import Message
from memory.places import Place, spanning

URI_BYTES_LIMIT = 2_000
"""Longest name of a document or a source; an index holds no longer ones."""

KINDS = (
    "pdf", "document", "slides", "sheet", "book", "markdown", "text", "code", "html", "wiki",
    "mail", "calendar", "contacts", "picture", "recording", "memory",
)  # fmt: skip
"""What documents are, by what has to be known to read them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """The place of a stretch of a passage: from its offset to the next span's, or to the end.

    Where the place has lines, each newline within the stretch is one line further down.
    """

    offset: int
    """Character of the passage's text, from 0."""
    place: Place

    def to_json(self) -> dict[str, Any]:
        """Return what a JSON column holds."""
        return {"offset": self.offset, "place": self.place.to_json()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Span":
        """Read what `to_json` wrote."""
        return cls(offset=data["offset"], place=Place.from_json(data["place"]))


@dataclass(frozen=True, kw_only=True, slots=True)
class NewChunk:
    """A passage to be stored."""

    text: str
    """The source's own words, letter for letter: what a citation quotes."""
    context: str
    """Title, headings, thread: searched and embedded together with the text, never quoted."""
    place: Place
    """Place of the whole passage."""
    label: Label
    spans: tuple[Span, ...] = ()
    """Places of its stretches by rising offset, the first at 0; none: the place holds for all."""
    quoted: bool = False
    """Whether it only repeats an earlier mail."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDocument:
    """A document to be stored, with all its passages."""

    uri: str
    """Names the document within its source: the same uri again replaces it."""
    title: str
    kind: str
    """One of `KINDS`, or what a reader of a user's own calls it."""
    media_type: str
    content_hash: bytes
    """SHA-256 of the bytes that were read."""
    reader: str
    """Name and version of what read it; another reader means that it is read again."""
    language: str
    """ISO 639-1 code, or `und` where it could not be told."""
    modified_at: datetime | None
    label: Label
    chunks: tuple[NewChunk, ...]
    flaws: tuple[str, ...] = ()
    """What was wrong with it, in words; what could be read is stored all the same."""
    author: str = ""
    """Who wrote it, as its content says: of a mail the name and address of its sender."""
    message: Message | None = None
    """Of a mail: whom it is between, and what it answers."""

    @property
    def vocabulary(self) -> str:
        """Which words are common in it: those of its language, or of source code."""
        return CODE if self.kind == CODE else self.language


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownDocument:
    """What ingestion has to know of a stored document to leave it alone."""

    id: int
    content_hash: bytes
    reader: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A stored document, without its passages."""

    id: int
    collection: str
    uri: str
    title: str
    kind: str
    language: str
    label: Label
    modified_at: datetime | None
    author: str = ""
    """As in `NewDocument`."""
    thread: str | None = None
    """Of a mail: names its thread."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Threaded:
    """A mail in its thread."""

    document: Document
    parent_id: int | None
    """Document that it answers, where that is stored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """A stored passage."""

    id: int
    document: Document
    ordinal: int
    """Position within the document, from 0."""
    text: str
    context: str
    place: Place
    """Place of the whole passage; `located` gives that of a quotation in it."""
    label: Label
    spans: tuple[Span, ...] = ()
    """As in `NewChunk`."""
    quoted: bool = False
    """As in `NewChunk`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A passage found by search."""

    chunk: Chunk
    score: float
    """The cosine, and what the words add to it: from 0 up, the greater the better."""
    lexical: float
    """BM25 as a share of the most that the query could score, from 0 to 1."""
    cosine: float | None
    """Cosine with the query, from -1 to 1; None while the passage has no vector yet."""


def located(chunk: NewChunk | Chunk, start: int, end: int) -> Place:
    """Return the place of a quotation: the characters from start up to end of a passage's text."""
    if not 0 <= start < end <= len(chunk.text):
        raise ValueError(f"no characters {start} to {end} in a passage of {len(chunk.text)}")
    if not chunk.spans:
        return chunk.place
    stops = [span.offset for span in chunk.spans[1:]] + [len(chunk.text)]
    return spanning(
        _narrowed(span, chunk.text, max(start, span.offset), min(end, stop))
        for span, stop in zip(chunk.spans, stops, strict=True)
        if span.offset < end and start < stop
    )


def _narrowed(span: Span, text: str, start: int, end: int) -> Place:
    """Return the place of the characters from start up to end, which lie within one stretch."""
    if span.place.line is None:
        return span.place
    line = span.place.line + text.count("\n", span.offset, start)
    last_line = line + text[start:end].rstrip("\n").count("\n")
    return replace(span.place, line=line, last_line=last_line)
