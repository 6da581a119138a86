"""Items of the store that graphs are handed: their names, their values, their labels."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from langgraph.store.base import SearchItem

from memory.characters import storable_json
from memory.item_names import item_uri
from memory.labels import Label, Origin
from memory.rows import Row

UNLABELLED = Label(origins=frozenset(Origin))
"""Of a value that a graph puts without saying where its words came from: from anywhere, and only
for the owner's eyes."""


class StoredItem(SearchItem):
    """An item as LangGraph knows it, with where its words came from and what put it there."""

    __slots__ = ("expires_at", "label", "source", "ttl_minutes")

    def __init__(
        self,
        *,
        label: Label,
        source: str | None,
        ttl_minutes: float | None,
        expires_at: datetime | None,
        **known: Any,
    ) -> None:
        super().__init__(**known)
        self.label = label
        self.source = source
        self.ttl_minutes = ttl_minutes
        self.expires_at = expires_at


class CheckedValue(dict[str, Any]):
    """A value that can be stored, on its way through LangGraph's queue with its label."""

    def __init__(self, value: Mapping[str, Any], *, label: Label, source: str | None) -> None:
        super().__init__(value)
        self.label = label
        self.source = source


@dataclass(frozen=True, kw_only=True, slots=True)
class NewItem:
    """An item to be stored, or to be deleted where it has no value."""

    namespace: tuple[str, ...]
    key: str
    value: CheckedValue | None
    texts: tuple[str, ...] = ()
    """What it is found by; none: it is found by its name alone."""
    ttl_minutes: float | None = None

    @property
    def uri(self) -> str:
        """Address of its document."""
        return item_uri(self.namespace, self.key)


def checked(value: Any, *, label: Label, source: str | None) -> CheckedValue:
    """Return the value as it is stored; ValueError where it is none that JSON can hold.

    NUL and halves of surrogate pairs in its texts become U+FFFD.
    """
    if isinstance(value, CheckedValue):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(  # noqa: TRY004 - one kind of error for all that cannot be stored
            f"A value has to be a mapping, but this is {type(value).__name__}. Put it under a name."
        )
    try:
        plain = json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"The value cannot be stored as JSON: {error}. Put text, numbers, lists and mappings."
        ) from error
    return CheckedValue(storable_json(plain), label=label, source=source)


def item_of(row: Row, score: float | None = None) -> StoredItem:
    """Return the item of a row."""
    return StoredItem(
        namespace=tuple(row["namespace"]),
        key=row["key"],
        value=row["value"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        score=score,
        label=Label.from_json(row),
        source=row["source"],
        ttl_minutes=row["ttl_minutes"],
        expires_at=row["expires_at"],
    )
