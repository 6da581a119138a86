"""Bodies that graph state only refers to: transcripts, results of tools."""

from dataclasses import dataclass
from typing import Any

from memory.labels import Label


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A body with its label."""

    id: str
    """A UUID that the maker derives from run and purpose: made again, it is the same."""
    kind: str
    body: dict[str, Any]
    label: Label
