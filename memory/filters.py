"""Which documents a search looks at."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from memory.characters import storable
from memory.rows import possible


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """What is asked of a document; all of it has to hold. What is None does not matter."""

    kinds: frozenset[str] | None = None
    uri_prefix: str | None = None
    """Beginning of the uri: a folder, a mailbox, a file."""
    sources: frozenset[str] | None = None
    """Uris of what was ingested as a whole."""
    sender: str | None = None
    """Part of the name or address of who wrote it, in any case of letters."""
    since: datetime | None = None
    """Dated at this moment or later; a document without a date is left out."""
    until: datetime | None = None
    """Dated before this moment; a document without a date is left out."""
    thread: str | None = None
    """Names the thread of a mail."""
    document_ids: frozenset[int] | None = None

    @property
    def narrows(self) -> bool:
        """Whether it asks for anything."""
        return self != Filter()

    def values(self) -> dict[str, Any]:
        """Return the parameters of `matching_document`."""
        ids = self.document_ids
        return {
            "narrowed": self.narrows,
            "kinds": _listed(self.kinds),
            "uri_prefix": _stored(self.uri_prefix),
            "source_uris": _listed(self.sources),
            "sender": _stored(self.sender),
            "since": self.since,
            "until": self.until,
            "thread": _stored(self.thread),
            "document_ids": None if ids is None else sorted(possible(ids)),
        }


def _stored(text: str | None) -> str | None:
    return None if text is None else storable(text)


def _listed(values: Collection[str] | None) -> list[str] | None:
    return None if values is None else sorted(map(storable, values))
