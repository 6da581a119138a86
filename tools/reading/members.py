"""Files that hold many documents: a mailbox, a dump.

Each member becomes a document of its own, whose uri is that of the file, `#` and the member's key.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tools.content import Content


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One document inside a file."""

    key: str
    """Names it within the file, also after others were added or taken out: no offset, no number."""
    name: str
    """What a person would call it, for messages and as a title where it has none."""
    data: bytes
    """What a file of its own would hold."""
    content: Content | None = None
    """What it is, where the container knows; None: told by its bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenMember:
    """A stretch of the file that holds no member that can be taken out."""

    key: str
    name: str
    reason: str


class Container(Protocol):
    """Takes a file apart, a member at a time, in bounded memory."""

    def members(self, path: Path) -> Iterator[Member | BrokenMember]:
        """Yield what the file holds, in its order. Blocks.

        Raises `UnreadableError` where the file as a whole is none of this kind, and OSError where
        it cannot be read; what was yielded before stands.
        """
        ...
