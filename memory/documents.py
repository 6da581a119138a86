"""What memory holds: sources have documents, documents have chunks."""

from dataclasses import dataclass
from datetime import datetime

from memory.labels import Label
from memory.places import Place


@dataclass(frozen=True, kw_only=True, slots=True)
class NewChunk:
    """A passage to be stored."""

    text: str
    """The source's own words, letter for letter: what a citation quotes."""
    context: str
    """Title, headings, thread: searched and embedded together with the text, never quoted."""
    place: Place
    label: Label


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDocument:
    """A document to be stored, with all its passages."""

    uri: str
    """Names the document within its source: the same uri again replaces it."""
    title: str
    kind: str
    """`pdf`, `markdown`, `text`, `html`, `mail`, `picture`, `recording` or `memory`."""
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
    label: Label


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A passage found by search."""

    chunk: Chunk
    score: float
    """Fused, from 0 to 1; the greater the better."""
    lexical: float
    """BM25 as a share of the most that the query could score, from 0 to 1."""
    cosine: float | None
    """Cosine with the query, from -1 to 1; None while the passage has no vector yet."""
